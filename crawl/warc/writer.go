package warc

import (
	"cmp"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// Compression says how a Writer packs its records.
type Compression int

// The packings that a Writer knows. Every record is its own gzip member or zstd frame, so that a reader can start at each.
const (
	Plain Compression = iota
	Gzip
	Zstd
)

// Field is one named field of a record header.
type Field struct{ Name, Value string }

// Header is the named fields of a record, in order.
type Header []Field

// Get returns the value of the first field of that name, in any case; empty where there is none.
func (h Header) Get(name string) string {
	for i := range h {
		if strings.EqualFold(h[i].Name, name) {
			return h[i].Value
		}
	}
	return ""
}

// Writer writes WARC/1.0 records (ISO 28500:2009), or of another Version. The same records always give the same bytes.
type Writer struct {
	Version string // what records say after WARC/; empty: 1.0

	w    io.Writer
	pack Compression
	gz   *gzip.Writer
	zs   *zstd.Encoder
	raw  []byte // one record, reused
	out  []byte // one zstd frame, reused
}

// NewWriter returns a Writer of records to w.
func NewWriter(w io.Writer, c Compression) *Writer { return &Writer{w: w, pack: c} }

// Write writes one record of the fields h, in their order, then Content-Length, then the body. It refuses header fields
// that would break the framing.
func (w *Writer) Write(h Header, body []byte) error {
	b := append(append(append(w.raw[:0], "WARC/"...), cmp.Or(w.Version, "1.0")...), "\r\n"...)
	for _, f := range h {
		if f.Name == "" || strings.ContainsAny(f.Name, ": \t\r\n") || strings.ContainsAny(f.Value, "\r\n") {
			return fmt.Errorf("warc: bad header field %q: %q", f.Name, f.Value)
		}
		if strings.EqualFold(f.Name, "Content-Length") {
			return fmt.Errorf("warc: Content-Length is the writer's to set")
		}
		b = append(append(append(append(b, f.Name...), ": "...), f.Value...), "\r\n"...)
	}
	b = strconv.AppendInt(append(b, "Content-Length: "...), int64(len(body)), 10)
	b = append(append(append(b, "\r\n\r\n"...), body...), "\r\n\r\n"...)
	w.raw = b
	switch w.pack {
	case Gzip:
		return w.writeGzip(b)
	case Zstd:
		return w.writeZstd(b)
	}
	_, err := w.w.Write(b)
	return err
}

func (w *Writer) writeGzip(b []byte) error {
	if w.gz == nil {
		w.gz = gzip.NewWriter(w.w)
	} else {
		w.gz.Reset(w.w)
	}
	if _, err := w.gz.Write(b); err != nil {
		return err
	}
	return w.gz.Close()
}

func (w *Writer) writeZstd(b []byte) error {
	if w.zs == nil {
		zs, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
		if err != nil {
			return fmt.Errorf("warc: %w", err)
		}
		w.zs = zs
	}
	w.out = w.zs.EncodeAll(b, w.out[:0])
	_, err := w.w.Write(w.out)
	return err
}

// Close frees the compressor. It does not close the underlying writer.
func (w *Writer) Close() error {
	if w.zs != nil {
		return w.zs.Close()
	}
	return nil
}
