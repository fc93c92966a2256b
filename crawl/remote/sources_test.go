package remote

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"

	"winnow"
	"winnow/crawl"
	"winnow/shard"
)

// reading is all documents of a source, without the names of their files, and how many shards it was cut into.
func reading(t *testing.T, s winnow.Source) (docs []string, shards int) {
	t.Helper()
	all, err := s.Shards(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, sh := range all {
		tally := new(winnow.Tally)
		for d, err := range s.Read(t.Context(), sh, tally) {
			var flaw *winnow.ReadError
			if err != nil && !errors.As(err, &flaw) {
				t.Fatal(err)
			}
			if flaw != nil {
				docs = append(docs, fmt.Sprint(flaw.Rule, flaw.Offset, flaw.Lost))
			}
			if d != nil {
				docs = append(docs, fmt.Sprintf("%d %s %s %s %q %q %v", d.Offset, d.URL, d.Date, d.Title, d.HTML, d.Text, d.Meta))
			}
		}
		if tally.Bytes.Load() != sh.Bytes() {
			t.Errorf("%d bytes counted of %d", tally.Bytes.Load(), sh.Bytes())
		}
	}
	return docs, len(all)
}

// rowsInMembers is a packed file of rows, in members that end anywhere.
func rowsInMembers() []byte {
	var rows, out bytes.Buffer
	noise := content(400_000)
	for i := range 4000 {
		fmt.Fprintf(&rows, "{\"text\":\"%x\"}\n", noise[100*i:100*i+i%100])
	}
	for b := rows.Bytes(); len(b) > 0; b = b[min(len(b), 30_000):] {
		w := gzip.NewWriter(&out)
		w.Write(b[:min(len(b), 30_000)])
		w.Close()
	}
	return out.Bytes()
}

// Documents are the same from the disk, from a server that gives ranges, from one that gives none, and from S3, while things go
// wrong between.
func TestSameDocuments(t *testing.T) {
	sample, err := os.ReadFile("../../samples/crawl.warc.gz")
	if err != nil {
		t.Fatal(err)
	}
	inputs := map[string][]byte{"crawl.warc.gz": sample, "rows.jsonl.gz": rowsInMembers()}
	if data := os.Getenv("WINNOW_DATA"); data != "" {
		found, _ := filepath.Glob(filepath.Join(data, "formats", "parquet*", "alltypes_plain.parquet"))
		more, _ := filepath.Glob(filepath.Join(data, "formats", "parquet*", "*", "alltypes_plain.parquet"))
		for _, f := range append(found, more...) {
			if inputs["table.parquet"], err = os.ReadFile(f); err != nil {
				t.Fatal(err)
			}
		}
	}
	dir := t.TempDir()
	for name, b := range inputs {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	source := func(place string, f winnow.Files) map[string]winnow.Source {
		o := crawl.Options{ShardBytes: 50_000, Files: f}
		all := map[string]winnow.Source{"crawl.warc.gz": crawl.WARC([]string{place + "crawl.warc.gz"}, o), "rows.jsonl.gz": crawl.JSONL([]string{place + "rows.jsonl.gz"}, o)}
		if inputs["table.parquet"] != nil {
			all["table.parquet"] = shard.Source([]string{place + "table.parquet"}, shard.SourceOptions{Text: "string_col", Files: f})
		}
		return all
	}
	at := func(ranges bool) string {
		s := httptest.NewServer(new(faults).around(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			b := inputs[strings.TrimPrefix(r.URL.Path, "/")]
			w.Header().Set("ETag", fmt.Sprintf(`"%d"`, len(b)))
			if !ranges {
				w.Write(b)
				return
			}
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(b))
		})))
		t.Cleanup(s.Close)
		return s.URL + "/"
	}
	want := source(dir+"/", nil)
	check := func(where, place string, f winnow.Files, cut bool) {
		for name, s := range source(place, f) {
			local, n := reading(t, want[name])
			got, m := reading(t, s)
			if !slices.Equal(got, local) {
				t.Errorf("%s from %s: %d documents, %d from the disk", name, where, len(got), len(local))
			}
			if name != "table.parquet" && (n < 3 || cut && m < 3 || !cut && m != 1) {
				t.Errorf("%s from %s: %d shards, %d from the disk", name, where, m, n)
			}
		}
	}
	check("a server with ranges", at(true), New(quick(t)), true)
	check("a server without", at(false), New(quick(t)), false)
	t.Run("S3", func(t *testing.T) {
		address, client := gateway(t)
		put(t, client, "bucket", inputs)
		check("S3", "s3://bucket/", New(environment(quick(t), behind(t, address, new(faults)), true)), true)
	})
}
