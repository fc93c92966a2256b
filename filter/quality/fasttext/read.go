package fasttext

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
)

// Magic is the first word of a model's file, little-endian.
const Magic = 793712314

const newest = 12 // version of the format; 11 differs in what maxn meant

// Losses, as the file numbers them.
const (
	hierarchical = 1
	negative     = 2
	softmax      = 3
	oneVersusAll = 4
)

const supervised = 3 // kind of model; 1 is cbow, 2 is skipgram

// arguments are the training arguments that the file begins with, in its order.
type arguments struct {
	Dim, Window, Epoch, MinCount, Negative, WordNgrams, Loss, Model, Bucket, MinN, MaxN, UpdateRate int32
	Sampling                                                                                        float64
}

// maxGram bounds the length of character n-grams, in characters. fastText's default is 6, lid.176 has 4, GlotLID 5.
const maxGram = 64

func (a *arguments) check() error {
	switch {
	case a.Dim < 1:
		return fmt.Errorf("dim %d: want at least 1", a.Dim)
	case a.Model < 1 || a.Model > supervised:
		return fmt.Errorf("model kind %d: want 1 to 3", a.Model)
	case a.Loss < hierarchical || a.Loss > oneVersusAll:
		return fmt.Errorf("loss %d: want 1 to 4", a.Loss)
	case a.MaxN > maxGram:
		return fmt.Errorf("maxn %d: want at most %d", a.MaxN, maxGram)
	case a.Bucket < 0 || a.Bucket == 0 && a.grams():
		return fmt.Errorf("%d buckets for n-grams", a.Bucket)
	}
	return nil
}

// grams tells whether the model hashes n-grams at all.
func (a *arguments) grams() bool { return a.MaxN > 0 || a.WordNgrams > 1 }

// Open reads the model in a file.
func Open(path string) (*Model, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("fasttext: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("fasttext: %w", err)
	}
	m, err := Read(f, info.Size())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return m, nil
}

// Read reads a model of size bytes. It never allocates much more than that, whatever the bytes claim.
func Read(r io.Reader, size int64) (*Model, error) {
	sum := sha256.New()
	in := &input{r: bufio.NewReaderSize(io.TeeReader(io.LimitReader(r, size), sum), 1<<20), left: size}
	m, err := in.model()
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = errors.New("the file is cut short")
	}
	if err != nil {
		return nil, fmt.Errorf("fasttext: byte %d: %w", size-in.left, err)
	}
	if in.left > 0 {
		return nil, fmt.Errorf("fasttext: byte %d: %d bytes follow the model", size-in.left, in.left)
	}
	m.hash = hex.EncodeToString(sum.Sum(nil))
	return m, nil
}

// input reads little-endian values and knows how many bytes are left, so that no count is believed that they cannot hold.
type input struct {
	r    *bufio.Reader
	left int64
}

func (in *input) value(v any) error {
	if err := binary.Read(in.r, binary.LittleEndian, v); err != nil {
		return err
	}
	in.left -= int64(binary.Size(v))
	return nil
}

// flag reads C++'s bool.
func (in *input) flag() (bool, error) {
	var b uint8
	if err := in.value(&b); err != nil {
		return false, err
	}
	if b > 1 {
		return false, fmt.Errorf("%d where 0 or 1 must stand", b)
	}
	return b == 1, nil
}

// room fails where fewer than n values of so many bytes are left.
func (in *input) room(n, bytes int64, what string) error {
	if n < 0 || n > in.left/bytes {
		return fmt.Errorf("%d %s in %d bytes", n, what, in.left)
	}
	return nil
}

func (in *input) bytes(n int64, what string) ([]byte, error) {
	if err := in.room(n, 1, what); err != nil {
		return nil, err
	}
	b := make([]byte, n)
	_, err := io.ReadFull(in.r, b)
	in.left -= n
	return b, err
}

func (in *input) floats(n int64, what string) ([]float32, error) {
	if err := in.room(n, 4, what); err != nil {
		return nil, err
	}
	all := make([]float32, n)
	for i := 0; i < len(all); {
		b, err := in.r.Peek(4 * min(len(all)-i, 1<<16))
		if err != nil {
			return nil, err
		}
		for j := 0; j < len(b); j += 4 {
			v := math.Float32frombits(binary.LittleEndian.Uint32(b[j:]))
			if v-v != 0 {
				return nil, fmt.Errorf("%s: number %d is %g", what, i, v)
			}
			all[i] = v
			i++
		}
		in.left -= int64(len(b))
		if _, err := in.r.Discard(len(b)); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func (in *input) model() (*Model, error) {
	var head struct{ Magic, Version int32 }
	if err := in.value(&head); err != nil {
		return nil, err
	}
	if head.Magic != Magic {
		return nil, errors.New("no fastText model: its first four bytes are others")
	}
	if head.Version < 11 || head.Version > newest {
		return nil, fmt.Errorf("version %d of the format: want 11 or 12", head.Version)
	}
	m := new(Model)
	if err := in.value(&m.args); err != nil {
		return nil, err
	}
	if head.Version == 11 && m.args.Model == supervised {
		m.args.MaxN = 0
	}
	if err := m.args.check(); err != nil {
		return nil, err
	}
	var err error
	if m.dict, err = in.dictionary(); err != nil {
		return nil, fmt.Errorf("dictionary: %w", err)
	}
	if err := in.matrices(m); err != nil {
		return nil, err
	}
	return m, m.prepare()
}

// matrices reads the input and the output matrix. The output is quantised only where the input is.
func (in *input) matrices(m *Model) error {
	quantised, err := in.flag()
	if err != nil {
		return err
	}
	if m.dict.pruned != nil && !quantised {
		return errors.New("a pruned dictionary with a matrix that is not quantised")
	}
	if m.in, err = in.matrix(quantised); err != nil {
		return fmt.Errorf("input matrix: %w", err)
	}
	output, err := in.flag()
	if err != nil {
		return err
	}
	if m.out, err = in.matrix(quantised && output); err != nil {
		return fmt.Errorf("output matrix: %w", err)
	}
	dim, need := int(m.args.Dim), m.dict.words
	if m.args.grams() {
		need += m.dict.buckets(int(m.args.Bucket))
	}
	outputs := m.dict.words
	if m.args.Model == supervised {
		outputs = len(m.dict.labels)
	}
	if rows, columns := m.in.size(); columns != dim || rows < need || rows > math.MaxInt32 {
		return fmt.Errorf("input matrix: %d x %d, want at least %d x %d", rows, columns, need, dim)
	}
	if rows, columns := m.out.size(); columns != dim || rows != outputs {
		return fmt.Errorf("output matrix: %d x %d, want %d x %d", rows, columns, outputs, dim)
	}
	return nil
}
