// Package safetensors reads and writes the container that Hugging Face checkpoints are stored in. Named float32 tensors
// flow in and a file flows out, as F32, F16 or BF16; or a file, or a folder of shards, flows in and float32 tensors flow out.
//
// A file is the length of its header (uint64, little-endian), the header (JSON: dtype, shape and place of each tensor),
// and the bytes of the tensors, row-major, little-endian, without holes. Format: huggingface/safetensors, README.
package safetensors

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"

	"winnow/train/checkpoint/half"
)

// Tensor is one named array, row-major. Data has the product of Shape elements.
type Tensor struct {
	Name  string
	Shape []int
	Data  []float32
}

// Write writes tensors in the order given, as dtype F32, F16 or BF16. "format": "pt" is added to the metadata, without
// which transformers refuses a file. The same arguments give the same bytes.
func Write(w io.Writer, dtype string, tensors []Tensor, metadata map[string]string) error {
	var width int64
	var convert func(dst []byte, src []float32)
	switch dtype {
	case "F32":
		width, convert = 4, toF32
	case "F16":
		width, convert = 2, toF16
	case "BF16":
		width, convert = 2, toBF16
	default:
		return fmt.Errorf("dtype %q cannot be written; F32, F16 and BF16 can", dtype)
	}
	header, err := makeHeader(dtype, width, tensors, metadata)
	if err != nil {
		return err
	}
	out := bufio.NewWriterSize(w, 1<<18)
	if err := binary.Write(out, binary.LittleEndian, uint64(len(header))); err != nil {
		return err
	}
	if _, err := out.Write(header); err != nil {
		return err
	}
	buffer := make([]byte, 1<<16)
	for _, t := range tensors {
		for data := t.Data; len(data) > 0; {
			n := min(len(buffer)/int(width), len(data))
			convert(buffer, data[:n])
			if _, err := out.Write(buffer[:n*int(width)]); err != nil {
				return fmt.Errorf("tensor %q: %w", t.Name, err)
			}
			data = data[n:]
		}
	}
	return out.Flush()
}

// makeHeader gives the JSON, with spaces behind it so that the data begins at a multiple of 8.
func makeHeader(dtype string, width int64, tensors []Tensor, metadata map[string]string) ([]byte, error) {
	meta := map[string]string{}
	maps.Copy(meta, metadata)
	meta["format"] = "pt"
	b := []byte(`{"` + metadataKey + `":`)
	encoded, err := json.Marshal(meta)
	if err != nil {
		return nil, err
	}
	b = append(b, encoded...)
	seen := map[string]bool{metadataKey: true}
	at := int64(0)
	for _, t := range tensors {
		e := Entry{Name: t.Name, Shape: t.Shape}
		if seen[t.Name] || slices.ContainsFunc(t.Shape, func(d int) bool { return d < 0 }) || e.Elements() != len(t.Data) {
			return nil, fmt.Errorf("tensor %q: twice, or %d elements do not fill %v", t.Name, len(t.Data), t.Shape)
		}
		seen[t.Name] = true
		name, err := json.Marshal(t.Name)
		if err != nil {
			return nil, err
		}
		shape, err := json.Marshal(append([]int{}, t.Shape...))
		if err != nil {
			return nil, err
		}
		end := at + width*int64(len(t.Data))
		b = fmt.Appendf(b, `,%s:{"dtype":"%s","shape":%s,"data_offsets":[%d,%d]}`, name, dtype, shape, at, end)
		at = end
	}
	b = append(b, '}')
	for len(b)%8 != 0 {
		b = append(b, ' ')
	}
	if len(b) > maxHeader {
		return nil, fmt.Errorf("a header of %d bytes; the format allows %d", len(b), maxHeader)
	}
	return b, nil
}

func toF32(dst []byte, src []float32) {
	for i, v := range src {
		binary.LittleEndian.PutUint32(dst[4*i:], math.Float32bits(v))
	}
}

func toF16(dst []byte, src []float32) {
	for i, v := range src {
		binary.LittleEndian.PutUint16(dst[2*i:], half.ToFloat16(v))
	}
}

func toBF16(dst []byte, src []float32) {
	for i, v := range src {
		binary.LittleEndian.PutUint16(dst[2*i:], half.ToBFloat16(v))
	}
}
