package checkpoint

import (
	"bufio"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"winnow/shard"
	"winnow/train/checkpoint/safetensors"
)

// writeFile makes a new file, brings it to the disk, and gives the sha256 of its bytes.
func writeFile(path string, write func(io.Writer) error) (string, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return "", err
	}
	sum := sha256.New()
	out := bufio.NewWriter(io.MultiWriter(f, sum))
	err = write(out)
	if err == nil {
		err = out.Flush()
	}
	if err == nil {
		err = f.Sync()
	}
	return hex.EncodeToString(sum.Sum(nil)), errors.Join(err, f.Close())
}

// replaceFile writes path whole or not at all, replacing what is there; its folder is made.
func replaceFile(path string, write func(io.Writer) error) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	t, err := shard.Create(nil, path)
	if err != nil {
		return err
	}
	out := bufio.NewWriter(t)
	if err = write(out); err == nil {
		err = out.Flush()
	}
	if err != nil {
		t.Abort()
		return err
	}
	return t.Commit()
}

// Tensor is one named array, row-major: a weight, or a moment of the optimiser.
type Tensor = safetensors.Tensor

// Hash identifies weights: sha256, hex, over names, shapes and float32 bits, in the order of names. It does not depend on
// the file that held them, nor on its order.
func Hash(tensors []Tensor) string {
	sorted := slices.Clone(tensors)
	slices.SortStableFunc(sorted, func(a, b Tensor) int { return strings.Compare(a.Name, b.Name) })
	sum := sha256.New()
	buffer := make([]byte, 0, 1<<16)
	for _, t := range sorted {
		fmt.Fprintf(sum, "%q %v\n", t.Name, t.Shape)
		for i, v := range t.Data {
			buffer = binary.LittleEndian.AppendUint32(buffer, math.Float32bits(v))
			if len(buffer) == cap(buffer) || i == len(t.Data)-1 {
				sum.Write(buffer)
				buffer = buffer[:0]
			}
		}
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// Restore copies src into dst, whose Data is the memory that training goes on in. Both must hold the same names with the
// same shapes; the first that is missing, left over or of another shape is the error, and then nothing was copied.
func Restore(dst, src []Tensor) error {
	byName := map[string]Tensor{}
	for _, t := range src {
		byName[t.Name] = t
	}
	for _, t := range dst {
		from, ok := byName[t.Name]
		if !ok {
			return fmt.Errorf("tensor %q is missing", t.Name)
		}
		if !slices.Equal(from.Shape, t.Shape) || len(from.Data) != len(t.Data) {
			return fmt.Errorf("tensor %q has shape %v, want %v", t.Name, from.Shape, t.Shape)
		}
	}
	if len(byName) != len(dst) {
		for _, t := range dst {
			delete(byName, t.Name)
		}
		for _, t := range src {
			if _, left := byName[t.Name]; left {
				return fmt.Errorf("tensor %q belongs to nothing here", t.Name)
			}
		}
	}
	for _, t := range dst {
		copy(t.Data, byName[t.Name].Data)
	}
	return nil
}

// hashOf gives the sha256 of all that r holds, hex.
func hashOf(r io.Reader) (string, error) {
	sum := sha256.New()
	if _, err := io.Copy(sum, r); err != nil {
		return "", err
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}
