// Package serve makes text of prompts for many requests at once, and speaks OpenAI's HTTP interface.
//
// In flow prompts as token ids with their sampling, or HTTP requests. Out flow pieces of text as they come, with the tokens and
// log-probabilities behind them, and why each ended. Requests share one decoder: they join and leave between steps, and what one
// gets depends neither on the others nor on when it came.
package serve

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"winnow/train/bpe"
	"winnow/train/internal/kernel"
	"winnow/train/llm"
)

// ErrBusy says that all slots are taken and the queue is full.
var ErrBusy = errors.New("all slots are taken and the queue is full")

// ErrClosed ends what still ran when the engine was closed.
var ErrClosed = errors.New("the engine was closed")

// chunk is how many prompt tokens are read between two steps of the others. It is the same for every prompt, alone or not,
// so that a prompt's arithmetic is too.
const chunk = 64

// Request is one text to make.
type Request struct {
	Prompt    []int32 // at least one id, at most the context
	MaxTokens int     // 0: none (with Echo, to see the prompt); below 0: until the context is full
	Sampling  llm.Sampling
	Stop      []string // texts that end the answer; they are not part of it
	StopIDs   []int32  // tokens that end it; the tokenizer's eos always does
	Logprobs  int      // most likely tokens to tell at each place; 0: the chosen token alone; below 0: nothing
	Echo      bool     // also tell the prompt's tokens, with log-probabilities where Logprobs is not below 0
}

// Options of an engine.
type Options struct {
	Slots   int // texts made at once; 0: 8
	Context int // tokens of a slot; 0: the model's
	Queue   int // texts that may wait; 0: 64
}

// Engine makes texts. Its methods are safe for concurrent use.
type Engine struct {
	tok     *bpe.Tokenizer
	dec     *llm.Decoder
	pool    *llm.Pool
	vocab   int
	context int
	most    int // texts in slots and queue

	mu      sync.Mutex
	load    int // texts in slots and queue now
	waiting []*sequence
	closed  bool
	wake    chan struct{}
	done    chan struct{}

	active []*sequence // by slot; the loop's own
	slots  []int       // scratch of a step
	ids    []int32
	ends   []*Event
}

// NewEngine packs the model's weights, makes the slots, and starts the engine's one goroutine; Close ends it.
func NewEngine(m *llm.Model, tok *bpe.Tokenizer, pool *llm.Pool, o Options) (*Engine, error) {
	if o.Slots == 0 {
		o.Slots = 8
	}
	if o.Queue == 0 {
		o.Queue = 64
	}
	if o.Context == 0 {
		o.Context = m.Context
	}
	if o.Slots < 1 || o.Queue < 0 || o.Context < 2 {
		return nil, fmt.Errorf("serve: %d slots, %d in the queue, a context of %d tokens: too small", o.Slots, o.Queue, o.Context)
	}
	if o.Context > m.Context {
		return nil, fmt.Errorf("serve: a context of %d tokens: the model was trained on %d", o.Context, m.Context)
	}
	if tok.Size() > m.Vocab {
		return nil, fmt.Errorf("serve: the tokenizer has %d tokens, the model %d", tok.Size(), m.Vocab)
	}
	dec, err := llm.NewDecoder(m, pool, o.Slots, o.Context)
	if err != nil {
		return nil, fmt.Errorf("serve: %w", err)
	}
	e := &Engine{tok: tok, dec: dec, pool: pool, vocab: m.Vocab, context: o.Context, most: o.Slots + o.Queue,
		wake: make(chan struct{}, 1), done: make(chan struct{}), active: make([]*sequence, o.Slots)}
	go e.loop()
	return e, nil
}

// Context is the most tokens of prompt and answer.
func (e *Engine) Context() int { return e.context }

// Tokenizer is the model's.
func (e *Engine) Tokenizer() *bpe.Tokenizer { return e.tok }

// Load is how many texts are in the slots or wait.
func (e *Engine) Load() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.load
}

// Submit queues texts that belong together: all of them or none. When ctx ends, so do they. Errors: ErrBusy, ErrClosed,
// a *PromptError, sampling out of
// range.
func (e *Engine) Submit(ctx context.Context, requests ...Request) (*Job, error) {
	j := &Job{ready: make(chan struct{}, 1), open: len(requests)}
	all := make([]*sequence, 0, len(requests))
	for i, r := range requests {
		if err := e.check(r); err != nil {
			return nil, err
		}
		s, err := newSequence(ctx, e, j, i, r)
		if err != nil {
			return nil, fmt.Errorf("serve: %w", err)
		}
		all = append(all, s)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case e.closed:
		return nil, ErrClosed
	case e.load+len(requests) > e.most:
		return nil, ErrBusy
	}
	e.waiting = append(e.waiting, all...)
	e.load += len(requests)
	e.signal()
	return j, nil
}

// PromptError is a prompt that cannot be read by this model.
type PromptError struct {
	Tokens, Context int
	ID              int32 // an id outside of the vocabulary, where Tokens is within Context
}

func (e *PromptError) Error() string {
	switch {
	case e.Tokens == 0:
		return "the prompt is empty, and the model has no token that begins a text"
	case e.Tokens > e.Context:
		return fmt.Sprintf("the prompt has %d tokens, but the context of this model holds %d: shorten the prompt", e.Tokens, e.Context)
	}
	return fmt.Sprintf("token id %d is not in the vocabulary", e.ID)
}

func (e *Engine) check(r Request) error {
	if n := len(r.Prompt); n == 0 || n > e.context {
		return &PromptError{Tokens: n, Context: e.context}
	}
	for _, id := range r.Prompt {
		if id < 0 || int(id) >= e.vocab {
			return &PromptError{Tokens: len(r.Prompt), Context: e.context, ID: id}
		}
	}
	return nil
}

// Close ends all texts with ErrClosed and waits for the engine to stand still.
func (e *Engine) Close() {
	e.mu.Lock()
	e.closed = true
	e.signal()
	e.mu.Unlock()
	<-e.done
}

func (e *Engine) signal() {
	select {
	case e.wake <- struct{}{}:
	default:
	}
}

// loop is the engine: let sequences in, read a piece of one prompt, step all that are past their prompt.
func (e *Engine) loop() {
	defer close(e.done)
	for {
		busy, closed := e.admit()
		if closed {
			return
		}
		if !busy {
			<-e.wake
			continue
		}
		e.prefill()
		e.step()
	}
}

// admit drops sequences whose client is gone and fills free slots in order of arrival.
func (e *Engine) admit() (busy, closed bool) {
	for slot, s := range e.active {
		if s != nil && s.ctx.Err() != nil {
			e.leave(slot, s.failed(s.ctx.Err()))
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		for _, s := range e.waiting {
			s.job.push(s.failed(ErrClosed))
		}
		for _, s := range e.active {
			if s != nil {
				s.job.push(s.failed(ErrClosed))
			}
		}
		e.waiting = nil
		return false, true
	}
	kept := e.waiting[:0]
	for _, s := range e.waiting {
		if err := s.ctx.Err(); err != nil {
			e.load--
			s.job.push(s.failed(err))
		} else {
			kept = append(kept, s)
		}
	}
	clear(e.waiting[len(kept):])
	e.waiting = kept
	for slot, s := range e.active {
		if s == nil && len(e.waiting) > 0 {
			e.active[slot], e.waiting = e.waiting[0], e.waiting[1:]
			e.active[slot].order = e.nextOrder()
			e.dec.Reset(slot)
		}
		busy = busy || e.active[slot] != nil
	}
	return busy, false
}

func (e *Engine) nextOrder() (order int) {
	for _, s := range e.active {
		if s != nil {
			order = max(order, s.order+1)
		}
	}
	return order
}

// leave frees a slot, and then tells the last event of its sequence: who hears of it finds the slot free.
func (e *Engine) leave(slot int, last Event) {
	s := e.active[slot]
	e.active[slot] = nil
	e.mu.Lock()
	e.load--
	e.mu.Unlock()
	s.job.push(last)
}

// prefill reads one chunk of the prompt that has waited longest, so that steps of the others are held up by no more than that.
func (e *Engine) prefill() {
	slot := -1
	for i, s := range e.active {
		if s != nil && s.read < len(s.Prompt) && (slot < 0 || s.order < e.active[slot].order) {
			slot = i
		}
	}
	if slot < 0 {
		return
	}
	s := e.active[slot]
	ids := s.Prompt[s.read:min(s.read+chunk, len(s.Prompt))]
	var last []float32
	var err error
	if s.Echo && s.Logprobs >= 0 {
		var all []float32
		if all, err = e.dec.PrefillAll(slot, ids); err == nil {
			s.scorePrompt(all, len(ids))
			last = all[(len(ids)-1)*e.vocab:]
		}
	} else {
		last, err = e.dec.Prefill(slot, ids)
	}
	if err != nil {
		e.leave(slot, s.failed(fmt.Errorf("serve: prompt: %w", err)))
		return
	}
	if s.read += len(ids); s.read == len(s.Prompt) {
		s.begin()
		if end := s.choose(last); end != nil {
			e.leave(slot, *end)
		}
	}
}

// step makes one token for each sequence that is past its prompt.
func (e *Engine) step() {
	e.slots, e.ids = e.slots[:0], e.ids[:0]
	for slot, s := range e.active {
		if s != nil && s.started {
			e.slots, e.ids = append(e.slots, slot), append(e.ids, s.last)
		}
	}
	if len(e.slots) == 0 {
		return
	}
	logits, err := e.dec.Step(e.slots, e.ids)
	if err != nil {
		for _, slot := range e.slots {
			e.leave(slot, e.active[slot].failed(fmt.Errorf("serve: step: %w", err)))
		}
		return
	}
	e.ends = slices.Grow(e.ends[:0], len(e.slots))[:len(e.slots)]
	e.pool.Run(len(e.slots), func(_ *kernel.Worker, i int) {
		e.ends[i] = e.active[e.slots[i]].choose(logits[i*e.vocab : (i+1)*e.vocab])
	})
	for i, slot := range e.slots {
		if e.ends[i] != nil {
			e.leave(slot, *e.ends[i])
		}
	}
}
