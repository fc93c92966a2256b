package shard

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"
)

func TestRecords(t *testing.T) {
	type message struct {
		Role    string  `parquet:"role"`
		Content *string `parquet:"content,optional"`
	}
	type row struct {
		Messages []message         `parquet:"messages,list"`
		Tags     []string          `parquet:"tags,list"`
		Meta     map[string]string `parquet:"meta"`
		Good     bool              `parquet:"good"`
		Score    *float64          `parquet:"score,optional"`
	}
	hi, half := "hi", .5
	path := filepath.Join(t.TempDir(), "a.parquet")
	all := make([]row, 0, 100)
	for i := range 100 {
		all = append(all, row{Messages: []message{{"user", &hi}, {"assistant", nil}}, Tags: []string{fmt.Sprint(i)}, Meta: map[string]string{"k": "v"}, Good: i%2 == 1, Score: &half})
	}
	all[3] = row{}
	if err := parquet.WriteFile(path, all, parquet.MaxRowsPerRowGroup(33)); err != nil {
		t.Fatal(err)
	}
	n := 0
	for r, err := range Records(path) {
		if err != nil {
			t.Fatal(err)
		}
		want := fmt.Sprintf("map[good:%v messages:[map[content:hi role:user] map[content:<nil> role:assistant]] meta:map[k:v] score:0.5 tags:[%d]]", n%2 == 1, n)
		if n == 3 {
			want = "map[good:false messages:[] meta:map[] score:<nil> tags:[]]"
		}
		if got := fmt.Sprint(r); got != want {
			t.Fatalf("row %d: %s, not %s", n, got, want)
		}
		n++
	}
	if n != 100 {
		t.Errorf("%d rows", n)
	}
	for r, err := range Records(path, "good", "none") {
		if err != nil || len(r) != 1 {
			t.Fatal(r, err)
		}
		break
	}
	whole, _ := os.ReadFile(path)
	for at := 4; at < len(whole); at += 41 { // damage is an error or another value, never a panic
		bad := append([]byte(nil), whole...)
		bad[at] ^= 0x55
		os.WriteFile(path, bad, 0o666)
		rows := 0
		for range Records(path) {
			if rows++; rows > 200 {
				t.Fatalf("damage at %d: does not end", at)
			}
		}
	}
}

// TestRecordsOfOthers reads the files of other writers, good and bad: values or an error, no panic.
func TestRecordsOfOthers(t *testing.T) {
	data := os.Getenv("WINNOW_DATA")
	if data == "" {
		t.Skip("WINNOW_DATA is not set: no parquet files of others to read")
	}
	files, _ := filepath.Glob(filepath.Join(data, "formats/parquet/*.parquet"))
	first := map[string]string{}
	for _, f := range files {
		if strings.Contains(f, "large_") { // two values of 2 GiB
			continue
		}
		for r, err := range Records(f) {
			if _, there := first[filepath.Base(f)]; !there {
				first[filepath.Base(f)] = strings.ReplaceAll(fmt.Sprint(r, " ", err), f, "")
			}
			break
		}
	}
	if len(files) == 0 {
		t.Skip("no parquet files in the data folder")
	}
	for name, want := range map[string]string{
		"list_columns.parquet":           "map[int64_list:[1 2 3] utf8_list:[abc efg hij]]",
		"nested_lists.snappy.parquet":    "[[[a b] [c]] [<nil> [d]]]",
		"repeated_no_annotation.parquet": "phoneNumbers",
	} {
		if got, there := first[name]; there && !strings.Contains(got, want) {
			t.Errorf("%s: %s has no %s", name, got, want)
		}
	}
}
