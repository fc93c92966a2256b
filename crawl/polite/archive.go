package polite

import (
	"bufio"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"winnow/crawl/polite/frontier"
	"winnow/crawl/polite/wire"
	"winnow/crawl/warc"
)

// The profiles of revisit records (WARC 1.1, section 6.7).
const (
	profileSame        = "http://netpreserve.org/warc/1.1/revisit/identical-payload-digest"
	profileNotModified = "http://netpreserve.org/warc/1.1/revisit/server-not-modified"
)

// place is how far an archive has been written.
type place struct {
	File   int    `json:"file"`    // from 0, with rotation
	Length int64  `json:"length"`  // bytes of it that count
	InfoID string `json:"info_id"` // of its warcinfo record
}

// archive appends records to WARC 1.1 files.
type archive struct {
	path   string
	rotate int64 // bytes after which a new file is begun; 0: never
	info   warc.Header
	at     place
	file   *os.File
	buffer *bufio.Writer
	w      *warc.Writer
}

// FileName names the n-th file of an archive: site.warc.gz, site-00001.warc.gz, ...
func FileName(path string, n int) string {
	if n == 0 {
		return path
	}
	stem := path[:len(path)-len(extension(path))]
	return fmt.Sprintf("%s-%05d%s", stem, n, extension(path))
}

// extension is .warc, .warc.gz or .warc.zst; empty for anything else.
func extension(path string) string {
	for _, e := range []string{".warc", ".warc.gz", ".warc.zst"} {
		if strings.HasSuffix(path, e) {
			return e
		}
	}
	return ""
}

// openArchive goes on at a place: what lies behind it is cut off, for it was never committed.
func openArchive(path string, at place, rotate int64, info warc.Header) (*archive, error) {
	a := &archive{path: path, rotate: rotate, info: info, at: at}
	for n := at.File + 1; ; n++ {
		if err := os.Remove(FileName(path, n)); err != nil {
			break
		}
	}
	return a, a.open()
}

func (a *archive) open() error {
	name := FileName(a.path, a.at.File)
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return fmt.Errorf("archive: %w", err)
	}
	size, err := f.Seek(0, io.SeekEnd)
	switch {
	case err != nil:
	case size < a.at.Length:
		err = fmt.Errorf("%d bytes, but %d were written: the file is not the one that the frontier belongs to", size, a.at.Length)
	default:
		if err = f.Truncate(a.at.Length); err == nil {
			_, err = f.Seek(a.at.Length, io.SeekStart)
		}
	}
	if err != nil {
		return errors.Join(fmt.Errorf("archive %s: %w", name, err), f.Close())
	}
	pack := map[string]warc.Compression{".warc": warc.Plain, ".warc.gz": warc.Gzip, ".warc.zst": warc.Zstd}[extension(a.path)]
	a.file, a.buffer = f, bufio.NewWriterSize(f, 256<<10)
	a.w = warc.NewWriter(a, pack)
	a.w.Version = "1.1"
	if a.at.Length == 0 {
		return a.writeInfo(name)
	}
	return nil
}

// Write counts what the records' writer gives.
func (a *archive) Write(p []byte) (int, error) {
	n, err := a.buffer.Write(p)
	a.at.Length += int64(n)
	return n, err
}

func (a *archive) writeInfo(name string) error {
	now := time.Now().UTC()
	a.at.InfoID = recordID("warcinfo", name, now)
	body := fields(a.info)
	return a.write(warc.Header{{Name: "WARC-Type", Value: "warcinfo"}, {Name: "WARC-Record-ID", Value: a.at.InfoID}, {Name: "WARC-Date", Value: warcDate(now)},
		{Name: "WARC-Filename", Value: name[strings.LastIndexByte(name, os.PathSeparator)+1:]}, {Name: "Content-Type", Value: "application/warc-fields"}}, body)
}

// write adds the block's digest and writes the record.
func (a *archive) write(h warc.Header, body []byte) error {
	sum := sha1.Sum(body)
	h = append(h, warc.Field{Name: "WARC-Block-Digest", Value: digest(sum[:])})
	if a.at.InfoID != "" && h.Get("WARC-Type") != "warcinfo" {
		h = append(h, warc.Field{Name: "WARC-Warcinfo-ID", Value: a.at.InfoID})
	}
	if err := a.w.Write(h, body); err != nil {
		return fmt.Errorf("archive: %w", err)
	}
	return nil
}

// sync makes what was written durable, and begins the next file where this one is full. It gives the place to commit.
func (a *archive) sync() (place, error) {
	if err := errors.Join(a.buffer.Flush(), a.file.Sync()); err != nil {
		return a.at, fmt.Errorf("archive: %w", err)
	}
	if a.rotate > 0 && a.at.Length >= a.rotate {
		if err := a.file.Close(); err != nil {
			return a.at, fmt.Errorf("archive: %w", err)
		}
		a.at = place{File: a.at.File + 1}
		if err := errors.Join(a.open(), a.buffer.Flush(), a.file.Sync()); err != nil {
			return a.at, err
		}
	}
	return a.at, nil
}

func (a *archive) close() error { return errors.Join(a.w.Close(), a.file.Close()) }

// page writes the records of one exchange: request, response or revisit, and metadata. It returns what was stored. of is what
// a revisit is of; nil for a response.
func (a *archive) page(url string, x *wire.Exchange, of *frontier.Stored, meta warc.Header) (frontier.Stored, error) {
	date := warcDate(x.Began)
	id := recordID("response", url, x.Began)
	common := warc.Header{{Name: "WARC-Date", Value: date}, {Name: "WARC-Target-URI", Value: url}}
	if x.IP != "" {
		common = append(common, warc.Field{Name: "WARC-IP-Address", Value: x.IP})
	}
	h := append(warc.Header{{Name: "WARC-Type", Value: "response"}, {Name: "WARC-Record-ID", Value: id}}, common...)
	block := x.Message
	if of != nil {
		h[0].Value, block = "revisit", x.Message[:x.HeadLength()]
		profile := profileSame
		if x.Status == 304 {
			profile = profileNotModified
		}
		h = append(h, warc.Field{Name: "WARC-Profile", Value: profile}, warc.Field{Name: "WARC-Refers-To", Value: of.ID},
			warc.Field{Name: "WARC-Refers-To-Target-URI", Value: of.URL}, warc.Field{Name: "WARC-Refers-To-Date", Value: of.Date})
		if x.Status != 304 {
			h = append(h, warc.Field{Name: "WARC-Payload-Digest", Value: digest(x.Payload)})
		}
	} else {
		h = append(h, warc.Field{Name: "WARC-Payload-Digest", Value: digest(x.Payload)})
		if x.Truncated != "" {
			h = append(h, warc.Field{Name: "WARC-Truncated", Value: x.Truncated})
		}
	}
	h = append(h, warc.Field{Name: "Content-Type", Value: "application/http;msgtype=response"})
	stored := frontier.Stored{URL: url, Date: date, ID: id, ETag: x.Header.Get("ETag"), Modified: x.Header.Get("Last-Modified")}
	if err := a.write(h, block); err != nil {
		return stored, err
	}
	beside := func(kind, content string) warc.Header {
		return append(append(warc.Header{{Name: "WARC-Type", Value: kind}, {Name: "WARC-Record-ID", Value: recordID(kind, url, x.Began)}}, common[:2]...),
			warc.Field{Name: "WARC-Concurrent-To", Value: id}, warc.Field{Name: "Content-Type", Value: content})
	}
	if err := a.write(beside("request", "application/http;msgtype=request"), x.Request); err != nil {
		return stored, err
	}
	return stored, a.write(beside("metadata", "application/warc-fields"), fields(meta))
}

// robots keeps a robots.txt as metadata: it tells what the crawl went by, and is no document.
func (a *archive) robotsTxt(url string, at time.Time, body []byte) error {
	return a.write(warc.Header{{Name: "WARC-Type", Value: "metadata"}, {Name: "WARC-Record-ID", Value: recordID("metadata", url, at)}, {Name: "WARC-Date", Value: warcDate(at)},
		{Name: "WARC-Target-URI", Value: url}, {Name: "Content-Type", Value: "text/plain"}}, body)
}

// fields is a block of named fields; line breaks in values become spaces.
func fields(h warc.Header) []byte {
	var b strings.Builder
	for _, f := range h {
		b.WriteString(f.Name + ": " + strings.Map(func(c rune) rune {
			if c == '\r' || c == '\n' {
				return ' '
			}
			return c
		}, f.Value) + "\r\n")
	}
	return []byte(b.String())
}

func digest(sum []byte) string { return "sha1:" + base32.StdEncoding.EncodeToString(sum) }

func warcDate(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000Z") }

// recordID is a UUID of version 8 (RFC 9562) made of what the record is: the same exchange has the same ids.
func recordID(kind, url string, at time.Time) string {
	b := sha256.Sum256([]byte(kind + " " + strconv.FormatInt(at.UnixNano(), 10) + " " + url))
	b[6], b[8] = b[6]&0x0f|0x80, b[8]&0x3f|0x80
	return fmt.Sprintf("<urn:uuid:%x-%x-%x-%x-%x>", b[0:4], b[4:6], b[6:8], b[8:10], b[10:16])
}
