package rows

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"os"
	"sync"

	"github.com/zeebo/xxh3"
)

// Tokens are the ids of documents in a file of Tokenize. Ids are read from disk as they are asked for; what is in memory is an
// index of about 80 bytes and the names for each document. It is safe for use by several goroutines.
type Tokens struct {
	f       *os.File
	path    string
	width   int   // bytes of an id
	ids     int64 // where the first id stands
	docs    []entry
	total   int64 // text tokens
	bytes   int64 // of text
	buffers sync.Pool
}

// entry is a document in the index.
type entry struct {
	start, bytes          int64 // its first token; bytes of its text
	id, language, cluster string
}

// Len is the number of documents.
func (t *Tokens) Len() int { return len(t.docs) }

// Total is the number of text tokens of all documents.
func (t *Tokens) Total() int64 { return t.total }

// TotalBytes is the number of bytes of text of all documents.
func (t *Tokens) TotalBytes() int64 { return t.bytes }

// Length is the number of text tokens of a document, without bos and eos.
func (t *Tokens) Length(doc int) int {
	if doc+1 < len(t.docs) {
		return int(t.docs[doc+1].start - t.docs[doc].start)
	}
	return int(t.total - t.docs[doc].start)
}

// Bytes is the number of bytes of a document's text.
func (t *Tokens) Bytes(doc int) int64 { return t.docs[doc].bytes }

// ID is a document's name.
func (t *Tokens) ID(doc int) string { return t.docs[doc].id }

// Language is a document's language; it may be empty.
func (t *Tokens) Language(doc int) string { return t.docs[doc].language }

// Cluster is a document's duplicate cluster; empty when it stands alone.
func (t *Tokens) Cluster(doc int) string { return t.docs[doc].cluster }

// Path is the file's place.
func (t *Tokens) Path() string { return t.path }

// Close closes the file.
func (t *Tokens) Close() error { return t.f.Close() }

// Doc gives the text tokens of a document, appended to dst.
func (t *Tokens) Doc(dst []int32, doc int) ([]int32, error) {
	n, length := len(dst), t.Length(doc)
	for cap(dst) < n+length {
		dst = append(dst[:cap(dst)], 0)
	}
	dst = dst[:n+length]
	return dst, t.Read(dst[n:], doc, 0)
}

// All gives the text tokens of documents one by one; each holds until the next. A nil docs is all documents. An error ends the
// stream.
func (t *Tokens) All(docs []int) iter.Seq2[[]int32, error] {
	return func(yield func([]int32, error) bool) {
		n := len(docs)
		if docs == nil {
			n = t.Len()
		}
		var buf []int32
		for i := range n {
			doc := i
			if docs != nil {
				doc = docs[i]
			}
			var err error
			if buf, err = t.Doc(buf[:0], doc); !yield(buf, err) || err != nil {
				return
			}
		}
	}
}

// Read fills dst with the text tokens of a document from token from on.
func (t *Tokens) Read(dst []int32, doc, from int) error {
	if from < 0 || from+len(dst) > t.Length(doc) {
		return fmt.Errorf("%s: document %d: tokens %d to %d of %d", t.path, doc, from, from+len(dst), t.Length(doc))
	}
	if len(dst) == 0 {
		return nil
	}
	b, _ := t.buffers.Get().(*[]byte)
	if b == nil {
		b = new([]byte)
	}
	defer t.buffers.Put(b)
	n := len(dst) * t.width
	if cap(*b) < n {
		*b = make([]byte, n)
	}
	raw := (*b)[:n]
	if _, err := t.f.ReadAt(raw, t.ids+(t.docs[doc].start+int64(from))*int64(t.width)); err != nil {
		return fmt.Errorf("%s: document %d: %w", t.path, doc, err)
	}
	if t.width == 2 {
		for i := range dst {
			dst[i] = int32(binary.LittleEndian.Uint16(raw[2*i:]))
		}
		return nil
	}
	for i := range dst {
		dst[i] = int32(binary.LittleEndian.Uint32(raw[4*i:]))
	}
	return nil
}

// The file: magic, width (1 byte), length of the label (uint32), label; the ids; the index, for each document uvarints of its
// tokens and bytes and its three strings with their lengths before them; then a trailer of six uint64: where the ids begin,
// where the index begins, documents, text tokens, xxh3 of all bytes before the trailer, magic. Little-endian.
const (
	magic       = "winnowT1"
	trailerSize = 6 * 8
)

var errDamaged = errors.New("damaged tokens")

// open reads a file's trailer, proves its checksum and reads its index.
func open(path, label string) (_ *Tokens, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	t := &Tokens{f: f, path: path}
	if err := t.load(label); err != nil {
		f.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return t, nil
}

func (t *Tokens) load(label string) error {
	info, err := t.f.Stat()
	if err != nil {
		return err
	}
	body := info.Size() - trailerSize
	head := len(magic) + 5 + len(label)
	if body < int64(head) {
		return errDamaged
	}
	var trailer [trailerSize]byte
	if _, err := t.f.ReadAt(trailer[:], body); err != nil {
		return err
	}
	field := func(i int) int64 { return int64(binary.LittleEndian.Uint64(trailer[8*i:])) }
	h := xxh3.New()
	if _, err := io.CopyBuffer(h, io.NewSectionReader(t.f, 0, body), make([]byte, 1<<20)); err != nil {
		return err
	}
	if string(trailer[40:]) != magic || h.Sum64() != uint64(field(4)) {
		return errDamaged
	}
	first := make([]byte, head)
	if _, err := t.f.ReadAt(first, 0); err != nil {
		return err
	}
	t.width = int(first[len(magic)])
	t.ids, t.total = field(0), field(3)
	if t.width != 2 && t.width != 4 || string(first) != header(label, t.width) || t.ids != int64(head) || t.ids+t.total*int64(t.width) != field(1) || field(1) > body {
		return errDamaged
	}
	index := make([]byte, body-field(1))
	if _, err := t.f.ReadAt(index, field(1)); err != nil {
		return err
	}
	return t.readIndex(string(index), field(2))
}

func (t *Tokens) readIndex(index string, documents int64) error {
	if documents < 0 || documents > int64(len(index)) {
		return errDamaged
	}
	t.docs = make([]entry, 0, documents)
	r := reader{rest: index}
	var start int64
	for range documents {
		e := entry{start: start}
		start += r.number()
		e.bytes = r.number()
		e.id, e.language, e.cluster = r.text(), r.text(), r.text()
		t.bytes += e.bytes
		t.docs = append(t.docs, e)
	}
	if r.bad || r.rest != "" || start != t.total {
		return errDamaged
	}
	return nil
}

// reader takes an index apart; its strings share the memory of the index.
type reader struct {
	rest string
	bad  bool
}

func (r *reader) number() int64 {
	var x uint64
	for shift := 0; len(r.rest) > 0 && shift < 63; shift += 7 {
		c := r.rest[0]
		r.rest = r.rest[1:]
		x |= uint64(c&0x7f) << shift
		if c < 0x80 {
			return int64(x)
		}
	}
	r.bad = true
	return 0
}

func (r *reader) text() string {
	n := r.number()
	if n > int64(len(r.rest)) {
		r.bad = true
		return ""
	}
	s := r.rest[:n]
	r.rest = r.rest[n:]
	return s
}

func header(label string, width int) string {
	b := append([]byte(magic), byte(width))
	b = binary.LittleEndian.AppendUint32(b, uint32(len(label)))
	return string(b) + label
}

// widthFor is the number of bytes that an id below size takes in the file.
func widthFor(size int) int {
	if size-1 <= math.MaxUint16 {
		return 2
	}
	return 4
}
