package llm

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
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

// Sampling says how a next token is drawn. The zero value is greedy.
type Sampling struct {
	Temperature float64 `json:"temperature"` // 0: the most likely token, always
	TopP        float64 `json:"top_p"`       // the fewest most likely tokens that together have this probability; 0 and 1: all
	MinP        float64 `json:"min_p"`       // at least this share of the most likely token's probability; 0: all
	TopK        int     `json:"top_k"`       // the most likely k; 0: all
	Seed        uint64  `json:"seed"`        // the same seed, prompt and model give the same text
}

// Validate says which field is out of range.
func (s Sampling) Validate() error {
	switch {
	case !(s.Temperature >= 0) || s.Temperature > 100:
		return fmt.Errorf("sampling: temperature %g is not between 0 and 100", s.Temperature)
	case !(s.TopP >= 0 && s.TopP <= 1):
		return fmt.Errorf("sampling: top_p %g is not between 0 and 1", s.TopP)
	case !(s.MinP >= 0 && s.MinP <= 1):
		return fmt.Errorf("sampling: min_p %g is not between 0 and 1", s.MinP)
	case s.TopK < 0:
		return fmt.Errorf("sampling: top_k %d is negative", s.TopK)
	}
	return nil
}

// New makes the sampler of one text, with a generator of its own.
func (s Sampling) New() *Sampler {
	sampler := &Sampler{sampling: s, random: rand.New(rand.NewPCG(s.Seed, 0x9e3779b97f4a7c15))}
	for i := range sampler.roots {
		sampler.roots[i] = math.Exp2(float64(i) / float64(len(sampler.roots)))
	}
	return sampler
}

// Sampler draws the tokens of one text.
type Sampler struct {
	sampling   Sampling
	random     *rand.Rand
	candidates []candidate
	roots      [32]float64 // 2^(i/32)
}

type candidate struct {
	id int32
	p  float64 // relative to the most likely token's
}

// Next draws from logits [V], which it does not change. The order is that of transformers: temperature, top-k, top-p, min-p;
// between equal logits the lower id comes first. logprob is the model's own log-probability of the id, before all of these.
func (s *Sampler) Next(logits []float32) (id int32, logprob float32) {
	best := 0
	for i, z := range logits {
		if z > logits[best] {
			best = i
		}
	}
	top := float64(logits[best])
	if s.sampling.Temperature == 0 {
		return int32(best), s.logProbability(logits, top, best)
	}
	s.candidates = s.candidates[:0]
	for i, z := range logits {
		s.candidates = append(s.candidates, candidate{int32(i), s.exp((float64(z) - top) / s.sampling.Temperature)})
	}
	whole := mass(s.candidates)
	id = s.draw(s.keep(s.candidates))
	if s.sampling.Temperature == 1 {
		return id, float32(float64(logits[id]) - top - math.Log(whole))
	}
	return id, s.logProbability(logits, top, int(id))
}

// keep applies top-k, top-p and min-p.
func (s *Sampler) keep(list []candidate) []candidate {
	o := s.sampling
	if o.TopK > 0 && o.TopK < len(list) {
		list = likeliest(list, func(sorted []candidate) int {
			if len(sorted) >= o.TopK {
				return o.TopK
			}
			return 0
		})
	}
	if o.TopP > 0 && o.TopP < 1 {
		want := o.TopP * mass(list)
		list = likeliest(list, func(sorted []candidate) int {
			var sum float64
			for i, c := range sorted {
				if sum += c.p; sum >= want {
					return i + 1
				}
			}
			return 0
		})
	}
	if o.MinP > 0 {
		list = slices.DeleteFunc(list, func(c candidate) bool { return c.p < o.MinP })
	}
	return list
}

// likeliest is the head of the sorted list whose length enough tells from a sorted head, 0 meaning that it needs a longer
// one. Few tokens have most of the mass, so it sorts those above a bound and lowers the bound when they are too few.
func likeliest(list []candidate, enough func(sorted []candidate) int) []candidate {
	first := 0
	for bound := 1e-2; ; bound *= 1e-3 {
		for i := first; i < len(list); i++ {
			if list[i].p > bound || bound < 1e-20 {
				list[first], list[i] = list[i], list[first]
				first++
			}
		}
		sorted := list[:first]
		slices.SortFunc(sorted, func(a, b candidate) int { return cmp.Or(cmp.Compare(b.p, a.p), cmp.Compare(a.id, b.id)) })
		if n := enough(sorted); n > 0 {
			return sorted[:n]
		}
		if first == len(list) {
			return sorted
		}
	}
}

func mass(list []candidate) float64 {
	var sum float64
	for _, c := range list {
		sum += c.p
	}
	return sum
}

func (s *Sampler) draw(list []candidate) int32 {
	left := s.random.Float64() * mass(list)
	for _, c := range list {
		if left -= c.p; left < 0 {
			return c.id
		}
	}
	return list[0].id // the mass was rounded away
}

func (s *Sampler) logProbability(logits []float32, top float64, id int) float32 {
	var sum float64
	for _, z := range logits {
		sum += s.exp(float64(z) - top)
	}
	return float32(float64(logits[id]) - top - math.Log(sum))
}

// exp is e^x for x up to 0, within 1e-13 of it: 2^(k/32) from a table, e^r by its series, |r| below 0.011. It is inlined where
// math.Exp is a call for each id of the vocabulary. Below -700 it is 0.
func (s *Sampler) exp(x float64) float64 {
	if !(x > -700) {
		return 0
	}
	const parts = float64(len(s.roots))
	k := int64(x*(parts/math.Ln2) - .5) // rounds: x is not above 0
	r := x - float64(k)*(math.Ln2/parts)
	p := 1 + r*(1+r*(1./2+r*(1./6+r*(1./24+r*(1./120)))))
	return math.Float64frombits(uint64(k>>5+1023)<<52) * s.roots[k&31] * p
}
