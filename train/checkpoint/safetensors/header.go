package safetensors

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
)

// maxHeader is the longest header that the format allows, in bytes.
const maxHeader = 100_000_000

// metadataKey names the entry of the header that is no tensor.
const metadataKey = "__metadata__"

// bits gives the size of one element of each dtype of the format. Only F32, F16 and BF16 can be read as float32; the
// others are known so that files which hold them too can be checked and listed.
var bits = map[string]int64{
	"F32": 32, "F16": 16, "BF16": 16, "F64": 64, "I64": 64, "I32": 32, "I16": 16, "I8": 8, "U64": 64, "U32": 32, "U16": 16,
	"U8": 8, "BOOL": 8, "F8_E4M3": 8, "F8_E5M2": 8, "C64": 64,
}

// Entry describes one tensor of a file: its dtype (F32, BF16, ...), its shape, row-major, and where its bytes lie behind
// the header.
type Entry struct {
	Name       string
	Type       string
	Shape      []int
	Begin, End int64
}

// Elements is the product of the shape; a scalar has one element.
func (e *Entry) Elements() int {
	n := 1
	for _, d := range e.Shape {
		n *= d
	}
	return n
}

// parseHeader reads the JSON of a header whose data has size bytes. Entries come in the order of their bytes. It refuses
// keys given twice, unknown dtypes, lengths that do not follow from dtype and shape, overlaps, holes, and bytes that
// belong to no tensor.
func parseHeader(b []byte, size int64) ([]Entry, map[string]string, error) {
	if len(b) == 0 || b[0] != '{' {
		return nil, nil, errors.New("the header does not begin with {")
	}
	d := json.NewDecoder(bytes.NewReader(b))
	if _, err := d.Token(); err != nil {
		return nil, nil, fmt.Errorf("header: %w", err)
	}
	var entries []Entry
	metadata := map[string]string{}
	seen := map[string]bool{}
	for d.More() {
		name, err := nextKey(d, seen)
		if err != nil {
			return nil, nil, fmt.Errorf("header: %w", err)
		}
		if name == metadataKey {
			if err := d.Decode(&metadata); err != nil {
				return nil, nil, fmt.Errorf("header: %s: %w", metadataKey, err)
			}
			continue
		}
		e, err := nextEntry(d, name, size)
		if err != nil {
			return nil, nil, fmt.Errorf("tensor %q: %w", name, err)
		}
		entries = append(entries, e)
	}
	if _, err := d.Token(); err != nil {
		return nil, nil, fmt.Errorf("header: %w", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, nil, errors.New("header: more than one JSON value")
	}
	if metadata == nil {
		metadata = map[string]string{}
	}
	return entries, metadata, checkLayout(entries, size)
}

func nextKey(d *json.Decoder, seen map[string]bool) (string, error) {
	t, err := d.Token()
	if err != nil {
		return "", err
	}
	name, ok := t.(string)
	if !ok {
		return "", fmt.Errorf("a key is %v", t)
	}
	if seen[name] {
		return "", fmt.Errorf("key %q is there twice", name)
	}
	seen[name] = true
	return name, nil
}

func nextEntry(d *json.Decoder, name string, size int64) (Entry, error) {
	var j struct {
		Type    string  `json:"dtype"`
		Shape   []int64 `json:"shape"`
		Offsets []int64 `json:"data_offsets"`
	}
	if err := d.Decode(&j); err != nil {
		return Entry{}, err
	}
	width, known := bits[j.Type]
	if !known {
		return Entry{}, fmt.Errorf("dtype %q is unknown", j.Type)
	}
	if len(j.Offsets) != 2 {
		return Entry{}, fmt.Errorf("%d data_offsets, want 2", len(j.Offsets))
	}
	e := Entry{Name: name, Type: j.Type, Shape: make([]int, len(j.Shape)), Begin: j.Offsets[0], End: j.Offsets[1]}
	if e.Begin < 0 || e.End < e.Begin || e.End > size {
		return Entry{}, fmt.Errorf("data_offsets %v lie outside of %d bytes of data", j.Offsets, size)
	}
	want := width / 8
	for i, n := range j.Shape {
		if n < 0 || n > math.MaxInt32 || n > 0 && want > math.MaxInt64/n {
			return Entry{}, fmt.Errorf("shape %v is impossible", j.Shape)
		}
		e.Shape[i] = int(n)
		want *= n
	}
	if e.End-e.Begin != want {
		return Entry{}, fmt.Errorf("%d bytes for %s %v, want %d", e.End-e.Begin, j.Type, j.Shape, want)
	}
	return e, nil
}

// checkLayout sorts entries by their bytes, which must follow each other from 0 to size.
func checkLayout(entries []Entry, size int64) error {
	slices.SortStableFunc(entries, func(a, b Entry) int {
		switch {
		case a.Begin != b.Begin:
			return int(max(-1, min(1, a.Begin-b.Begin)))
		default:
			return int(max(-1, min(1, a.End-b.End)))
		}
	})
	at := int64(0)
	for i := range entries {
		e := &entries[i]
		if e.Begin < at {
			return fmt.Errorf("tensor %q overlaps the one before it by %d bytes", e.Name, at-e.Begin)
		}
		if e.Begin > at {
			return fmt.Errorf("a hole of %d bytes before tensor %q", e.Begin-at, e.Name)
		}
		at = e.End
	}
	if at != size {
		return fmt.Errorf("%d bytes of data belong to no tensor", size-at)
	}
	return nil
}
