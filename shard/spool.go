package shard

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"math"
	"slices"

	"github.com/klauspost/compress/zstd"

	"winnow"
	"winnow/shard/store"
)

// spoolMagic begins a spool, inside the compression. Then come rows: the size of the record, the record; and one zero.
const spoolMagic = "winnow spool 2\n"

// maxRecord bounds what a damaged size can make the reader allocate at once.
const maxRecord = 1<<31 - 1

// SpoolWriter writes a private stream of Rows: whole, with HTML, exact to the bit, in zstd's fastest mode. Its format may
// change with any version of the program; manifests carry the version.
type SpoolWriter struct {
	z   *zstd.Encoder
	buf []byte
	err error
}

// NewSpoolWriter begins a spool on w.
func NewSpoolWriter(w io.Writer) *SpoolWriter {
	z, err := zstd.NewWriter(w, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1))
	s := &SpoolWriter{z: z, err: err}
	if err == nil {
		_, s.err = io.WriteString(z, spoolMagic)
	}
	return s
}

// Write adds one row.
func (w *SpoolWriter) Write(r *Row) error {
	if w.err != nil {
		return w.err
	}
	w.buf = appendRow(w.buf[:0], r)
	if len(w.buf) >= maxRecord {
		return fmt.Errorf("spool: row of %d bytes", len(w.buf))
	}
	var size [binary.MaxVarintLen64]byte
	if _, w.err = w.z.Write(binary.AppendUvarint(size[:0], uint64(len(w.buf)))); w.err == nil {
		_, w.err = w.z.Write(w.buf)
	}
	return w.err
}

// Close writes the end mark. It does not close the writer below.
func (w *SpoolWriter) Close() error {
	if w.err != nil {
		return w.err
	}
	if _, w.err = w.z.Write([]byte{0}); w.err != nil {
		return w.err
	}
	return w.z.Close()
}

// ReadSpool streams the rows of a spool, a fresh Row each time. A spool that ends
// early or is damaged gives an error, which ends the stream.
func ReadSpool(s *store.Store, path string) iter.Seq2[*Row, error] {
	return func(yield func(*Row, error) bool) {
		f, err := s.Open(path)
		if err != nil {
			yield(nil, err)
			return
		}
		defer f.Close()
		n := 0
		for r, err := range readSpool(io.NewSectionReader(f, 0, f.Size())) {
			if err != nil {
				err = fmt.Errorf("%s: row %d: %w", path, n, err)
			}
			if !yield(r, err) {
				return
			}
			n++
		}
	}
}

func readSpool(in io.Reader) iter.Seq2[*Row, error] {
	return func(yield func(*Row, error) bool) {
		z, err := zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true))
		if err != nil {
			yield(nil, err)
			return
		}
		defer z.Close()
		b := bufio.NewReaderSize(z, 64<<10)
		magic := make([]byte, len(spoolMagic))
		if _, err := io.ReadFull(b, magic); err != nil || string(magic) != spoolMagic {
			yield(nil, errors.Join(errors.New("no spool of this version"), err))
			return
		}
		var buf []byte
		for {
			var r *Row
			if buf, err = readRecord(b, buf); err == io.EOF {
				return
			} else if err == nil {
				r, err = parseRow(buf)
			}
			if !yield(r, err) || err != nil {
				return
			}
		}
	}
}

// readRecord reads one record into buf; io.EOF is the end mark.
func readRecord(b *bufio.Reader, buf []byte) ([]byte, error) {
	n, err := binary.ReadUvarint(b)
	switch {
	case err == io.EOF:
		return nil, io.ErrUnexpectedEOF
	case err != nil:
		return nil, err
	case n == 0:
		if _, err := b.ReadByte(); err != io.EOF { // which also has the frame's checksum verified
			return nil, errors.Join(errDamaged, err)
		}
		return nil, io.EOF
	case n >= maxRecord:
		return nil, fmt.Errorf("record of %d bytes", n)
	}
	buf = buf[:0]
	for n > 0 { // in steps, so that memory grows with the bytes that are there, not with the size that is claimed
		step := int(min(n, 1<<20))
		buf = slices.Grow(buf, step)
		if _, err := io.ReadFull(b, buf[len(buf):len(buf)+step]); err != nil {
			return nil, io.ErrUnexpectedEOF
		}
		buf = buf[:len(buf)+step]
		n -= uint64(step)
	}
	return buf, nil
}

func appendRow(b []byte, r *Row) []byte {
	d, v := &r.Doc, &r.Verdict
	b = appendString(b, d.Text)
	b = append(binary.AppendUvarint(b, uint64(len(d.HTML))), d.HTML...)
	for _, s := range smallStrings(r) {
		b = appendString(b, *s)
	}
	for _, n := range []int64{d.TokenCount, d.Offset, d.RawBytes, int64(r.Root), int64(r.Seq), int64(r.DropStage), int64(r.EditStage),
		int64(r.FieldStage), r.Bytes, r.Chars, int64(r.ClusterSize), int64(r.Weight)} {
		b = binary.AppendVarint(b, n)
	}
	b = append(b, bit(d.TokensEstimated)|bit(v.Drop)<<1|bit(d.HTML != nil)<<2|bit(d.Meta != nil)<<3)
	b = binary.LittleEndian.AppendUint64(b, math.Float64bits(d.LangScore))
	for _, x := range []float32{v.Value, v.Bound.Min, v.Bound.Max, r.Similarity} {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(x))
	}
	b = binary.AppendUvarint(b, uint64(len(d.Signals)))
	for _, x := range d.Signals {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(x))
	}
	b = binary.AppendUvarint(b, uint64(len(r.Edits)))
	for i := range r.Edits {
		e := &r.Edits[i]
		b = appendString(binary.AppendVarint(binary.AppendVarint(appendString(b, e.Rule), int64(e.Start)), int64(e.End)), e.With)
	}
	if d.Meta != nil {
		b = binary.AppendUvarint(b, uint64(len(d.Meta)))
		for _, k := range slices.Sorted(maps.Keys(d.Meta)) {
			b = appendString(appendString(b, k), d.Meta[k])
		}
	}
	return b
}

func appendString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func bit(set bool) byte {
	if set {
		return 1
	}
	return 0
}

// smallStrings are the strings that read rows keep in one piece of memory. The text is not among them, so that whoever
// keeps an ID does not keep the text.
func smallStrings(r *Row) [13]*string {
	d, v := &r.Doc, &r.Verdict
	return [...]*string{&d.ID, &d.Dump, &d.URL, &d.Date, &d.File, &d.Language, &d.LanguageScript, &d.Title, &d.Origin,
		&v.Stage, &v.Rule, &v.Detail, &r.Cluster}
}

func parseRow(b []byte) (*Row, error) {
	body, b, ok := cutBytes(b)
	html, b, ok2 := cutBytes(b)
	if !ok || !ok2 {
		return nil, errDamaged
	}
	p := parser{s: string(b)}
	r := new(Row)
	d, v := &r.Doc, &r.Verdict
	d.Text = string(body)
	for _, to := range smallStrings(r) {
		*to = p.string()
	}
	d.TokenCount, d.Offset, d.RawBytes = p.varint(), p.varint(), p.varint()
	r.Root, r.Seq, r.DropStage, r.EditStage, r.FieldStage = int(p.varint()), int(p.varint()), int(p.varint()), int(p.varint()), int(p.varint())
	r.Bytes, r.Chars, r.ClusterSize, r.Weight = p.varint(), p.varint(), int32(p.varint()), int32(p.varint())
	var flags byte
	if b := p.take(1); b != "" {
		flags = b[0]
	}
	d.TokensEstimated, v.Drop = flags&1 != 0, flags&2 != 0
	d.LangScore = p.double()
	v.Value, v.Bound.Min, v.Bound.Max, r.Similarity = p.float(), p.float(), p.float(), p.float()
	if n := p.count(4); n > 0 {
		d.Signals = make([]float32, n)
		for i := range d.Signals {
			d.Signals[i] = p.float()
		}
	}
	if n := p.count(4); n > 0 {
		r.Edits = make([]winnow.Edit, n)
		for i := range r.Edits {
			r.Edits[i] = winnow.Edit{Rule: p.string(), Start: int(p.varint()), End: int(p.varint()), With: p.string()}
		}
	}
	if len(html) > 0 || flags&4 != 0 {
		d.HTML = bytes.Clone(html)
	}
	if flags&8 != 0 {
		d.Meta = make(map[string]string)
		for range p.count(2) {
			k := p.string()
			d.Meta[k] = p.string()
		}
	}
	if p.bad || p.s != "" {
		return nil, errDamaged
	}
	return r, nil
}

var errDamaged = errors.New("damaged record")

// cutBytes takes bytes that follow their number off the front of b.
func cutBytes(b []byte) (head, rest []byte, ok bool) {
	n, k := binary.Uvarint(b)
	if k <= 0 || n > uint64(len(b)-k) {
		return nil, nil, false
	}
	return b[k : k+int(n)], b[k+int(n):], true
}

// parser takes values off the front of s; what is not there is zero, and sets bad.
type parser struct {
	s   string
	bad bool
}

func (p *parser) take(n int) string {
	if n > len(p.s) {
		p.s, p.bad = "", true
		return ""
	}
	head := p.s[:n]
	p.s = p.s[n:]
	return head
}

func (p *parser) uvarint() uint64 {
	for i, n := 0, uint64(0); i < len(p.s) && i < binary.MaxVarintLen64; i++ {
		n |= uint64(p.s[i]&0x7f) << (7 * i)
		if p.s[i] < 0x80 {
			p.s = p.s[i+1:]
			return n
		}
	}
	p.s, p.bad = "", true
	return 0
}

func (p *parser) varint() int64 {
	u := p.uvarint()
	return int64(u>>1) ^ -int64(u&1)
}

// count is a number of items of at least size bytes each, so that a damaged one cannot ask for more than there is.
func (p *parser) count(size int) int {
	n := p.uvarint()
	if n > uint64(len(p.s)/size) {
		p.s, p.bad = "", true
		return 0
	}
	return int(n)
}

func (p *parser) string() string { return p.take(p.count(1)) }

func (p *parser) float() float32 {
	b := p.take(4)
	if b == "" {
		return 0
	}
	return math.Float32frombits(uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 | uint32(b[3])<<24)
}

func (p *parser) double() float64 {
	b := p.take(8)
	if b == "" {
		return 0
	}
	var n uint64
	for i := range 8 {
		n |= uint64(b[i]) << (8 * i)
	}
	return math.Float64frombits(n)
}
