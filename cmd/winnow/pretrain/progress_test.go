package pretrain

import (
	"bytes"
	"testing"

	"winnow/cmd/winnow/cli"
	"winnow/report"
	"winnow/train"
)

// TestTrainingWarns shows a warning in the language of the reader, also where nothing else is said.
func TestTrainingWarns(t *testing.T) {
	warning := train.Event{Type: "warning", EN: "made by kernel avx2", ZH: "由内核 avx2 生成"}
	for lang, want := range map[report.Lang]string{report.EN: "! made by kernel avx2\n", report.ZH: "! 由内核 avx2 生成\n"} {
		for _, quiet := range []bool{false, true} {
			var out bytes.Buffer
			(&app{&cli.App{Err: &out, Lang: lang, Quiet: quiet}}).newTrainProgress("out").event(warning)
			if out.String() != want {
				t.Errorf("%s, quiet %v: %q", lang, quiet, out.String())
			}
		}
	}
}
