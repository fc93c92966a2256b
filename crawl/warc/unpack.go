package warc

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// packing is how a file is compressed.
type packing int

const (
	plain packing = iota
	gzipped
	zstded
	lz4ed
)

// packings gives the rule that names the damage of each packing, and how its members begin.
var packings = [...]struct {
	rule  string
	magic []byte
}{
	plain:   {"error.record", nil},
	gzipped: {"error.gzip", []byte{0x1f, 0x8b, 0x08}},
	zstded:  {"error.zstd", []byte{0x28, 0xb5, 0x2f, 0xfd}},
	lz4ed:   {"error.lz4", []byte{0x04, 0x22, 0x4d, 0x18}},
}

const (
	maxWindow = 128 << 20 // zstd --long=27, the most that its command line unpacks unasked
	maxDict   = 32 << 20
	maxMissed = 1 << 14    // chance gives one in 16 MiB; a file made to have more is not searched on
	dictMagic = 0x184d2a5d // IIPC, WARC-zstd 1.0: the skippable frame that holds the dictionary
)

var errMagic = errors.New("no member begins here")

// unpacker decodes one member of a file after the other: gzip members, zstd and lz4 frames. A plain file is one member.
type unpacker struct {
	in    *input
	kind  packing
	start int64     // offset of the current member
	dec   io.Reader // its decoded bytes
	gz    *gzip.Reader
	zs    *zstd.Decoder
	lz    *lz4.Reader
	frame frame
	probe []byte // reused by look

	any    bool // members may hold anything, not only records
	missed int  // places that looked like a member to find and were none
}

// newUnpacker tells the packing by the first bytes, and stands at the file's first byte after a dictionary.
func newUnpacker(in *input) (*unpacker, error) {
	u := &unpacker{in: in}
	var dict []byte
	var cut error
	for {
		n, id := u.skippable()
		if n == 0 {
			break
		}
		if id != dictMagic || n > maxDict || dict != nil {
			in.skip(n)
			continue
		}
		dict = make([]byte, n)
		if _, err := io.ReadFull(in, dict); err != nil {
			cut = fmt.Errorf("dictionary: %w", err)
		}
		dict = dict[8:]
	}
	b, _ := in.Peek(4)
	for k := gzipped; k <= lz4ed; k++ {
		if bytes.HasPrefix(b, packings[k].magic) {
			u.kind = k
		}
	}
	if u.kind == plain && len(b) > 0 {
		u.unmask()
	}
	err := cmp.Or(cut, u.prepare(dict))
	if err != nil {
		u.prepare(nil)
	}
	return u, err
}

// unmask looks behind a beginning that tells nothing for members of a known packing.
func (u *unpacker) unmask() {
	at := u.in.offset()
	if p, _ := u.in.Peek(maxPeek); bytes.HasPrefix(p, []byte("WARC/")) || findBegin(append([]byte("\n"), p...)) >= 0 {
		return
	}
	for u.kind = gzipped; u.kind <= zstded; u.kind++ {
		if u.prepare(nil) == nil && u.find(at, u.in.size()) < u.in.size() {
			u.in.seek(at)
			return
		}
	}
	u.kind = plain
	u.in.seek(at)
}

// prepare makes the decoder. A dictionary, nil where there is none, may itself be compressed.
func (u *unpacker) prepare(dict []byte) (err error) {
	switch u.kind {
	case gzipped:
		u.gz = new(gzip.Reader)
	case lz4ed:
		u.lz = lz4.NewReader(nil)
	case zstded:
		opts := []zstd.DOption{zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow)}
		if bytes.HasPrefix(dict, packings[zstded].magic) {
			if dict, err = unpackDict(dict); err != nil {
				return fmt.Errorf("dictionary: %w", err)
			}
		}
		if dict != nil {
			opts = append(opts, zstd.WithDecoderDicts(dict))
		}
		u.zs, err = zstd.NewReader(nil, opts...)
	}
	return err
}

func unpackDict(dict []byte) ([]byte, error) {
	d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxDict))
	if err != nil {
		return nil, err
	}
	defer d.Close()
	return d.DecodeAll(dict, nil)
}

// skippable gives the whole length of the skippable frame that is next, and its magic number; 0 where there is none.
func (u *unpacker) skippable() (int64, uint32) {
	b, err := u.in.Peek(8)
	if err != nil {
		return 0, 0
	}
	id := binary.LittleEndian.Uint32(b)
	if id&^0xf != 0x184d2a50 {
		return 0, 0
	}
	return 8 + int64(binary.LittleEndian.Uint32(b[4:])), id
}

// open starts the member whose first byte is next, passing skippable frames by. io.EOF: the file ends here.
func (u *unpacker) open() error {
	for u.kind >= zstded {
		n, _ := u.skippable()
		if n == 0 {
			break
		}
		u.in.skip(n)
	}
	u.start = u.in.offset()
	magic := packings[u.kind].magic
	b, err := u.in.Peek(max(1, len(magic)))
	switch {
	case len(b) == 0:
		return err
	case !bytes.HasPrefix(b, magic):
		return errMagic
	}
	switch u.kind {
	case plain:
		u.dec = u.in.Reader
	case gzipped:
		if err := u.gz.Reset(u.in.Reader); err != nil {
			return short(err)
		}
		u.gz.Multistream(false)
		u.dec = u.gz
	case zstded:
		if err := u.frame.begin(u.in.Reader, false); err != nil {
			return err
		}
		u.dec = u.zs
		return u.zs.Reset(&u.frame)
	case lz4ed:
		if err := u.frame.begin(u.in.Reader, true); err != nil {
			return err
		}
		u.lz.Reset(&u.frame)
		u.dec = u.lz
	}
	return nil
}

// find stands at the next member in [from, end) that really begins a record, and returns its offset; the size of the file
// where there is none.
func (u *unpacker) find(from, end int64) int64 {
	magic := packings[u.kind].magic
	u.in.seek(min(from, u.in.size()))
	for u.kind != plain && u.in.offset() < end {
		b, err := u.in.Peek(u.in.Size())
		i := bytes.Index(b, magic)
		if i < 0 {
			if err != nil {
				break
			}
			u.in.Discard(len(b) - len(magic) + 1)
			continue
		}
		at := u.in.offset() + int64(i)
		u.in.seek(at)
		ok := u.begins()
		if u.in.seek(at); ok {
			return at
		}
		if u.missed++; u.missed > maxMissed {
			break
		}
		u.in.Discard(1)
	}
	u.in.seek(u.in.size())
	return u.in.size()
}

// begins opens the member that is next and tells whether a record begins it.
func (u *unpacker) begins() bool {
	if u.open() != nil {
		return false
	}
	n, err := u.look()
	return begins(u.probe[:n]) || u.any && (err == nil || err == io.EOF || err == io.ErrUnexpectedEOF && n > 0)
}

// goOn opens the next member where that is no beginning of a record but the middle of one: some programs compress in
// blocks, whatever is in them.
func (u *unpacker) goOn() bool {
	at, start := u.in.offset(), u.start
	if u.kind != plain && u.open() == nil {
		n, err := u.look()
		begun := bytes.HasPrefix(u.probe[:n], []byte("WARC/")) || begins(u.probe[:n])
		u.in.seek(at)
		if !begun && (n > 0 || err == io.EOF) && u.open() == nil {
			return true
		}
	}
	u.in.seek(at)
	u.start, u.dec = start, strings.NewReader("")
	return false
}

// look reads the first bytes of the current member into probe.
func (u *unpacker) look() (int, error) {
	if u.probe == nil {
		u.probe = make([]byte, maxPeek)
	}
	return io.ReadFull(u.dec, u.probe)
}

// close gives the decoder's memory back.
func (u *unpacker) close() {
	if u.zs != nil {
		u.zs.Close()
	}
}
