package eval

import (
	"bufio"
	"bytes"
	"cmp"
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/zeebo/xxh3"
)

// Question is one of multiple choice.
type Question struct {
	Set     string // subject or category
	Text    string
	Choices []string // at least two
	Answer  int      // index of the right one
}

// ReadMMLU reads questions of CSV files without a head: question, choices, and the letter of the right one. path is a file, or a
// folder, of which all *.csv below are read in order. A set is named by its file, without _dev, _val, _test.
func ReadMMLU(path string) (list []Question, err error) {
	err = filepath.WalkDir(path, func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || file != path && filepath.Ext(file) != ".csv" {
			return err
		}
		f, err := os.Open(file)
		if err != nil {
			return err
		}
		defer f.Close()
		name := strings.TrimSuffix(filepath.Base(file), filepath.Ext(file))
		for _, end := range []string{"_dev", "_val", "_test"} {
			name = strings.TrimSuffix(name, end)
		}
		questions, err := readMMLU(f, name)
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		list = append(list, questions...)
		return nil
	})
	if err == nil && len(list) == 0 {
		err = fmt.Errorf("%s: no question", path)
	}
	return list, err
}

func readMMLU(r io.Reader, set string) (list []Question, err error) {
	c := csv.NewReader(r)
	c.FieldsPerRecord = -1
	for {
		row, err := c.Read()
		if err == io.EOF {
			return list, nil
		}
		if err != nil {
			return nil, err
		}
		line, _ := c.FieldPos(0)
		n := len(row) - 2
		if n < 2 || n > 26 {
			return nil, fmt.Errorf("line %d: %d choices", line, n)
		}
		letter := strings.TrimSpace(row[n+1])
		if len(letter) != 1 || letter[0] < 'A' || int(letter[0]-'A') >= n {
			return nil, fmt.Errorf("line %d: answer %q among %d choices", line, letter, n)
		}
		list = append(list, Question{set, row[0], row[1 : n+1], int(letter[0] - 'A')})
	}
}

// ReadTrivia reads questions of JSON lines, also gzipped: q, a, choices (of which a is one), and cat, the set.
func ReadTrivia(path string) (list []Question, err error) {
	err = readLines(path, func(line []byte) error {
		var q struct {
			Cat, Q, A string
			Choices   []string
		}
		if err := json.Unmarshal(line, &q); err != nil {
			return err
		}
		answer := slices.Index(q.Choices, q.A)
		if answer < 0 || len(q.Choices) < 2 {
			return fmt.Errorf("answer %q among %d choices", q.A, len(q.Choices))
		}
		list = append(list, Question{q.Cat, q.Q, q.Choices, answer})
		return nil
	})
	return list, err
}

// Country is a country and its capitals by their English names. Chinese may be empty.
type Country struct {
	Name     string
	Chinese  string // the country's name in Chinese
	Capitals []string
}

// ReadCountries reads JSON lines, also gzipped: country, capital (a list), zh; or a JSON array of country and city. Countries
// without a capital are left out.
func ReadCountries(path string) (list []Country, err error) {
	type record struct {
		Country, ZH, City string
		Capital           []string
	}
	add := func(r record) {
		if r.City != "" {
			r.Capital = append(r.Capital, r.City)
		}
		if r.Country != "" && len(r.Capital) > 0 {
			list = append(list, Country{r.Country, r.ZH, r.Capital})
		}
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if bytes.HasPrefix(bytes.TrimSpace(whole), []byte("[")) {
		var records []struct {
			Country string
			City    *string
		}
		if err := json.Unmarshal(whole, &records); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		for _, r := range records {
			if r.City != nil {
				add(record{Country: r.Country, City: *r.City})
			}
		}
		return list, nil
	}
	err = readLines(path, func(line []byte) error {
		var r record
		if err := json.Unmarshal(line, &r); err != nil {
			return err
		}
		add(r)
		return nil
	})
	return list, err
}

// readLines hands out the lines of a file that are not blank; one that begins as gzip is unpacked.
func readLines(path string, take func(line []byte) error) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	r := bufio.NewReaderSize(f, 1<<16)
	if head, _ := r.Peek(2); string(head) == "\x1f\x8b" {
		z, err := gzip.NewReader(r)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		r = bufio.NewReaderSize(z, 1<<16)
	}
	for n := 1; ; n++ {
		line, err := r.ReadBytes('\n')
		if line = bytes.TrimSpace(line); len(line) > 0 {
			if err := take(line); err != nil {
				return fmt.Errorf("%s: line %d: %w", path, n, err)
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s: line %d: %w", path, n, err)
		}
	}
}

// Sample takes n of a list, those of the lowest hash of name and seed, in the order of the list; all when n is 0.
func Sample[T any](list []T, n int, seed uint64, name func(T) string) []T {
	if n <= 0 || n >= len(list) {
		return list
	}
	order := make([]int, len(list))
	hash := make([]uint64, len(list))
	for i, x := range list {
		order[i], hash[i] = i, xxh3.HashStringSeed(name(x), seed)
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(hash[a], hash[b]) })
	slices.Sort(order[:n])
	out := make([]T, n)
	for i, at := range order[:n] {
		out[i] = list[at]
	}
	return out
}
