package classify

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"winnow/filter/quality/rank"
)

// A model's file is Magic, the number of bytes of its header (uint32, little-endian), the header as JSON, and one signed byte for
// each bucket and column.
type header struct {
	Features    Features     `json:"features"`
	Labels      []string     `json:"labels"`
	Scale       []float32    `json:"scale"` // by column
	Bias        []float32    `json:"bias"`  // by column
	Head        []float32    `json:"head,omitempty"`
	HeadBias    []float32    `json:"head_bias,omitempty"`
	Calibration Calibration  `json:"calibration"`
	Least       float64      `json:"threshold,omitempty"` // score that keeps Keep of the held-out texts
	Keep        float64      `json:"keep,omitempty"`
	Cutoffs     rank.Cutoffs `json:"cutoffs,omitempty"` // scores of the held-out texts
	Origin      string       `json:"origin"`
}

// Magic begins a model's file; its last character is the version.
const Magic = "winnowQ2"

// Older begins files of the first version, which had no calibration and are no longer read.
const Older = "winnowQ1"

const maxHeader, largest = 16 << 20, 1e6

func (m *Model) encode() []byte {
	h, err := json.Marshal(m.spec)
	if err != nil {
		panic(err) // of what is not finite, which neither Train nor Read let through
	}
	b := bytes.NewBufferString(Magic)
	b.Grow(4 + len(h) + len(m.table))
	b.Write(binary.LittleEndian.AppendUint32(nil, uint32(len(h))))
	b.Write(h)
	for _, w := range m.table {
		b.WriteByte(byte(w))
	}
	return b.Bytes()
}

// Write writes the model to w. Equal models give equal bytes.
func (m *Model) Write(w io.Writer) error {
	if _, err := w.Write(m.encode()); err != nil {
		return fmt.Errorf("classify: write model: %w", err)
	}
	return nil
}

// Read reads a model to the end of r.
func Read(r io.Reader) (*Model, error) {
	m, err := read(r)
	if err != nil {
		return nil, fmt.Errorf("classify: read model: %w", err)
	}
	return m, nil
}

func read(r io.Reader) (*Model, error) {
	var magic [len(Magic)]byte
	var size uint32
	if _, err := io.ReadFull(r, magic[:]); err != nil {
		return nil, fmt.Errorf("header: %w", err)
	}
	if string(magic[:]) == Older {
		return nil, errors.New("a model of an earlier version of winnow: train it again")
	}
	if string(magic[:]) != Magic {
		return nil, fmt.Errorf("begins with %q, want %q", magic, Magic)
	}
	if err := binary.Read(r, binary.LittleEndian, &size); err != nil || size > maxHeader {
		return nil, fmt.Errorf("header of %d bytes: %w", size, errors.Join(err, io.ErrUnexpectedEOF))
	}
	text := make([]byte, size)
	if _, err := io.ReadFull(r, text); err != nil {
		return nil, fmt.Errorf("header: %w", err)
	}
	m := new(Model)
	if err := json.Unmarshal(text, &m.spec); err != nil {
		return nil, fmt.Errorf("header: %w", err)
	}
	if err := m.spec.sound(); err != nil {
		return nil, fmt.Errorf("header: %w", err)
	}
	size64 := int64(len(m.spec.Bias)) << m.spec.Features.Bits
	weights, err := io.ReadAll(io.LimitReader(r, size64)) // no more memory than there is file
	if err == nil && int64(len(weights)) < size64 {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return nil, fmt.Errorf("weights: %w", err)
	}
	m.table = make([]int8, len(weights))
	for i, w := range weights {
		m.table[i] = int8(w)
	}
	if n, err := io.CopyN(io.Discard, r, 1); n > 0 {
		return nil, fmt.Errorf("more than its %d weights", len(weights))
	} else if err != io.EOF {
		return nil, err
	}
	m.seal()
	return m, nil
}

// sound checks that the parts of a header fit each other. Numbers of JSON are finite.
func (h *header) sound() error {
	if err := h.Features.check(); err != nil {
		return err
	}
	outputs := len(h.Labels)
	if outputs == 2 {
		outputs = 1
	}
	columns := outputs
	if h.Head != nil {
		columns = len(h.Bias)
	}
	origin, err := hex.DecodeString(h.Origin)
	switch {
	case len(h.Labels) < 2 || len(h.Labels) > maxLabels || slices.Contains(h.Labels, ""):
		return fmt.Errorf("%d labels", len(h.Labels))
	case len(h.Bias) != columns || len(h.Scale) != columns || columns < 1 || h.Head != nil && columns > maxHidden:
		return fmt.Errorf("%d scales and %d biases for %d columns", len(h.Scale), len(h.Bias), columns)
	case h.Head != nil && (len(h.Head) != columns*outputs || len(h.HeadBias) != outputs), h.Head == nil && h.HeadBias != nil:
		return fmt.Errorf("a layer of %d weights and %d biases for %d outputs", len(h.Head), len(h.HeadBias), outputs)
	case tooLarge(columns, h.Features.Bits):
		return fmt.Errorf("%d columns of 2^%d buckets", columns, h.Features.Bits)
	case err != nil || len(origin) != 32:
		return fmt.Errorf("origin %q is no SHA-256", h.Origin)
	}
	for _, weights := range [][]float32{h.Scale, h.Bias, h.Head, h.HeadBias} {
		if slices.ContainsFunc(weights, func(v float32) bool { return v > largest || v < -largest }) {
			return fmt.Errorf("a weight beyond %g", largest)
		}
	}
	if err := h.Cutoffs.Check(); h.Cutoffs != nil && err != nil {
		return err
	}
	return h.Calibration.check(outputs)
}

func finite[F float32 | float64](v F) bool { return v-v == 0 }
