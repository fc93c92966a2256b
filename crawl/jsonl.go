package crawl

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"

	"winnow"
	"winnow/crawl/warc"
)

// rows is a part while its rows are read: a plain file's own bytes, or the decoded bytes of a packed file's members.
type rows struct {
	*part
	*lines
	rule   string
	stream *warc.Stream // nil: not packed
}

// readJSONL reads rows, a line each. Document.Offset is the byte that the line begins at; in a packed file it counts the decoded
// bytes of the first member, and behind that it is the offset of the member that the line begins in. The lines that begin
// behind the first decoded byte of a part, up to the one that begins with the next part's first byte, belong to it.
func readJSONL(p *part) bool {
	r := &rows{part: p, rule: "error.json"}
	in := p.content()
	if rule, _ := warc.Packing(p); rule != "" {
		var err error
		if r.stream, err = warc.NewStream(p, p.size, p.Start, p.End); err != nil {
			return p.emit(nil, &winnow.ReadError{Rule: rule, Lost: p.End - p.Start, Err: err})
		}
		defer r.stream.Close()
		r.rule, in = rule, r.stream
	}
	r.lines = &lines{r: bufio.NewReaderSize(in, 128<<10), limit: p.o.MaxRecord}
	switch {
	case p.Start == 0:
		r.lines.start()
	case r.stream == nil:
		r.lines.at = p.Start
	default:
		if _, _, err := r.lines.next(); err == io.EOF {
			return true
		} else if err != nil && !r.resume(err) {
			return p.broken() == nil
		}
	}
	if r.array {
		return r.readArray()
	}
	for p.broken() == nil && !r.past() {
		at := r.lines.at
		line, n, err := r.lines.next()
		if err != nil && err != io.EOF {
			if !r.resume(err) {
				return p.broken() == nil
			}
			continue
		}
		if len(bytes.TrimSpace(line)) > 0 && !r.line(line, at, n) {
			return false
		}
		if err == io.EOF {
			return true
		}
	}
	return p.broken() == nil
}

// past tells whether the next line belongs to the next part.
func (r *rows) past() bool {
	return r.stream != nil && r.stream.Bound() >= 0 && r.lines.at > r.stream.Bound()
}

// line hands out one row, n bytes long as it stands in the file.
func (r *rows) line(line []byte, at, n int64) bool {
	r.count("row")
	offset, id := r.place(at)
	if n > r.o.MaxRecord {
		return r.emit(nil, &winnow.ReadError{Rule: "error.size", Offset: offset, Lost: n, Err: fmt.Errorf("row of %d bytes, limit %d", n, r.o.MaxRecord)})
	}
	d, bad := r.row(line, offset, id)
	if bad != nil {
		bad.Offset = offset
		if d == nil {
			bad.Lost = n
		}
	}
	return r.emit(d, bad)
}

// place gives the Offset of a row that begins at a byte of the lines, and the id of one that has none of its own. Neither
// depends on how the file is cut.
func (r *rows) place(at int64) (offset int64, id string) {
	if r.stream == nil {
		return at, r.id(at, 0)
	}
	member, inside := r.stream.Where(at)
	if member == 0 {
		return inside, r.id(inside, 0)
	}
	return member, r.id(member, int(inside)+1)
}

// resume tells of damage, and goes on behind it at the next member, with the first line that begins there. False: there is
// none, or the caller has had enough.
func (r *rows) resume(err error) bool {
	at, _ := r.place(r.lines.at)
	if r.stream == nil {
		r.emit(nil, r.cutOff(r.rule, at, err))
		return false
	}
	bad := r.cutOff(r.rule, at, err)
	lost, ok := r.stream.Resume()
	bad.Lost = lost
	if ok && bad.Rule == "error.truncated" {
		bad.Rule = r.rule
	}
	if !r.emit(nil, bad) || !ok {
		return false
	}
	r.lines.restart(r.stream, r.stream.At())
	switch _, _, err := r.lines.next(); err {
	case nil, io.EOF:
		return err == nil
	default:
		return r.resume(err)
	}
}

// cutOff is damage behind which a stream cannot be read on.
func (p *part) cutOff(rule string, at int64, err error) *winnow.ReadError {
	lost := p.End - p.done
	if rule == "error.json" { // not packed
		lost = p.End - at
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		rule = "error.truncated"
	}
	return &winnow.ReadError{Rule: rule, Offset: at, Lost: lost, Err: err}
}

// budget is a reader that fails when it is asked for too much before it is filled up again.
type budget struct {
	r    io.Reader
	left int64
}

// Read implements io.Reader.
func (b *budget) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errors.New("row is over the limit")
	}
	n, err := b.r.Read(p)
	b.left -= int64(n)
	return n, err
}

// readArray reads a file that is one JSON array. Offset is the byte behind the row before.
func (r *rows) readArray() bool {
	in := &budget{r.lines.r, r.limit}
	dec := json.NewDecoder(in)
	dec.Token() // the bracket, which start has seen
	for r.broken() == nil && dec.More() {
		at := r.lines.at + dec.InputOffset()
		in.left = r.limit
		var row json.RawMessage
		if err := dec.Decode(&row); err != nil {
			return r.emit(nil, r.cutOff(r.rule, at, err))
		}
		if !r.line(row, at, int64(len(row))) {
			return false
		}
	}
	if r.broken() != nil {
		return false
	}
	if _, err := dec.Token(); err != nil {
		return r.emit(nil, r.cutOff(r.rule, r.lines.at+dec.InputOffset(), short(err)))
	}
	return true
}

// short is what the end of a file means to someone in the middle of something.
func short(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// row makes a document of one JSON object.
func (p *part) row(line []byte, at int64, id string) (*winnow.Document, *winnow.ReadError) {
	if !json.Valid(line) {
		var v any
		return nil, &winnow.ReadError{Rule: "error.json", Err: json.Unmarshal(line, &v)}
	}
	d := &winnow.Document{File: p.File, Offset: at, Dump: p.o.Dump, RawBytes: int64(len(line))}
	found := false
	object := eachField(line, func(name string, value []byte) {
		found = p.column(d, name, value) || found
	})
	switch {
	case !object:
		return nil, &winnow.ReadError{Rule: "error.json", Err: fmt.Errorf("row is no object")}
	case d.Text != "":
		d.HTML = nil
	}
	if d.ID == "" {
		d.ID = id
	}
	if !found {
		return d, &winnow.ReadError{Rule: "error.json", Err: fmt.Errorf("row has no column %q", p.o.Text)}
	}
	return d, nil
}

// column puts one value where it belongs, and tells whether it was the text or the page.
func (p *part) column(d *winnow.Document, name string, value []byte) bool {
	s, scalar := scalarOf(value)
	if !scalar {
		return false
	}
	isString := value[0] == '"'
	switch {
	case name == p.o.Text && isString:
		d.Text = s
		return true
	case name == "html" && isString:
		d.HTML = []byte(s)
		d.SetMeta(winnow.MetaContentType, "text/html; charset=utf-8")
		return true
	case name == p.o.ID:
		d.ID = s
	case name == p.o.URL:
		d.URL = s
	case name == p.o.Date && rfc3339(s) != "":
		d.Date = rfc3339(s)
	case name == "dump" && p.o.Dump == "":
		d.Dump = s
	case name == "title":
		d.Title = s
	case name == "language":
		d.Language = s
	case name == "language_score":
		d.LangScore, _ = strconv.ParseFloat(s, 64)
	case name == "token_count":
		d.TokenCount, _ = strconv.ParseInt(s, 10, 64)
	default:
		d.SetMeta(name, s)
	}
	return false
}

// cutRows cuts a packed file at members, and a plain one behind the first line end after each further target bytes.
func cutRows(r io.ReaderAt, size, target, reach int64) []int64 {
	if rule, _ := warc.Packing(r); rule != "" {
		s, err := warc.NewStream(r, size, 0, size)
		if err != nil {
			return nil
		}
		defer s.Close()
		first := &lines{r: bufio.NewReader(s)}
		if first.start(); first.array {
			return nil
		}
		return warc.CutStream(r, size, target, reach)
	}
	first := &lines{r: bufio.NewReader(io.NewSectionReader(r, 0, size))}
	if first.start(); first.array {
		return nil
	}
	var cuts []int64
	for at := target; at < size; at += target {
		l := &lines{r: bufio.NewReaderSize(io.NewSectionReader(r, at-1, size-at+1), 16<<10), at: at - 1}
		if l.next(); l.at >= size {
			break
		}
		at = l.at
		cuts = append(cuts, at)
	}
	return cuts
}
