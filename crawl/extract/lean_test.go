package extract

import (
	"bytes"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"winnow/crawl/charset"
	"winnow/crawl/extract/blocks"
	"winnow/crawl/extract/lean"
)

// TestLean holds the pass to leave the blocks of real pages as they are.
func TestLean(t *testing.T) {
	same, all := 0, 0
	for _, set := range []string{"scrapinghub", "wcxb_dev340", "zh_cwced_a", "trafilatura_eval150"} {
		for _, g := range corpus(t, set) {
			text, _, _ := charset.Decode(g.body, "")
			want, got := blocksOf([]byte(text)), blocksOf(leanOf(text))
			all++
			if want == got {
				same++
				continue
			}
			a, b := strings.Split(want, "\n"), strings.Split(got, "\n")
			for i := range min(len(a), len(b)) {
				if a[i] != b[i] {
					t.Logf("%s: block %d\n%.300s\n%.300s", g.File, i, a[i], b[i])
					break
				}
			}
		}
	}
	t.Logf("%d of %d pages have the same blocks", same, all)
	if same*100 < all*97 {
		t.Error("the pass changes pages")
	}
}

func leanOf(page string) []byte {
	var l lean.Leaner
	_ = l.Lean(page, false, false)
	return l.Out
}

func blocksOf(page []byte) string {
	root, err := html.ParseWithOptions(bytes.NewReader(page), html.ParseOptionEnableScripting(false))
	if err != nil {
		return err.Error()
	}
	var w blocks.Walker
	w.Reset(len(page), blocks.Notes{}, new(blocks.Watch))
	w.Walk(root, -1)
	w.End()
	var out strings.Builder
	for _, b := range w.Blocks {
		out.WriteString(strings.ReplaceAll(string(w.Text[b.Start:b.End]), "\n", "\\n"))
		out.WriteByte('\n')
	}
	return out.String()
}
