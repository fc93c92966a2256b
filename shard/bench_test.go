package shard

import (
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"winnow"
)

// benchRows are like a crawl's: 4 KB of text in words drawn by a law like Zipf's, 60 signals, one in three dropped.
func benchRows(n int) (rows []*Row, bytes int64) {
	random := rand.New(rand.NewPCG(1, 2))
	zipf := rand.NewZipf(random, 1.1, 4, 50_000)
	for i := range n {
		var b strings.Builder
		for b.Len() < 4000 {
			w := zipf.Uint64()
			if i%2 == 0 {
				b.WriteRune(rune(0x4e00 + w%8000))
			} else {
				fmt.Fprintf(&b, "%s ", word(w))
			}
		}
		r := testRow(i)
		r.Doc.Text = b.String()
		r.Doc.ID = fmt.Sprintf("urn:uuid:%016x%016x", random.Uint64(), random.Uint64())
		r.Doc.Signals = make([]float32, 60)
		for k := range r.Doc.Signals {
			r.Doc.Signals[k] = float32(random.IntN(1000)) / 1000
			if k > 50 {
				r.Doc.Signals[k] = winnow.NotMeasured
			}
		}
		rows, bytes = append(rows, r), bytes+int64(len(r.Doc.Text))
	}
	return rows, bytes
}

// word makes a pronounceable word of a number.
func word(n uint64) string {
	b := []byte{}
	for ok := true; ok; ok = n > 0 {
		b = append(b, "bcdfghklmnprstvw"[n%16], "aeiou"[n/16%5])
		n /= 80
	}
	return string(b)
}

func benchSignals() (signals []winnow.Signal) {
	for i := range 60 {
		signals = append(signals, winnow.Signal{ID: fmt.Sprintf("bench.s%d", i), Default: winnow.Any})
	}
	return signals
}

func writeRows[W interface{ Close() error }](b *testing.B, w W, rows []*Row, write func(*Row) error) {
	for _, r := range rows {
		if err := write(r); err != nil {
			b.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		b.Fatal(err)
	}
}

func writers(b *testing.B, rows []*Row) map[string]func(io.Writer) {
	return map[string]func(io.Writer){
		"spool": func(out io.Writer) { w := NewSpoolWriter(out); writeRows(b, w, rows, w.Write) },
		"data": func(out io.Writer) {
			w := NewDataWriter(out, nil)
			writeRows(b, w, rows, func(r *Row) error { return w.Write(&r.Doc) })
		},
		"dropped": func(out io.Writer) { w := NewDroppedWriter(out, nil); writeRows(b, w, rows, w.Write) },
		"ledger": func(out io.Writer) {
			w, err := NewLedgerWriter(out, benchSignals(), nil)
			if err != nil {
				b.Fatal(err)
			}
			writeRows(b, w, rows, w.Write)
		},
	}
}

type counter int64

func (c *counter) Write(b []byte) (int, error) { *c += counter(len(b)); return len(b), nil }

func BenchmarkWrite(b *testing.B) {
	rows, size := benchRows(4096)
	for name, write := range writers(b, rows) {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(size)
			b.ReportAllocs()
			var n counter
			for b.Loop() {
				write(&n)
			}
			b.ReportMetric(float64(b.N*len(rows))/b.Elapsed().Seconds(), "rows/s")
			b.ReportMetric(float64(n)/float64(b.N*len(rows)), "disk-B/row")
		})
	}
}

func drain[T any](b *testing.B, rows iter.Seq2[T, error]) (n int) {
	for _, err := range rows {
		if err != nil {
			b.Fatal(err)
		}
		n++
	}
	return n
}

func BenchmarkRead(b *testing.B) {
	rows, size := benchRows(4096)
	for name, write := range writers(b, rows) {
		path := filepath.Join(b.TempDir(), name)
		f, err := os.Create(path)
		if err != nil {
			b.Fatal(err)
		}
		write(f)
		f.Close()
		b.Run(name, func(b *testing.B) {
			b.SetBytes(size)
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				switch name {
				case "spool":
					n += drain(b, ReadSpool(nil, path))
				case "data":
					n += drain(b, ReadData(nil, path))
				case "dropped":
					n += drain(b, ReadDropped(nil, path))
				case "ledger":
					n += drain(b, ReadLedger(nil, path))
				}
			}
			b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "rows/s")
		})
		if name == "ledger" {
			b.Run("columns", func(b *testing.B) {
				n := 0
				for b.Loop() {
					for c, err := range ReadColumns(nil, path, []string{"language"}, []string{"bench.s0", "bench.s1"}) {
						if err != nil {
							b.Fatal(err)
						}
						n += c.Rows
					}
				}
				b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "rows/s")
			})
		}
	}
}
