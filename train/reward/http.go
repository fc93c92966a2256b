package reward

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Endpoint asks an HTTP server for scores. It posts JSON: prompts, completions, ended, messages and columns, arrays of the same length;
// the server answers {"rewards": [number, ...]} ("scores" is taken too, or the list alone), one for each, in order. A failure that may
// pass (no connection, 408, 429, 5xx) is tried again; others end the run at once with what the server said.
type Endpoint struct {
	URL     string
	Header  http.Header
	Batch   int           // answers a request; 0: 64
	Tries   int           // of a request; 0: 5
	Pause   time.Duration // before the second try, twice as long before each further one; 0: half a second
	Timeout time.Duration // of a try; 0: two minutes
	Client  *http.Client  // nil: http.DefaultClient
}

// EndpointError is an endpoint that gave no scores.
type EndpointError struct {
	URL    string
	Status int // 0: there was no answer
	Tries  int
	Msg    string
}

// Error says what was asked and what came back.
func (e *EndpointError) Error() string {
	s := "reward endpoint " + e.URL
	if e.Status != 0 {
		s += ": status " + strconv.Itoa(e.Status)
	}
	if e.Tries > 1 {
		s += fmt.Sprintf(" after %d tries", e.Tries)
	}
	return s + ": " + e.Msg
}

// NewEndpoint checks the address.
func NewEndpoint(address string) (*Endpoint, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, &EndpointError{URL: address, Msg: "not an http or https address"}
	}
	return &Endpoint{URL: address}, nil
}

// asked is the body of a request.
type asked struct {
	Prompts     []string          `json:"prompts"`
	Completions []string          `json:"completions"`
	Ended       []bool            `json:"ended"`
	Messages    []json.RawMessage `json:"messages"`
	Columns     []map[string]any  `json:"columns"`
}

// Score asks for all answers, a batch at a time.
func (e *Endpoint) Score(ctx context.Context, answers []Answer) ([]float64, error) {
	size := e.Batch
	if size <= 0 {
		size = 64
	}
	scores := make([]float64, 0, len(answers))
	for from := 0; from < len(answers); from += size {
		part := answers[from:min(from+size, len(answers))]
		body, err := bodyOf(part)
		if err != nil {
			return nil, err
		}
		got, err := e.ask(ctx, body, len(part))
		if err != nil {
			return nil, err
		}
		scores = append(scores, got...)
	}
	return scores, Check(scores, answers)
}

func bodyOf(answers []Answer) ([]byte, error) {
	a := asked{}
	for _, x := range answers {
		messages, err := json.Marshal(x.Messages)
		if err != nil {
			return nil, err
		}
		columns := x.Columns
		if columns == nil {
			columns = map[string]any{}
		}
		a.Prompts, a.Completions, a.Ended = append(a.Prompts, x.Prompt), append(a.Completions, x.Text), append(a.Ended, x.Ended)
		a.Messages, a.Columns = append(a.Messages, messages), append(a.Columns, columns)
	}
	return json.Marshal(a)
}

// ask posts one body until it is answered, or will not be.
func (e *Endpoint) ask(ctx context.Context, body []byte, n int) ([]float64, error) {
	tries, pause := e.Tries, e.Pause
	if tries <= 0 {
		tries = 5
	}
	if pause <= 0 {
		pause = time.Second / 2
	}
	for try := 1; ; try++ {
		scores, wait, err := e.once(ctx, body, n)
		var failed *EndpointError
		if err == nil || !errors.As(err, &failed) {
			return scores, err
		}
		failed.Tries = try
		if wait < 0 || try >= tries {
			return nil, failed
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-time.After(max(wait, pause)):
		}
		pause *= 2
	}
}

// once posts body. Of an *EndpointError, wait is how long the server wants to be left alone, below 0 where trying again is no use.
func (e *Endpoint) once(ctx context.Context, body []byte, n int) (scores []float64, wait time.Duration, err error) {
	timeout := e.Timeout
	if timeout <= 0 {
		timeout = 2 * time.Minute
	}
	within, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(within, http.MethodPost, e.URL, bytes.NewReader(body))
	if err != nil {
		return nil, -1, err
	}
	for name, values := range e.Header {
		request.Header[name] = values
	}
	request.Header.Set("Content-Type", "application/json")
	client := e.Client
	if client == nil {
		client = http.DefaultClient
	}
	response, err := client.Do(request)
	if err != nil {
		if ctx.Err() != nil {
			return nil, -1, context.Cause(ctx)
		}
		return nil, 0, &EndpointError{URL: e.URL, Msg: err.Error()}
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, 64<<20))
	if err != nil {
		return nil, 0, &EndpointError{URL: e.URL, Status: response.StatusCode, Msg: err.Error()}
	}
	if response.StatusCode != http.StatusOK {
		wait = -1
		if s := response.StatusCode; s == http.StatusRequestTimeout || s == http.StatusTooManyRequests || s >= 500 {
			wait = 0
			if seconds, err := strconv.Atoi(response.Header.Get("Retry-After")); err == nil && seconds > 0 {
				wait = min(time.Duration(seconds)*time.Second, time.Minute)
			}
		}
		return nil, wait, &EndpointError{URL: e.URL, Status: response.StatusCode, Msg: short(string(text))}
	}
	if scores, err = scoresOf(text, n); err != nil {
		return nil, -1, &EndpointError{URL: e.URL, Status: response.StatusCode, Msg: err.Error()}
	}
	return scores, 0, nil
}

// scoresOf reads n numbers.
func scoresOf(text []byte, n int) ([]float64, error) {
	var list []*float64
	if err := json.Unmarshal(text, &list); err != nil {
		var object struct{ Rewards, Scores []*float64 }
		if json.Unmarshal(text, &object) != nil {
			return nil, fmt.Errorf(`%q is no {"rewards": [number, ...]}`, short(string(text)))
		}
		if list = object.Rewards; list == nil {
			list = object.Scores
		}
	}
	if len(list) != n {
		return nil, fmt.Errorf("%d rewards for %d answers", len(list), n)
	}
	scores := make([]float64, n)
	for i, v := range list {
		if v == nil {
			return nil, fmt.Errorf("reward %d is null", i)
		}
		scores[i] = *v
	}
	return scores, nil
}
