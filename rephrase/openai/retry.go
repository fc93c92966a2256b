package openai

import (
	"context"
	"encoding/binary"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// failure is what became of an attempt without an answer.
type failure struct {
	err    error
	status int  // HTTP status; 0 where none arrived
	retry  bool // another attempt may succeed
	setup  bool // no attempt can succeed, of any request
	billed bool // the endpoint may have worked, and charge for it
	wait   time.Duration
	asked  bool // the endpoint asked for wait
}

// ask sends the request until it is answered, fails for good or the run must stop.
func (c *Client) ask(ctx context.Context, k key, req Request) (Response, error) {
	cost := c.worst(req)
	for attempt := 0; ; attempt++ {
		r, f, err := c.attempt(ctx, req, cost, attempt > 0)
		switch {
		case err != nil:
			return Response{}, err
		case f == nil:
			return r, nil
		case f.setup:
			return Response{}, fmt.Errorf("openai: %w: %w", ErrSetup, f.err)
		}
		if !f.asked {
			f.wait = backoff(k, attempt, c.o.Backoff, c.o.MaxWait)
		}
		if !f.retry || attempt >= c.o.Retries || f.wait > c.o.MaxWait {
			c.used.failed.Add(1)
			// One that failed in an earlier run says nothing about the endpoint today: where all others are answered by the cache,
			// such requests are all that is asked.
			if !c.cache.failedBefore(k) {
				c.health.record(f.err)
			}
			if err := c.cache.fail(k); err != nil {
				return Response{}, err
			}
			return Response{}, &RequestError{Status: f.status, Attempts: attempt + 1, Err: f.err}
		}
		if err := sleep(ctx, f.wait); err != nil {
			return Response{}, err
		}
	}
}

// attempt sends the request once, when the endpoint is in health, the budget can bear its cost and the pace allows it. An error
// ends the run.
func (c *Client) attempt(ctx context.Context, req Request, cost spend, again bool) (Response, *failure, error) {
	probe, err := c.health.enter(ctx)
	if err != nil {
		return Response{}, nil, err
	}
	end, cause := abandoned, error(nil)
	if probe {
		defer func() { c.health.report(end, cause) }()
	}
	if err := c.budget.reserve(cost); err != nil {
		return Response{}, nil, err
	}
	now := time.Now()
	if err := sleep(ctx, max(c.attempts.take(now, 1), c.tokens.take(now, cost.tokens))); err != nil {
		c.paid(cost, spend{})
		return Response{}, nil, err
	}
	c.used.requests.Add(1)
	if again {
		c.used.retries.Add(1)
	}
	r, f := c.send(ctx, req)
	switch {
	case f == nil:
		end = answered
		c.paid(cost, c.spend(r.PromptTokens, r.CompletionTokens))
		c.used.prompt.Add(r.PromptTokens)
		c.used.completion.Add(r.CompletionTokens)
		c.health.record(nil)
		return r, nil, nil
	case f.billed:
		c.paid(cost, cost)
	default:
		c.paid(cost, spend{requests: 1})
	}
	if ctx.Err() != nil {
		return Response{}, nil, ctx.Err()
	}
	end, cause = unanswerable, f.err
	return Response{}, f, nil
}

// paid turns a reserved cost into the true one.
func (c *Client) paid(reserved, spent spend) {
	c.budget.settle(reserved, spent)
	c.tokens.give(reserved.tokens - spent.tokens)
}

// spend is what one request with so many tokens costs.
func (c *Client) spend(prompt, completion int64) spend {
	return spend{1, prompt + completion, c.o.Price.Dollars(prompt, completion)}
}

// worst is what a request may cost at most.
func (c *Client) worst(r Request) spend { return c.spend(r.Bound()) }

// backoff is the wait before the next attempt: first, doubled for every attempt made, at most longest. Between half and
// all of that is waited, by a hash of request and attempt, so that requests that failed together come back apart.
func backoff(k key, attempt int, first, longest time.Duration) time.Duration {
	d := longest
	if attempt < 32 && first < longest>>attempt {
		d = first << attempt
	}
	draw := binary.LittleEndian.Uint32(k[:]) * uint32(2*attempt+1) >> 8
	return d/2 + time.Duration(float64(d/2)*float64(draw)/(1<<24))
}

// retryAfter reads the Retry-After header, in seconds or as a date, and its variant in milliseconds.
func retryAfter(h http.Header, now time.Time) (time.Duration, bool) {
	const most = 24 * 365 * time.Hour // keeps the product below within an int64
	for _, f := range [...]struct {
		name string
		unit time.Duration
	}{{"Retry-After-Ms", time.Millisecond}, {"Retry-After", time.Second}} {
		v := strings.TrimSpace(h.Get(f.name))
		if n, err := strconv.ParseFloat(v, 64); err == nil && n >= 0 {
			return time.Duration(min(n*float64(f.unit), float64(most))), true
		}
		if t, err := http.ParseTime(v); err == nil {
			return max(0, t.Sub(now)), true
		}
	}
	return 0, false
}

// sleep waits for d, or until ctx ends.
func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
