package extract

import (
	_ "embed"
	"encoding/binary"
	"fmt"
	"math"
)

// Node is one question of a Tree: values up to Threshold go Left, others Right. Left is 0 in a leaf. Value is what the
// answer so far says, in logits; only a leaf's counts, the others tell what a question changed.
type Node struct {
	Threshold, Value     float32
	Feature, Left, Right uint8
}

// Tree is a decision tree; its root is the first node.
type Tree []Node

// model scores blocks by their features: the sum of its trees' leaves is the logit of a block being main text.
type model struct {
	base  float32
	trees []Tree
}

// weights is what internal/train wrote.
//
//go:embed model.bin
var weights []byte

// scorer is read only.
var scorer = decodeModel(weights)

// nodeBytes is the size of an encoded Node.
const nodeBytes = 11

// EncodeModel writes trees as model.bin holds them: the base, then for each tree its number of nodes and the nodes, little
// endian.
func EncodeModel(base float32, trees []Tree) []byte {
	out := binary.LittleEndian.AppendUint32(nil, math.Float32bits(base))
	for _, t := range trees {
		out = append(out, uint8(len(t)))
		for _, n := range t {
			out = binary.LittleEndian.AppendUint32(out, math.Float32bits(n.Threshold))
			out = binary.LittleEndian.AppendUint32(out, math.Float32bits(n.Value))
			out = append(out, n.Feature, n.Left, n.Right)
		}
	}
	return out
}

// decodeModel reads what EncodeModel wrote. The file is part of the program, so a broken one is a mistake of ours.
func decodeModel(b []byte) (m model) {
	if len(b) < 4 {
		return m
	}
	m.base, b = math.Float32frombits(binary.LittleEndian.Uint32(b)), b[4:]
	for len(b) > 0 {
		n := int(b[0])
		b = b[1:]
		t := make(Tree, n)
		for i := range t {
			t[i] = Node{
				math.Float32frombits(binary.LittleEndian.Uint32(b)), math.Float32frombits(binary.LittleEndian.Uint32(b[4:])),
				b[8], b[9], b[10],
			}
			if int(t[i].Feature) >= featureCount || int(t[i].Left) >= n || int(t[i].Right) >= n {
				panic(fmt.Sprintf("model.bin: tree %d has a node out of range: train it anew", len(m.trees)))
			}
			b = b[nodeBytes:]
		}
		m.trees = append(m.trees, t)
	}
	return m
}

// A logit beyond sureLogit after the first trees is not asked further: the rest would only make it surer.
const (
	early     = 60
	sureLogit = 4
)

// score is the probability that a block is main text.
func (m *model) score(v *vector) float32 {
	sum := m.base
	for n, t := range m.trees {
		if n == early && (sum < -sureLogit || sum > sureLogit) {
			break
		}
		at := &t[0]
		for at.Left != 0 {
			if v[at.Feature] <= at.Threshold {
				at = &t[at.Left]
			} else {
				at = &t[at.Right]
			}
		}
		sum += at.Value
	}
	return float32(1 / (1 + math.Exp(-float64(sum))))
}

// reasons adds up, by feature, what its questions changed in the logit.
func (m *model) reasons(v *vector) (by [featureCount]float32) {
	for _, t := range m.trees {
		at := &t[0]
		for at.Left != 0 {
			next := &t[at.Right]
			if v[at.Feature] <= at.Threshold {
				next = &t[at.Left]
			}
			by[at.Feature] += next.Value - at.Value
			at = next
		}
	}
	return by
}

// Measured is a block of a page with its features, and with what the rules say of it.
type Measured struct {
	Text     string
	Values   []float32
	Units    int  // its size, as decide weighs it
	Ruled    bool // the rules keep it
	Announce bool // it titles something beside the text
	Hidden   bool // it is never kept
}

// Measure gives the blocks of a page in UTF-8 and what the scorer sees of each: for the program that trains it.
func Measure(page string) (out []Measured) {
	w, p, err := read(page, Options{}, &watch{})
	if err != nil || len(w.blocks) == 0 {
		return nil
	}
	s := w.survey(&p)
	for i := range w.blocks {
		var v vector
		s.vector(int32(i), &v)
		b := &w.blocks[i]
		text := string(w.text[b.start:b.end])
		out = append(out, Measured{Text: text, Values: v[:], Units: int(b.size), Announce: b.size <= 60 && titlesAside(text)})
	}
	for i, ruled := range w.rules(false) {
		out[i].Ruled, out[i].Hidden = ruled, w.blocks[i].drop == sure
	}
	return out
}
