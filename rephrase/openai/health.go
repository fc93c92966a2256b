package openai

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// health is a circuit breaker: it remembers how the last requests ended, and where too many failed for good it keeps all back for a
// pause. Then one attempt is let through. An answer opens the way for all; a failure doubles the pause. After so many pauses without a
// healthy window of requests between them it gives up.
type health struct {
	share  float64
	pause  time.Duration // the first
	probes int           // pauses before giving up; 0: none

	mu     sync.Mutex
	last   []bool // a ring: did it fail
	at     int
	seen   int
	failed int
	cause  error // of the last failure

	pauses  int           // since the last healthy window
	gone    error         // given up, for this
	until   time.Time     // end of the pause; zero where none is
	probing bool          // one attempt is let through
	changed chan struct{} // closed when the attempt that was let through has ended
}

// enter waits until an attempt may be sent. probe tells that it is the one let through after a pause: report tells how it ended.
func (h *health) enter(ctx context.Context) (probe bool, err error) {
	for {
		h.mu.Lock()
		switch {
		case h.gone != nil:
			defer h.mu.Unlock()
			return false, h.gone
		case h.until.IsZero():
			h.mu.Unlock()
			return false, ctx.Err()
		case h.probing:
			changed := h.changed
			h.mu.Unlock()
			select {
			case <-changed:
			case <-ctx.Done():
				return false, ctx.Err()
			}
		default:
			wait := time.Until(h.until)
			if wait <= 0 {
				defer h.mu.Unlock()
				h.probing, h.changed = true, make(chan struct{})
				return true, nil
			}
			h.mu.Unlock()
			if err := sleep(ctx, wait); err != nil {
				return false, err
			}
		}
	}
}

// outcome of an attempt that was let through.
type outcome int

const (
	answered outcome = iota
	unanswerable
	abandoned // it was not sent, or its caller gave up
)

// report tells how an attempt that was let through has ended.
func (h *health) report(o outcome, cause error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.probing = false
	close(h.changed)
	switch o {
	case answered:
		h.until = time.Time{}
		h.clear()
	case unanswerable:
		h.cause = cause
		h.rest()
	}
}

// clear forgets how requests ended.
func (h *health) clear() {
	clear(h.last)
	h.at, h.seen, h.failed = 0, 0, 0
}

// rest begins a pause, or gives up.
func (h *health) rest() {
	if h.pauses >= h.probes {
		h.gone = fmt.Errorf("openai: %w: %d of the last %d, the last one: %w", ErrFailing, h.failed, h.seen, h.cause)
		if h.pauses > 0 {
			h.gone = fmt.Errorf("openai: %w, and %d pauses did not help: the last one: %w", ErrFailing, h.pauses, h.cause)
		}
		return
	}
	h.until = time.Now().Add(h.pause << min(h.pauses, 16))
	h.pauses++
}

// record notes how a request ended, for good. What ends during a pause was sent before it.
func (h *health) record(err error) {
	if len(h.last) == 0 {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.until.IsZero() || h.gone != nil {
		return
	}
	if h.last[h.at] {
		h.failed--
	}
	h.last[h.at] = err != nil
	if err != nil {
		h.failed++
		h.cause = err
	}
	h.at = (h.at + 1) % len(h.last)
	h.seen = min(h.seen+1, len(h.last))
	if h.seen < len(h.last) { // it needs a full window, lest the first failure ends a run
		return
	}
	if float64(h.failed) > h.share*float64(h.seen) {
		h.rest()
	} else {
		h.pauses = 0
	}
}
