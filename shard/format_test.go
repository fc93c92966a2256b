package shard

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"winnow"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestSchema holds the columns that other tools see. A change of the ledger's needs a new schema number.
func TestSchema(t *testing.T) {
	dir := t.TempDir()
	writeData(t, filepath.Join(dir, "data"), 1)
	writeLedger(t, filepath.Join(dir, "ledger"), 1)
	writeDropped(t, filepath.Join(dir, "dropped"), 1)
	var got strings.Builder
	for _, kind := range []string{"data", "ledger", "dropped"} {
		f, err := open(nil, filepath.Join(dir, kind))
		if err != nil {
			t.Fatal(err)
		}
		got.WriteString(f.Schema().String() + "\n")
		for _, kv := range f.Metadata().KeyValueMetadata {
			got.WriteString(kv.Key + " = " + kv.Value + "\n")
		}
		got.WriteString("\n")
		f.Close()
	}
	golden := filepath.Join("testdata", "schema.golden")
	if *update {
		if err := os.WriteFile(golden, []byte(got.String()), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got.String() != string(want) {
		t.Errorf("got\n%s\nwant\n%s", got.String(), want)
	}
}

func writeDropped(t testing.TB, path string, rows int) string {
	return write(t, path, func(f *os.File) error {
		w := NewDroppedWriter(f, nil)
		for i := range rows {
			if err := w.Write(testRow(i)); err != nil {
				return err
			}
		}
		return w.Close()
	})
}

func TestDeterministic(t *testing.T) {
	var first [4][]byte
	for i := range 8 {
		dir := t.TempDir()
		meta := map[string]string{"a": "1", "b": "2", "c": "3", "d": "4", "e": "5"}
		write(t, filepath.Join(dir, "0"), func(f *os.File) error {
			w := NewDataWriter(f, meta)
			for i := range 1500 {
				if err := w.Write(&testRow(i).Doc); err != nil {
					return err
				}
			}
			return w.Close()
		})
		writeLedger(t, filepath.Join(dir, "1"), 1500)
		writeDropped(t, filepath.Join(dir, "2"), 1500)
		write(t, filepath.Join(dir, "3"), func(f *os.File) error { return spool(f, 1500) })
		for k := range first {
			b, err := os.ReadFile(filepath.Join(dir, string(rune('0'+k))))
			if err != nil {
				t.Fatal(err)
			}
			if i == 0 {
				first[k] = b
			} else if !bytes.Equal(b, first[k]) {
				t.Fatalf("kind %d: other bytes in round %d", k, i)
			}
		}
	}
}

func spool(f *os.File, rows int) error {
	w := NewSpoolWriter(f)
	for i := range rows {
		if err := w.Write(testRow(i)); err != nil {
			return err
		}
	}
	return w.Close()
}

// TestGroups holds that row groups end at 1024 rows or 64 MiB of text.
func TestGroups(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data")
	long := strings.Repeat("长文章 long text", 1<<20) // 19 MiB
	var rows []int
	write(t, path, func(f *os.File) error {
		w := NewDataWriter(f, nil)
		for i := range 1030 {
			d := winnow.Document{Text: "short"}
			if i < 10 {
				d.Text = long
			}
			if err := w.Write(&d); err != nil {
				return err
			}
		}
		return w.Close()
	})
	f, err := open(nil, path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, rg := range f.RowGroups() {
		rows = append(rows, int(rg.NumRows()))
	}
	if want := []int{4, 4, 1022}; !slices.Equal(rows, want) {
		t.Errorf("row groups of %v, want %v", rows, want)
	}
}

func TestInvalidUTF8(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data")
	write(t, path, func(f *os.File) error {
		w := NewDataWriter(f, nil)
		if err := w.Write(&winnow.Document{Text: "半\xe5\x8d", URL: "http://x/\xff", Meta: map[string]string{"k": "\xfe"}}); err != nil {
			return err
		}
		return w.Close()
	})
	for d, err := range ReadData(nil, path) {
		if err != nil || d.Text != "半\uFFFD" || d.URL != "http://x/\uFFFD" || d.Meta["k"] != "\uFFFD" {
			t.Errorf("%+v, %v", d, err)
		}
	}
}

func TestLedgerRefuses(t *testing.T) {
	if _, err := NewLedgerWriter(new(bytes.Buffer), append(testSignals, testSignals[0]), nil); err == nil || !strings.Contains(err.Error(), "test.words") {
		t.Errorf("two columns of one name: %v", err)
	}
	dir := t.TempDir()
	data := filepath.Join(dir, "data")
	writeData(t, data, 1)
	for _, err := range ReadLedger(nil, data) {
		if err == nil || !strings.Contains(err.Error(), "no ledger") {
			t.Errorf("data as ledger: %v", err)
		}
	}
	future := write(t, filepath.Join(dir, "future"), func(f *os.File) error {
		t, err := newTable(f, "ledger", ledgerColumns(), map[string]string{schemaKey: "2"}, ledgerRows)
		if err != nil {
			return err
		}
		return t.close()
	})
	if _, err := LedgerSignals(nil, future); err == nil || !strings.Contains(err.Error(), "schema 2") {
		t.Errorf("a later schema: %v", err)
	}
	for _, err := range ReadData(nil, filepath.Join(dir, "absent")) {
		if !os.IsNotExist(err) {
			t.Errorf("absent: %v", err)
		}
	}
}

// TestLedgerOlder holds that columns which a file lacks are read as zero.
func TestLedgerOlder(t *testing.T) {
	path := write(t, filepath.Join(t.TempDir(), "old"), func(f *os.File) error {
		w, err := newTable(f, "ledger", ledgerColumns()[:5], map[string]string{schemaKey: "1", signalsKey: "[]"}, ledgerRows)
		if err != nil {
			return err
		}
		if err := w.write(testRow(1), 0); err != nil {
			return err
		}
		return w.close()
	})
	for r, err := range ReadLedger(nil, path) {
		if err != nil || r.Doc.ID != testRow(1).Doc.ID || r.Bytes != 0 || r.Verdict != (winnow.Verdict{}) {
			t.Errorf("%+v, %v", r, err)
		}
	}
}

func TestDomain(t *testing.T) {
	for url, want := range map[string]string{
		"https://www.Example.co.uk/a": "example.co.uk", "http://news.sina.com.cn:80/x": "sina.com.cn", "http://192.168.1.10/": "192.168.1.10",
		"http://[2001:db8::1]:8080/": "2001:db8::1", "http://localhost/": "localhost", "https://例子.中国/路径": "例子.中国",
		"http://a.b.example.com./": "example.com", "not a url": "", "": "", "http://%zz/": "", "https://user.github.io/": "user.github.io",
	} {
		if got := Domain(url); got != want {
			t.Errorf("%s: got %q, want %q", url, got, want)
		}
	}
}

func FuzzSpool(f *testing.F) {
	w := new(bytes.Buffer)
	s := NewSpoolWriter(w)
	for i := range 3 {
		if err := s.Write(testRow(i)); err != nil {
			f.Fatal(err)
		}
	}
	s.Close()
	f.Add(w.Bytes(), false)
	f.Add(appendRow(nil, testRow(1)), true)
	f.Fuzz(func(t *testing.T, b []byte, record bool) {
		if record { // past the compression's checksum
			if r, err := parseRow(b); err == nil {
				if again, err := parseRow(appendRow(nil, r)); err != nil || show(again) != show(r) {
					t.Errorf("%+v, %v", again, err)
				}
			}
			return
		}
		for _, err := range readSpool(bytes.NewReader(b)) {
			if err != nil {
				return
			}
		}
	})
}

func TestSpoolCut(t *testing.T) {
	w := new(bytes.Buffer)
	s := NewSpoolWriter(w)
	for i := range 50 {
		if err := s.Write(testRow(i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for n := range w.Len() {
		var last error
		for _, err := range readSpool(bytes.NewReader(w.Bytes()[:n])) {
			last = err
		}
		if last == nil {
			t.Fatalf("a spool cut at %d of %d bytes reads as whole", n, w.Len())
		}
	}
}
