package engine

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"winnow"
	"winnow/shard"
)

// A Rationed stage has its documents in the order of the input: each batch of a shard waits for what the batch before it has
// booked, and the first one of a shard for the last one of the shard before.

// turn is one batch's place in the order. A nil turn is that of a pass without Rationed stages.
type turn struct{ in, out map[int]chan []int64 } // by step: what is booked before this batch, and with it; each holds one value

// line is the order of the batches of one shard.
type line struct {
	run   *run
	p, n  int
	last  map[int]chan []int64
	after map[int][]int64 // of the whole shard
}

// booking is what a shard and all before it have booked, once that is known.
type booking struct {
	coming atomic.Bool // this process does the shard, or has it on its list
	once   sync.Once
	known  chan struct{}
	after  map[int][]int64
}

func (b *booking) tell(after map[int][]int64) {
	b.once.Do(func() {
		b.after = after
		close(b.known)
	})
}

// expect notes that this process is going to do tasks of a wave, so that those behind them may wait.
func (r *run) expect(w *wave, tasks []int) {
	if !w.Ordered {
		return
	}
	for _, n := range tasks {
		r.bookings[[2]int{w.pass, n}].coming.Store(true)
	}
}

// skipped tells those who wait for a task of an Ordered wave what it booked, when another process turns out to have done it.
func (r *run) skipped(w *wave, n int, m *shard.Manifest) {
	if w.Ordered {
		after := map[int][]int64{}
		for _, i := range r.rationed(w.pass) {
			after[i] = r.booked(m, i)
		}
		r.bookings[[2]int{w.pass, n}].tell(after)
	}
}

// rationed lists the Rationed steps of a pass.
func (r *run) rationed(p int) (steps []int) {
	for _, i := range r.passes[p].local {
		if _, ok := r.Steps[i].Stage.(winnow.Rationed); ok {
			steps = append(steps, i)
		}
	}
	return steps
}

// openBookings makes room for what shards book.
func (r *run) openBookings() {
	r.bookings = map[[2]int]*booking{}
	for p := range r.passes {
		if len(r.rationed(p)) > 0 {
			for n := range r.Shards {
				r.bookings[[2]int{p, n}] = &booking{known: make(chan struct{})}
			}
		}
	}
}

// queue begins the order of shard n in pass p; nil where nothing is rationed. The shard before has to be done, or on this
// process's list.
func (r *run) queue(ctx context.Context, p, n int) (*line, error) {
	steps := r.rationed(p)
	if len(steps) == 0 {
		return nil, nil
	}
	l := &line{run: r, p: p, n: n, last: map[int]chan []int64{}}
	for _, i := range steps {
		l.last[i] = make(chan []int64, 1)
	}
	if n == 0 {
		for _, c := range l.last {
			c <- nil
		}
		return l, nil
	}
	m, err := r.done(mapName(p, n-1), r.mapKey(p, n-1))
	if err != nil {
		return nil, err
	}
	if m != nil {
		for i, c := range l.last {
			c <- r.booked(m, i)
		}
		return l, nil
	}
	before := r.bookings[[2]int{p, n - 1}]
	if !before.coming.Load() {
		return nil, fmt.Errorf("task %s is %w: stage %s gives to documents in the order of the input", mapName(p, n-1), ErrNotYet, r.Steps[steps[0]].Label)
	}
	for i, c := range l.last {
		go func() {
			select {
			case <-before.known:
				c <- before.after[i]
			case <-ctx.Done():
			}
		}()
	}
	return l, nil
}

// next is the place of one more batch.
func (l *line) next() *turn {
	if l == nil {
		return nil
	}
	t := &turn{in: l.last, out: map[int]chan []int64{}}
	for i := range l.last {
		t.out[i] = make(chan []int64, 1)
	}
	l.last = t.out
	return t
}

// end waits for the last batch to book, and tells the shard behind.
func (l *line) end(ctx context.Context) error {
	if l == nil {
		return nil
	}
	l.after = map[int][]int64{}
	for i, c := range l.last {
		select {
		case l.after[i] = <-c:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	l.run.bookings[[2]int{l.p, l.n}].tell(l.after)
	return nil
}

// note writes into a manifest what the shard and all before it have booked.
func (l *line) note(m *shard.Manifest) {
	if l == nil {
		return
	}
	for _, i := range slices.Sorted(maps.Keys(l.after)) {
		for k, v := range l.after[i] {
			m.Counts[l.run.bookedName(i, k)] = v
		}
	}
}

func (r *run) bookedName(i, k int) string { return fmt.Sprintf("booked.%s.%d", r.Steps[i].Label, k) }

// booked reads it back.
func (r *run) booked(m *shard.Manifest, i int) (out []int64) {
	for k := 0; ; k++ {
		v, ok := m.Counts[r.bookedName(i, k)]
		if !ok {
			return out
		}
		out = append(out, v)
	}
}

// applyBatch gives documents to a stage, in turn where it is Rationed.
func (c *chain) applyBatch(ctx context.Context, i int, s winnow.Batch, docs []*winnow.Document, t *turn) ([]winnow.Result, error) {
	r, ok := s.(winnow.Rationed)
	if !ok {
		return s.ApplyBatch(ctx, docs)
	}
	before, err := c.await(ctx, t.in[i])
	if err != nil {
		return nil, err
	}
	granted, after, err := r.Reserve(docs, before)
	if err != nil {
		return nil, err
	}
	t.out[i] <- after
	return r.ApplyGranted(ctx, docs, granted)
}

// skip hands on what was booked before, for a batch of which no document reaches step i.
func (c *chain) skip(ctx context.Context, i int, t *turn) error {
	if t == nil || t.in[i] == nil {
		return nil
	}
	before, err := c.await(ctx, t.in[i])
	if err == nil {
		t.out[i] <- before
	}
	return err
}

// await receives a value, and lends the batch's slot to others meanwhile, for one of them may be waited for.
func (c *chain) await(ctx context.Context, in chan []int64) (v []int64, err error) {
	select {
	case v = <-in:
		return v, nil
	default:
	}
	<-c.workers
	defer func() { c.workers <- struct{}{} }()
	select {
	case v = <-in:
		return v, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
