package engine

import (
	"context"
	"fmt"
	"iter"
	"math/rand/v2"
	"strings"
	"unicode/utf8"

	"github.com/zeebo/xxh3"

	"winnow"
)

// fakeSource makes documents out of numbers: shard n has docs documents, some of them alike, some damaged.
type fakeSource struct{ shards, docs int }

func (s fakeSource) Shards(context.Context) (out []winnow.Shard, err error) {
	for n := range s.shards {
		file := fmt.Sprintf("part-%d", n)
		out = append(out, winnow.Shard{Source: "fake", Parts: []winnow.Range{{File: file, End: int64(s.docs)}}, Fingerprint: fmt.Sprintf("%s/%d", file, s.docs)})
	}
	return out, nil
}

func (s fakeSource) Read(ctx context.Context, sh winnow.Shard, t *winnow.Tally) iter.Seq2[*winnow.Document, error] {
	return func(yield func(*winnow.Document, error) bool) {
		file := sh.Parts[0].File
		rng := rand.New(rand.NewPCG(xxh3.HashString(file), 1))
		for i := range s.docs {
			if ctx.Err() != nil {
				return
			}
			words := []string{"风", "wind", "water", "水", "stone", "fire", "火"}
			text := strings.Repeat(words[rng.IntN(len(words))]+" ", 1+rng.IntN(40))
			d := &winnow.Document{ID: fmt.Sprintf("%s-%d", file, i), File: file, Offset: int64(i), HTML: []byte(text), RawBytes: int64(len(text))}
			t.Bytes.Add(1)
			t.Count("response")
			var err error
			if i%37 == 5 {
				err = &winnow.ReadError{Rule: "error.truncated", File: file, Offset: int64(i), Err: fmt.Errorf("cut short")}
			}
			if !yield(d, err) {
				return
			}
			if i%50 == 7 && !yield(nil, &winnow.ReadError{Rule: "error.gzip", File: file, Offset: int64(i), Lost: 10, Err: fmt.Errorf("bad member")}) {
				return
			}
		}
	}
}

// open turns HTML into text.
type open struct{}

func (open) Name() string             { return "extract" }
func (open) Version() string          { return "open/1" }
func (open) Signals() []winnow.Signal { return nil }
func (open) Apply(_ context.Context, d *winnow.Document) (winnow.Verdict, []winnow.Edit, error) {
	d.Text, d.HTML = string(d.HTML), nil
	if strings.HasPrefix(d.Text, "stone stone stone") {
		panic("a stone")
	}
	return winnow.Verdict{}, nil, nil
}

// script sets the language.
type script struct{ keep string }

func (script) Name() string     { return "language" }
func (script) Version() string  { return "script/1" }
func (s script) Bounds() string { return s.keep }
func (script) Signals() []winnow.Signal {
	return []winnow.Signal{{ID: "fake.ascii", Default: winnow.Any}}
}
func (s script) Apply(_ context.Context, d *winnow.Document) (winnow.Verdict, []winnow.Edit, error) {
	d.Language = "en"
	if d.Text != "" && d.Text[0] >= utf8.RuneSelf {
		d.Language = "zh"
	}
	d.Signals = append(d.Signals, 1)
	v := s.Judge(d.Language, []float32{1})
	v.Detail = d.Language
	return v, nil, nil
}
func (s script) Judge(language string, own []float32) winnow.Verdict {
	if s.keep != "" && s.keep != language {
		return winnow.Verdict{Drop: true, Rule: "fake.language", Value: own[0], Bound: winnow.Any}
	}
	return winnow.Verdict{}
}

// length judges by the number of bytes; cut makes it edit as well.
type length struct {
	id    string
	bound winnow.Bound
	cut   bool
}

func (length) Name() string               { return "filter" }
func (l length) Version() string          { return fmt.Sprintf("length/1 %s %v", l.id, l.cut) }
func (l length) Bounds() string           { return l.bound.String() }
func (l length) Signals() []winnow.Signal { return []winnow.Signal{{ID: l.id, Default: winnow.Any}} }
func (l length) Apply(_ context.Context, d *winnow.Document) (winnow.Verdict, []winnow.Edit, error) {
	d.Signals = append(d.Signals, float32(len(d.Text)))
	v := l.Judge(d.Language, d.Signals[len(d.Signals)-1:])
	if v.Drop {
		v.Detail = "ends " + d.Text[max(0, len(d.Text)-5):]
		return v, nil, nil
	}
	if l.cut && len(d.Text) > 60 {
		e := winnow.Edit{Rule: l.id, Start: 0, End: strings.IndexByte(d.Text, ' ') + 1}
		d.Text = d.Text[e.End:]
		return v, []winnow.Edit{e}, nil
	}
	return v, nil, nil
}
func (l length) Judge(_ string, own []float32) winnow.Verdict {
	if l.bound.Holds(own[0]) {
		return winnow.Verdict{}
	}
	return winnow.Verdict{Drop: true, Rule: l.id, Value: own[0], Bound: l.bound}
}

// echo derives a second document from every third.
type echo struct{}

func (echo) Name() string             { return "rephrase" }
func (echo) Version() string          { return "echo/1" }
func (echo) Signals() []winnow.Signal { return []winnow.Signal{{ID: "fake.echo", Default: winnow.Any}} }
func (echo) ApplyBatch(_ context.Context, docs []*winnow.Document) ([]winnow.Result, error) {
	out := make([]winnow.Result, len(docs))
	for i, d := range docs {
		d.Signals = append(d.Signals, 0)
		if len(d.Text)%3 == 0 {
			out[i].Derived = []*winnow.Document{{ID: d.ID + "#echo#0", Origin: d.ID, Text: "echo " + d.Text, Language: d.Language, Signals: append(append([]float32{}, d.Signals[:len(d.Signals)-1]...), 1)}}
		}
	}
	return out, nil
}

// same drops documents with equal text.
type same struct{ version string }

func (same) Name() string             { return "dedup" }
func (s same) Version() string        { return "same/1" + s.version }
func (same) Signals() []winnow.Signal { return nil }
func (same) Layout() winnow.Layout    { return winnow.Layout{Records: "same/1", Partitions: 5, Keys: 2} }
func (same) Sketch(d *winnow.Document, emit func(winnow.Record)) (winnow.Rank, error) {
	h := xxh3.HashString128(d.Text)
	emit(winnow.Record{Key: [2]uint64{h.Hi, h.Lo}})
	return winnow.Rank{Score: float64(len(d.Text)), ID: d.ID}, nil
}
func (same) Group(_ context.Context, sorted iter.Seq2[winnow.Record, error], emit func(winnow.Edge) error) error {
	var last winnow.Record
	first := true
	for r, err := range sorted {
		if err != nil {
			return err
		}
		if !first && r.Key == last.Key {
			if err := emit(winnow.Edge{A: last.Doc, B: r.Doc}); err != nil {
				return err
			}
		}
		last, first = r, false
	}
	return nil
}
func (same) Resolve(c winnow.Cluster, emit func(winnow.DocID, winnow.Outcome) error) error {
	best := ""
	for m, err := range c.Members {
		if err != nil {
			return err
		}
		o := winnow.Outcome{Size: int32(c.Size), Similarity: 1}
		if best == "" {
			best = m.Rank.ID
		} else {
			o.Verdict = winnow.Verdict{Drop: true, Rule: "fake.same", Value: 1, Bound: winnow.Below(1), Detail: best}
		}
		o.Cluster = best
		if err := emit(m.Doc, o); err != nil {
			return err
		}
	}
	return nil
}

// trim is a Corpus stage that cuts the first word of every text whose word most documents begin with.
type trim struct{ least int }

func (trim) Name() string             { return "boilerplate" }
func (t trim) Version() string        { return fmt.Sprintf("trim/1 %d", t.least) }
func (trim) Signals() []winnow.Signal { return nil }
func (trim) Layout() winnow.Layout {
	return winnow.Layout{Records: "trim/1", Partitions: 3, Keys: 1, Data: 1, Cuts: true}
}
func (trim) Sketch(d *winnow.Document, emit func(winnow.Record)) (winnow.Rank, error) {
	if i := strings.IndexByte(d.Text, ' '); i > 0 {
		emit(winnow.Record{Key: [2]uint64{xxh3.HashString(d.Text[:i])}, Data: [2]uint64{uint64(i + 1)}})
	}
	return winnow.Rank{ID: d.ID}, nil
}
func (t trim) Group(_ context.Context, sorted iter.Seq2[winnow.Record, error], emit func(winnow.Edge) error) error {
	count := map[uint64]int{}
	var all []winnow.Record
	for r, err := range sorted {
		if err != nil {
			return err
		}
		count[r.Key[0]]++
		all = append(all, r)
	}
	for _, r := range all {
		if count[r.Key[0]] >= t.least {
			if err := emit(winnow.Edge{A: r.Doc, B: r.Doc, End: int(r.Data[0])}); err != nil {
				return err
			}
		}
	}
	return nil
}
func (trim) Resolve(c winnow.Cluster, emit func(winnow.DocID, winnow.Outcome) error) error {
	for m, err := range c.Members {
		if err != nil {
			return err
		}
		var o winnow.Outcome
		for _, s := range m.Spans {
			o.Edits = append(o.Edits, winnow.Edit{Rule: "fake.trim", Start: s.Start, End: s.End})
		}
		if err := emit(m.Doc, o); err != nil {
			return err
		}
	}
	return nil
}
