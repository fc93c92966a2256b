package chat

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"unicode/utf8"
)

// SpacedJSON writes a JSON value as Python's json.dumps does without ensure_ascii, which is what templates of transformers print:
// ", " and ": " between parts, members in their order, numbers as they were written. With drop, members that are null are left
// out.
func SpacedJSON(raw json.RawMessage, drop bool) (json.RawMessage, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	out, err := spaced(nil, d, drop)
	if err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fmt.Errorf("text behind the value")
	}
	return out, nil
}

func spaced(dst []byte, d *json.Decoder, drop bool) ([]byte, error) {
	t, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch t := t.(type) {
	case nil:
		return append(dst, "null"...), nil
	case bool:
		return fmt.Appendf(dst, "%v", t), nil
	case json.Number:
		return append(dst, t...), nil
	case string:
		return quote(dst, t), nil
	}
	open := t.(json.Delim)
	dst = append(dst, byte(open))
	first := true
	for d.More() {
		from := len(dst)
		if !first {
			dst = append(dst, ", "...)
		}
		if open == '{' {
			name, err := d.Token()
			if err != nil {
				return nil, err
			}
			dst = append(quote(dst, name.(string)), ": "...)
		}
		value := len(dst)
		if dst, err = spaced(dst, d, drop); err != nil {
			return nil, err
		}
		if drop && open == '{' && string(dst[value:]) == "null" {
			dst = dst[:from]
			continue
		}
		first = false
	}
	end, err := d.Token()
	if err != nil {
		return nil, err
	}
	return append(dst, byte(end.(json.Delim))), nil
}

func quote(dst []byte, s string) []byte {
	dst = append(dst, '"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			dst = append(dst, '\\', byte(r))
		case r == '\n':
			dst = append(dst, '\\', 'n')
		case r == '\r':
			dst = append(dst, '\\', 'r')
		case r == '\t':
			dst = append(dst, '\\', 't')
		case r == '\b':
			dst = append(dst, '\\', 'b')
		case r == '\f':
			dst = append(dst, '\\', 'f')
		case r < ' ':
			dst = fmt.Appendf(dst, "\\u%04x", r)
		default:
			dst = utf8.AppendRune(dst, r)
		}
	}
	return append(dst, '"')
}
