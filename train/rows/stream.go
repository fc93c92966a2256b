package rows

import (
	"cmp"
	"fmt"
	"math"
	"sort"
)

// Source is a part of a mixture.
type Source struct {
	Name   string
	Tokens *Tokens
	Docs   []int   // the documents to take, for instance Holdout's first result; nil: all
	Weight float64 // share of the rows, relative to the other sources; 0 counts as 1
}

// Options are for NewStream.
type Options struct {
	Len           int    // positions of a row
	Single        bool   // one document, or piece of one, a row; else rows are packed
	Seed          uint64 // of the order of documents and rows
	BOS, EOS, PAD int32  // ids; BOS below 0: EOS begins documents too; PAD below 0: 0 fills up
}

// Stream is an endless sequence of rows, numbered from 0. What row g is depends on g, Options, and the lengths and weights of
// the sources alone: g is all that has to be kept to go on later. A Stream is for one goroutine.
type Stream struct {
	o       Options
	sources []*source
	cycle   []uint16  // which source each row of a cycle comes from
	before  [][]int32 // by source: rows of it before each place of the cycle, and in the whole cycle
}

// source is a Source with its plans.
type source struct {
	Source
	lengths []int
	row     int // positions
	single  bool
	seed    uint64
	starts  []int64 // rows before each epoch that is known
	plan    *Plan
	epoch   int64 // of plan
}

// Place is where a row comes from.
type Place struct {
	Source int
	Epoch  int64 // of the source, from 0
	Row    int   // of the epoch's plan
}

// cycleLen is how finely weights are kept: shares are multiples of 1/4096.
const cycleLen = 4096

// NewStream makes a stream of at least one source. A source without a token is an error.
func NewStream(sources []Source, o Options) (*Stream, error) {
	if o.EOS < 0 {
		return nil, fmt.Errorf("rows: the tokenizer has no token that ends a document")
	}
	if o.Len < 1 {
		return nil, fmt.Errorf("rows: rows of %d positions", o.Len)
	}
	if o.BOS < 0 {
		o.BOS = o.EOS
	}
	o.PAD = max(o.PAD, 0)
	s := &Stream{o: o}
	weights := make([]float64, len(sources))
	for i, src := range sources {
		weights[i] = cmp.Or(src.Weight, 1)
		if src.Docs == nil {
			src.Docs = make([]int, src.Tokens.Len())
			for d := range src.Docs {
				src.Docs[d] = d
			}
		}
		part := &source{Source: src, row: o.Len, single: o.Single, seed: o.Seed + uint64(i)*0x9e3779b97f4a7c15, starts: []int64{0}, epoch: -1}
		sum := 0
		for _, d := range src.Docs {
			n := src.Tokens.Length(d)
			part.lengths = append(part.lengths, n)
			sum += n
		}
		if sum == 0 {
			return nil, fmt.Errorf("rows: source %s: no token to train on", src.Name)
		}
		s.sources = append(s.sources, part)
	}
	return s, s.mix(weights)
}

// mix spreads the sources over a cycle as evenly as their weights allow: each place goes to the source that is furthest behind.
func (s *Stream) mix(weights []float64) error {
	sum := 0.0
	for i, w := range weights {
		if !(w > 0) || math.IsInf(w, 0) {
			return fmt.Errorf("rows: source %s: weight %v", s.sources[i].Name, w)
		}
		sum += w
	}
	if len(weights) == 0 || len(weights) > cycleLen/16 {
		return fmt.Errorf("rows: %d sources", len(weights))
	}
	n := cycleLen
	if len(weights) == 1 {
		n = 1
	}
	s.cycle = make([]uint16, n)
	s.before = make([][]int32, len(weights))
	for i := range s.before {
		s.before[i] = make([]int32, n+1)
	}
	for at := range s.cycle {
		next, most := 0, math.Inf(-1)
		for i, w := range weights {
			// The conversion keeps the product from being fused into the difference: the same cycle on every machine.
			if behind := float64(w/sum*float64(at+1)) - float64(s.before[i][at]); behind > most {
				next, most = i, behind
			}
		}
		s.cycle[at] = uint16(next)
		for i := range weights {
			s.before[i][at+1] = s.before[i][at]
		}
		s.before[next][at+1]++
	}
	for i := range weights {
		if s.before[i][n] == 0 {
			return fmt.Errorf("rows: source %s: its weight is under 1/%d of all", s.sources[i].Name, cycleLen)
		}
	}
	return nil
}

// Len is the number of positions of a row.
func (s *Stream) Len() int { return s.o.Len }

// Where tells where row g comes from.
func (s *Stream) Where(g int64) (Place, error) {
	if g < 0 {
		return Place{}, fmt.Errorf("rows: row %d", g)
	}
	i := int(s.cycle[g%int64(len(s.cycle))])
	epoch, row, err := s.sources[i].find(s.count(i, g))
	return Place{i, epoch, row}, err
}

// count is how many of the rows before g come from a source.
func (s *Stream) count(source int, g int64) int64 {
	n := int64(len(s.cycle))
	return g/n*int64(s.before[source][n]) + int64(s.before[source][g%n])
}

// find tells the epoch of a source's k-th row and its number there, and leaves the epoch's plan ready.
func (p *source) find(k int64) (epoch int64, row int, err error) {
	for p.starts[len(p.starts)-1] <= k {
		if err := p.ready(int64(len(p.starts) - 1)); err != nil {
			return 0, 0, err
		}
		p.starts = append(p.starts, p.starts[len(p.starts)-1]+int64(p.plan.Rows()))
	}
	epoch = int64(sort.Search(len(p.starts), func(e int) bool { return p.starts[e] > k })) - 1
	return epoch, int(k - p.starts[epoch]), p.ready(epoch)
}

// ready makes the plan of an epoch, unless it is there.
func (p *source) ready(epoch int64) (err error) {
	if p.plan != nil && p.epoch == epoch {
		return nil
	}
	p.plan, err = NewPlan(p.lengths, PlanOptions{Len: p.row, Single: p.single, Seed: p.seed, Epoch: epoch})
	p.epoch = epoch
	return err
}
