package checkpoint

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"winnow/shard"
)

func testRun() *shard.Run {
	return &shard.Run{ID: "web-1", Name: "web", Recipe: "r", Program: "1", Inputs: []shard.Input{{File: "a.warc", Bytes: 1, Fingerprint: "f"}},
		Outputs: []shard.Output{{Name: "data/00000.parquet", SHA256: "x"}, {Name: "ledger/00000.parquet", SHA256: "y"}, {Name: "data/00001.parquet", SHA256: "z"}}}
}

func TestInfo(t *testing.T) {
	data := DataOf(testRun())
	if len(data.Shards) != 2 || data.Hash == "" {
		t.Fatalf("%+v", data)
	}
	tokenizer := Info{Format: infoFormat, Kind: KindTokenizer, Hash: "t", Data: []Data{data}}
	want := Info{Kind: KindBase, Hash: "h", Tokenizer: "t", Seed: 1<<63 + 1, Kernel: "avx2", Config: json.RawMessage(`{}`), Data: []Data{data}, Parents: []Info{tokenizer}}
	dir := t.TempDir()
	if _, err := ReadInfo(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	if err := WriteInfo(dir, &want); err != nil {
		t.Fatal(err)
	}
	got, err := ReadInfo(dir)
	if err != nil {
		t.Fatal(err)
	}
	want.Format = infoFormat
	if !reflect.DeepEqual(*got, want) {
		t.Errorf("%+v came back as %+v", want, *got)
	}
	if runs := got.Runs(); len(runs) != 1 || runs[0].Run != "web-1" {
		t.Errorf("runs %+v", runs)
	}
	if err := os.WriteFile(filepath.Join(dir, InfoName), []byte(`{"kind":"base"}`), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadInfo(dir); err == nil || !strings.Contains(err.Error(), "no lineage") {
		t.Errorf("JSON of something else: %v", err)
	}
}

func TestCheckData(t *testing.T) {
	data := DataOf(testRun())
	for want, change := range map[string]func(r *shard.Run){
		"":                                      func(r *shard.Run) { r.Outputs[1].SHA256 = "a ledger is no data" },
		"data/00001.parquet is not what it was": func(r *shard.Run) { r.Outputs[2].SHA256 = "other" },
		"data/00001.parquet: file does not":     func(r *shard.Run) { r.Outputs = r.Outputs[:2] },
		"data/00002.parquet is not what it was": func(r *shard.Run) { r.Outputs = append(r.Outputs, shard.Output{Name: "data/00002.parquet"}) },
		"another order":                         func(r *shard.Run) { r.Outputs[0], r.Outputs[2] = r.Outputs[2], r.Outputs[0] },
	} {
		r := testRun()
		change(r)
		if err := CheckData(data, r); (want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}
