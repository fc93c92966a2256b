package policy

import (
	"context"
	"fmt"
	"math"
	"slices"

	"winnow/train/internal/kernel"
	"winnow/train/llm"
)

// Ask is one answer to be written.
type Ask struct {
	Prompt []int32
	Stop   []int32 // ids that end it, the end of turn
	Most   int     // tokens, the ending one included
	Seed   uint64
}

// Written is an answer.
type Written struct {
	IDs   []int32 // the ending one included
	Ended bool    // by one of Stop; else it has Most tokens
}

// Writer writes many answers at a time, at temperature 1 over the whole vocabulary, as they are scored. A slot whose answer has ended takes
// the next one, and a prompt that another slot has read already is copied. What an answer is depends on its Ask and the model alone, not
// on the slots nor on the threads.
type Writer struct {
	pool    *llm.Pool
	decoder *llm.Decoder
	slots   []slot
	Read    int64 // prompt tokens that went through the model
	Copied  int64 // prompt tokens that did not, since another slot had them
	Steps   int64 // of the decoder
}

// slot is a place of the decoder.
type slot struct {
	prompt []int32   // that it holds first
	after  []float32 // logits behind it
	ask    int       // being written; below 0: none
	source *llm.Sampler
	last   int32
}

// NewWriter makes room for so many answers at a time, with prompts together of at most context tokens each (0: the model's).
func NewWriter(m *llm.Model, p *llm.Pool, slots, context int) (*Writer, error) {
	d, err := llm.NewDecoder(m, p, slots, context)
	if err != nil {
		return nil, err
	}
	w := &Writer{pool: p, decoder: d, slots: make([]slot, slots)}
	w.forget()
	return w, nil
}

// Reload takes up the model as it is now.
func (w *Writer) Reload() {
	w.decoder.Reload()
	w.forget()
}

func (w *Writer) forget() {
	for i := range w.slots {
		w.slots[i] = slot{ask: -1}
	}
}

// Write writes an answer to each ask, in their order.
func (w *Writer) Write(ctx context.Context, asks []Ask) ([]Written, error) {
	list := make([]Written, len(asks))
	defer func() {
		for i := range w.slots {
			w.slots[i].ask = -1
		}
	}()
	next, logits, active := 0, []float32(nil), []int(nil)
	ids, vocab := []int32(nil), 0
	for {
		if err := ctx.Err(); err != nil {
			return nil, context.Cause(ctx)
		}
		for i := range w.slots {
			for w.slots[i].ask < 0 && next < len(asks) {
				if err := w.begin(i, next, asks); err != nil {
					return nil, fmt.Errorf("answer %d: %w", next, err)
				}
				next++
				w.take(i, asks, list, w.slots[i].after)
			}
		}
		active, ids = active[:0], ids[:0]
		for i, s := range w.slots {
			if s.ask >= 0 {
				active, ids = append(active, i), append(ids, s.last)
			}
		}
		if len(active) == 0 {
			return list, nil
		}
		var err error
		if logits, err = w.decoder.Step(active, ids); err != nil {
			return nil, err
		}
		w.Steps++
		vocab = len(logits) / len(active)
		w.pool.Run(len(active), func(_ *kernel.Worker, i int) {
			w.take(active[i], asks, list, logits[i*vocab:(i+1)*vocab])
		})
	}
}

// begin reads the prompt of an ask into a slot, or copies it from one that has it.
func (w *Writer) begin(at, k int, asks []Ask) error {
	a := asks[k]
	if a.Most < 1 || len(a.Prompt)+a.Most-1 > w.decoder.Context() {
		return fmt.Errorf("a prompt of %d tokens and %d of answer: %w", len(a.Prompt), a.Most, llm.ErrFull)
	}
	s := &w.slots[at]
	from := -1
	for i := range w.slots {
		if other := (at + i) % len(w.slots); slices.Equal(w.slots[other].prompt, a.Prompt) {
			from = other
			break
		}
	}
	if from >= 0 && len(a.Prompt) > 0 {
		if err := w.decoder.Copy(at, from, len(a.Prompt)); err != nil {
			return err
		}
		w.Copied += int64(len(a.Prompt))
		s.prompt, s.after = w.slots[from].prompt, w.slots[from].after
	} else {
		w.decoder.Reset(at)
		s.prompt = nil
		after, err := w.decoder.Prefill(at, a.Prompt)
		if err != nil {
			return err
		}
		w.Read += int64(len(a.Prompt))
		s.prompt, s.after = a.Prompt, after
	}
	s.ask, s.source = k, llm.Sampling{Temperature: 1, Seed: a.Seed}.New()
	return nil
}

// take draws a slot's next token.
func (w *Writer) take(at int, asks []Ask, list []Written, logits []float32) {
	s := &w.slots[at]
	a, x := asks[s.ask], &list[s.ask]
	s.last, _ = s.source.Next(logits)
	x.IDs = append(x.IDs, s.last)
	x.Ended = slices.Contains(a.Stop, s.last)
	if x.Ended || len(x.IDs) >= a.Most {
		s.ask = -1
	}
}

// Tokens is the number of tokens of all answers.
func Tokens(list []Written) (n int64) {
	for _, x := range list {
		n += int64(len(x.IDs))
	}
	return n
}

// seedOf mixes numbers into one (splitmix64), so that each sample of each prompt of each round has its own.
func seedOf(parts ...uint64) uint64 {
	var h uint64 = math.MaxUint64 / 3
	for _, p := range parts {
		h += p + 0x9e3779b97f4a7c15
		h = (h ^ h>>30) * 0xbf58476d1ce4e5b9
		h = (h ^ h>>27) * 0x94d049bb133111eb
		h ^= h >> 31
	}
	return h
}
