package openai

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	api "github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"golang.org/x/sync/errgroup"
)

// Options say where the endpoint is and how hard it may be pressed. Nothing in them changes an answer's meaning. Start
// from Defaults.
type Options struct {
	BaseURL     string // up to and with /v1; empty: OPENAI_BASE_URL, else OpenAI's own
	APIKey      string // empty: OPENAI_API_KEY; many local servers need none
	ServedModel string // what this endpoint calls the model, where that is not Request.Model

	Stream              bool // answers come piece by piece, for gateways that cut silent connections
	MaxCompletionTokens bool // send Request.MaxTokens as max_completion_tokens, as OpenAI's newer models want it

	Timeout  time.Duration // of one attempt, from the request to the last byte of the answer
	Retries  int           // attempts after the first
	Backoff  time.Duration // before the first retry; doubles with every further one
	MaxWait  time.Duration // longest wait between attempts; an endpoint that asks for more (Retry-After) ends the request
	InFlight int           // requests at the same time, over all callers; those that wait to retry are among them
	Workers  int           // processes that press the endpoint at the same time: this one takes that part of InFlight, at least 1, and of the rates; 0: alone

	RequestsPerMinute float64 // attempts; 0: no limit
	TokensPerMinute   float64 // prompt and answer; 0: no limit
	TokenBudget       int64   // tokens that this Client may spend in all, prompt and answer; 0: no limit
	RequestBudget     int64   // attempts that this Client may send in all; 0: no limit
	DollarBudget      float64 // US dollars that this Client may spend in all, at Price; 0: no limit
	Price             Price

	ErrorShare  float64       // 0..1: where more of the last ErrorWindow requests failed for good, all wait for a Pause; then one attempt is made
	ErrorWindow int           // requests; 0: never
	Pause       time.Duration // the first; doubles with every further one, until a whole window was in health
	Pauses      int           // in a row; then the run ends with ErrFailing

	CacheDir string // folder of the cache, made where missing; may be shared with other processes that run; empty: no cache

	HTTPClient *http.Client // nil: one that keeps a connection for each request in flight
}

// Defaults are Options for an endpoint that is not known to be fast, without a cache.
func Defaults() Options {
	return Options{
		Timeout: 5 * time.Minute, Retries: 5, Backoff: time.Second, MaxWait: time.Minute, InFlight: 8,
		ErrorShare: 0.5, ErrorWindow: 20, Pause: 15 * time.Second, Pauses: 4,
	}
}

func (o Options) check() error {
	switch {
	case o.InFlight < 1:
		return fmt.Errorf("openai: in flight: %d, must be at least 1", o.InFlight)
	case o.Timeout <= 0 || o.Backoff <= 0 || o.MaxWait <= 0:
		return fmt.Errorf("openai: timeout, backoff and longest wait must be above 0")
	case o.Retries < 0 || o.Workers < 0 || o.ErrorWindow < 0 || o.TokenBudget < 0 || o.RequestsPerMinute < 0 || o.TokensPerMinute < 0,
		o.RequestBudget < 0, o.DollarBudget < 0, o.Price.Prompt < 0, o.Price.Completion < 0:
		return fmt.Errorf("openai: retries, workers, window, budgets, prices and rates must not be negative")
	case o.Pauses < 0 || o.Pauses > 0 && o.Pause <= 0:
		return fmt.Errorf("openai: pauses must not be negative, and their length above 0")
	case !(o.ErrorShare >= 0 && o.ErrorShare <= 1):
		return fmt.Errorf("openai: error share: %g, must be 0 to 1", o.ErrorShare)
	case o.BaseURL == "":
		return nil
	}
	u, err := url.Parse(o.BaseURL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return errors.New("openai: endpoint: it is no http or https address")
	}
	if u.User != nil || u.RawQuery != "" {
		return errors.New("openai: endpoint: a password or a query has no place in it; the key is read from the environment")
	}
	return nil
}

// Client asks one endpoint. It is safe for concurrent use.
type Client struct {
	o        Options
	api      api.Client
	cache    *cache
	slots    chan struct{} // one for each request in flight
	attempts pacer
	tokens   pacer
	budget   budget
	health   health
	used     counters

	mu     sync.Mutex
	flying map[key]chan struct{} // requests that are being answered; closed when they are
}

type counters struct{ requests, retries, failed, hits, prompt, completion atomic.Int64 }

// Usage is what a Client has done so far.
type Usage struct {
	Requests         int64 // attempts sent, retries included
	Retries          int64
	Failed           int64 // requests that failed for good
	CacheHits        int64
	PromptTokens     int64 // as the endpoint counts, of answers that were paid for
	CompletionTokens int64
}

// New makes a Client, and reads the cache's index.
func New(o Options) (*Client, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	if o.Workers > 1 {
		o.InFlight = max(1, o.InFlight/o.Workers)
		o.RequestsPerMinute /= float64(o.Workers)
		o.TokensPerMinute /= float64(o.Workers)
	}
	cache, err := openCache(o.CacheDir)
	if err != nil {
		return nil, err
	}
	opts := []option.RequestOption{option.WithMaxRetries(0)} // the library would not retry a broken body
	if o.BaseURL != "" {
		opts = append(opts, option.WithBaseURL(o.BaseURL))
	}
	if o.APIKey != "" {
		opts = append(opts, option.WithAPIKey(o.APIKey))
	}
	if o.HTTPClient == nil {
		o.HTTPClient = &http.Client{Transport: transport(o.InFlight)}
	}
	opts = append(opts, option.WithHTTPClient(o.HTTPClient))
	return &Client{
		o:        o,
		api:      api.NewClient(opts...),
		cache:    cache,
		slots:    make(chan struct{}, o.InFlight),
		attempts: pacer{perMinute: o.RequestsPerMinute},
		tokens:   pacer{perMinute: o.TokensPerMinute},
		budget:   budget{limit: spend{o.RequestBudget, o.TokenBudget, o.DollarBudget}},
		flying:   make(map[key]chan struct{}),
		health:   health{share: o.ErrorShare, last: make([]bool, o.ErrorWindow), pause: o.Pause, probes: o.Pauses},
	}, nil
}

// transport keeps connections open for as many requests as may be in flight; the standard one keeps two.
func transport(n int) http.RoundTripper {
	t, ok := http.DefaultTransport.(*http.Transport)
	if !ok {
		return http.DefaultTransport
	}
	t = t.Clone()
	t.MaxIdleConns, t.MaxIdleConnsPerHost = n, n
	return t
}

// Close closes the cache. No request may be under way.
func (c *Client) Close() error { return c.cache.close() }

// Usage counts what was done so far.
func (c *Client) Usage() Usage {
	return Usage{
		Requests: c.used.requests.Load(), Retries: c.used.retries.Load(), Failed: c.used.failed.Load(),
		CacheHits: c.used.hits.Load(), PromptTokens: c.used.prompt.Load(), CompletionTokens: c.used.completion.Load(),
	}
}

// Complete answers one request. A *RequestError concerns this request alone; any other error should stop the run: one of
// the Err values, the context's, or the cache's disk.
func (c *Client) Complete(ctx context.Context, req Request) (Response, error) {
	k, err := req.key()
	if err != nil {
		return Response{}, err
	}
	for {
		if r, ok, err := c.lookup(k); ok || err != nil {
			return r, err
		}
		first, wait := c.take(k)
		if first {
			break
		}
		select { // an equal request is under way: its answer serves both
		case <-wait:
		case <-ctx.Done():
			return Response{}, ctx.Err()
		}
	}
	defer c.release(k)
	// An equal request may have been answered meanwhile, here or by another process.
	if err := c.cache.refresh(); err != nil {
		return Response{}, fmt.Errorf("openai: cache: %w", err)
	}
	if r, ok, err := c.lookup(k); ok || err != nil {
		return r, err
	}
	select {
	case c.slots <- struct{}{}:
		defer func() { <-c.slots }()
	case <-ctx.Done():
		return Response{}, ctx.Err()
	}
	r, err := c.ask(ctx, k, req)
	if err != nil {
		return Response{}, err
	}
	return c.cache.put(k, req.Model, r)
}

// take makes the caller the one who asks for k; else it gives what to wait for. Without a cache everybody asks.
func (c *Client) take(k key) (first bool, wait chan struct{}) {
	if c.cache == nil {
		return true, nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if wait = c.flying[k]; wait != nil {
		return false, wait
	}
	c.flying[k] = make(chan struct{})
	return true, nil
}

func (c *Client) release(k key) {
	if c.cache == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	close(c.flying[k])
	delete(c.flying, k)
}

// Cached tells whether the answer to a request is there already, and free.
func (c *Client) Cached(req Request) bool {
	k, err := req.key()
	return err == nil && c.cache.has(k)
}

func (c *Client) lookup(k key) (Response, bool, error) {
	r, ok, err := c.cache.get(k)
	if ok {
		c.used.hits.Add(1)
	}
	return r, ok, err
}

// CompleteAll answers many requests at the same time, in order. Requests that fail alone have their Err set. What stops
// the run is returned as the error; requests under way are then waited for, so that what was paid for reaches the cache.
func (c *Client) CompleteAll(ctx context.Context, reqs []Request) ([]Answer, error) {
	answers := make([]Answer, len(reqs))
	var stopped atomic.Bool
	var g errgroup.Group
	g.SetLimit(c.o.InFlight)
	for i, req := range reqs {
		g.Go(func() error {
			if stopped.Load() {
				return nil
			}
			r, err := c.Complete(ctx, req)
			var failed *RequestError
			if err != nil && !errors.As(err, &failed) {
				stopped.Store(true)
				return err
			}
			answers[i] = Answer{Response: r, Err: failed}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	return answers, nil
}
