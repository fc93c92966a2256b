package rows

import (
	"bufio"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/zeebo/xxh3"
)

// writer writes a file of Tokens beside its place and renames it there when it is whole.
type writer struct {
	path   string
	f      *os.File
	sum    *xxh3.Hasher
	w      *bufio.Writer // to f and sum
	width  int
	size   int // of the vocabulary
	head   int64
	tokens int64
	docs   int64
	index  []byte
	buf    []byte
}

// fileName is tokens- and the first 16 hex digits of the label's sha256.
func fileName(label string) string {
	h := sha256.Sum256([]byte(label))
	return "tokens-" + hex.EncodeToString(h[:8]) + ".bin"
}

func create(path, label string, size int) (*writer, error) {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.tmp")
	if err != nil {
		return nil, err
	}
	w := &writer{path: path, f: f, sum: xxh3.New(), width: widthFor(size), size: size}
	w.w = bufio.NewWriterSize(io.MultiWriter(f, w.sum), 1<<18)
	n, err := w.w.WriteString(header(label, w.width))
	w.head = int64(n)
	return w, err
}

// add writes one document's ids and remembers its place in the index.
func (w *writer) add(d Document, ids []int32) error {
	w.buf = w.buf[:0]
	for _, id := range ids {
		if uint(id) >= uint(w.size) {
			return fmt.Errorf("document %s: id %d of a tokenizer of %d", d.ID, id, w.size)
		}
		if w.width == 2 {
			w.buf = binary.LittleEndian.AppendUint16(w.buf, uint16(id))
		} else {
			w.buf = binary.LittleEndian.AppendUint32(w.buf, uint32(id))
		}
	}
	w.tokens += int64(len(ids))
	w.docs++
	w.index = binary.AppendUvarint(w.index, uint64(len(ids)))
	w.index = binary.AppendUvarint(w.index, uint64(len(d.Text)))
	for _, s := range []string{d.ID, d.Language, d.Cluster} {
		w.index = binary.AppendUvarint(w.index, uint64(len(s)))
		w.index = append(w.index, s...)
	}
	_, err := w.w.Write(w.buf)
	return err
}

// commit writes index and trailer, and puts the file in its place.
func (w *writer) commit() error {
	if _, err := w.w.Write(w.index); err != nil {
		return err
	}
	if err := w.w.Flush(); err != nil {
		return err
	}
	var trailer []byte
	for _, x := range []int64{w.head, w.head + w.tokens*int64(w.width), w.docs, w.tokens, int64(w.sum.Sum64())} {
		trailer = binary.LittleEndian.AppendUint64(trailer, uint64(x))
	}
	if _, err := w.f.Write(append(trailer, magic...)); err != nil {
		return err
	}
	if err := w.f.Chmod(0o666 &^ 0o022); err != nil {
		return err
	}
	if err := w.f.Sync(); err != nil {
		return err
	}
	if err := w.f.Close(); err != nil {
		return err
	}
	if err := os.Rename(w.f.Name(), w.path); err != nil {
		return err
	}
	if d, err := os.Open(filepath.Dir(w.path)); err == nil { // so that the name is on disk too; not every system can
		d.Sync()
		d.Close()
	}
	return nil
}

// abort takes away what commit has not renamed.
func (w *writer) abort() {
	w.f.Close()
	os.Remove(w.f.Name())
}
