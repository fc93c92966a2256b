package bench

import (
	"context"
	"iter"
	"runtime"
	"sync/atomic"
	"time"

	"winnow"
	"winnow/bench/meter"
)

// clock adds up the time of the processor that one part of a run takes, over all threads.
type clock struct {
	label string
	ns    atomic.Int64
}

// start begins a stretch on the calling goroutine, which stays on its thread until stop is called.
func (c *clock) start() (stop func()) {
	runtime.LockOSThread()
	begin := meter.ThreadTime()
	return func() {
		c.ns.Add(int64(meter.ThreadTime() - begin))
		runtime.UnlockOSThread()
	}
}

func (c *clock) seconds() float64 { return time.Duration(c.ns.Load()).Seconds() }

// timed makes a stage of the same shape that tells its clock what it takes.
func timed(s winnow.Stage, c *clock) winnow.Stage {
	switch s := s.(type) {
	case winnow.Judged:
		return timedJudged{s, c}
	case winnow.Each:
		return timedEach{s, c}
	case winnow.Batch:
		return timedBatch{s, c}
	case winnow.Verified:
		return timedVerified{timedCorpus{s, c}, s}
	case winnow.Corpus:
		return timedCorpus{s, c}
	}
	return s
}

type timedJudged struct {
	winnow.Judged
	clock *clock
}

func (s timedJudged) Apply(ctx context.Context, d *winnow.Document) (winnow.Verdict, []winnow.Edit, error) {
	defer s.clock.start()()
	return s.Judged.Apply(ctx, d)
}

type timedEach struct {
	winnow.Each
	clock *clock
}

func (s timedEach) Apply(ctx context.Context, d *winnow.Document) (winnow.Verdict, []winnow.Edit, error) {
	defer s.clock.start()()
	return s.Each.Apply(ctx, d)
}

type timedBatch struct {
	winnow.Batch
	clock *clock
}

func (s timedBatch) ApplyBatch(ctx context.Context, docs []*winnow.Document) ([]winnow.Result, error) {
	defer s.clock.start()()
	return s.Batch.ApplyBatch(ctx, docs)
}

type timedCorpus struct {
	winnow.Corpus
	clock *clock
}

func (s timedCorpus) Sketch(d *winnow.Document, emit func(winnow.Record)) (winnow.Rank, error) {
	defer s.clock.start()()
	return s.Corpus.Sketch(d, emit)
}

func (s timedCorpus) Group(ctx context.Context, sorted iter.Seq2[winnow.Record, error], emit func(winnow.Edge) error) error {
	defer s.clock.start()()
	return s.Corpus.Group(ctx, sorted, emit)
}

func (s timedCorpus) Resolve(c winnow.Cluster, emit func(winnow.DocID, winnow.Outcome) error) error {
	defer s.clock.start()()
	return s.Corpus.Resolve(c, emit)
}

// timedVerified is a timedCorpus whose edges are candidates.
type timedVerified struct {
	timedCorpus
	verified winnow.Verified
}

func (s timedVerified) Evidence(d *winnow.Document) []byte {
	defer s.clock.start()()
	return s.verified.Evidence(d)
}

func (s timedVerified) Verify(a, b []byte, candidates []winnow.Edge, emit func(winnow.Edge) error) error {
	defer s.clock.start()()
	return s.verified.Verify(a, b, candidates, emit)
}

type timedSource struct {
	winnow.Source
	clock *clock
}

// Read times the source between documents, not what is done with them.
func (s timedSource) Read(ctx context.Context, sh winnow.Shard, t *winnow.Tally) iter.Seq2[*winnow.Document, error] {
	return func(yield func(*winnow.Document, error) bool) {
		stop := s.clock.start()
		for d, err := range s.Source.Read(ctx, sh, t) {
			stop()
			if !yield(d, err) {
				return
			}
			stop = s.clock.start()
		}
		stop()
	}
}
