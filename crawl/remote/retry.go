package remote

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// retry counts failures in a row and waits between them.
type retry struct {
	wave  *backoff.ExponentialBackOff
	tries int
	left  int
}

func newRetry(o Options) *retry {
	w := backoff.NewExponentialBackOff()
	w.InitialInterval, w.MaxInterval = o.Pause, time.Minute
	w.Reset()
	return &retry{w, o.Tries, o.Tries}
}

func (f *Files) newRetry() *retry { return newRetry(f.o) }

// progress forgets the failures so far.
func (r *retry) progress() {
	if r.left != r.tries {
		r.left = r.tries
		r.wave.Reset()
	}
}

// wait returns nil when it is time to try again, and an error where that is of no use or has been done often enough.
func (r *retry) wait(ctx context.Context, err error) error {
	var fatal *backoff.PermanentError
	if errors.As(err, &fatal) {
		return fatal.Unwrap()
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if r.left--; r.left <= 0 {
		return fmt.Errorf("%w (tried %d times)", err, r.tries)
	}
	pause := r.wave.NextBackOff()
	var asked *backoff.RetryAfterError
	if errors.As(err, &asked) {
		pause = max(pause, min(asked.Duration, 2*time.Minute))
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(pause):
		return nil
	}
}
