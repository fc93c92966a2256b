package warc

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"winnow"
)

// FuzzWARC holds that any bytes are read to an end, that no body is over the limit, and that reading in pieces gives the same
// number of records.
func FuzzWARC(f *testing.F) {
	plain := records(f, Plain, 4)
	arc := []byte("filedesc://a.arc 0.0.0.0 20260101000000 text/plain 5\n1 0 X\n\nhttp://a.example/ 10.0.0.1 20260101000000 text/html 3\nabc\n")
	for _, b := range [][]byte{nil, plain, records(f, Gzip, 4), records(f, Zstd, 4), lz4Of(plain), gzipped1(plain), blocks(plain, 100), arc,
		gzipped1(arc), bytes.Replace(plain, []byte("Length: 180"), []byte("Length: 400"), 1)} {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		const limit = 1 << 16
		count := func(o Options) (n int) {
			o.MaxRecord = limit
			r := NewReader(bytes.NewReader(b), int64(len(b)), o)
			defer r.Close()
			for range 100*len(b) + 10 {
				rec, err := r.Next()
				var flaw *winnow.ReadError
				switch {
				case err == io.EOF:
					return n
				case err != nil && !errors.As(err, &flaw):
					t.Fatal(err)
				case rec == nil && flaw == nil:
					t.Fatal("neither record nor damage")
				case flaw != nil && (flaw.Lost < 0 || !strings.HasPrefix(flaw.Rule, "error.")):
					t.Fatal(flaw)
				case rec != nil && len(rec.Body) > limit:
					t.Fatalf("body of %d bytes", len(rec.Body))
				}
				if rec != nil {
					n++
				}
			}
			t.Fatal("it does not come to an end")
			return 0
		}
		whole, pieces := count(Options{}), 0
		cuts := Cut(bytes.NewReader(b), int64(len(b)), max(1, int64(len(b)/3)), 0)
		if !slices.IsSorted(cuts) {
			t.Fatal(cuts)
		}
		start := int64(0)
		for _, end := range append(cuts, int64(len(b))) {
			if end > start {
				pieces += count(Options{Start: start, End: end})
			}
			start = end
		}
		if len(cuts) > 0 && whole != pieces {
			t.Fatalf("%d records whole, %d in pieces %v", whole, pieces, cuts)
		}
	})
}
