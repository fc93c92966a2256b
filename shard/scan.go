package shard

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"

	"github.com/parquet-go/parquet-go"

	"winnow"
	"winnow/shard/store"
)

// file is an open parquet file.
type file struct {
	*parquet.File
	f winnow.File
}

func (f *file) Close() error { return f.f.Close() }

// open opens a file and reads its footer.
func open(s *store.Store, path string) (*file, error) {
	f, err := s.Open(path)
	if err != nil {
		return nil, err
	}
	p, err := footer(f, f.Size())
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return &file{p, f}, nil
}

// recovered, when deferred, makes an error of a panic: the library panics on some damaged files.
func recovered(where string, err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("damaged %s: %v", where, p)
	}
}

// footer reads what stands at the end of a file, whose size the library takes on trust.
func footer(f io.ReaderAt, size int64) (_ *parquet.File, err error) {
	defer recovered("footer", &err)
	var tail [8]byte
	if size < 12 {
		return nil, fmt.Errorf("%d bytes: no parquet file", size)
	}
	if _, err := f.ReadAt(tail[:], size-8); err != nil {
		return nil, err
	}
	if n := binary.LittleEndian.Uint32(tail[:4]); int64(n) > size-12 {
		return nil, fmt.Errorf("footer of %d bytes in a file of %d", n, size)
	}
	return parquet.OpenFile(f, size, parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true), parquet.ReadBufferSize(32<<10))
}

// binding is a leaf of a table tied to a column of a file.
type binding[T any] struct {
	leaf[T]
	name   string
	index  int  // of the physical column in the file
	repeat bool // several values a row
}

// bind ties those of the columns that the file has to it. A column of another type than expected is an error.
func bind[T any](f *parquet.File, columns []column[T]) (bindings []binding[T], err error) {
	defer recovered("schema", &err)
	for _, c := range columns {
		for i, path := range leafPaths(c.name, c.node) {
			have, ok := f.Schema().Lookup(path...)
			if !ok {
				continue
			}
			want, _ := parquet.NewSchema("", parquet.Group{c.name: c.node}).Lookup(path...)
			if have.Node.Type().Kind() != want.Node.Type().Kind() || have.MaxRepetitionLevel != want.MaxRepetitionLevel {
				return nil, fmt.Errorf("column %s: is %s, not %s", strings.Join(path, "."), have.Node.Type(), want.Node.Type())
			}
			bindings = append(bindings, binding[T]{c.leaves[i], c.name, have.ColumnIndex, have.MaxRepetitionLevel > 0})
		}
	}
	return bindings, nil
}

func leafPaths(name string, n parquet.Node) (paths [][]string) {
	if n.Leaf() {
		return [][]string{{name}}
	}
	for _, f := range n.Fields() {
		for _, p := range leafPaths(f.Name(), f) {
			paths = append(paths, slices.Concat([]string{name}, p))
		}
	}
	return paths
}

// rowGroup reads the bound columns of one row group, some rows at a time.
type rowGroup[T any] struct {
	group    parquet.RowGroup
	bindings []binding[T]
	cursors  []cursor // as many as were opened
	left     int64    // rows not read yet
}

func newGroup[T any](group parquet.RowGroup, bindings []binding[T]) *rowGroup[T] {
	return &rowGroup[T]{group: group, bindings: bindings, left: group.NumRows()}
}

func (g *rowGroup[T]) close() {
	for i := range g.cursors {
		g.cursors[i].values.Close()
	}
}

// read fills the next rows, of which there must be so many left.
func (g *rowGroup[T]) read(rows []*T) (err error) {
	defer recovered("page", &err)
	if g.cursors == nil {
		chunks := g.group.ColumnChunks()
		for _, b := range g.bindings {
			g.cursors = append(g.cursors, cursor{values: parquet.NewColumnChunkValueReader(chunks[b.index])})
		}
	}
	for i, b := range g.bindings {
		if b.repeat {
			err = g.cursors[i].lists(len(rows), func(row, k int, v parquet.Value) { b.get(rows[row], k, v) })
		} else {
			err = g.cursors[i].flat(len(rows), func(row int, v parquet.Value) { b.get(rows[row], 0, v) })
		}
		if err != nil {
			return fmt.Errorf("column %s: %w", b.name, err)
		}
	}
	g.left -= int64(len(rows))
	return nil
}

// cursor steps through the values of one column chunk. The bytes of its values hold until the next fill.
type cursor struct {
	values parquet.ColumnChunkValueReader
	buf    [256]parquet.Value
	ready  []parquet.Value
}

func (c *cursor) fill() error {
	n, err := c.values.ReadValues(c.buf[:])
	if n > 0 {
		err = nil
	} else if err == nil {
		err = io.ErrNoProgress
	}
	c.ready = c.buf[:n]
	return err
}

var errShort = errors.New("fewer values than rows")

// flat gives one value for each of n rows.
func (c *cursor) flat(n int, take func(row int, v parquet.Value)) error {
	for row := 0; row < n; {
		if len(c.ready) == 0 {
			if err := c.fill(); err == io.EOF {
				return errShort
			} else if err != nil {
				return err
			}
		}
		k := min(len(c.ready), n-row)
		for i, v := range c.ready[:k] {
			take(row+i, v)
		}
		c.ready = c.ready[k:]
		row += k
	}
	return nil
}

// lists gives all values of n rows; k counts within the row.
func (c *cursor) lists(n int, take func(row, k int, v parquet.Value)) error {
	row, k := -1, 0
	for {
		if len(c.ready) == 0 {
			if err := c.fill(); err == io.EOF {
				break
			} else if err != nil {
				return err
			}
		}
		v := c.ready[0]
		if v.RepetitionLevel() == 0 {
			if row == n-1 {
				return nil
			}
			row, k = row+1, 0
		}
		if row < 0 {
			return errors.New("a list that begins in the middle")
		}
		take(row, k, v)
		k++
		c.ready = c.ready[1:]
	}
	if row < n-1 {
		return errShort
	}
	return nil
}

// scan reads a file that this package wrote, row by row. fresh makes each row.
func scan[T any](s *store.Store, path string, columns []column[T], batch int, fresh func() *T) iter.Seq2[*T, error] {
	return func(yield func(*T, error) bool) {
		f, err := open(s, path)
		if err != nil {
			yield(nil, err)
			return
		}
		defer f.Close()
		bindings, err := bind(f.File, columns)
		if err != nil {
			yield(nil, fmt.Errorf("%s: %w", path, err))
			return
		}
		rows := make([]*T, batch)
		done := 0
		for _, rg := range f.RowGroups() {
			if !scanGroup(newGroup(rg, bindings), rows, fresh, func(row *T, err error) bool {
				if err != nil {
					err = fmt.Errorf("%s: row %d: %w", path, done, err)
				}
				done++
				return yield(row, err)
			}) {
				return
			}
		}
	}
}

// scanGroup yields the rows of one group and tells whether to go on.
func scanGroup[T any](g *rowGroup[T], rows []*T, fresh func() *T, yield func(*T, error) bool) bool {
	defer g.close()
	for g.left > 0 {
		n := int(min(g.left, int64(len(rows))))
		for i := range n {
			rows[i] = fresh()
		}
		if err := g.read(rows[:n]); err != nil {
			yield(nil, err)
			return false
		}
		for _, row := range rows[:n] {
			if !yield(row, nil) {
				return false
			}
		}
	}
	return true
}
