package main

import (
	"bytes"
	"strings"
	"testing"

	"winnow/pipelines/engine"
	"winnow/report"
	"winnow/train"
)

// TestTrainingWarns shows a warning in the language of the reader, also where nothing else is said.
func TestTrainingWarns(t *testing.T) {
	warning := train.Event{Type: "warning", EN: "made by kernel avx2", ZH: "由内核 avx2 生成"}
	for lang, want := range map[report.Lang]string{report.EN: "! made by kernel avx2\n", report.ZH: "! 由内核 avx2 生成\n"} {
		for _, quiet := range []bool{false, true} {
			var out bytes.Buffer
			(&app{err: &out, lang: lang, quiet: quiet}).newTrainProgress("out").event(warning)
			if out.String() != want {
				t.Errorf("%s, quiet %v: %q", lang, quiet, out.String())
			}
		}
	}
}

func TestWarningWhileARunGoesOn(t *testing.T) {
	status := func(reached, dropped int64) engine.Event {
		return engine.Event{Type: "status", Steps: []engine.StepCount{
			{Label: "extract", Name: "extract", Reached: reached, Dropped: dropped},
			{Label: "filter-2", Name: "filter", Reached: reached, Dropped: dropped},
		}}
	}
	for _, lang := range []report.Lang{report.EN, report.ZH} {
		var out bytes.Buffer
		p := (&app{err: &out, lang: lang}).newProgress()
		p.event(status(1000, 990)) // too few to tell
		p.event(status(5000, 4000))
		if out.Len() > 0 {
			t.Errorf("warned too early: %s", out.String())
		}
		p.event(status(9000, 8900))
		p.event(status(9500, 9400))
		if s := out.String(); strings.Count(s, "! ") != 1 || !strings.Contains(s, "filter-2") || !strings.Contains(s, "8,900") {
			t.Errorf("want one warning of filter-2, got %q", s)
		}
	}
}
