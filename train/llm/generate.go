package llm

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// Request asks for the continuation of a prompt.
type Request struct {
	Prompt    []int32
	MaxTokens int // 0: as far as the context goes
	Sampling  Sampling
	StopIDs   []int32  // a token that ends the text and is no part of it
	Stops     []string // a string that ends the text and is no part of it
}

// Finish is why a text ended, in the words of the OpenAI API.
type Finish string

// The reasons; the empty one means that the text goes on.
const (
	FinishStop   Finish = "stop"   // a stop id or a stop string
	FinishLength Finish = "length" // MaxTokens, or the context is full
)

// Detokenizer turns ids into text piece by piece and holds back what is not whole yet; bpe.Stream is one.
type Detokenizer interface {
	Next(id int32) string
	Flush() string
}

// Token is one token of a text as it comes.
type Token struct {
	ID      int32
	LogProb float32
	Text    string // what can be shown now; behind the tokens while a character or a stop string may still be completed
	Finish  Finish // set on the last token
}

// Generation is one text being written: whoever runs the decoder, alone or with many slots, feeds it logits.
type Generation struct {
	request Request
	sampler *Sampler
	text    Detokenizer
	limit   int
	count   int
	held    string
}

// NewGeneration begins a text. room is how many tokens fit behind the prompt in the slot: context - len(prompt). text may be
// nil, when only ids are wanted and there are no stop strings.
func NewGeneration(r Request, room int, text Detokenizer) (*Generation, error) {
	if err := r.Sampling.Validate(); err != nil {
		return nil, err
	}
	if text == nil && len(r.Stops) > 0 {
		return nil, fmt.Errorf("generate: stop strings without a tokenizer")
	}
	if slices.Contains(r.Stops, "") {
		return nil, fmt.Errorf("generate: an empty stop string")
	}
	limit := room + 1 // the last token is not fed back
	if r.MaxTokens > 0 {
		limit = min(limit, r.MaxTokens)
	}
	return &Generation{request: r, sampler: r.Sampling.New(), text: text, limit: limit}, nil
}

// Next draws the next token from logits [V]. When its Finish is set the text is over; else its ID is what the decoder takes
// next. The id of a stop token is reported, its text is not.
func (g *Generation) Next(logits []float32) Token {
	id, logprob := g.sampler.Next(logits)
	g.count++
	t := Token{ID: id, LogProb: logprob}
	if slices.Contains(g.request.StopIDs, id) {
		t.Finish = FinishStop
	} else if g.text != nil {
		g.held += g.text.Next(id)
	}
	if t.Finish == "" && g.count >= g.limit {
		t.Finish = FinishLength
	}
	if t.Finish != "" && g.text != nil {
		g.held += g.text.Flush()
	}
	g.release(&t)
	return t
}

// release moves what can be shown from held to t.Text.
func (g *Generation) release(t *Token) {
	if at := firstStop(g.held, g.request.Stops); at >= 0 {
		g.held, t.Finish = g.held[:at], FinishStop
	}
	keep := 0
	if t.Finish == "" {
		for _, stop := range g.request.Stops {
			for n := min(len(stop)-1, len(g.held)); n > keep; n-- {
				if strings.HasSuffix(g.held, stop[:n]) {
					keep = n
				}
			}
		}
	}
	cut := len(g.held) - keep
	t.Text, g.held = g.held[:cut], g.held[cut:]
}

// firstStop is where the stop string begins that is complete first, -1 without one. Where text is cut into tokens does not
// matter, since none is complete before it.
func firstStop(text string, stops []string) int {
	first, end := -1, len(text)+1
	for _, stop := range stops {
		at := strings.Index(text, stop)
		if at >= 0 && (at+len(stop) < end || at+len(stop) == end && at < first) {
			first, end = at, at+len(stop)
		}
	}
	return first
}

// Generate empties the slot, reads the prompt into it and hands each token to yield as it comes, until the text ends, yield
// returns false or ctx is done. A prompt longer than the context is ErrFull; a context that fills up ends with FinishLength.
func (d *Decoder) Generate(ctx context.Context, slot int, r Request, text Detokenizer, yield func(Token) bool) error {
	if slot < 0 || slot >= len(d.slots) {
		return fmt.Errorf("generate: slot %d of %d", slot, len(d.slots))
	}
	g, err := NewGeneration(r, d.context-len(r.Prompt), text)
	if err != nil {
		return err
	}
	d.Reset(slot)
	logits, err := d.Prefill(slot, r.Prompt)
	if err != nil {
		return fmt.Errorf("generate: %w", err)
	}
	for {
		t := g.Next(logits)
		if !yield(t) || t.Finish != "" {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if logits, err = d.Step([]int{slot}, []int32{t.ID}); err != nil {
			return fmt.Errorf("generate: %w", err)
		}
	}
}
