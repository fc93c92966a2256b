package pipelines

import (
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"winnow"
	"winnow/rephrase"
	"winnow/rephrase/openai"
)

// newRephrase makes the stage and its client. The key comes from OPENAI_API_KEY alone, so that no recipe holds one.
func newRephrase(s *RephraseSpec, root string, closers *[]io.Closer) (winnow.Stage, error) {
	o, err := s.options()
	if err != nil {
		return nil, err
	}
	c, err := s.endpoint(root)
	if err != nil {
		return nil, err
	}
	client, err := openai.New(c)
	if err != nil {
		return nil, err
	}
	*closers = append(*closers, client)
	stage, err := rephrase.New(client, o)
	if err != nil {
		return nil, err
	}
	if s.Budget != nil {
		return &rephrase.Rationed{Stage: stage}, nil
	}
	return stage, nil
}

// endpoint says where the model is and how hard it may be pressed. The budget is the client's too: documents reserve one attempt of
// each request, and attempts that were paid for without an answer come on top.
func (s *RephraseSpec) endpoint(root string) (openai.Options, error) {
	c := openai.Defaults()
	c.BaseURL = orDefault(s.Endpoint, os.Getenv("WINNOW_OPENAI_BASE_URL"))
	if s.Cache == "" && winnow.IsURL(root) {
		return c, fmt.Errorf("cache: name a folder of the disk in which answers are kept, since the run lies at a URL")
	}
	c.CacheDir = orDefault(s.Cache, filepath.Join(root, ".cache", "rephrase"))
	c.ServedModel, c.Stream = s.ServedModel, s.Stream
	c.RequestsPerMinute, c.TokensPerMinute = s.RequestsPerMinute, s.TokensPerMinute
	c.Price = openai.Price(s.Price)
	if s.Concurrency > 0 {
		c.InFlight = s.Concurrency
	}
	if s.Retries != nil {
		c.Retries = *s.Retries
	}
	if s.Pauses != nil {
		c.Pauses = *s.Pauses
	}
	var err error
	if c.Workers, err = s.workers(); err != nil {
		return c, err
	}
	if s.Cache == "" && strings.Contains(root, "://") {
		return c, fmt.Errorf("cache: the runs lie at %s, which is no folder: name one that all workers see", root)
	}
	for _, d := range []struct {
		name, text string
		to         *time.Duration
	}{{"timeout", s.Timeout, &c.Timeout}, {"backoff", s.Backoff, &c.Backoff}, {"pause", s.Pause, &c.Pause}} {
		if d.text == "" {
			continue
		}
		v, err := time.ParseDuration(d.text)
		if err != nil || v <= 0 {
			return c, fmt.Errorf("%s: %q: write a duration such as 90s or 5m", d.name, d.text)
		}
		*d.to = v
	}
	if s.Budget != nil {
		// Attempts that fail without being paid for count as requests; they must not end a run whose documents fit.
		c.TokenBudget, c.DollarBudget, c.RequestBudget = s.Budget.Tokens, s.Budget.USD, s.Budget.Requests*int64(1+c.Retries)
	}
	return c, nil
}

// workers is how many processes share the endpoint: WINNOW_WORKERS, as whatever starts them knows, else what the recipe says.
func (s *RephraseSpec) workers() (int, error) {
	set := os.Getenv("WINNOW_WORKERS")
	if set == "" {
		return s.Workers, nil
	}
	n, err := strconv.Atoi(set)
	if err != nil || n < 1 {
		return 0, fmt.Errorf("WINNOW_WORKERS=%q: write how many processes rephrase at the same time, 1 or more", set)
	}
	return n, nil
}

func (s *RephraseSpec) options() (rephrase.Options, error) {
	o := rephrase.Defaults()
	o.Model, o.Seed, o.Price = s.Model, s.Seed, openai.Price(s.Price)
	for _, name := range s.Styles {
		style, err := rephrase.LoadStyle(name)
		if err != nil {
			return o, err
		}
		o.Styles = append(o.Styles, style)
	}
	o.Mode = rephrase.Mode(orDefault(s.Mode, string(o.Mode)))
	o.Reject = rephrase.Reject(orDefault(s.Reject, string(o.Reject)))
	if s.Mix != nil {
		o.Mix = rephrase.Mix(*s.Mix)
		if s.Mode == string(rephrase.Replace) {
			return o, fmt.Errorf("mix decides what becomes of originals: leave mode out")
		}
	}
	if s.Budget != nil {
		o.Budget = rephrase.Budget{Tokens: s.Budget.Tokens, Requests: s.Budget.Requests, Dollars: s.Budget.USD}
		if o.Budget == (rephrase.Budget{}) {
			return o, fmt.Errorf("budget: write tokens, requests or usd")
		}
	}
	for _, x := range []struct{ from, to *int }{{&s.Copies, &o.Copies}, {&s.MaxTokens, &o.MaxTokens}, {&s.Segment, &o.Segment}} {
		if *x.from != 0 {
			*x.to = *x.from
		}
	}
	if s.MinTokens != nil {
		o.MinTokens = *s.MinTokens
	}
	for _, x := range []struct{ from, to *float64 }{{s.Temperature, &o.Temperature}, {s.TopP, &o.TopP}, {s.MinAccepted, &o.MinAccepted}} {
		if x.from != nil {
			*x.to = *x.from
		}
	}
	o.Guards = rephrase.Guards{}
	for name, g := range s.Guards {
		b := winnow.Any
		if g.Min != nil {
			b.Min = float32(max(*g.Min, -math.MaxFloat32))
		}
		if g.Max != nil {
			b.Max = float32(min(*g.Max, math.MaxFloat32))
		}
		o.Guards[name] = b
	}
	return o, nil
}

// Forecast is what the rephrase stage of a recipe may ask of its endpoint, extrapolated from a sample. Tokens of answers, and so the
// dollars, are upper bounds.
type Forecast struct {
	Stage      string  `json:"stage"`
	Requests   int64   `json:"requests"`
	Cached     int64   `json:"cached"` // of the requests, those whose answers are there
	Prompt     int64   `json:"prompt_tokens"`
	Completion int64   `json:"completion_tokens"` // at most
	Dollars    float64 `json:"usd,omitempty"`     // at most
	Share      float64 `json:"share"`             // of it, what the budget allows, 0..1; 1 where there is none

	stage *rephrase.Stage
	cost  rephrase.Cost
}

// rephraser is the rephrase stage behind a step; nil for all others.
func rephraser(s winnow.Stage) *rephrase.Stage {
	switch s := s.(type) {
	case *rephrase.Stage:
		return s
	case *rephrase.Rationed:
		return s.Stage
	}
	return nil
}

// add counts one more document of the sample.
func (f *Forecast) add(d *winnow.Document) error {
	c, err := f.stage.Bound(d)
	f.cost.Requests += c.Requests
	f.cost.Cached += c.Cached
	f.cost.Prompt += c.Prompt
	f.cost.Completion += c.Completion
	return err
}

// scale turns the sample's cost into that of all documents.
func (f *Forecast) scale(by float64) {
	times := func(n int64) int64 { return int64(float64(n)*by + .5) }
	f.Requests, f.Cached, f.Prompt, f.Completion = times(f.cost.Requests), times(f.cost.Cached), times(f.cost.Prompt), times(f.cost.Completion)
	o := f.stage.Options()
	f.Dollars = o.Price.Dollars(f.Prompt, f.Completion)
	f.Share = 1
	limit := func(budget, need float64) {
		if budget > 0 && need > budget {
			f.Share = min(f.Share, budget/need)
		}
	}
	limit(float64(o.Budget.Requests), float64(f.Requests))
	limit(float64(o.Budget.Tokens), float64(f.Prompt+f.Completion))
	limit(o.Budget.Dollars, f.Dollars)
}
