package safetensors

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"

	"winnow/train/checkpoint/half"
)

// IndexName is the file of a folder that says which shard holds which tensor.
const IndexName = "model.safetensors.index.json"

// FileName is the file of a folder that holds all its tensors, where they are not sharded.
const FileName = "model.safetensors"

// Reader gives the tensors of one file.
type Reader struct {
	Entries  []Entry           // in the order of their bytes
	Metadata map[string]string // __metadata__; empty where there is none
	name     string
	data     *io.SectionReader
	byName   map[string]int
}

// NewReader reads and checks the header of a file of size bytes. Errors name the tensor that is wrong.
func NewReader(r io.ReaderAt, size int64) (*Reader, error) {
	var head [8]byte
	if _, err := r.ReadAt(head[:], 0); err != nil {
		return nil, fmt.Errorf("length of the header: %w", short(err))
	}
	n := binary.LittleEndian.Uint64(head[:])
	if n > maxHeader || int64(n) > size-8 {
		return nil, fmt.Errorf("a header of %d bytes in a file of %d", n, size)
	}
	b := make([]byte, n)
	if _, err := r.ReadAt(b, 8); err != nil {
		return nil, fmt.Errorf("header: %w", short(err))
	}
	start := 8 + int64(n)
	entries, metadata, err := parseHeader(b, size-start)
	if err != nil {
		return nil, err
	}
	f := &Reader{Entries: entries, Metadata: metadata, data: io.NewSectionReader(r, start, size-start), byName: map[string]int{}}
	for i := range entries {
		f.byName[entries[i].Name] = i
	}
	return f, nil
}

// short makes an end of the file an unexpected one.
func short(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// Entry finds a tensor by name.
func (r *Reader) Entry(name string) (*Entry, bool) {
	i, ok := r.byName[name]
	if !ok {
		return nil, false
	}
	return &r.Entries[i], true
}

// Read fills dst, which has the tensor's number of elements, converting F16 and BF16 exactly. Other dtypes are refused.
func (r *Reader) Read(name string, dst []float32) error {
	e, ok := r.Entry(name)
	if !ok {
		return fmt.Errorf("tensor %q: %w", name, fs.ErrNotExist)
	}
	if n := e.Elements(); n != len(dst) {
		return fmt.Errorf("tensor %q: %d elements, want %d", name, n, len(dst))
	}
	var width int
	var convert func(dst []float32, src []byte)
	switch e.Type {
	case "F32":
		width, convert = 4, fromF32
	case "F16":
		width, convert = 2, fromF16
	case "BF16":
		width, convert = 2, fromBF16
	default:
		return fmt.Errorf("tensor %q: dtype %s is not read as float32", name, e.Type)
	}
	buffer := make([]byte, min(1<<18, len(dst)*width))
	for at := e.Begin; len(dst) > 0; {
		n := min(len(buffer)/width, len(dst))
		if _, err := r.data.ReadAt(buffer[:n*width], at); err != nil {
			return fmt.Errorf("tensor %q: %w", name, short(err))
		}
		convert(dst[:n], buffer[:n*width])
		dst = dst[n:]
		at += int64(n * width)
	}
	return nil
}

func fromF32(dst []float32, src []byte) {
	for i := range dst {
		dst[i] = math.Float32frombits(binary.LittleEndian.Uint32(src[4*i:]))
	}
}

func fromF16(dst []float32, src []byte) {
	for i := range dst {
		dst[i] = half.FromFloat16(binary.LittleEndian.Uint16(src[2*i:]))
	}
}

func fromBF16(dst []float32, src []byte) {
	for i := range dst {
		dst[i] = half.FromBFloat16(binary.LittleEndian.Uint16(src[2*i:]))
	}
}

// Set is the tensors of a file, or of all the shards of a folder.
type Set struct {
	Metadata map[string]string // of the first file
	readers  []*Reader
	files    []*os.File
	where    map[string]*Reader
}

// Open opens a .safetensors file, or a folder with model.safetensors or the index of its shards. Every header is checked,
// and that the index and the shards name the same tensors. Where there is neither file nor index, the error is
// fs.ErrNotExist.
func Open(path string) (*Set, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return openFiles([]string{path}, nil)
	}
	index, err := os.ReadFile(filepath.Join(path, IndexName))
	if errors.Is(err, fs.ErrNotExist) {
		return openFiles([]string{filepath.Join(path, FileName)}, nil)
	}
	if err != nil {
		return nil, err
	}
	var j struct {
		Map map[string]string `json:"weight_map"`
	}
	if err := json.Unmarshal(index, &j); err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Join(path, IndexName), err)
	}
	var shards []string
	for name, file := range j.Map {
		if !filepath.IsLocal(file) || filepath.Base(file) != file {
			return nil, fmt.Errorf("%s: tensor %q: %q is no file of this folder", filepath.Join(path, IndexName), name, file)
		}
		shards = append(shards, filepath.Join(path, file))
	}
	slices.Sort(shards)
	return openFiles(slices.Compact(shards), j.Map)
}

func openFiles(paths []string, index map[string]string) (_ *Set, err error) {
	s := &Set{Metadata: map[string]string{}, where: map[string]*Reader{}}
	defer func() {
		if err != nil {
			s.Close()
		}
	}()
	for i, path := range paths {
		r, err := s.open(path)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		if i == 0 {
			s.Metadata = r.Metadata
		}
		for _, e := range r.Entries {
			if index != nil && index[e.Name] != filepath.Base(path) {
				return nil, fmt.Errorf("%s: tensor %q is not where the index says (%q)", path, e.Name, index[e.Name])
			}
			s.where[e.Name] = r
		}
	}
	for name, file := range index {
		if s.where[name] == nil {
			return nil, fmt.Errorf("tensor %q: the index puts it in %s, which does not hold it", name, file)
		}
	}
	return s, nil
}

func (s *Set) open(path string) (*Reader, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	s.files = append(s.files, f)
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	r, err := NewReader(f, info.Size())
	if err != nil {
		return nil, err
	}
	r.name = path
	s.readers = append(s.readers, r)
	return r, nil
}

// Entries lists all tensors, shard by shard.
func (s *Set) Entries() []Entry {
	var all []Entry
	for _, r := range s.readers {
		all = append(all, r.Entries...)
	}
	return all
}

// Entry finds a tensor by name.
func (s *Set) Entry(name string) (*Entry, bool) {
	r := s.where[name]
	if r == nil {
		return nil, false
	}
	return r.Entry(name)
}

// Read fills dst as Reader.Read does.
func (s *Set) Read(name string, dst []float32) error {
	r := s.where[name]
	if r == nil {
		return fmt.Errorf("tensor %q: %w", name, fs.ErrNotExist)
	}
	if err := r.Read(name, dst); err != nil {
		return fmt.Errorf("%s: %w", r.name, err)
	}
	return nil
}

// Tensors reads all tensors, shard by shard, in the order of their bytes.
func (s *Set) Tensors() ([]Tensor, error) {
	entries := s.Entries()
	tensors := make([]Tensor, len(entries))
	for i, e := range entries {
		tensors[i] = Tensor{Name: e.Name, Shape: e.Shape, Data: make([]float32, e.Elements())}
		if err := s.Read(e.Name, tensors[i].Data); err != nil {
			return nil, err
		}
	}
	return tensors, nil
}

// Close closes the files.
func (s *Set) Close() error {
	var err error
	for _, f := range s.files {
		err = errors.Join(err, f.Close())
	}
	return err
}
