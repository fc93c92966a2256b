package gguf

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"slices"
)

// Info describes one tensor of a file, its shape row-major: a weight is [out, in].
type Info struct {
	Name   string
	Shape  []int
	Type   Type
	Offset int64 // behind the header, in bytes
	size   int64
}

// Elements is the product of the shape.
func (i *Info) Elements() int {
	n := 1
	for _, d := range i.Shape {
		n *= d
	}
	return n
}

// Reader gives the keys and the tensors of a file.
type Reader struct {
	Keys   []Key // in the order of the file
	Infos  []Info
	data   *io.SectionReader
	byKey  map[string]int
	byName map[string]int
}

// NewReader reads and checks all of a file of size bytes but the tensors' values. Versions 2 and 3 are read. It refuses
// keys and names given twice, types that cannot be read, tensors that overlap, are not aligned or reach beyond the end.
func NewReader(r io.ReaderAt, size int64) (*Reader, error) {
	d := &decoder{r: bufio.NewReaderSize(io.NewSectionReader(r, 0, size), 1<<16), left: size, size: size}
	if string(d.take(4)) != magic {
		return nil, errors.New("no GGUF file")
	}
	switch v := d.uint32(); {
	case d.err != nil:
		return nil, d.err
	case v<<16 == 0 && v != 0:
		return nil, errors.New("a big-endian GGUF file")
	case v != 2 && v != version:
		return nil, fmt.Errorf("GGUF version %d; 2 and 3 are read", v)
	}
	f := &Reader{byKey: map[string]int{}, byName: map[string]int{}}
	tensors, keys := d.uint64(), d.uint64()
	if err := f.readKeys(d, keys); err != nil {
		return nil, err
	}
	if err := f.readInfos(d, tensors); err != nil {
		return nil, err
	}
	alignment := int64(defaultAlignment)
	if v, ok := f.Key(alignmentKey); ok {
		a, ok := v.(uint32)
		if !ok || a == 0 || a%8 != 0 || a > 1<<20 {
			return nil, fmt.Errorf("%s is %v", alignmentKey, v)
		}
		alignment = int64(a)
	}
	start := size - d.left
	start += padding(start, alignment)
	if start > size {
		if len(f.Infos) > 0 {
			return nil, io.ErrUnexpectedEOF
		}
		start = size // a file of keys alone need not be padded
	}
	f.data = io.NewSectionReader(r, start, size-start)
	return f, f.checkLayout(alignment, size-start)
}

func (f *Reader) readKeys(d *decoder, n uint64) error {
	for i := range n {
		name := d.string()
		value := d.value()
		if d.err != nil {
			return fmt.Errorf("key %d of %d, %q: %w", i+1, n, clip(name), d.err)
		}
		if _, twice := f.byKey[name]; twice {
			return fmt.Errorf("key %q is there twice", name)
		}
		f.byKey[name] = len(f.Keys)
		f.Keys = append(f.Keys, Key{name, value})
	}
	return d.err
}

func (f *Reader) readInfos(d *decoder, n uint64) error {
	for i := range n {
		info := Info{Name: d.string()}
		dims := d.uint32()
		if d.err == nil && (dims < 1 || dims > maxDims || len(info.Name) > maxName) {
			return fmt.Errorf("tensor %q: %d dimensions, a name of %d bytes", clip(info.Name), dims, len(info.Name))
		}
		elements := int64(1)
		for range min(dims, maxDims) {
			ne := d.uint64()
			if d.err == nil && (ne < 1 || ne > math.MaxInt32 || elements > math.MaxInt64/8/int64(ne)) {
				return fmt.Errorf("tensor %q: a dimension of %d", info.Name, ne)
			}
			elements *= int64(ne)
			info.Shape = append(info.Shape, int(ne))
		}
		info.Type = Type(d.uint32())
		offset := d.uint64()
		if d.err != nil {
			return fmt.Errorf("tensor %d of %d, %q: %w", i+1, n, clip(info.Name), d.err)
		}
		if _, twice := f.byName[info.Name]; twice {
			return fmt.Errorf("tensor %q is there twice", info.Name)
		}
		var err error
		if info.size, err = bytesOf(info.Type, int64(info.Shape[0]), elements); err != nil {
			return fmt.Errorf("tensor %q: %w", info.Name, err)
		}
		if offset > math.MaxInt64/2 {
			return fmt.Errorf("tensor %q: offset %d", info.Name, offset)
		}
		info.Offset = int64(offset)
		slices.Reverse(info.Shape)
		f.byName[info.Name] = len(f.Infos)
		f.Infos = append(f.Infos, info)
	}
	return d.err
}

// checkLayout holds tensors to their place: aligned, one behind the other without overlap, inside of size bytes.
func (f *Reader) checkLayout(alignment, size int64) error {
	order := slices.Clone(f.Infos)
	slices.SortStableFunc(order, func(a, b Info) int { return int(max(-1, min(1, a.Offset-b.Offset))) })
	at := int64(0)
	for i := range order {
		t := &order[i]
		switch {
		case t.Offset%alignment != 0:
			return fmt.Errorf("tensor %q: offset %d is no multiple of %d", t.Name, t.Offset, alignment)
		case t.Offset < at:
			return fmt.Errorf("tensor %q overlaps the one before it by %d bytes", t.Name, at-t.Offset)
		case t.size > size-t.Offset:
			return fmt.Errorf("tensor %q ends %d bytes behind the end of the file", t.Name, t.size-(size-t.Offset))
		}
		at = t.Offset + t.size
	}
	return nil
}

// Key gives the value of a key.
func (f *Reader) Key(name string) (any, bool) {
	i, ok := f.byKey[name]
	if !ok {
		return nil, false
	}
	return f.Keys[i].Value, true
}

// Info finds a tensor by name.
func (f *Reader) Info(name string) (*Info, bool) {
	i, ok := f.byName[name]
	if !ok {
		return nil, false
	}
	return &f.Infos[i], true
}

// Read fills dst, which has the tensor's number of elements.
func (f *Reader) Read(name string, dst []float32) error {
	t, ok := f.Info(name)
	if !ok {
		return fmt.Errorf("tensor %q: %w", name, fs.ErrNotExist)
	}
	if n := t.Elements(); n != len(dst) {
		return fmt.Errorf("tensor %q: %d elements, want %d", name, n, len(dst))
	}
	const chunk = 1 << 15 // a multiple of every block
	values, width, _ := t.Type.block()
	buffer := make([]byte, chunk/values*width)
	for at := t.Offset; len(dst) > 0; {
		n := min(chunk, len(dst))
		b := buffer[:int64(n)/values*width]
		if _, err := f.data.ReadAt(b, at); err != nil {
			return fmt.Errorf("tensor %q: %w", name, err)
		}
		decode(dst[:n], t.Type, b)
		dst = dst[n:]
		at += int64(len(b))
	}
	return nil
}

func clip(s string) string { return s[:min(len(s), maxName)] }

// decoder reads little-endian values and remembers the first error, after which all are zero.
type decoder struct {
	r          *bufio.Reader
	left, size int64 // bytes
	small      [8]byte
	err        error
}

// take gives the next n <= 8 bytes; they are valid until the next call.
func (d *decoder) take(n int) []byte {
	b := d.small[:n]
	if d.err == nil && int64(n) > d.left {
		d.err = io.ErrUnexpectedEOF
	}
	if d.err == nil {
		_, d.err = io.ReadFull(d.r, b)
		d.left -= int64(n)
	}
	if d.err != nil {
		clear(b)
	}
	return b
}

func (d *decoder) uint32() uint32 { return binary.LittleEndian.Uint32(d.take(4)) }
func (d *decoder) uint64() uint64 { return binary.LittleEndian.Uint64(d.take(8)) }

func (d *decoder) string() string {
	n := d.uint64()
	if d.err == nil && n > uint64(d.left) {
		d.err = fmt.Errorf("a string of %d bytes with %d left", n, d.left)
	}
	if d.err != nil {
		return ""
	}
	b := make([]byte, n)
	_, d.err = io.ReadFull(d.r, b)
	d.left -= int64(n)
	return string(b)
}

func (d *decoder) bool() bool {
	b := d.take(1)[0]
	if b > 1 && d.err == nil {
		d.err = fmt.Errorf("a bool of %d", b)
	}
	return b == 1
}

// value reads a kind and a value of it.
func (d *decoder) value() any {
	kind := d.uint32()
	if kind == kindArray {
		return d.array()
	}
	switch kind {
	case kindUint8:
		return d.take(1)[0]
	case kindInt8:
		return int8(d.take(1)[0])
	case kindUint16:
		return binary.LittleEndian.Uint16(d.take(2))
	case kindInt16:
		return int16(binary.LittleEndian.Uint16(d.take(2)))
	case kindUint32:
		return d.uint32()
	case kindInt32:
		return int32(d.uint32())
	case kindFloat32:
		return math.Float32frombits(d.uint32())
	case kindBool:
		return d.bool()
	case kindString:
		return d.string()
	case kindUint64:
		return d.uint64()
	case kindInt64:
		return int64(d.uint64())
	case kindFloat64:
		return math.Float64frombits(d.uint64())
	}
	d.fail("a value of kind %d", kind)
	return nil
}

func (d *decoder) array() any {
	kind, n := d.uint32(), d.uint64()
	switch kind {
	case kindUint8:
		return list(d, n, 1, func() uint8 { return d.take(1)[0] })
	case kindInt8:
		return list(d, n, 1, func() int8 { return int8(d.take(1)[0]) })
	case kindUint16:
		return list(d, n, 2, func() uint16 { return binary.LittleEndian.Uint16(d.take(2)) })
	case kindInt16:
		return list(d, n, 2, func() int16 { return int16(binary.LittleEndian.Uint16(d.take(2))) })
	case kindUint32:
		return list(d, n, 4, d.uint32)
	case kindInt32:
		return list(d, n, 4, func() int32 { return int32(d.uint32()) })
	case kindFloat32:
		return list(d, n, 4, func() float32 { return math.Float32frombits(d.uint32()) })
	case kindBool:
		return list(d, n, 1, d.bool)
	case kindString:
		return list(d, n, 8, d.string)
	case kindUint64:
		return list(d, n, 8, d.uint64)
	case kindInt64:
		return list(d, n, 8, func() int64 { return int64(d.uint64()) })
	case kindFloat64:
		return list(d, n, 8, func() float64 { return math.Float64frombits(d.uint64()) })
	}
	d.fail("an array of kind %d", kind)
	return nil
}

func (d *decoder) fail(format string, args ...any) {
	if d.err == nil {
		d.err = fmt.Errorf(format, args...)
	}
}

// list reads n elements that take at least least bytes each.
func list[T any](d *decoder, n uint64, least int64, next func() T) []T {
	if n > uint64(d.left/least) {
		d.fail("an array of %d with %d bytes left", n, d.left)
	}
	if d.err != nil {
		return nil
	}
	values := make([]T, 0, n)
	for range n {
		values = append(values, next())
		if d.err != nil {
			return nil
		}
	}
	return values
}
