package engine

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"golang.org/x/sync/errgroup"

	"winnow"
	"winnow/pipelines/engine/compare"
	"winnow/shard"
	"winnow/shard/store"
)

// A batch is at most this many documents, or this many bytes of HTML and text.
const (
	batchDocs  = 64
	batchBytes = 2 << 20
)

// mapTask works off shard n within pass p: it reads, applies the pass's steps, and leaves a spool of all rows and the
// sketches of those that go on.
func (r *run) mapTask(ctx context.Context, p, n int) (*shard.Manifest, error) {
	m := newManifest(r.mapKey(p, n), mapName(p, n))
	c := &chain{run: r, pass: r.passes[p], last: p == len(r.passes)-1}
	line, err := r.queue(ctx, p, n)
	if err != nil {
		return nil, err
	}
	old, err := r.previous(p, n)
	if err != nil {
		return nil, err
	}
	out, err := r.newMapOutput(c, p, n)
	if err != nil {
		return nil, err
	}
	defer out.abort()
	tally := &winnow.Tally{}
	in := r.input(ctx, p, n, tally, m)
	if old != nil {
		in = old.input(in, m, p == 0)
	}
	if err := r.flow(ctx, c, in, old, out, line); err != nil {
		return nil, err
	}
	if old == nil || p > 0 {
		m.Records, m.Content = tally.Records, tally.Content
	}
	m.Spent = c.spent.seconds
	if err := out.commit(m); err != nil {
		return nil, err
	}
	line.note(m)
	return m, nil
}

// flow cuts the input into batches, lets the run's workers apply the chain to them, and writes them in order.
func (r *run) flow(ctx context.Context, c *chain, in iter.Seq2[*item, error], old *earlier, out *mapOutput, line *line) error {
	g, ctx := errgroup.WithContext(ctx)
	queue := make(chan chan []*item, 2*r.jobs) // bounds what is in memory
	g.Go(func() error {
		defer close(queue)
		err := batches(in, &c.spent, func(items []*item) error {
			done, turn := make(chan []*item, 1), line.next()
			select {
			case queue <- done:
			case <-ctx.Done():
				return ctx.Err()
			}
			select {
			case r.workers <- struct{}{}:
			case <-ctx.Done():
				return ctx.Err()
			}
			g.Go(func() error {
				defer func() { <-r.workers }()
				if err := c.apply(ctx, items, old.sketches(), turn); err != nil {
					return err
				}
				done <- items
				return nil
			})
			return nil
		})
		if err != nil {
			return err
		}
		g.Go(func() error { return line.end(ctx) })
		return nil
	})
	g.Go(func() error {
		for done := range queue {
			select {
			case items := <-done:
				begin := time.Now()
				if err := out.write(items); err != nil {
					return err
				}
				c.spent.add("write", begin)
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	return g.Wait()
}

func batches(in iter.Seq2[*item, error], s *spent, yield func([]*item) error) error {
	var items []*item
	size, begin := 0, time.Now()
	for it, err := range in {
		if err != nil {
			return err
		}
		items = append(items, it)
		for _, row := range it.rows {
			size += len(row.Doc.HTML) + len(row.Doc.Text)
		}
		if len(items) >= batchDocs || size >= batchBytes {
			s.add("read", begin)
			if err := yield(items); err != nil {
				return err
			}
			items, size, begin = nil, 0, time.Now()
		}
	}
	if len(items) == 0 {
		return nil
	}
	return yield(items)
}

// input streams what a pass works on: documents from the source, or what the pass before left alive.
func (r *run) input(ctx context.Context, p, n int, t *winnow.Tally, m *shard.Manifest) iter.Seq2[*item, error] {
	if p > 0 {
		return r.survivors(p, n)
	}
	return func(yield func(*item, error) bool) {
		seq := 0
		read := int64(0)
		for d, err := range r.Source.Read(ctx, r.Shards[n], t) {
			now := t.Bytes.Load()
			r.progress.bytes.Add(now - read)
			read = now
			var damage *winnow.ReadError
			if err != nil && !errors.As(err, &damage) {
				yield(nil, err)
				return
			}
			if d == nil {
				m.Lost = append(m.Lost, shard.Lost{File: damage.File, Offset: damage.Offset, Bytes: damage.Lost, Rule: damage.Rule, Error: damage.Err.Error()})
				continue
			}
			row := newRow(d)
			row.Root, row.Seq = seq, seq
			if damage != nil {
				row.DropStage, row.Doc.HTML = shard.AtRead, nil
				row.Verdict = winnow.Verdict{Drop: true, Stage: "read", Rule: damage.Rule, Value: winnow.NotMeasured, Bound: winnow.Any, Detail: damage.Err.Error()}
			}
			if !yield(&item{seq: seq, rows: []*shard.Row{row}}, nil) {
				return
			}
			seq++
		}
		if err := ctx.Err(); err != nil {
			yield(nil, err)
		}
	}
}

// survivors streams the rows that the pass before kept, with the outcomes of its Corpus stages.
func (r *run) survivors(p, n int) iter.Seq2[*item, error] {
	return func(yield func(*item, error) bool) {
		spool, outcomes, err := r.passOutput(p-1, n)
		if err != nil {
			yield(nil, err)
			return
		}
		at := -1
		for row, err := range shard.ReadSpool(r.Store, spool) {
			if err != nil {
				yield(nil, fmt.Errorf("%s: %w", spool, err))
				return
			}
			at++
			if row.DropStage != shard.Alive {
				continue
			}
			row.Seq = at
			for _, o := range outcomes {
				o.settle(r, row, at)
			}
			r.progress.bytes.Add(row.Bytes)
			if !yield(&item{seq: at, rows: []*shard.Row{row}}, nil) {
				return
			}
		}
	}
}

// mapOutput writes what a Map task leaves: the spool of all its rows, and one sketch file for each Corpus stage.
type mapOutput struct {
	c     *chain
	spool *shard.Temp
	rows  *shard.SpoolWriter
	sk    []*compare.Sketches
	files []*shard.Temp // of the sketches
	n     int           // rows written
	p     int           // the pass
	count map[string]int64
}

func (r *run) newMapOutput(c *chain, p, n int) (*mapOutput, error) {
	o := &mapOutput{c: c, p: p, count: map[string]int64{}}
	var err error
	if o.spool, err = shard.Create(r.Store, store.Join(r.dir, "tasks", mapName(p, n)+".spool")); err != nil {
		return nil, err
	}
	o.rows = shard.NewSpoolWriter(o.spool)
	for _, i := range c.pass.corpora {
		f, err := shard.Create(r.Store, store.Join(r.dir, "sketches", mapName(p, n)+"-"+r.Steps[i].Label))
		if err != nil {
			o.abort()
			return nil, err
		}
		l := r.Steps[i].Stage.(winnow.Corpus).Layout()
		o.files = append(o.files, f)
		o.sk = append(o.sk, compare.NewSketches(compare.NewSegments(f, compare.SketchSegments(l)), l))
	}
	return o, nil
}

func (o *mapOutput) write(items []*item) error {
	for _, it := range items {
		for k, row := range it.rows {
			alive := row.DropStage == shard.Alive
			if !alive && o.c.Dropped == DroppedNone {
				row.Doc.Text = ""
			}
			if alive {
				for j := range it.sk[k] {
					if err := o.sk[j].Add(o.n, &it.sk[k][j]); err != nil {
						return err
					}
				}
				o.count["alive"]++
				o.count["alive_bytes"] += row.Bytes
			}
			if err := o.rows.Write(row); err != nil {
				return err
			}
			o.n++
		}
	}
	o.c.progress.add(o.p, items)
	return nil
}

func (o *mapOutput) commit(m *shard.Manifest) error {
	if err := o.rows.Close(); err != nil {
		return err
	}
	for _, s := range o.sk {
		if err := s.Close(); err != nil {
			return err
		}
	}
	m.Counts = o.count
	m.Counts["rows"] = int64(o.n)
	if err := o.c.addOutput(m, "tasks", o.spool, o.n); err != nil {
		return err
	}
	for _, f := range o.files {
		if err := o.c.addOutput(m, "sketches", f, 0); err != nil {
			return err
		}
	}
	return nil
}

func (o *mapOutput) abort() {
	o.spool.Abort()
	for _, f := range o.files {
		f.Abort()
	}
}
