package engine

import (
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"slices"

	"winnow"
	"winnow/pipelines/engine/compare"
	"winnow/shard"
	"winnow/shard/store"
)

// earlier is what another run made of the same shard in the same pass, with the same code and parameters at least in its
// first steps. Rows whose verdict stays are taken over whole; a row whose verdict changes starts again at the step that
// changed, from the stored text where that is what the step received, else from the input.
type earlier struct {
	*run
	pass   pass
	match  int // leading local steps of the pass that are the same but for bounds
	folder string
	spool  string
	man    *shard.Manifest
	alike  []bool                         // by Corpus stage of the pass: its sketches are the same
	stored map[int]map[int]compare.Sketch // by Corpus stage, then row
}

// sketches gives what chain.apply needs; a nil receiver has none.
func (e *earlier) sketches() map[int]map[int]compare.Sketch {
	if e == nil {
		return nil
	}
	return e.stored
}

// previous looks through the other runs beside this one, and takes the one with the most in common.
func (r *run) previous(p, n int) (*earlier, error) {
	if r.fresh {
		return nil, nil
	}
	var best *earlier
	for _, other := range r.siblings {
		if e := r.compare(other, p, n); e != nil && (best == nil || e.match > best.match) {
			best = e
		}
	}
	if best == nil {
		return nil, nil
	}
	return best, best.load()
}

// sibling is another run in the same folder.
type sibling struct {
	dir  string
	info *shard.Run
}

func findSiblings(s *store.Store, root, self string) (out []sibling) {
	entries, _ := s.List(root)
	for _, e := range entries {
		if e.Name == self || winnow.IsURL(root) && !e.Folder {
			continue
		}
		dir := store.Join(root, e.Name)
		if info, err := shard.ReadRun(s, dir); err == nil {
			out = append(out, sibling{dir, info})
		}
	}
	return out
}

// compare tells what pass p of another run has in common with this one on shard n; nil when nothing.
func (r *run) compare(o sibling, p, n int) *earlier {
	at := -1
	for i, s := range o.info.Shards {
		if s.Fingerprint == r.Shards[n].Fingerprint {
			at = i
		}
	}
	if at < 0 {
		return nil
	}
	e := &earlier{run: r, pass: r.passes[p]}
	same := func(i int) bool {
		if i >= len(o.info.Stages) {
			return false
		}
		s := &o.info.Stages[i]
		if _, ok := r.Steps[i].Stage.(winnow.Rationed); ok {
			return false // other documents may have come before
		}
		return s.Label == r.Steps[i].Label && s.Version == r.Steps[i].Stage.Version() && s.First == r.cols[i]
	}
	for q := range p {
		for _, i := range r.passes[q].local {
			if !same(i) {
				return nil
			}
		}
		for _, i := range r.passes[q].corpora {
			if i >= len(o.info.Stages) || o.info.Stages[i].Kind != "corpus" || r.cutTexts(r.dir, i) || r.cutTexts(o.dir, i) {
				return nil
			}
		}
	}
	for _, i := range e.pass.local {
		if !same(i) || o.info.Stages[i].Kind == "corpus" || o.info.Stages[i].Pass != p+1 {
			break
		}
		e.match++
	}
	if e.match == 0 {
		return nil
	}
	man, err := shard.ReadManifest(r.Store, store.Join(o.dir, "tasks", mapName(p, at)+".json"))
	if err != nil || len(man.Outputs) == 0 {
		return nil // not done there, or damaged: this run works it out itself
	}
	e.man, e.folder, e.spool = man, o.dir, store.Join(o.dir, man.Outputs[0].Name)
	if !r.Store.Exists(e.spool) {
		return nil
	}
	for _, i := range e.pass.corpora {
		e.alike = append(e.alike, e.match == len(e.pass.local) && same(i))
	}
	return e
}

// cutTexts tells whether Corpus stage i cut texts in a run. What later stages made of those depends on the other documents, and
// is not taken over.
func (r *run) cutTexts(dir string, i int) bool {
	m, err := shard.ReadManifest(r.Store, store.Join(dir, "tasks", resolveName(r.Steps[i].Label)+".json"))
	return err != nil || m.Counts["cut"] > 0
}

// load reads the stored sketches of those Corpus stages that are the same.
func (e *earlier) load() error {
	e.stored = map[int]map[int]compare.Sketch{}
	for k, i := range e.pass.corpora {
		if !e.alike[k] || k+1 >= len(e.man.Outputs) {
			continue
		}
		l := e.Steps[i].Stage.(winnow.Corpus).Layout()
		if l.Cuts {
			continue // more than memory may hold, and made as fast as read
		}
		s, err := compare.Load(e.Store, store.Join(e.folder, e.man.Outputs[k+1].Name), l)
		if errors.Is(err, fs.ErrNotExist) {
			continue // made again from the text
		}
		if err != nil {
			return err
		}
		e.stored[k] = s
	}
	return nil
}

// decision is what to do with the stored rows of one input document.
type decision struct {
	from int  // step to start again at; len(Steps): take the rows over whole
	redo bool // the stored text will not do: read the document again
}

func (e *earlier) decide(rows []*shard.Row) decision {
	whole := decision{from: len(e.Steps)}
	for _, row := range rows {
		if lost(row) && e.Dropped != DroppedNone {
			return decision{redo: true} // that run did not store the text, this one must
		}
		if d := e.decideRow(row); d != whole {
			if len(rows) > 1 || !e.startable(row, d.from) {
				return decision{redo: true}
			}
			return d
		}
	}
	return whole
}

// lost tells whether a row's text was not stored.
func lost(row *shard.Row) bool { return row.Doc.Text == "" && row.Bytes > 0 }

// startable tells whether the row holds the document as step k received it. A step that is the same in both runs sets the
// language anew itself.
func (e *earlier) startable(row *shard.Row, k int) bool {
	at := slices.Index(e.pass.local, k)
	fields := row.FieldStage < k || row.FieldStage == k && at >= 0 && at < e.match
	return !lost(row) && fields && row.EditStage < k && row.EditStage != shard.NoStage
}

// decideRow judges one stored row anew. It changes no more of it than the bound of a verdict that stays.
func (e *earlier) decideRow(row *shard.Row) decision {
	if row.DropStage == shard.AtRead {
		return decision{from: len(e.Steps)}
	}
	for k, i := range e.pass.local {
		if k >= e.match {
			return decision{from: i}
		}
		here := row.DropStage == i
		j, judged := e.Steps[i].Stage.(winnow.Judged)
		if judged && !isError(row.Verdict.Rule, here) {
			v := j.Judge(row.Doc.Language, row.Doc.Signals[e.cols[i]:e.cols[i+1]])
			if v.Drop != here || here && e.rename(i, v.Rule) != row.Verdict.Rule {
				return decision{from: i}
			}
			row.Verdict.Bound = v.Bound
		}
		if here {
			return decision{from: len(e.Steps)}
		}
	}
	if end := e.end(); row.DropStage >= end || row.EditStage >= end || row.FieldStage >= end {
		return decision{from: end} // the other run's pass went on where this one ends
	}
	return decision{from: len(e.Steps)}
}

// end is the step behind the last local one of the pass.
func (e *earlier) end() int { return e.pass.local[len(e.pass.local)-1] + 1 }

func isError(rule string, here bool) bool {
	return here && len(rule) > 6 && rule[:6] == "error."
}

// restart makes a stored row as it was before step k.
func (e *earlier) restart(row *shard.Row, k int) *shard.Row {
	row.Verdict, row.DropStage = winnow.Verdict{}, shard.Alive
	e.pad(row, k)
	return row
}

// group is the stored rows of one input document: itself and what was derived from it.
type group struct {
	rows []*shard.Row
	at   []int // their indexes in the spool
}

func (e *earlier) groups() iter.Seq2[group, error] {
	return func(yield func(group, error) bool) {
		var g group
		at := 0
		for row, err := range shard.ReadSpool(e.Store, e.spool) {
			if err != nil {
				yield(group{}, fmt.Errorf("%s: %w", e.spool, err))
				return
			}
			if len(g.rows) > 0 && g.rows[0].Seq != row.Seq {
				if !yield(g, nil) {
					return
				}
				g = group{}
			}
			g.rows, g.at = append(g.rows, row), append(g.at, at)
			at++
		}
		if len(g.rows) > 0 {
			yield(g, nil)
		}
	}
}

// take makes the item for a group that is not redone.
func (e *earlier) take(g group, d decision, seq int) *item {
	if d.from < len(e.Steps) {
		return &item{seq: seq, rows: []*shard.Row{e.restart(g.rows[0], d.from)}, from: d.from}
	}
	for _, row := range g.rows {
		e.pad(row, e.end())
	}
	return &item{seq: seq, rows: g.rows, from: d.from, old: g.at}
}

// input replaces a pass's input by stored rows where they will do. The source is opened only when a document must be read
// again.
func (e *earlier) input(in iter.Seq2[*item, error], m *shard.Manifest, first bool) iter.Seq2[*item, error] {
	if first {
		m.Records, m.Content, m.Lost = e.man.Records, e.man.Content, e.man.Lost
		return e.overSource(in)
	}
	return e.overSurvivors(in)
}

// overSource goes by the stored rows, which number the source's documents without a gap.
func (e *earlier) overSource(in iter.Seq2[*item, error]) iter.Seq2[*item, error] {
	return func(yield func(*item, error) bool) {
		next, stop := iter.Pull2(in)
		defer stop()
		for g, err := range e.groups() {
			if err != nil {
				yield(nil, err)
				return
			}
			seq := g.rows[0].Seq
			d := e.decide(g.rows)
			it := e.take(g, d, seq)
			if d.redo {
				if it, err = pullTo(next, seq); err != nil {
					yield(nil, err)
					return
				}
			}
			if !yield(it, nil) {
				return
			}
		}
	}
}

func pullTo(next func() (*item, error, bool), seq int) (*item, error) {
	for {
		it, err, ok := next()
		switch {
		case err != nil:
			return nil, err
		case !ok:
			return nil, fmt.Errorf("the input has no document %d any more: it changed since an earlier run read it", seq)
		case it.seq == seq:
			return it, nil
		}
	}
}

// overSurvivors goes by the rows that the pass before left, and looks up what the earlier run made of each.
func (e *earlier) overSurvivors(in iter.Seq2[*item, error]) iter.Seq2[*item, error] {
	return func(yield func(*item, error) bool) {
		next, stop := iter.Pull2(e.groups())
		defer stop()
		ahead, err, more := next()
		root, stored := -1, map[string]group{} // the groups of one source document, by id
		for it, inErr := range in {
			if inErr == nil && it.rows[0].Root != root {
				root = it.rows[0].Root
				clear(stored)
				for more && err == nil && ahead.rows[0].Root <= root {
					if ahead.rows[0].Root == root {
						stored[ahead.rows[0].Doc.ID] = ahead
					}
					ahead, err, more = next()
				}
			}
			if err := errors.Join(inErr, err); err != nil {
				yield(nil, err)
				return
			}
			if g, ok := stored[it.rows[0].Doc.ID]; ok && it.rows[0].DropStage == shard.Alive {
				it = e.over(it, g)
			}
			if !yield(it, nil) {
				return
			}
		}
	}
}

// over takes stored rows for one that the pass before left alive, with the clusters of now.
func (e *earlier) over(it *item, g group) *item {
	now := it.rows[0]
	stored := g.rows[0]
	if stored.DropStage >= 0 && stored.DropStage < e.pass.local[0] {
		return it // dropped by deduplication then
	}
	d := e.decide(g.rows)
	if d.redo {
		return it
	}
	stored.Cluster, stored.ClusterSize, stored.Similarity, stored.Weight = now.Cluster, now.ClusterSize, now.Similarity, now.Weight
	for _, row := range g.rows {
		row.Seq = it.seq
	}
	return e.take(g, d, it.seq)
}
