package serve

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"winnow/train/llm"
)

type usage struct {
	Prompt     int `json:"prompt_tokens"`
	Completion int `json:"completion_tokens"`
	Total      int `json:"total_tokens"`
}

// envelope is an answer, or one chunk of a stream.
type envelope struct {
	ID      string `json:"id"`
	Object  string `json:"object"`
	Created int64  `json:"created"`
	Model   string `json:"model"`
	Print   string `json:"system_fingerprint"`
	Choices []any  `json:"choices"`
	Usage   *usage `json:"usage,omitempty"`
}

// dialect is how one endpoint tells the same texts.
type dialect interface {
	begin(index int) any     // first chunk of a text; nil: none
	part(p piece) any        // a chunk
	whole(parts []piece) any // the choice of an answer that is not streamed
}

// piece is an event as it is told: trimmed, with the place of its first byte in the text.
type piece struct {
	Event
	offset int
}

// talk submits requests and tells what comes of them. prefix is of the answer's id, object of the whole answer, chunk of a stream's.
type talk struct {
	prefix, object, chunk string
	requests              []Request
	choices               int // of each prompt
	stream, usage, trim   bool
	dialect               dialect
}

func (s *Server) tell(w http.ResponseWriter, r *http.Request, t talk) {
	job, err := s.engine.Submit(r.Context(), t.requests...)
	if err != nil {
		failure(err).write(w)
		return
	}
	e := envelope{ID: s.id(t.prefix), Object: t.object, Created: time.Now().Unix(), Model: s.name, Print: s.print}
	c := &collector{offsets: make([]int, len(t.requests)), counts: make([]int, len(t.requests)), trim: t.trim}
	if t.stream {
		e.Object = t.chunk
		stream(w, job, e, c, t)
		return
	}
	parts := make([][]piece, len(t.requests))
	for {
		event, ok := job.Next()
		if !ok {
			break
		}
		if event.Err != nil {
			err = event.Err
			continue // the other texts end the same way, and the job must be read to its end
		}
		parts[event.Index] = append(parts[event.Index], c.take(event))
	}
	if err != nil {
		failure(err).write(w)
		return
	}
	for _, p := range parts {
		e.Choices = append(e.Choices, t.dialect.whole(p))
	}
	e.Usage = c.usage(t)
	answer(w, e)
}

// collector counts what a job tells.
type collector struct {
	offsets, counts []int
	trim            bool
}

func (c *collector) take(e Event) piece {
	if c.trim && c.offsets[e.Index] == 0 {
		e.Text = strings.TrimLeft(e.Text, " \n")
	}
	p := piece{e, c.offsets[e.Index]}
	c.offsets[e.Index] += len(e.Text)
	c.counts[e.Index] = max(c.counts[e.Index], e.Count)
	return p
}

// usage counts each prompt once.
func (c *collector) usage(t talk) *usage {
	u := &usage{}
	for i, r := range t.requests {
		if i%t.choices == 0 {
			u.Prompt += len(r.Prompt)
		}
		u.Completion += c.counts[i]
	}
	u.Total = u.Prompt + u.Completion
	return u
}

// stream tells events as server-sent events. An error before the first of them is an HTTP error, later it is an event.
func stream(w http.ResponseWriter, job *Job, e envelope, c *collector, t talk) {
	flush := http.NewResponseController(w)
	began := make([]bool, len(t.requests))
	open := false
	send := func(b []byte) {
		if !open {
			w.Header().Set("Content-Type", "text/event-stream")
			w.Header().Set("Cache-Control", "no-cache")
			open = true
		}
		fmt.Fprintf(w, "data: %s\n\n", b)
		flush.Flush()
	}
	tell := func(choice any) {
		e.Choices = []any{choice}
		b, err := json.Marshal(e)
		if err != nil {
			b = failure(err).body()
		}
		send(b)
	}
	var failed error
	for {
		event, ok := job.Next()
		if !ok {
			break
		}
		if event.Err != nil {
			failed = event.Err
			continue
		}
		if first := t.dialect.begin(event.Index); first != nil && !began[event.Index] {
			tell(first)
		}
		began[event.Index] = true
		tell(t.dialect.part(c.take(event)))
	}
	switch {
	case failed != nil && !open:
		failure(failed).write(w)
		return
	case failed != nil:
		send(failure(failed).body())
		return
	case t.usage:
		e.Choices, e.Usage = []any{}, c.usage(t)
		if b, err := json.Marshal(e); err == nil {
			send(b)
		}
	}
	send([]byte("[DONE]"))
}

// reason is a finish reason, or null while the text goes on.
func reason(f llm.Finish) *string {
	if f == "" {
		return nil
	}
	s := string(f)
	return &s
}

// spell writes a token that is no text of its own as OpenAI does: bytes:\xe4\xbd.
func spell(token string) string {
	if utf8.ValidString(token) {
		return token
	}
	var b strings.Builder
	b.WriteString("bytes:")
	for i := range len(token) {
		fmt.Fprintf(&b, `\x%02x`, token[i])
	}
	return b.String()
}

func join(parts []piece) (text string, tokens []Token, finish llm.Finish) {
	var b strings.Builder
	for _, p := range parts {
		b.WriteString(p.Text)
		tokens = append(tokens, p.Tokens...)
		if p.Finish != "" {
			finish = p.Finish
		}
	}
	return b.String(), tokens, finish
}
