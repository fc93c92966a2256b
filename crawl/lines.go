package crawl

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"unicode/utf8"
)

// lines reads lines of any length in bounded memory.
type lines struct {
	r     *bufio.Reader
	limit int64  // of a line; the rest of it is passed over
	at    int64  // where the next line begins
	array bool   // the file is one JSON array
	buf   []byte // of lines that do not fit the reader's buffer
}

// start passes a byte order mark by, and tells rows from an array.
func (l *lines) start() {
	b, _ := l.r.Peek(512)
	if bytes.HasPrefix(b, []byte("\xef\xbb\xbf")) {
		l.r.Discard(3)
		l.at += 3
		b = b[3:]
	}
	l.array = bytes.HasPrefix(bytes.TrimLeft(b, " \t\r\n"), []byte("["))
}

// restart goes on with a stream that jumped to a later byte.
func (l *lines) restart(r io.Reader, at int64) {
	l.r.Reset(r)
	l.at = at
}

// next returns a line, valid until the next call, and its true length with the line end. The last line comes with io.EOF.
func (l *lines) next() (line []byte, n int64, err error) {
	line, err = l.r.ReadSlice('\n')
	n = int64(len(line))
	if err == bufio.ErrBufferFull {
		l.buf = append(l.buf[:0], line...)
		for err == bufio.ErrBufferFull {
			line, err = l.r.ReadSlice('\n')
			n += int64(len(line))
			if int64(len(l.buf)) <= l.limit {
				l.buf = append(l.buf, line...)
			}
		}
		line = l.buf
	}
	l.at += n
	return line, n, err
}

// eachField visits the fields of a valid JSON object, and tells whether b is one.
func eachField(b []byte, visit func(name string, value []byte)) bool {
	b = bytes.TrimLeft(b, " \t\r\n")
	if len(b) == 0 || b[0] != '{' {
		return false
	}
	for b = trimJSON(b[1:]); len(b) > 0 && b[0] == '"'; b = trimJSON(b) {
		n := valueLength(b)
		name, _ := scalarOf(b[:n])
		b = trimJSON(b[n:])
		n = valueLength(b)
		visit(name, b[:n])
		b = b[n:]
	}
	return true
}

// trimJSON passes by what stands between names and values.
func trimJSON(b []byte) []byte { return bytes.TrimLeft(b, " \t\r\n:,") }

// valueLength is the length of the JSON value that valid JSON begins with.
func valueLength(b []byte) int {
	depth := 0
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '"':
			i += stringLength(b[i:]) - 1
		case '{', '[':
			depth++
			continue
		case '}', ']':
			if depth == 0 {
				return i
			}
			depth--
		case ',', ' ', '\t', '\r', '\n':
			if depth == 0 {
				return i
			}
			continue
		default:
			continue
		}
		if depth == 0 {
			return i + 1
		}
	}
	return len(b)
}

// stringLength is the length of the JSON string that b begins with, quotes included.
func stringLength(b []byte) int {
	for i := 1; i < len(b); i++ {
		j := bytes.IndexByte(b[i:], '"')
		if j < 0 {
			break
		}
		i += j
		slashes := 0
		for b[i-1-slashes] == '\\' {
			slashes++
		}
		if slashes%2 == 0 {
			return i + 1
		}
	}
	return len(b)
}

// scalarOf gives a JSON string decoded, a number or boolean as it is written; ok is false for null, objects and arrays.
func scalarOf(v []byte) (s string, ok bool) {
	switch {
	case len(v) == 0 || v[0] == '{' || v[0] == '[' || v[0] == 'n':
		return "", false
	case v[0] != '"':
		return string(v), true
	case bytes.IndexByte(v, '\\') < 0:
		if s = string(v[1 : len(v)-1]); !utf8.ValidString(s) {
			s = strings.ToValidUTF8(s, "\ufffd")
		}
		return s, true
	}
	return s, json.Unmarshal(v, &s) == nil
}
