// Package score holds the scorer of blocks that package extract asks beside its rules: what is measured of a block goes in,
// the probability that the block is main text comes out. Its weights are made by crawl/extract/internal/train.
//
// The scorer is a sum of oblivious trees (Kohavi 1994; the shape is also that of CatBoost): all nodes at one level of a
// tree ask the same question, so that a tree of Depth questions is a table of 1<<Depth answers. Such trees fit the pages
// they were trained on less closely than free ones, and need no branches.
package score

import (
	_ "embed"
	"encoding/binary"
	"fmt"
	"math"
)

// Depth is the number of questions of a tree.
const Depth = 5

// Vector holds what is measured of one block. It has a place for each value of a byte, so that no index needs a check.
type Vector [256]float32

// Tree asks of Depth features whether they lie above a threshold; the answers are the bits of the place in Values, the
// first question's the lowest. Values are logits.
type Tree struct {
	Features   [Depth]uint8
	Thresholds [Depth]float32
	Values     [1 << Depth]float32
}

// at is the place in Values of what v answers.
func (t *Tree) at(v *Vector) (place int) {
	for k, f := range t.Features {
		above := 0
		if v[f] > t.Thresholds[k] {
			above = 1
		}
		place |= above << k
	}
	return place
}

// Model is a base and trees, whose answers add up to the logit of a block being main text. It is read only.
type Model struct {
	Base  float32
	Trees []Tree
	flat  *flat // the same by features; nil for a model in the making
}

// weights is what internal/train wrote.
//
//go:embed model.bin
var weights []byte

// Shipped gives the model that is part of the program, which learned from all labelled pages.
func Shipped() *Model { return shipped }

var shipped = must(Decode(weights))

func must(m *Model, err error) *Model {
	if err != nil {
		panic(err) // a file of the program itself
	}
	return m
}

// Logit adds up the answers for the features v of one block.
func (m *Model) Logit(v *Vector) float32 {
	sum := m.Base
	for i := range m.Trees {
		t := &m.Trees[i]
		sum += t.Values[t.at(v)]
	}
	return sum
}

// Probability is that of a logit.
func Probability(logit float32) float32 { return float32(1 / (1 + math.Exp(-float64(logit)))) }

// Reasons adds to by, for each feature, what its questions changed in the logit: the mean answer that is left after a
// question, less the one before it.
func (m *Model) Reasons(v, by *Vector) {
	for i := range m.Trees {
		t := &m.Trees[i]
		place := t.at(v)
		before := t.mean(0, 0)
		for k, f := range t.Features {
			after := t.mean(place, k+1)
			by[f] += after - before
			before = after
		}
	}
}

// mean is the mean of the values whose first known questions are answered as at place.
func (t *Tree) mean(place, known int) (sum float32) {
	mask := 1<<known - 1
	for rest := range 1 << (Depth - known) {
		sum += t.Values[place&mask|rest<<known]
	}
	return sum / float32(int(1)<<(Depth-known))
}

// treeBytes is the size of an encoded Tree.
const treeBytes = Depth*5 + (1<<Depth)*2

// unit is the step of encoded answers in logits.
const unit = 1.0 / 4096

// Round gives the answer that the file holds in place of x.
func Round(x float64) float32 {
	return float32(math.Round(max(min(x/unit, math.MaxInt16), math.MinInt16))) * unit
}

// Encode writes a model: the base, then each tree, all little endian. Values are whole multiples of unit.
func (m *Model) Encode() []byte {
	out := binary.LittleEndian.AppendUint32(nil, math.Float32bits(m.Base))
	for _, t := range m.Trees {
		out = append(out, t.Features[:]...)
		for _, x := range t.Thresholds {
			out = binary.LittleEndian.AppendUint32(out, math.Float32bits(x))
		}
		for _, x := range t.Values {
			out = binary.LittleEndian.AppendUint16(out, uint16(int16(math.Round(float64(x)/unit))))
		}
	}
	return out
}

// Decode reads what Encode wrote.
func Decode(b []byte) (*Model, error) {
	if len(b) < 4 || (len(b)-4)%treeBytes != 0 {
		return nil, fmt.Errorf("extract model: %d bytes are no whole number of trees", len(b))
	}
	m := &Model{Base: math.Float32frombits(binary.LittleEndian.Uint32(b))}
	for b = b[4:]; len(b) > 0; b = b[treeBytes:] {
		var t Tree
		copy(t.Features[:], b)
		for k := range t.Thresholds {
			t.Thresholds[k] = math.Float32frombits(binary.LittleEndian.Uint32(b[Depth+4*k:]))
		}
		for k := range t.Values {
			t.Values[k] = float32(int16(binary.LittleEndian.Uint16(b[Depth*5+2*k:]))) * unit
		}
		m.Trees = append(m.Trees, t)
	}
	m.flat = m.flatten()
	return m, nil
}
