package source

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

// maxObject is the largest object that is held in memory, bytes.
const maxObject = 64 << 20

// scanner cuts a stream of bytes into JSON objects: an array of them, or one behind the other, by lines or not.
type scanner struct {
	in    io.Reader
	buf   []byte // what is read and not given out
	at    int    // next byte in buf
	line  int64  // of buf[at]
	ended bool
	err   error // of in, other than its end

	array  bool
	lines  bool // one object a line
	goOn   bool
	indent int  // columns before the first object's brace where only blanks stand there, else -1
	behind bool // an object of the array was given: a comma or the array's end is next
	comma  bool // the last thing before the place where resume stands was "},"
}

// object is the text of one object.
type object struct {
	text []byte // holds until the next
	line int64
}

// broken is text that is no JSON.
type broken struct {
	line int64
	what string
	last bool // nothing follows
}

func (b *broken) Error() string { return fmt.Sprintf("line %d: %s", b.line, b.what) }

func newScanner(in io.Reader, goOn bool) *scanner {
	return &scanner{in: in, line: 1, goOn: goOn, indent: -1}
}

// fill reads more; false at the end.
func (s *scanner) fill() bool {
	if s.ended {
		return false
	}
	s.buf = append(s.buf[:0:0], s.buf[s.at:]...)
	s.at = 0
	n := len(s.buf)
	s.buf = append(s.buf, make([]byte, max(1<<16, n))...)
	k, err := io.ReadAtLeast(s.in, s.buf[n:], 1)
	s.buf = s.buf[:n+k]
	if err != nil {
		s.ended = true
		if err != io.EOF && !errors.Is(err, io.ErrUnexpectedEOF) || k == 0 && errors.Is(err, io.ErrUnexpectedEOF) {
			s.err = err
		}
	}
	return k > 0
}

// peek gives byte i from here on; false at the end.
func (s *scanner) peek(i int) (byte, bool) {
	for s.at+i >= len(s.buf) {
		if !s.fill() {
			return 0, false
		}
	}
	return s.buf[s.at+i], true
}

// skip leaves n bytes behind.
func (s *scanner) skip(n int) {
	s.line += int64(bytes.Count(s.buf[s.at:s.at+n], []byte{'\n'}))
	s.at += n
}

// blanks leaves white space behind and tells how many columns of it stand before the next byte, -1 where another byte does.
func (s *scanner) blanks() (columns int) {
	columns = -1
	if s.at == 0 && s.line == 1 {
		columns = 0
	}
	for {
		b, ok := s.peek(0)
		switch {
		case !ok:
			return columns
		case b == '\n':
			columns = 0
		case b != ' ' && b != '\t' && b != '\r':
			return columns
		case columns >= 0:
			columns++
		}
		s.skip(1)
	}
}

// begin looks at the first bytes of the file.
func (s *scanner) begin() {
	s.peek(2)
	if bytes.HasPrefix(s.buf[s.at:], []byte("\xef\xbb\xbf")) {
		s.skip(3)
	}
	s.blanks()
	b, _ := s.peek(0)
	if s.array = b == '['; s.array {
		s.skip(1)
		return
	}
	// One object a line, unless the first line only begins one.
	n := s.lineEnd() // which may move buf and at
	first := bytes.TrimSpace(s.buf[s.at : s.at+n])
	s.lines = !bytes.HasPrefix(first, []byte("{")) || bytes.HasSuffix(first, []byte("}")) || json.Valid(first)
}

// lineEnd is how many bytes stand before the end of this line.
func (s *scanner) lineEnd() int {
	for i := 0; ; i++ {
		if b, ok := s.peek(i); !ok || b == '\n' {
			return i
		}
		if i > maxObject {
			return i
		}
	}
}

// next gives the next object; io.EOF after the last. A *broken is not the end unless it says so.
func (s *scanner) next() (object, error) {
	o, err := s.step()
	if s.err != nil { // what is broken is the compression or the disk
		return object{}, s.err
	}
	return o, err
}

func (s *scanner) step() (object, error) {
	if s.lines {
		return s.nextLine()
	}
	columns := s.blanks()
	if s.behind {
		var err error
		if columns, err = s.separator(columns); err != nil {
			return object{}, err
		}
	}
	b, ok := s.peek(0)
	switch {
	case !ok && s.array:
		return object{}, s.stop("the array does not end")
	case !ok:
		return object{}, io.EOF
	case s.array && b == ']':
		s.skip(1)
		return object{}, s.end()
	case b != '{':
		return object{}, s.damage(s.line, fmt.Sprintf("%q where an object begins", rune(b)))
	}
	if s.indent < 0 {
		s.indent = columns
	}
	line := s.line
	n, what := s.brace()
	if what == "" {
		what, line = fault(s.buf[s.at:s.at+n], line)
	}
	if what != "" {
		s.skip(1) // the objects that a broken one has swallowed stand behind its first byte
		return object{}, s.damage(line, what)
	}
	o := object{s.buf[s.at : s.at+n : s.at+n], s.line}
	s.skip(n)
	s.behind = s.array
	return o, nil
}

// separator leaves the comma between two objects behind; columns are as blanks gives them.
func (s *scanner) separator(columns int) (int, error) {
	s.behind = false
	b, ok := s.peek(0)
	switch {
	case !ok || b == ']':
		return columns, nil
	case b != ',':
		return 0, s.damage(s.line, fmt.Sprintf("%q where a comma stands between objects", rune(b)))
	}
	line := s.line
	s.skip(1)
	columns = s.blanks()
	if b, _ := s.peek(0); b == ']' {
		return 0, &broken{line: line, what: "a comma before the array's end"}
	}
	return columns, nil
}

// fault is what is wrong with a text that should be JSON, and its line; empty where nothing is.
func fault(text []byte, line int64) (string, int64) {
	if !utf8.Valid(text) {
		return "not UTF-8", line
	}
	if json.Valid(text) {
		return "", line
	}
	var v any
	err := json.Unmarshal(text, &v)
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		line += int64(bytes.Count(text[:min(int(syntax.Offset), len(text))], []byte{'\n'}))
	}
	return err.Error(), line
}

// end looks at what follows an array.
func (s *scanner) end() error {
	s.blanks()
	if _, more := s.peek(0); more {
		return s.stop("text behind the array's end")
	}
	return io.EOF
}

// stop is broken JSON behind which nothing is read.
func (s *scanner) stop(what string) *broken {
	b := &broken{line: s.line, what: what, last: true}
	s.at, s.buf, s.ended, s.array, s.behind, s.lines = 0, nil, true, false, false, false
	return b
}

// damage is broken JSON from which the scanner goes on at the next object, if it was asked to.
func (s *scanner) damage(line int64, what string) *broken {
	if !s.goOn {
		b := s.stop(what)
		b.line = line
		return b
	}
	s.resume()
	return &broken{line: line, what: what}
}

// resume goes to a brace that stands where the first object's did: at the same indentation, or behind "}," where that one had none.
func (s *scanner) resume() {
	var before byte // last byte that is not blank
	columns := -1
	s.comma, s.behind = false, false
	for {
		b, ok := s.peek(0)
		if !ok {
			return
		}
		if b == '{' && (s.indent >= 0 && columns == s.indent || s.indent < 0 && s.comma) {
			return
		}
		switch {
		case b == '\n':
			columns = 0
		case b == ' ' || b == '\t' || b == '\r':
			if columns >= 0 {
				columns++
			}
		default:
			columns = -1
			s.comma = b == ',' && before == '}'
			before = b
		}
		s.skip(1)
	}
}

// brace finds the end of the object that begins here: how many bytes it has, or what is wrong.
func (s *scanner) brace() (n int, what string) {
	depth, quoted, escaped := 0, false, false
	for i := 0; ; i++ {
		b, ok := s.peek(i)
		switch {
		case !ok:
			return 0, "an object that does not end"
		case i > maxObject:
			return 0, fmt.Sprintf("an object of more than %d bytes", maxObject)
		case escaped:
			escaped = false
		case quoted && b == '\\':
			escaped = true
		case b == '"':
			quoted = !quoted
		case quoted && b == '\n':
			return 0, "a text that does not end in its line"
		case quoted:
		case b == '{' || b == '[':
			depth++
		case b == '}' || b == ']':
			if depth--; depth == 0 {
				return i + 1, ""
			}
		}
	}
}

// nextLine gives the object of a line; lines without one are passed over.
func (s *scanner) nextLine() (object, error) {
	s.blanks()
	if _, ok := s.peek(0); !ok {
		return object{}, io.EOF
	}
	n := s.lineEnd()
	if n > maxObject {
		return object{}, s.stop(fmt.Sprintf("a line of more than %d bytes", maxObject))
	}
	o := object{bytes.TrimSpace(s.buf[s.at : s.at+n]), s.line}
	s.skip(n)
	if what, _ := fault(o.text, o.line); what != "" {
		return object{}, &broken{line: o.line, what: what}
	}
	return o, nil
}
