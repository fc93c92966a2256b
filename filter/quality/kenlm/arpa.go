package kenlm

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"math"
	"strconv"
	"strings"
)

// input is a model's file.
type input struct {
	r    io.Reader // a *bufio.Reader
	left int64     // bytes, of a binary
	line int       // of an ARPA file
	sha  hash.Hash
}

func newInput(r io.Reader, size int64) *input {
	sha := sha256.New()
	return &input{r: bufio.NewReaderSize(io.TeeReader(io.LimitReader(r, size), sha), 1<<20), left: size, sha: sha}
}

// sum reads to the end.
func (in *input) sum() (string, error) {
	if _, err := io.Copy(io.Discard, in.r); err != nil {
		return "", fmt.Errorf("kenlm: %w", err)
	}
	return hex.EncodeToString(in.sha.Sum(nil)), nil
}

// text gives the next line that is not blank, without white space at its ends.
func (in *input) text() (string, error) {
	for {
		b, err := in.r.(*bufio.Reader).ReadSlice('\n')
		if err != nil && (err != io.EOF || len(b) == 0) {
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return "", fmt.Errorf("line %d: %w", in.line+1, err)
		}
		in.line++
		if s := strings.TrimSpace(string(b)); s != "" {
			return s, nil
		}
	}
}

func (in *input) wrong(format string, a ...any) error {
	return fmt.Errorf("line %d: %w", in.line, fmt.Errorf(format, a...))
}

// missing is the log10 probability of an unknown word where the model has no <unk>, as KenLM takes it.
const missing = -100

// arpa reads the text format. An n-gram whose last words are no n-gram themselves gets those, with the probability that
// backing off gives, so that n-grams can be looked up from the last word backwards.
func (in *input) arpa() (*Model, error) {
	counts, err := in.counts()
	if err != nil {
		return nil, err
	}
	m := &Model{order: len(counts), vocab: newTable(counts[0]), unigrams: []weights{{prob: missing}}}
	for n := 2; n < m.order; n++ {
		m.middle = append(m.middle, newTable(counts[n-1]))
	}
	if m.order > 1 {
		m.longest = newTable(counts[m.order-1])
	}
	for n := 1; n <= m.order; n++ {
		if s, err := in.text(); err != nil || s != fmt.Sprintf("\\%d-grams:", n) {
			return nil, errors.Join(in.wrong("%.40q where \\%d-grams: must stand", s, n), err)
		}
		for range counts[n-1] {
			if err := in.gram(m, n); err != nil {
				return nil, err
			}
		}
	}
	if s, err := in.text(); err != nil || s != `\end\` {
		return nil, errors.Join(in.wrong(`%.40q where \end\ must stand`, s), err)
	}
	return m, nil
}

// counts reads the header: how many n-grams of each length follow.
func (in *input) counts() ([]int, error) {
	if s, err := in.text(); err != nil || s != `\data\` {
		return nil, errors.Join(errors.New(`neither an ARPA file, which begins with \data\, nor a binary of KenLM`), err)
	}
	var counts []int
	r := in.r.(*bufio.Reader)
	for {
		if b, err := r.Peek(1); err == nil && b[0] == '\\' && len(counts) > 0 {
			return counts, nil
		}
		b, err := r.ReadSlice('\n')
		if err != nil {
			return nil, in.wrong("the counts have no end: %w", err)
		}
		in.line++
		s := strings.TrimSpace(string(b))
		if s == "" {
			continue
		}
		left, right, ok := strings.Cut(strings.TrimPrefix(s, "ngram "), "=")
		n, err1 := strconv.Atoi(strings.TrimSpace(left))
		count, err2 := strconv.ParseInt(strings.TrimSpace(right), 10, 64)
		// A line of an n-gram has at least four bytes.
		if !ok || errors.Join(err1, err2) != nil || n != len(counts)+1 || n > maxOrder || count < 0 || count > in.left/4 {
			return nil, in.wrong("%.60q is no count of %d-grams that %d bytes can hold", s, len(counts)+1, in.left)
		}
		counts = append(counts, int(count))
	}
}

// gram reads one n-gram: log10 of its probability, its words, and the backoff where there is one.
func (in *input) gram(m *Model, n int) error {
	s, err := in.text()
	if err != nil {
		return err
	}
	f := strings.Fields(s)
	if len(f) != n+1 && (len(f) != n+2 || n == m.order && n > 1) {
		return in.wrong("%.60q is no %d-gram", s, n)
	}
	var w weights
	if w.prob, err = number(f[0]); err != nil || w.prob > 0 {
		return in.wrong("%.20q is no log10 of a probability", f[0])
	}
	if len(f) == n+2 {
		if w.backoff, err = number(f[n+1]); err != nil {
			return in.wrong("%.20q is no log10 of a backoff", f[n+1])
		}
	}
	if n == 1 {
		return m.word(f[1], w)
	}
	ids := make([]uint32, n) // the last word first
	for i, word := range f[1 : n+1] {
		ids[n-1-i] = m.id(word)
	}
	if err := m.suffixes(ids); err != nil {
		return in.wrong("%w", err)
	}
	return m.table(n).put(keyOf(ids), w)
}

func number(s string) (float32, error) {
	v, err := strconv.ParseFloat(s, 32)
	if err == nil && (math.IsNaN(v) || math.IsInf(v, 0)) {
		err = strconv.ErrRange
	}
	return float32(v), err
}

func (m *Model) word(word string, w weights) error {
	if word == "<unk>" || word == "<UNK>" {
		m.unigrams[0] = w
		return nil
	}
	id := uint32(len(m.unigrams))
	m.unigrams = append(m.unigrams, w)
	return m.vocab.put(wordHash(word), weights{prob: math.Float32frombits(id)})
}

func (m *Model) table(n int) *table {
	if n == m.order {
		return &m.longest
	}
	return &m.middle[n-2]
}

func keyOf(ids []uint32) uint64 {
	key := uint64(ids[0])
	for _, id := range ids[1:] {
		key = extend(key, id)
	}
	return key
}

// suffixes adds what is missing of the shorter n-grams that ids, the last word first, ends with.
func (m *Model) suffixes(ids []uint32) error {
	prob := m.unigrams[ids[0]].prob
	for n := 2; n < len(ids); n++ {
		t := m.table(n)
		if s := t.find(keyOf(ids[:n])); s.key != 0 {
			prob = s.prob
			continue
		}
		prob += m.backoff(ids[1:n])
		if 3*(t.n+1) > 2*len(t.slots) { // more than the header said
			t.grow()
		}
		if err := t.put(keyOf(ids[:n]), weights{prob: prob}); err != nil {
			return err
		}
	}
	return nil
}

// backoff is that of an n-gram, 0 where there is none.
func (m *Model) backoff(ids []uint32) float32 {
	if len(ids) == 1 {
		return m.unigrams[ids[0]].backoff
	}
	return m.table(len(ids)).find(keyOf(ids)).backoff
}

func (t *table) grow() {
	old := t.slots
	t.slots = make([]slot, 2*len(old))
	for _, s := range old {
		if s.key != 0 {
			*t.find(s.key) = s
		}
	}
}
