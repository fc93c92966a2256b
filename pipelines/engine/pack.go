package engine

import (
	"container/heap"
	"context"
	"fmt"
	"hash/fnv"
	"iter"

	"winnow"
	"winnow/shard"
	"winnow/shard/store"
)

// packs deals the shards, in order, to data files of about FileSize bytes of kept text.
func (r *run) packs() ([][]int, error) {
	last := len(r.passes) - 1
	var files [][]int
	size := r.FileSize
	for n := range r.Shards {
		m, err := r.finished(mapName(last, n), r.mapKey(last, n))
		if err != nil {
			return nil, err
		}
		if size >= r.FileSize {
			files, size = append(files, nil), 0
		}
		files[len(files)-1] = append(files[len(files)-1], n)
		size += m.Counts["alive_bytes"]
	}
	return files, nil
}

func (r *run) packKey(files [][]int, n int) string {
	last := len(r.passes) - 1
	keys := []string{}
	for _, s := range files[n] {
		keys = append(keys, r.mapKey(last, s))
	}
	return key("pack", n, keys, r.Dropped, r.Seed)
}

// packTask writes data file n with its part of the ledger and the dropped texts.
func (r *run) packTask(ctx context.Context, files [][]int, n int) (*shard.Manifest, error) {
	m := newManifest(r.packKey(files, n), packName(n))
	m.Counts = map[string]int64{}
	w, err := r.newPackOutput(n)
	if err != nil {
		return nil, err
	}
	defer w.abort()
	for _, s := range files[n] {
		for row, err := range r.finalRows(s) {
			if err == nil {
				err = ctx.Err()
			}
			if err != nil {
				return nil, err
			}
			r.pad(row, len(r.Steps))
			r.tallyRow(m.Counts, row)
			if err := w.write(row); err != nil {
				return nil, err
			}
		}
	}
	return m, w.commit(m)
}

func (r *run) tallyRow(c map[string]int64, row *shard.Row) {
	c["documents"]++
	c["raw_bytes"] += row.Doc.RawBytes
	c["tokens"] += row.Doc.TokenCount
	if row.DropStage != shard.Alive {
		c["drop."+row.Verdict.Stage]++
		return
	}
	tallyEdits(c, row.Edits)
	c["kept"]++
	c["kept_bytes"] += row.Bytes
	c["kept_chars"] += row.Chars
	c["kept_tokens"] += row.Doc.TokenCount
}

// tallyEdits counts what each rule changed in one kept document: keys edit.<what>.<rule>.
func tallyEdits(c map[string]int64, edits []winnow.Edit) {
	seen := map[string]bool{}
	for _, e := range edits {
		if !seen[e.Rule] {
			seen[e.Rule] = true
			c["edit.documents."+e.Rule]++
		}
		c["edit.edits."+e.Rule]++
		c["edit.removed."+e.Rule] += int64(e.End - e.Start)
		c["edit.added."+e.Rule] += int64(len(e.With))
	}
}

// packOutput is the three files of one Pack task.
type packOutput struct {
	folders []string // data, ledger, and dropped where texts are kept
	temps   []*shard.Temp
	data    *shard.DataWriter
	ledger  *shard.LedgerWriter
	dropped *shard.DroppedWriter
	keep    func(*shard.Row) bool // whether a dropped text is stored
}

func (r *run) newPackOutput(n int) (*packOutput, error) {
	w := &packOutput{folders: []string{"data", "ledger", "dropped"}, keep: func(*shard.Row) bool { return true }}
	if r.Dropped == DroppedNone {
		w.folders = w.folders[:2]
	}
	for _, folder := range w.folders {
		f, err := shard.Create(r.Store, store.Join(r.dir, folder, fmt.Sprintf("%05d.parquet", n)))
		if err != nil {
			w.abort()
			return nil, err
		}
		w.temps = append(w.temps, f)
	}
	meta := map[string]string{"winnow.run": r.id}
	w.data = shard.NewDataWriter(w.temps[0], meta)
	var err error
	if w.ledger, err = shard.NewLedgerWriter(w.temps[1], r.Signals(), meta); err != nil {
		w.abort()
		return nil, err
	}
	if len(w.temps) > 2 {
		w.dropped = shard.NewDroppedWriter(w.temps[2], meta)
	}
	if r.Dropped == DroppedSample {
		cut, err := r.sampleCuts()
		if err != nil {
			w.abort()
			return nil, err
		}
		w.keep = func(row *shard.Row) bool { return r.draw(row) <= cut[row.Verdict.Rule] }
	}
	return w, nil
}

func (w *packOutput) write(row *shard.Row) error {
	if err := w.ledger.Write(row); err != nil {
		return err
	}
	if row.DropStage == shard.Alive {
		return w.data.WriteRow(row)
	}
	if w.dropped != nil && w.keep(row) {
		return w.dropped.Write(row)
	}
	return nil
}

// commit closes the files and gives them their final names.
func (w *packOutput) commit(m *shard.Manifest) error {
	if err := w.data.Close(); err != nil {
		return err
	}
	if err := w.ledger.Close(); err != nil {
		return err
	}
	if w.dropped != nil {
		if err := w.dropped.Close(); err != nil {
			return err
		}
	}
	for i, f := range w.temps {
		out := f.Output(0)
		if err := f.Commit(); err != nil {
			return err
		}
		out.Name = w.folders[i] + "/" + out.Name
		m.Outputs = append(m.Outputs, out)
	}
	return nil
}

func (w *packOutput) abort() {
	for _, f := range w.temps {
		f.Abort()
	}
}

// finalRows streams the last state of every document of a shard, in input order: derived ones behind their origin.
func (r *run) finalRows(n int) iter.Seq2[*shard.Row, error] {
	return func(yield func(*shard.Row, error) bool) {
		layers := make([]*layer, len(r.passes))
		for p := range layers {
			spool, err := r.output(mapName(p, n), r.mapKey(p, n), 0)
			if err != nil {
				yield(nil, err)
				return
			}
			l := &layer{path: spool}
			var stop func()
			l.pull, stop = iter.Pull2(shard.ReadSpool(r.Store, spool))
			defer stop()
			l.next()
			layers[p] = l
		}
		for layers[0].row != nil {
			if !descend(layers, yield) {
				return
			}
		}
		for _, l := range layers {
			if l.err == nil && l.row != nil {
				l.err = fmt.Errorf("row %d belongs to no row of the pass before", l.at)
			}
			if l.err != nil {
				yield(nil, fmt.Errorf("%s: %w", l.path, l.err))
				return
			}
		}
	}
}

// layer is the spool of one pass, one row ahead.
type layer struct {
	path string
	pull func() (*shard.Row, error, bool)
	row  *shard.Row // nil at the end
	at   int        // index of row
	err  error
	read int
}

func (l *layer) next() {
	row, err, ok := l.pull()
	if l.row, l.err = row, err; !ok || err != nil {
		l.row = nil
	}
	l.at = l.read
	l.read++
}

// descend yields the last state of the first layer's next row: what the layers below made of it, where it went on.
func descend(layers []*layer, yield func(*shard.Row, error) bool) bool {
	l := layers[0]
	row, at := l.row, l.at
	l.next()
	if row.DropStage != shard.Alive || len(layers) == 1 {
		return yield(row, nil)
	}
	for below := layers[1]; below.row != nil && below.row.Seq == at; {
		if !descend(layers[1:], yield) {
			return false
		}
	}
	return true
}

const sampleSize = 1000 // dropped texts kept for each rule

// draw is the lot of a document: a hash of the run's seed and the document's id.
func (r *run) draw(row *shard.Row) uint64 {
	h := fnv.New64a()
	fmt.Fprintf(h, "%d\x00%s", r.Seed, row.Doc.ID)
	x := h.Sum64() // FNV's high bits are weak on short inputs: finish as MurmurHash3 does
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	return x
}

// sampleCuts gives the highest lot of each rule that is still within its sample.
func (r *run) sampleCuts() (map[string]uint64, error) {
	r.cutsOnce.Do(func() {
		lots := map[string]*lotHeap{}
		for n := range r.Shards {
			for row, err := range r.finalRows(n) {
				if err != nil {
					r.cutsErr = err
					return
				}
				if row.DropStage == shard.Alive {
					continue
				}
				h := lots[row.Verdict.Rule]
				if h == nil {
					h = &lotHeap{}
					lots[row.Verdict.Rule] = h
				}
				heap.Push(h, r.draw(row))
				if h.Len() > sampleSize {
					heap.Pop(h)
				}
			}
		}
		r.cuts = map[string]uint64{}
		for rule, h := range lots {
			r.cuts[rule] = (*h)[0]
		}
	})
	return r.cuts, r.cutsErr
}

// lotHeap is a heap with the highest lot on top.
type lotHeap []uint64

func (h lotHeap) Len() int           { return len(h) }
func (h lotHeap) Less(i, j int) bool { return h[i] > h[j] }
func (h lotHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *lotHeap) Push(x any)        { *h = append(*h, x.(uint64)) }
func (h *lotHeap) Pop() any {
	old := *h
	x := old[len(old)-1]
	*h = old[:len(old)-1]
	return x
}
