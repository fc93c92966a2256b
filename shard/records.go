package shard

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"

	"github.com/parquet-go/parquet-go"
)

// Records reads any parquet file row by row as nested values: bool, int32, int64, float32, float64, string, nil, []any of a
// list, map[string]any of a struct or a map. Only the columns named are kept, all where none is named. A page that cannot be
// read is an error with its row and ends the stream, since what follows it has no number.
func Records(path string, columns ...string) iter.Seq2[map[string]any, error] {
	return func(yield func(map[string]any, error) bool) {
		f, err := open(nil, path)
		if err != nil {
			yield(nil, err)
			return
		}
		defer f.Close()
		row := int64(0)
		for _, group := range f.RowGroups() {
			r := parquet.NewGenericRowGroupReader[any](group)
			more, err := recordsOf(r, group.NumRows(), columns, func(m map[string]any) bool { row++; return yield(m, nil) })
			r.Close()
			if err != nil {
				yield(nil, fmt.Errorf("%s: row %d: %w", path, row, err))
			}
			if err != nil || !more {
				return
			}
		}
	}
}

// recordsOf yields the rows of one group, and tells whether to go on.
func recordsOf(r *parquet.GenericReader[any], left int64, columns []string, yield func(map[string]any) bool) (more bool, err error) {
	defer recovered("page", &err)
	rows := make([]any, 32)
	for left > 0 {
		n, err := r.Read(rows[:min(left, int64(len(rows)))])
		if n == 0 {
			if err == nil || errors.Is(err, io.EOF) {
				err = errShort
			}
			return false, err
		}
		left -= int64(n)
		for i, v := range rows[:n] {
			m, ok := plain(v).(map[string]any)
			if !ok {
				return false, fmt.Errorf("a row that is a %T", v)
			}
			rows[i] = nil
			keep(m, columns)
			if !yield(m) {
				return false, nil
			}
		}
	}
	return true, nil
}

func keep(m map[string]any, columns []string) {
	if len(columns) == 0 {
		return
	}
	wanted := map[string]bool{}
	for _, c := range columns {
		wanted[c] = true
	}
	maps.DeleteFunc(m, func(name string, _ any) bool { return !wanted[name] })
}

// plain turns bytes into strings all the way down.
func plain(v any) any {
	switch v := v.(type) {
	case []byte:
		return string(v)
	case []any:
		for i := range v {
			v[i] = plain(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = plain(v[k])
		}
	}
	return v
}
