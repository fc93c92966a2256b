package kenlm

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
)

const magic = "mmap lm http://kheafield.com/code format version"

// sanity are numbers by which a binary shows that it was built for a like machine; the whole is 88 bytes.
type sanity struct {
	Magic                [56]byte
	Zero, One, MinusHalf float32
	OneWord, MaxWord     uint32
	_                    uint32
	OneLong              uint64
}

// fixed is the header's second part, 20 bytes.
type fixed struct {
	Order      uint8
	_          [3]byte
	Multiplier float32
	Kind       uint32
	Vocabulary uint8 // 1: the words stand at the end
	_          [3]byte
	Search     uint32
}

var kinds = []string{"probing", "probing with rest costs", "trie", "quantised trie", "trie with arrays", "quantised trie with arrays"}

// binary reads a probing binary of format 5: header, the table of words, unigrams, a table for each further length.
func (in *input) binary() (*Model, error) {
	var s sanity
	var f fixed
	if err := errors.Join(in.value(&s), in.value(&f)); err != nil {
		return nil, fmt.Errorf("header: %w", err)
	}
	switch {
	case string(s.Magic[:51]) != magic+" 5\n":
		return nil, errors.New("a binary of another version than 5")
	case s.One != 1 || s.MinusHalf != -.5 || s.OneWord != 1 || s.MaxWord != math.MaxUint32 || s.OneLong != 1:
		return nil, errors.New("a binary of another kind of machine")
	case int(f.Kind) >= len(kinds):
		return nil, fmt.Errorf("a binary of kind %d", f.Kind)
	case f.Kind != 0:
		return nil, fmt.Errorf("a binary of the kind %s: only probing ones are read; build_binary makes one from the ARPA file", kinds[f.Kind])
	case f.Order < 2 || f.Order > maxOrder || !(f.Multiplier > 1 && f.Multiplier < 100):
		return nil, fmt.Errorf("order %d, multiplier %g", f.Order, f.Multiplier)
	}
	counts := make([]uint64, f.Order)
	if err := in.value(counts); err != nil {
		return nil, fmt.Errorf("header: %w", err)
	}
	if err := in.skip((8 - (108+8*int(f.Order))%8) % 8); err != nil {
		return nil, err
	}
	m := &Model{order: int(f.Order)}
	if err := in.words(m, counts[0], f.Multiplier); err != nil {
		return nil, fmt.Errorf("words: %w", err)
	}
	for n := 2; n <= m.order; n++ {
		t, err := in.table(counts[n-1], f.Multiplier, n == m.order)
		if err != nil {
			return nil, fmt.Errorf("%d-grams: %w", n, err)
		}
		if n == m.order {
			m.longest = t
		} else {
			m.middle = append(m.middle, t)
		}
	}
	return m, nil
}

func (in *input) value(v any) error {
	err := binary.Read(in.r, binary.LittleEndian, v)
	in.left -= int64(binary.Size(v))
	return err
}

func (in *input) skip(n int) error {
	in.left -= int64(n)
	_, err := io.CopyN(io.Discard, in.r, int64(n))
	return err
}

// buckets is the size of a table that holds n entries, or an error where the file cannot hold it.
func (in *input) buckets(n uint64, multiplier float32, width int64) (int, error) {
	if n > uint64(in.left) {
		return 0, fmt.Errorf("%d entries in %d bytes", n, in.left)
	}
	b := max(int64(n)+1, int64(multiplier*float32(n)))
	if b > in.left/width {
		return 0, fmt.Errorf("%d buckets in %d bytes", b, in.left)
	}
	return int(b), nil
}

func (in *input) words(m *Model, n uint64, multiplier float32) error {
	var head struct{ Version, Bound uint32 }
	if err := in.value(&head); err != nil || head.Version != 0 || uint64(head.Bound) > n+1 {
		return errors.Join(fmt.Errorf("version %d, %d words", head.Version, head.Bound), err)
	}
	buckets, err := in.buckets(n, multiplier, 12)
	if err != nil {
		return err
	}
	m.vocab = newTable(int(n))
	for range buckets {
		var e struct {
			Key uint64
			ID  uint32
		}
		if err := in.entry(12, func(b []byte) { e.Key, e.ID = binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint32(b[8:]) }); err != nil {
			return err
		}
		if e.Key == 0 {
			continue
		}
		if e.ID >= head.Bound {
			return fmt.Errorf("word %d of %d", e.ID, head.Bound)
		}
		if err := m.vocab.put(e.Key, weights{prob: math.Float32frombits(e.ID)}); err != nil {
			return err
		}
	}
	if n+1 > uint64(in.left)/8 {
		return fmt.Errorf("%d unigrams in %d bytes", n, in.left)
	}
	m.unigrams = make([]weights, n+1)
	for i := range m.unigrams {
		if err := in.entry(8, func(b []byte) { m.unigrams[i] = pair(b) }); err != nil {
			return err
		}
	}
	return nil
}

func (in *input) table(n uint64, multiplier float32, longest bool) (table, error) {
	width := int64(16)
	if longest {
		width = 12
	}
	buckets, err := in.buckets(n, multiplier, width)
	if err != nil {
		return table{}, err
	}
	t := newTable(int(n))
	for range buckets {
		var key uint64
		var w weights
		err := in.entry(int(width), func(b []byte) {
			key = binary.LittleEndian.Uint64(b)
			w.prob = signed(b[8:])
			if !longest {
				w = pair(b[8:])
			}
		})
		if err != nil {
			return t, err
		}
		if key != 0 {
			if err := t.put(key, w); err != nil {
				return t, err
			}
		}
	}
	return t, nil
}

// entry hands the next bytes to f.
func (in *input) entry(width int, f func([]byte)) error {
	var b [16]byte
	if _, err := io.ReadFull(in.r, b[:width]); err != nil {
		return err
	}
	in.left -= int64(width)
	f(b[:width])
	return nil
}

// signed reads a log10 probability, whose sign says something else: it is never above 0.
func signed(b []byte) float32 {
	return math.Float32frombits(binary.LittleEndian.Uint32(b) | 1<<31)
}

func pair(b []byte) weights {
	return weights{signed(b), math.Float32frombits(binary.LittleEndian.Uint32(b[4:]))}
}
