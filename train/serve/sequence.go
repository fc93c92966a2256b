package serve

import (
	"context"
	"slices"
	"sync"

	"winnow/train/bpe"
	"winnow/train/llm"
)

// Token is one token of a text.
type Token struct {
	ID      int32
	Text    string // its bytes, which may be a part of a character; a special token's name
	Logprob float64
	Top     []Candidate // most likely tokens at this place, best first
	First   bool        // the first token of a prompt, which nothing foretells: Logprob means nothing
}

// Candidate is a token that could have stood at a place. Log-probabilities are the model's, before temperature and cuts.
type Candidate struct {
	ID      int32
	Text    string
	Logprob float64
}

// Event is news of one text of a job. The last event of a text has Finish or Err.
type Event struct {
	Index  int     // of the request within the job
	Text   string  // valid UTF-8 that follows what came before
	Tokens []Token // that begin in Text; only where log-probabilities are asked for
	Prompt bool    // Text and Tokens are the prompt's
	Count  int     // tokens made so far, without the one that ended the text
	Finish llm.Finish
	Err    error
}

// Job is the texts of one Submit.
type Job struct {
	mu    sync.Mutex
	queue []Event
	open  int
	ready chan struct{}
}

// Next waits for the next event of any text; false when all texts have ended. One goroutine may call it.
func (j *Job) Next() (Event, bool) {
	for {
		j.mu.Lock()
		if len(j.queue) > 0 {
			e := j.queue[0]
			j.queue = j.queue[1:]
			j.mu.Unlock()
			return e, true
		}
		open := j.open
		j.mu.Unlock()
		if open == 0 {
			return Event{}, false
		}
		<-j.ready
	}
}

// push never waits: a slow reader does not hold up the engine. What it holds is bounded by the context.
func (j *Job) push(e Event) {
	j.mu.Lock()
	j.queue = append(j.queue, e)
	if e.Finish != "" || e.Err != nil {
		j.open--
	}
	j.mu.Unlock()
	select {
	case j.ready <- struct{}{}:
	default:
	}
}

// sequence is one text in the making. After Submit it belongs to the engine's loop.
type sequence struct {
	Request
	ctx     context.Context
	engine  *Engine
	job     *Job
	index   int
	order   int // of arrival among the active
	read    int // prompt tokens that the decoder has
	started bool
	last    int32 // token that the next step feeds
	count   int

	text   *llm.Generation
	stream counted
	sent   int     // bytes of text that were told
	scored []Token // of the prompt
	held   []heldToken
}

// heldToken is a token whose text is held back; start is the byte of the text where it begins.
type heldToken struct {
	Token
	start int
}

// counted is a stream of text that knows how much it gave.
type counted struct {
	stream *bpe.Stream
	bytes  int
}

func (c *counted) Next(id int32) string {
	s := c.stream.Next(id)
	c.bytes += len(s)
	return s
}

func (c *counted) Flush() string {
	s := c.stream.Flush()
	c.bytes += len(s)
	return s
}

// newSequence fails where sampling or stop texts are none.
func newSequence(ctx context.Context, e *Engine, j *Job, index int, r Request) (*sequence, error) {
	if eos := e.tok.EOS(); eos >= 0 && !slices.Contains(r.StopIDs, eos) {
		r.StopIDs = append(slices.Clone(r.StopIDs), eos)
	}
	s := &sequence{Request: r, ctx: ctx, engine: e, job: j, index: index, stream: counted{stream: e.tok.NewStream()}}
	g, err := llm.NewGeneration(llm.Request{MaxTokens: max(r.MaxTokens, 0), Sampling: r.Sampling, StopIDs: r.StopIDs, Stops: r.Stop},
		e.context-len(r.Prompt), &s.stream)
	s.text = g
	return s, err
}

func (s *sequence) failed(err error) Event { return Event{Index: s.index, Count: s.count, Err: err} }

// begin tells the prompt where that is wanted.
func (s *sequence) begin() {
	s.started = true
	if s.Echo {
		s.job.push(Event{Index: s.index, Prompt: true, Text: s.engine.text(s.Prompt), Tokens: s.scored})
	}
}

// scorePrompt takes the logits [n, vocab] after the next n prompt tokens and tells of each token what was foretold for it.
func (s *sequence) scorePrompt(logits []float32, n int) {
	e := s.engine
	if s.read == 0 {
		s.scored = append(s.scored, Token{ID: s.Prompt[0], Text: e.name(s.Prompt[0]), First: true})
	}
	for i := range n {
		if next := s.read + i + 1; next < len(s.Prompt) {
			s.scored = append(s.scored, e.score(logits[i*e.vocab:(i+1)*e.vocab], s.Prompt[next], s.Logprobs))
		}
	}
}

// choose draws a token from logits and tells what became certain of the text. The event that ends the text is not told but returned.
func (s *sequence) choose(logits []float32) *Event {
	if s.MaxTokens == 0 {
		return &Event{Index: s.index, Finish: llm.FinishLength}
	}
	start := s.stream.bytes
	t := s.text.Next(logits)
	s.last = t.ID
	ended := slices.Contains(s.StopIDs, t.ID)
	if !ended {
		s.count++
		if s.Logprobs >= 0 {
			s.held = append(s.held, heldToken{s.engine.score(logits, t.ID, s.Logprobs), start})
		}
	}
	s.sent += len(t.Text)
	e := Event{Index: s.index, Text: t.Text, Count: s.count, Finish: t.Finish}
	for _, h := range s.held {
		if h.start < s.sent || t.Finish == llm.FinishLength || ended {
			e.Tokens = append(e.Tokens, h.Token)
		}
	}
	s.held = s.held[len(e.Tokens):]
	if e.Finish != "" {
		return &e
	}
	if e.Text != "" || e.Tokens != nil {
		s.job.push(e)
	}
	return nil
}
