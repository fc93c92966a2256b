package shard

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"testing"

	"winnow"
)

func testManifest(key string) *Manifest {
	return &Manifest{
		Key: key, Task: "map 00003", Outputs: []Output{{"ledger/00003.parquet", 10, 2, "ab"}}, Counts: map[string]int64{"kept": 1},
		Records: map[string]int64{"response": 2}, Content: map[string]string{"a.warc": "ff"},
		Lost: []Lost{{"a.warc", 7, 9, "error.gzip", "bad block"}}, Seconds: 1.5, CPUSeconds: 1.25,
	}
}

// only fails where the folder holds anything but the named files.
func only(t *testing.T, dir string, names ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var have []string
	for _, e := range entries {
		have = append(have, e.Name())
	}
	if strings.Join(have, " ") != strings.Join(names, " ") {
		t.Errorf("the folder holds %v, want %v", have, names)
	}
}

func TestCommit(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "task.json")
	if _, err := ReadManifest(nil, path); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("absent: %v", err)
	}
	first := testManifest("k1")
	if err := Commit(nil, path, first); err != nil {
		t.Fatal(err)
	}
	got, err := ReadManifest(nil, path)
	want := *first
	want.Format = manifestFormat
	if err != nil || !reflect.DeepEqual(*got, want) {
		t.Fatalf("got %+v, %v", got, err)
	}
	second := testManifest("k1")
	second.Task = "later"
	if err := Commit(nil, path, second); err != nil {
		t.Fatal(err)
	}
	if got, _ := ReadManifest(nil, path); got.Task != first.Task {
		t.Errorf("a second commit of the same key replaced the first")
	}
	if err := Commit(nil, path, testManifest("k2")); err != nil {
		t.Fatal(err)
	}
	if got, err := ReadManifest(nil, path); err != nil || got.Key != "k2" {
		t.Errorf("another key was not replaced: %+v, %v", got, err)
	}
	only(t, dir, "task.json")
}

func TestCommitOverDebris(t *testing.T) {
	whole, err := os.ReadFile(commitTo(t, filepath.Join(t.TempDir(), "m"), "k"))
	if err != nil {
		t.Fatal(err)
	}
	for name, debris := range map[string]string{"empty": "", "torn": string(whole[:len(whole)/2]), "foreign": `{"key": "k"}`, "list": "[]", "binary": "\x00\xff"} {
		dir := t.TempDir()
		path := filepath.Join(dir, "m")
		for file, content := range map[string]string{path: debris, path + ".attempt-CRASHED": string(whole[:10])} {
			if err := os.WriteFile(file, []byte(content), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := ReadManifest(nil, path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v", name, err)
		}
		commitTo(t, path, "k")
		if m, err := ReadManifest(nil, path); err != nil || m.Key != "k" {
			t.Errorf("%s: %v", name, err)
		}
		only(t, dir, "m", "m.attempt-CRASHED")
	}
}

func commitTo(t *testing.T, path, key string) string {
	t.Helper()
	if err := Commit(nil, path, testManifest(key)); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestCommitRace(t *testing.T) {
	for _, stale := range []bool{false, true} {
		dir := t.TempDir()
		path := filepath.Join(dir, "m")
		if stale {
			commitTo(t, path, "old")
		}
		const committers = 16
		var wg sync.WaitGroup
		seen := make([]string, committers) // the winner as each committer saw it
		for i := range committers {
			wg.Go(func() {
				m := testManifest("new")
				m.Attempt = strconv.Itoa(i)
				if err := Commit(nil, path, m); err != nil {
					t.Error(err)
					return
				}
				if m, err := ReadManifest(nil, path); err != nil || m.Key != "new" {
					t.Errorf("after a commit: %+v, %v", m, err)
				} else {
					seen[i] = m.Attempt
				}
			})
		}
		wg.Wait()
		for _, s := range seen {
			if !stale && s != seen[0] {
				t.Errorf("several won: %v", seen)
				break
			}
		}
		only(t, dir, "m")
	}
}

func TestTemp(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "f")
	for _, content := range []string{"first", "second"} {
		f, err := Create(nil, path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write([]byte(content)); err != nil {
			t.Fatal(err)
		}
		if err := f.Commit(); err != nil {
			t.Fatal(err)
		}
		f.Abort()
		if b, err := os.ReadFile(path); err != nil || string(b) != content {
			t.Errorf("%q, %v", b, err)
		}
		if o := f.Output(3); o.Name != "f" || o.Bytes != int64(len(content)) || o.Rows != 3 || len(o.SHA256) != 64 {
			t.Errorf("%+v", o)
		}
	}
	f, err := Create(nil, path)
	if err != nil {
		t.Fatal(err)
	}
	f.Abort()
	only(t, dir, "f")
	if _, err := Create(nil, filepath.Join(dir, "absent", "f")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no folder: %v", err)
	}
}

func TestRun(t *testing.T) {
	dir := t.TempDir()
	if _, err := Open(nil, dir); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("no run: %v", err)
	}
	r := &Run{
		ID: "web-zh-7f3a2c", State: Running, Seed: 1<<63 + 1, Shards: []winnow.Shard{{Source: "warc", Parts: []winnow.Range{{File: "a", End: 5, Whole: true}}}},
		Stages: []StageInfo{{Label: "filter", Name: "filter", Kind: "judged", Signals: testSignals, First: 0}},
		Bounds: map[string]map[string]Bound{"test.words": {"": Bound(winnow.AtLeast(50)), "zh": Bound(winnow.Any), "en": Bound(winnow.Between(0.1, 0.3))}},
	}
	if err := WriteRun(nil, dir, r); err != nil {
		t.Fatal(err)
	}
	got, err := ReadRun(nil, dir)
	if err != nil || !reflect.DeepEqual(got, r) {
		t.Fatalf("got %+v\nwant %+v, %v", got, r, err)
	}
	b, _ := os.ReadFile(filepath.Join(dir, "run.json"))
	if !strings.Contains(string(b), `"max": null`) || !strings.Contains(string(b), `"min": 0.1`) {
		t.Errorf("bounds are not as people write them: %s", b)
	}
	for _, folder := range []string{"ledger", "data", "dropped"} {
		if err := os.Mkdir(filepath.Join(dir, folder), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	writeLedger(t, filepath.Join(dir, "ledger", "00001.parquet"), 7)
	writeLedger(t, filepath.Join(dir, "ledger", "00000.parquet"), 5)
	writeData(t, filepath.Join(dir, "data", "00000.parquet"), 4)
	if err := os.WriteFile(filepath.Join(dir, "data", "00001.parquet.attempt-X"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	f, err := Open(nil, dir)
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for r, err := range f.Rows() {
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, r.Doc.ID[len(r.Doc.ID)-1:])
	}
	if strings.Join(ids, "") != "012340123456" {
		t.Errorf("rows %v", ids)
	}
	n := 0
	for range f.Documents() {
		n++
	}
	if n != 4 || len(f.Dropped) != 0 {
		t.Errorf("%d documents, %v", n, f.Dropped)
	}
}

func FuzzManifest(f *testing.F) {
	f.Add([]byte(`{"format":"winnow manifest 1","key":"k","outputs":[{"name":"a","bytes":1}]}`))
	f.Add([]byte(`{"format":1e999}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		path := filepath.Join(t.TempDir(), "m")
		if err := os.WriteFile(path, b, 0o666); err != nil {
			t.Fatal(err)
		}
		m, err := ReadManifest(nil, path)
		if (err != nil) != (m == nil) || err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%v, %v", m, err)
		}
	})
}
