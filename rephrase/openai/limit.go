package openai

import (
	"fmt"
	"sync"
	"time"
)

// pacer spreads events evenly over time, perMinute of them, without saving up for bursts; 0 lets all pass.
type pacer struct {
	perMinute float64

	mu   sync.Mutex
	next time.Time // when the next event may pass
}

// take books n events and tells how long to wait for them.
func (p *pacer) take(now time.Time, n int64) time.Duration {
	if p.perMinute == 0 {
		return 0
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.next.Before(now) {
		p.next = now
	}
	wait := p.next.Sub(now)
	p.next = p.next.Add(p.span(n))
	return wait
}

// give takes back n booked events that were not needed; books more where n is negative.
func (p *pacer) give(n int64) {
	if p.perMinute == 0 {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.next = p.next.Add(-p.span(n))
}

func (p *pacer) span(n int64) time.Duration {
	return time.Duration(float64(n) / p.perMinute * float64(time.Minute))
}

// spend is what requests cost, or may cost.
type spend struct {
	requests, tokens int64
	dollars          float64
}

func (s spend) plus(t spend, sign int64) spend {
	return spend{s.requests + sign*t.requests, s.tokens + sign*t.tokens, s.dollars + float64(sign)*t.dollars}
}

// budget bounds what is spent. What a request may cost is reserved before it is sent, so the limits hold however many are
// under way. A limit of 0 is none.
type budget struct {
	limit spend

	mu              sync.Mutex
	spent, reserved spend
}

func (b *budget) reserve(n spend) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := b.spent.plus(b.reserved, 1).plus(n, 1)
	switch {
	case b.limit.tokens > 0 && all.tokens > b.limit.tokens:
		return fmt.Errorf("openai: %w: %d of %d tokens spent, %d under way, the next request may take %d",
			ErrBudget, b.spent.tokens, b.limit.tokens, b.reserved.tokens, n.tokens)
	case b.limit.requests > 0 && all.requests > b.limit.requests:
		return fmt.Errorf("openai: %w: %d of %d requests sent", ErrBudget, b.spent.requests+b.reserved.requests, b.limit.requests)
	case b.limit.dollars > 0 && all.dollars > b.limit.dollars*(1+1e-9):
		return fmt.Errorf("openai: %w: %.4f of %.4f US dollars spent, %.4f under way, the next request may take %.6f",
			ErrBudget, b.spent.dollars, b.limit.dollars, b.reserved.dollars, n.dollars)
	}
	b.reserved = b.reserved.plus(n, 1)
	return nil
}

func (b *budget) settle(reserved, spent spend) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.reserved = b.reserved.plus(reserved, -1)
	b.spent = b.spent.plus(spent, 1)
}
