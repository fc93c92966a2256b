package gguf

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"math"
)

// Write writes keys and tensors in the order given, version 3, aligned to 32 bytes. The same arguments give the same bytes.
func Write(w io.Writer, keys []Key, tensors []Tensor) error {
	head := append([]byte(magic), 0, 0, 0, 0)
	binary.LittleEndian.PutUint32(head[4:], version)
	head = binary.LittleEndian.AppendUint64(head, uint64(len(tensors)))
	head = binary.LittleEndian.AppendUint64(head, uint64(len(keys)))
	seen := map[string]bool{alignmentKey: true} // which this writer does not change
	for _, k := range keys {
		if seen[k.Name] {
			return fmt.Errorf("key %q cannot be written, or not twice", k.Name)
		}
		seen[k.Name] = true
		var err error
		if head, err = appendValue(appendString(head, k.Name), k.Value); err != nil {
			return fmt.Errorf("key %q: %w", k.Name, err)
		}
	}
	head, err := appendInfos(head, tensors)
	if err != nil {
		return err
	}
	head = append(head, make([]byte, padding(int64(len(head)), defaultAlignment))...)
	out := bufio.NewWriterSize(w, 1<<18)
	if _, err := out.Write(head); err != nil {
		return err
	}
	for i := range tensors {
		if err := writeTensor(out, &tensors[i]); err != nil {
			return fmt.Errorf("tensor %q: %w", tensors[i].Name, err)
		}
	}
	return out.Flush()
}

func appendInfos(b []byte, tensors []Tensor) ([]byte, error) {
	offset := int64(0)
	seen := map[string]bool{}
	for _, t := range tensors {
		size, err := t.check()
		if err != nil {
			return nil, fmt.Errorf("tensor %q: %w", t.Name, err)
		}
		if seen[t.Name] {
			return nil, fmt.Errorf("tensor %q is there twice", t.Name)
		}
		seen[t.Name] = true
		b = appendString(b, t.Name)
		b = binary.LittleEndian.AppendUint32(b, uint32(len(t.Shape)))
		for i := range t.Shape { // the contiguous dimension first
			b = binary.LittleEndian.AppendUint64(b, uint64(t.Shape[len(t.Shape)-1-i]))
		}
		b = binary.LittleEndian.AppendUint32(b, uint32(t.Type))
		b = binary.LittleEndian.AppendUint64(b, uint64(offset))
		offset += size + padding(size, defaultAlignment)
	}
	return b, nil
}

// check gives the tensor's stored size in bytes.
func (t *Tensor) check() (int64, error) {
	if len(t.Name) > maxName || len(t.Shape) < 1 || len(t.Shape) > maxDims {
		return 0, fmt.Errorf("a name of %d bytes, %d dimensions", len(t.Name), len(t.Shape))
	}
	n := 1
	for _, d := range t.Shape {
		if d < 1 {
			return 0, fmt.Errorf("shape %v", t.Shape)
		}
		n *= d
	}
	if n != len(t.Data) {
		return 0, fmt.Errorf("%d elements do not fill %v", len(t.Data), t.Shape)
	}
	return bytesOf(t.Type, int64(t.Shape[len(t.Shape)-1]), int64(n))
}

func writeTensor(out *bufio.Writer, t *Tensor) error {
	const chunk = 1 << 14 // a multiple of every block
	size := int64(0)
	buffer := make([]byte, 0, 4*chunk)
	for data := t.Data; len(data) > 0; {
		n := min(chunk, len(data))
		b, err := encode(buffer[:0], t.Type, data[:n])
		if err != nil {
			return err
		}
		if _, err := out.Write(b); err != nil {
			return err
		}
		size += int64(len(b))
		data = data[n:]
	}
	_, err := out.Write(make([]byte, padding(size, defaultAlignment)))
	return err
}

func appendString(b []byte, s string) []byte {
	return append(binary.LittleEndian.AppendUint64(b, uint64(len(s))), s...)
}

// appendValue appends a value's kind and the value.
func appendValue(b []byte, value any) ([]byte, error) {
	kind := func(k uint32) []byte { return binary.LittleEndian.AppendUint32(b, k) }
	switch v := value.(type) {
	case uint8:
		return append(kind(kindUint8), v), nil
	case int8:
		return append(kind(kindInt8), byte(v)), nil
	case uint16:
		return binary.LittleEndian.AppendUint16(kind(kindUint16), v), nil
	case int16:
		return binary.LittleEndian.AppendUint16(kind(kindInt16), uint16(v)), nil
	case uint32:
		return binary.LittleEndian.AppendUint32(kind(kindUint32), v), nil
	case int32:
		return binary.LittleEndian.AppendUint32(kind(kindInt32), uint32(v)), nil
	case float32:
		return binary.LittleEndian.AppendUint32(kind(kindFloat32), math.Float32bits(v)), nil
	case bool:
		if v {
			return append(kind(kindBool), 1), nil
		}
		return append(kind(kindBool), 0), nil
	case string:
		return appendString(kind(kindString), v), nil
	case uint64:
		return binary.LittleEndian.AppendUint64(kind(kindUint64), v), nil
	case int64:
		return binary.LittleEndian.AppendUint64(kind(kindInt64), uint64(v)), nil
	case float64:
		return binary.LittleEndian.AppendUint64(kind(kindFloat64), math.Float64bits(v)), nil
	case []uint8:
		return appendArray(b, v)
	case []int8:
		return appendArray(b, v)
	case []uint16:
		return appendArray(b, v)
	case []int16:
		return appendArray(b, v)
	case []uint32:
		return appendArray(b, v)
	case []int32:
		return appendArray(b, v)
	case []float32:
		return appendArray(b, v)
	case []bool:
		return appendArray(b, v)
	case []string:
		return appendArray(b, v)
	case []uint64:
		return appendArray(b, v)
	case []int64:
		return appendArray(b, v)
	case []float64:
		return appendArray(b, v)
	}
	return nil, fmt.Errorf("%T is no kind of value", value)
}

// appendArray appends the kind of an array, of its elements, their number, and the elements without their kind.
func appendArray[T any](b []byte, values []T) ([]byte, error) {
	var zero T
	one, err := appendValue(nil, zero)
	if err != nil {
		return nil, err
	}
	b = binary.LittleEndian.AppendUint32(b, kindArray)
	b = append(b, one[:4]...)
	b = binary.LittleEndian.AppendUint64(b, uint64(len(values)))
	for _, v := range values {
		if one, err = appendValue(one[:0], v); err != nil {
			return nil, err
		}
		b = append(b, one[4:]...)
	}
	return b, nil
}
