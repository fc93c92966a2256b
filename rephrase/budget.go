package rephrase

import (
	"context"
	"fmt"
	"hash/fnv"
	"math"
	"strings"

	"winnow"
	"winnow/rephrase/openai"
)

// Cost is what documents may take, or what is left over of a budget.
type Cost struct {
	Requests   int64
	Prompt     int64 // tokens
	Completion int64 // tokens, at most
	Cached     int64 // of the requests, those whose answer is there already, and free
}

// Dollars is the cost at a price.
func (c Cost) Dollars(p openai.Price) float64 { return p.Dollars(c.Prompt, c.Completion) }

// Bound tells what a document may cost at most, and how many of its requests c has answered already.
func (s *Stage) Bound(d *winnow.Document) (Cost, error) {
	_, reqs, err := s.plan(d, nil)
	var c Cost
	for _, r := range reqs {
		prompt, completion := r.Bound()
		c.Requests++
		c.Prompt += prompt
		c.Completion += completion
		if cached, ok := s.c.(interface{ Cached(openai.Request) bool }); ok && cached.Cached(r) {
			c.Cached++
		}
	}
	return c, err
}

// Options are those of the stage.
func (s *Stage) Options() Options { return s.o }

// Rationed is a Stage with a budget: a winnow.Rationed.
type Rationed struct{ *Stage }

// What is booked, as Reserve hands it on.
const (
	bookedRequests = iota
	bookedPrompt
	bookedCompletion
	bookedClosed // 1 from the first document on that did not fit
	bookings
)

// Reserve books what each document may cost at most, cached or not, so that the same documents get a share in every run. From the
// first on that does not fit none gets any.
func (r *Rationed) Reserve(docs []*winnow.Document, before []int64) ([]bool, []int64, error) {
	booked := make([]int64, bookings)
	copy(booked, before)
	granted := make([]bool, len(docs))
	b := r.o.Budget
	for i, d := range docs {
		if booked[bookedClosed] == 1 {
			break
		}
		c, err := r.Bound(d)
		if err != nil {
			return nil, nil, err
		}
		requests, prompt, completion := booked[bookedRequests]+c.Requests, booked[bookedPrompt]+c.Prompt, booked[bookedCompletion]+c.Completion
		if c.Requests > 0 && (b.Requests > 0 && requests > b.Requests || b.Tokens > 0 && prompt+completion > b.Tokens ||
			b.Dollars > 0 && r.o.Price.Dollars(prompt, completion) > b.Dollars*(1+1e-9)) {
			booked[bookedClosed] = 1
			break
		}
		booked[bookedRequests], booked[bookedPrompt], booked[bookedCompletion] = requests, prompt, completion
		granted[i] = true
	}
	return granted, booked, nil
}

// ApplyBatch rephrases documents whose order within the run is not known, each as if it were the first: see Reserve.
func (r *Rationed) ApplyBatch(ctx context.Context, docs []*winnow.Document) ([]winnow.Result, error) {
	granted, _, err := r.Reserve(docs, nil)
	if err != nil {
		return nil, err
	}
	return r.ApplyGranted(ctx, docs, granted)
}

// choose decides which of an original and its derived documents stay together.
func (s *Stage) choose(d *winnow.Document, res *winnow.Result) {
	var ids []string
	for i, v := range res.Judged {
		if !v.Drop {
			ids = append(ids, res.Derived[i].ID)
		}
	}
	if len(ids) == 0 {
		return
	}
	if s.o.Mode == Replace {
		res.Verdict = winnow.Verdict{
			Drop: true, Rule: "rephrase.replaced", Value: winnow.NotMeasured, Bound: winnow.Any, Detail: strings.Join(ids, " "),
		}
	}
	if s.o.Mix == (Mix{}) {
		return
	}
	n := float64(len(ids))
	bound := func(share float64) winnow.Bound { return winnow.Below(min(share, 2)) } // draws are below 1
	draw := func(d *winnow.Document, b winnow.Bound) winnow.Verdict {
		v := uniform(d.ID)
		d.Signals[len(d.Signals)-firstGuard-int(guardCount)+columnDraw] = v
		if b.Holds(v) {
			return winnow.Verdict{}
		}
		return winnow.Verdict{Drop: true, Rule: "rephrase.mix", Value: v, Bound: b,
			Detail: fmt.Sprintf("original %g : synthetic %g", s.o.Mix.Original, s.o.Mix.Synthetic)}
	}
	ratio := s.o.Mix.Original / s.o.Mix.Synthetic // originals wanted for each derived document
	if v := draw(d, bound(ratio*n)); v.Drop && !res.Verdict.Drop {
		res.Verdict = v
	}
	for i, out := range res.Derived {
		if !res.Judged[i].Drop {
			res.Judged[i] = draw(out, bound(1/(ratio*n)))
		}
	}
}

// uniform is a number from 0 to below 1 that follows from an id alone.
func uniform(id string) float32 {
	h := fnv.New64a()
	h.Write([]byte("mix\x00" + id))
	x := h.Sum64() // FNV's upper bits move little for ids that differ at their end
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	return min(float32(float64(x>>11)/(1<<53)), math.Nextafter32(1, 0))
}
