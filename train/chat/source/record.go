package source

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"

	"winnow/shard"
	"winnow/train/chat"
)

// record is one row: fields by name, as JSON.
type record struct {
	chat.Place
	fields map[string]json.RawMessage
	o      *Options
}

// records reads the rows of one file.
func records(path string, o Options) iter.Seq2[*record, error] {
	return func(yield func(*record, error) bool) {
		in, parquet, err := open(path)
		if err != nil {
			yield(nil, err)
			return
		}
		defer in.Close()
		if parquet {
			parquetRecords(path, &o, yield)
			return
		}
		jsonRecords(path, in, &o, yield)
	}
}

func jsonRecords(path string, in io.Reader, o *Options, yield func(*record, error) bool) {
	s := newScanner(in, o.GoOn)
	s.begin()
	for row := int64(0); ; row++ {
		object, err := s.next()
		var bad *broken
		switch {
		case err == io.EOF:
			return
		case errors.As(err, &bad):
			row := &RowError{Place: chat.Place{File: path, Line: bad.line, Row: row}, Reason: Broken, What: bad.what}
			if bad.last && !o.GoOn {
				row.Want = "reading ends here; ask to go on at the next object"
			}
			if !yield(nil, row) {
				return
			}
			continue
		case err != nil:
			yield(nil, fmt.Errorf("%s: %w", path, err))
			return
		}
		r := &record{Place: chat.Place{File: path, Line: object.line, Row: row}, o: o}
		if err := json.Unmarshal(object.text, &r.fields); err != nil || r.fields == nil {
			if !yield(nil, &RowError{Place: r.Place, Reason: NoShape, What: "no JSON object", Want: "write one object a line, or an array of objects"}) {
				return
			}
			continue
		}
		if !yield(r, nil) {
			return
		}
	}
}

func parquetRecords(path string, o *Options, yield func(*record, error) bool) {
	row := int64(0)
	for values, err := range shard.Records(path) {
		if err != nil {
			yield(nil, err)
			return
		}
		r := &record{Place: chat.Place{File: path, Row: row}, o: o, fields: make(map[string]json.RawMessage, len(values))}
		row++
		for name, v := range values {
			if r.fields[name], err = json.Marshal(v); err != nil { // a NaN, which no field of ours is
				delete(r.fields, name)
			}
		}
		if !yield(r, nil) {
			return
		}
	}
}

// name is what the file calls one of our fields.
func (r *record) name(field string) string {
	if n, ok := r.o.Fields[field]; ok {
		return n
	}
	return field
}

// raw is a field's JSON, nil where it is missing or null.
func (r *record) raw(field string) json.RawMessage {
	v := r.fields[r.name(field)]
	if bytes.Equal(v, []byte("null")) {
		return nil
	}
	return v
}

func (r *record) has(field string) bool { return r.raw(field) != nil }

func (r *record) fail(reason, field, what, want string) error {
	name, rest, _ := strings.Cut(field, ".")
	if i := strings.IndexByte(name, '['); i >= 0 {
		rest, name = field[i:], field[:i]
		field = r.name(name) + rest
	} else if rest != "" {
		field = r.name(name) + "." + rest
	} else {
		field = r.name(name)
	}
	return &RowError{Place: r.Place, Reason: reason, Field: field, What: what, Want: want}
}

// kind names a JSON value for people.
func kind(v json.RawMessage) string {
	switch v = bytes.TrimSpace(v); {
	case len(v) == 0:
		return "missing"
	case v[0] == '"':
		return "a text"
	case v[0] == '[':
		return "a list"
	case v[0] == '{':
		return "an object"
	case v[0] == 't' || v[0] == 'f':
		return "true or false"
	case v[0] == 'n':
		return "null"
	}
	return "a number"
}

// text reads a field that is a text, with its placeholders filled; "" where it is missing.
func (r *record) text(field string) (string, error) { return r.textOf(field, r.raw(field)) }

func (r *record) textOf(field string, v json.RawMessage) (string, error) {
	if v == nil || bytes.Equal(v, []byte("null")) {
		return "", nil
	}
	var s string
	if json.Unmarshal(v, &s) != nil {
		return "", r.fail(BadField, field, "is "+kind(v), "write a text")
	}
	return r.fill(field, s)
}

// needed reads a text that must not be empty.
func (r *record) needed(field string) (string, error) {
	s, err := r.text(field)
	if err == nil && strings.TrimSpace(s) == "" {
		err = r.fail(Empty, field, "is empty", "write a text, or leave the row out")
	}
	return s, err
}

// fill puts the values of Set in the place of {{name}}; in a row with "literal": true, as feedback is written, it is text.
func (r *record) fill(field, s string) (string, error) {
	if r.o.Literal || !strings.Contains(s, "{{") || string(bytes.TrimSpace(r.raw("literal"))) == "true" {
		return s, nil
	}
	var b strings.Builder
	for rest := s; ; {
		before, after, ok := strings.Cut(rest, "{{")
		b.WriteString(before)
		if !ok {
			return b.String(), nil
		}
		name, behind, closed := strings.Cut(after, "}}")
		name = strings.TrimSpace(name)
		if !closed || !isName(name) {
			b.WriteString("{{")
			rest = after
			continue
		}
		value, set := r.o.Set[name]
		if !set {
			return "", r.fail(Placeholder, field, "{{"+name+"}} is not filled", "give --set "+name+"=VALUE")
		}
		b.WriteString(value)
		rest = behind
	}
}

func isName(s string) bool {
	for i, c := range s {
		if c != '_' && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return s != ""
}
