package talk

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"winnow/cmd/winnow/cli"
	"winnow/report"
	"winnow/shard"
	"winnow/train/checkpoint"
)

// TestLineageLong prints ten of many inputs and says how many more there are; of few it prints all.
func TestLineageLong(t *testing.T) {
	for n, want := range map[int]string{12: "from file-11", 1000: "and 990 more"} {
		var out bytes.Buffer
		a := &app{&cli.App{Out: &out, Lang: report.LangOf("en")}}
		d := checkpoint.Data{Run: "web-1"}
		for i := range n {
			d.Inputs = append(d.Inputs, shard.Input{File: fmt.Sprint("file-", i)})
		}
		a.printLineage(&checkpoint.Info{Kind: checkpoint.KindBase, Data: []checkpoint.Data{d}}, []finding{{What: "run:web-1"}})
		if lines := strings.Count(out.String(), "\n"); !strings.Contains(out.String(), want) || lines > 14 || !strings.Contains(out.String(), "run web-1, recipe , data   not here") {
			t.Errorf("%d inputs, %d lines:\n%s", n, lines, out.String())
		}
	}
}
