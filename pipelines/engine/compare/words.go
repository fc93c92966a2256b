package compare

import (
	"bufio"
	"cmp"
	"encoding/binary"
	"fmt"
	"io"
	"iter"
	"math/bits"
	"os"
	"slices"
	"sync"
)

// words is a record of a fixed number of 64-bit words, ordered word by word.
type words interface {
	[2]uint64 | [3]uint64 | [4]uint64 | [5]uint64
}

// wordSorter sorts more records than memory holds. Its order is total over the records' bits, so that neither the memory
// nor the order of add can be told from the result.
type wordSorter[W words] struct {
	dir   string
	limit int // records in buf; as many again are in tmp while it is sorted
	*space[W]
	from *Buffers
	runs []*spill
}

// space is the memory that sorting takes.
type space[W words] struct{ buf, tmp []W }

// Buffers keep the memory of one sort for the next.
type Buffers struct{ pools [6]sync.Pool }

func newWordSorter[W words](dir string, memory int64, from *Buffers) *wordSorter[W] {
	var w W
	s := &wordSorter[W]{dir: dir, limit: int(max(memory/int64(16*len(w)), 64)), from: from}
	if from != nil {
		s.space, _ = from.pools[len(w)].Get().(*space[W])
	}
	if s.space == nil || cap(s.buf) > s.limit {
		s.space = new(space[W])
	}
	return s
}

func (s *wordSorter[W]) add(w W) error {
	if len(s.buf) == s.limit {
		if err := s.flush(); err != nil {
			return err
		}
	}
	if len(s.buf) == cap(s.buf) {
		grown := make([]W, len(s.buf), min(max(2*cap(s.buf), 1024), s.limit))
		copy(grown, s.buf)
		s.buf = grown
	}
	s.buf = append(s.buf, w)
	return nil
}

// flush writes the buffer, sorted, to a file of its own.
func (s *wordSorter[W]) flush() error {
	s.sort()
	f, err := newSpill(s.dir)
	if err != nil {
		return err
	}
	s.runs = append(s.runs, f)
	out := bufio.NewWriterSize(f.file, 1<<18)
	for i := range s.buf {
		if _, err := out.Write(appendWords(out.AvailableBuffer(), s.buf[i])); err != nil {
			return err
		}
	}
	s.buf = s.buf[:0]
	return out.Flush()
}

func appendWords[W words](b []byte, w W) []byte {
	for k := range len(w) {
		b = binary.LittleEndian.AppendUint64(b, w[k])
	}
	return b
}

// sorted gives all records in order, once.
func (s *wordSorter[W]) sorted() iter.Seq2[W, error] {
	return func(yield func(W, error) bool) {
		s.sort()
		if len(s.runs) == 0 {
			for _, w := range s.buf {
				if !yield(w, nil) {
					return
				}
			}
			return
		}
		m, err := s.merged()
		for err == nil {
			var w W
			var ok bool
			if w, ok, err = m.next(); err == nil && (!ok || !yield(w, nil)) {
				return
			}
		}
		yield(*new(W), err)
	}
}

// merged opens all runs, and what is still in memory.
func (s *wordSorter[W]) merged() (*merged[W], error) {
	var heads []head[W]
	for _, r := range s.runs {
		next, err := readWords[W](r, len(s.runs), s.limit)
		if err != nil {
			return nil, err
		}
		heads = append(heads, head[W]{next: next})
	}
	rest := s.buf
	heads = append(heads, head[W]{next: func() (w W, ok bool, err error) {
		if len(rest) == 0 {
			return w, false, nil
		}
		w, rest = rest[0], rest[1:]
		return w, true, nil
	}})
	return merge(heads, compareWords[W])
}

// readWords opens a run for reading, with its share of the memory that sorting had.
func readWords[W words](r *spill, runs, limit int) (func() (W, bool, error), error) {
	var w W
	in, err := r.reader(max(8*len(w)*limit/(runs+1), 1<<12))
	raw := make([]byte, 8*len(w))
	return func() (w W, ok bool, err error) {
		if _, err := io.ReadFull(in, raw); err == io.EOF {
			return w, false, nil
		} else if err != nil {
			return w, false, fmt.Errorf("spill: %w", err)
		}
		for k := range len(w) {
			w[k] = binary.LittleEndian.Uint64(raw[8*k:])
		}
		return w, true, nil
	}, err
}

// reset makes s empty.
func (s *wordSorter[W]) reset() {
	for _, r := range s.runs {
		r.close()
	}
	s.buf, s.runs = s.buf[:0], nil
}

func (s *wordSorter[W]) close() {
	var w W
	if s.reset(); s.from != nil {
		s.from.pools[len(w)].Put(s.space)
	}
	s.space = nil
}

func (s *wordSorter[W]) sort() {
	if cap(s.tmp) < len(s.buf) {
		s.tmp = make([]W, cap(s.buf))
	}
	sortWords(s.buf, s.tmp[:len(s.buf)])
}

func compareWords[W words](a, b W) int {
	for k := range len(a) {
		if a[k] != b[k] {
			return cmp.Compare(a[k], b[k])
		}
	}
	return 0
}

func lessWords[W words](a, b W) bool {
	for k := range len(a) {
		if a[k] != b[k] {
			return a[k] < b[k]
		}
	}
	return false
}

// sortWords sorts by the bits of the first word from the highest down, so many at a time that a handful of records falls to each
// bucket: first words are hashes. What they do not tell apart is sorted by comparison.
func sortWords[W words](a, tmp []W) {
	switch {
	case slices.IsSortedFunc(a, compareWords[W]): // records of one key come in order
	case len(a) > small:
		radix(a, tmp, 64)
	default:
		insertion(a)
	}
}

const (
	small   = 24 // up to how many records are sorted by insertion
	maxBits = 11 // that one step sorts by: its buckets' ends stay in the first cache
)

// radix sorts by the lowest left bits of the first word, the rest being equal.
func radix[W words](a, tmp []W, left int) {
	switch {
	case len(a) <= small:
		insertion(a)
		return
	case left <= 0:
		slices.SortFunc(a, compareWords[W])
		return
	}
	width := min(max(bits.Len(uint(len(a)))-3, 4), maxBits, left)
	shift, buckets := left-width, 1<<width
	mask := uint64(buckets - 1)
	var end [1<<maxBits + 1]uint32
	for i := range a {
		end[a[i][0]>>shift&mask+1]++
	}
	for k := range buckets {
		end[k+1] += end[k]
	}
	if first := a[0][0] >> shift & mask; end[first+1]-end[first] == uint32(len(a)) { // these bits tell nothing apart
		radix(a, tmp, shift)
		return
	}
	for i := range a {
		k := a[i][0] >> shift & mask
		tmp[end[k]] = a[i]
		end[k]++
	}
	copy(a, tmp[:len(a)])
	from := uint32(0)
	for k := range buckets { // each end has moved to that of its bucket
		if to := end[k]; to-from > 1 {
			radix(a[from:to], tmp[from:to], shift)
		}
		from = end[k]
	}
}

func insertion[W words](a []W) {
	for i := 1; i < len(a); i++ {
		for j := i; j > 0 && lessWords(a[j], a[j-1]); j-- {
			a[j], a[j-1] = a[j-1], a[j]
		}
	}
}

// head is a sorted stream and its next record.
type head[T any] struct {
	next func() (T, bool, error)
	rec  T
	rank int // of the stream: ties go to the lower
}

// merged is a heap of sorted streams. What a stream gave last has been handed out, and is replaced at the next call.
type merged[T any] struct {
	heads   []head[T]
	compare func(a, b T) int
	begun   bool
}

func merge[T any](heads []head[T], compare func(a, b T) int) (*merged[T], error) {
	m := &merged[T]{compare: compare}
	for i, h := range heads {
		rec, ok, err := h.next()
		if err != nil {
			return nil, err
		}
		if ok {
			m.heads = append(m.heads, head[T]{h.next, rec, i})
		}
	}
	for i := len(m.heads)/2 - 1; i >= 0; i-- {
		m.sink(i)
	}
	return m, nil
}

// next gives the least record of all streams; false at the end.
func (m *merged[T]) next() (rec T, ok bool, err error) {
	if m.begun && len(m.heads) > 0 {
		top := &m.heads[0]
		if top.rec, ok, err = top.next(); err != nil {
			return rec, false, err
		}
		if !ok {
			last := len(m.heads) - 1
			m.heads[0] = m.heads[last]
			m.heads = m.heads[:last]
		}
		m.sink(0)
	}
	if m.begun = true; len(m.heads) == 0 {
		return rec, false, nil
	}
	return m.heads[0].rec, true, nil
}

func (m *merged[T]) sink(i int) {
	for {
		least := i
		for c := 2*i + 1; c <= 2*i+2 && c < len(m.heads); c++ {
			if m.less(c, least) {
				least = c
			}
		}
		if least == i {
			return
		}
		m.heads[i], m.heads[least] = m.heads[least], m.heads[i]
		i = least
	}
}

func (m *merged[T]) less(i, j int) bool {
	return cmp.Or(m.compare(m.heads[i].rec, m.heads[j].rec), m.heads[i].rank-m.heads[j].rank) < 0
}

// spill is a file that vanishes with the program.
type spill struct{ file *os.File }

func newSpill(dir string) (*spill, error) {
	f, err := os.CreateTemp(dir, "spill-*")
	if err != nil {
		return nil, err
	}
	os.Remove(f.Name()) // an open file stays; where the system does not allow this, close removes it
	return &spill{f}, nil
}

func (s *spill) reader(size int) (*bufio.Reader, error) {
	_, err := s.file.Seek(0, io.SeekStart)
	return bufio.NewReaderSize(s.file, min(size, 1<<20)), err
}

func (s *spill) close() {
	s.file.Close()
	os.Remove(s.file.Name())
}
