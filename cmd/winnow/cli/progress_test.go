package cli

import (
	"bytes"
	"strings"
	"testing"

	"winnow/pipelines/engine"
	"winnow/report"
)

func TestWarningWhileARunGoesOn(t *testing.T) {
	status := func(reached, dropped int64) engine.Event {
		return engine.Event{Type: "status", Steps: []engine.StepCount{
			{Label: "extract", Name: "extract", Reached: reached, Dropped: dropped},
			{Label: "filter-2", Name: "filter", Reached: reached, Dropped: dropped},
		}}
	}
	for _, lang := range []report.Lang{report.EN, report.ZH} {
		var out bytes.Buffer
		p := (&App{Err: &out, Lang: lang}).NewProgress()
		p.Event(status(1000, 990)) // too few to tell
		p.Event(status(5000, 4000))
		if out.Len() > 0 {
			t.Errorf("warned too early: %s", out.String())
		}
		p.Event(status(9000, 8900))
		p.Event(status(9500, 9400))
		if s := out.String(); strings.Count(s, "! ") != 1 || !strings.Contains(s, "filter-2") || !strings.Contains(s, "8,900") {
			t.Errorf("want one warning of filter-2, got %q", s)
		}
	}
}
