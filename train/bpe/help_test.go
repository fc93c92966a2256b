package bpe

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// gunzipText joins the texts of a packed JSONL file.
func gunzipText(t testing.TB, path string) string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	scan := bufio.NewScanner(z)
	scan.Buffer(nil, 1<<24)
	for scan.Scan() {
		var row struct{ Text string }
		if err := json.Unmarshal(scan.Bytes(), &row); err != nil {
			t.Fatal(err)
		}
		out.WriteString(row.Text + "\n")
	}
	if err := scan.Err(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// unbrokenHan gives so many bytes of Han without a mark or a space, different all along.
func unbrokenHan(size int) string {
	var out strings.Builder
	for x := uint32(1); out.Len() < size; {
		x = x*1664525 + 1013904223
		out.WriteRune(rune(0x4E00 + x>>18%5000))
	}
	return out.String()
}
