package rows

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"winnow"
	"winnow/shard"
)

// writeRun makes the folder of a run: rows in two files of data and ledger.
func writeRun(t *testing.T, list []shard.Row, state string) *shard.Folder {
	t.Helper()
	dir := t.TempDir()
	for i, part := range [][]shard.Row{list[:len(list)/2], list[len(list)/2:]} {
		for _, kind := range []string{"data", "ledger"} {
			os.MkdirAll(filepath.Join(dir, kind), 0o777)
			f, err := os.Create(filepath.Join(dir, kind, fmt.Sprintf("%05d.parquet", i)))
			if err != nil {
				t.Fatal(err)
			}
			if kind == "data" {
				w := shard.NewDataWriter(f, nil)
				for j := range part {
					if !part[j].Verdict.Drop {
						w.Write(&part[j].Doc)
					}
				}
				err = w.Close()
			} else {
				w, e := shard.NewLedgerWriter(f, nil, nil)
				if e != nil {
					t.Fatal(e)
				}
				for j := range part {
					w.Write(&part[j])
				}
				err = w.Close()
			}
			if err != nil {
				t.Fatal(err)
			}
			f.Close()
		}
	}
	if err := shard.WriteRun(nil, dir, &shard.Run{ID: "test-1", State: state}); err != nil {
		t.Fatal(err)
	}
	folder, err := shard.Open(nil, dir)
	if err != nil {
		t.Fatal(err)
	}
	return folder
}

func row(id, origin, cluster, text string, drop bool) shard.Row {
	r := shard.Row{Doc: winnow.Document{ID: id, Origin: origin, Text: text, Language: "en"}, Cluster: cluster}
	if drop {
		r.Verdict = winnow.Verdict{Drop: true, Stage: "dedup", Rule: "dedup.exact"}
	}
	return r
}

// TestDocuments: kept documents come with the clusters of the ledger; derived ones stand with their origin, also a dropped one.
func TestDocuments(t *testing.T) {
	list := []shard.Row{
		row("a", "", "", "alone", false), row("b", "", "b", "survivor", false), row("c", "", "b", "duplicate", true), row("d", "", "b", "kept duplicate", false),
		row("d#qa#0", "d", "", "derived of a duplicate", false), row("a#x", "a", "", "derived later", false),
		row("e", "", "", "origin", true), row("e#qa#0", "e", "", "derived of a dropped one", false), row("f", "", "", "", false), row("g", "", "", "", true),
	}
	f := writeRun(t, list, shard.Done)
	var got []string
	for d, err := range Documents(f) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, d.ID+":"+group(d.Cluster, d.ID)+":"+d.Text)
	}
	want := []string{"a:a:alone", "b:b:survivor", "d:b:kept duplicate", "d#qa#0:b:derived of a duplicate", "a#x:a:derived later", "e#qa#0:e:derived of a dropped one", "f:f:"}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s, not\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	tokens, err := Of(context.Background(), f, "", byteTokenizer{259}, TokenizeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer tokens.Close()
	if filepath.Dir(tokens.Path()) != filepath.Join(f.Dir, "tokens") || tokens.Len() != len(want) {
		t.Errorf("%d documents at %s", tokens.Len(), tokens.Path())
	}
	// A ledger that lacks a document, or has another in its place, is an error; and so is a run that is not done.
	f.Ledger = f.Ledger[:1]
	if err := last(f); err == nil || !strings.Contains(err.Error(), "ledger") {
		t.Errorf("half a ledger: %v", err)
	}
	f.Ledger = nil
	if err := last(f); err != nil {
		t.Errorf("no ledger: %v", err)
	}
	if _, err := Of(context.Background(), writeRun(t, list, shard.Running), "", byteTokenizer{259}, TokenizeOptions{}); err == nil {
		t.Error("a run that goes on was tokenised")
	}
}

func last(f *shard.Folder) (err error) {
	for _, err = range Documents(f) {
		if err != nil {
			break
		}
	}
	return err
}
