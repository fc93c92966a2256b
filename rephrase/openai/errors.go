package openai

import (
	"errors"
	"fmt"
)

// What stops a run. Answers that came before are in the cache, so that the same run started again goes on from there.
var (
	// ErrBudget: the next request may cost more than is left of Options.TokenBudget.
	ErrBudget = errors.New("token budget is spent")
	// ErrFailing: more than Options.ErrorShare of the last Options.ErrorWindow requests failed for good, and pauses did not help.
	ErrFailing = errors.New("too many requests fail")
	// ErrSetup: no request can succeed: key refused, no credit left, no such model or path.
	ErrSetup = errors.New("endpoint refuses all requests")
)

// RequestError says that one request failed for good: refused, or still failing after all retries. Other requests may
// succeed.
type RequestError struct {
	Status   int // of the last attempt; 0 where none arrived
	Attempts int
	Err      error
}

func (e *RequestError) Error() string {
	return fmt.Sprintf("openai: request failed after %d attempts: %v", e.Attempts, e.Err)
}

func (e *RequestError) Unwrap() error { return e.Err }
