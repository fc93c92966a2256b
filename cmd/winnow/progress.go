package main

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/schollz/progressbar/v3"

	"winnow/pipelines/engine"
	"winnow/report"
)

// progress shows a run's events: one live line on a terminal, a plain line every 30 seconds elsewhere, JSON with --json.
type progress struct {
	app   *app
	live  bool
	bar   *progressbar.ProgressBar
	pass  int
	last  time.Time
	begun time.Time
	told  map[string]bool // stages that were warned of
}

const plainEvery = 30 * time.Second

func (a *app) newProgress() *progress {
	return &progress{app: a, live: a.live(), begun: time.Now(), last: time.Now(), told: map[string]bool{}}
}

func (p *progress) event(e engine.Event) {
	a := p.app
	p.warn(e)
	switch {
	case a.json:
		if b, err := json.Marshal(e); err == nil && !a.quiet {
			fmt.Fprintln(a.err, string(b))
		}
	case a.quiet:
	case e.Type == "start":
		word := a.lang.T("begins", "开始")
		if e.Resumed {
			word = a.lang.T("goes on where it stopped", "从断点继续")
		}
		a.say("%s  %s  %d shards", "%s  %s  %d 个分片", e.Run, word, e.Shards)
	case e.Type == "status" && p.live:
		p.draw(e)
	case e.Type == "status" && time.Since(p.last) >= plainEvery:
		p.last = time.Now()
		fmt.Fprintln(a.err, p.line(e))
	}
}

// enough is the number of documents from which a stage is compared with what is usual while the run goes on.
const enough = 2000

// warn says once for each stage, before hours are lost, that it drops far more than is usual. It never asks.
func (p *progress) warn(e engine.Event) {
	for _, s := range e.Steps {
		if s.Reached < enough || p.told[s.Label] {
			continue
		}
		if w, ok := report.Unusual(s.Name, s.Label, s.Reached, s.Dropped, s.Errors); ok {
			p.told[s.Label] = true
			p.finish()
			if p.app.json {
				if b, err := json.Marshal(map[string]any{"type": "warning", "warning": w}); err == nil {
					fmt.Fprintln(p.app.err, string(b))
				}
				continue
			}
			fmt.Fprintln(p.app.err, "! "+w.Text(p.app.lang))
		}
	}
}

// line says all that a status says: stage, documents, speed, time left, share kept.
func (p *progress) line(e engine.Event) string {
	l := p.app.lang
	s := fmt.Sprintf("[%d/%d] %s  %s %s", e.Pass, e.Passes, e.Stage, report.Count(e.Docs), l.T("docs", "篇"))
	if e.Seconds > 0 {
		s += fmt.Sprintf("  %.0f %s  %.1f MB/s", float64(e.Docs)/e.Seconds, l.T("docs/s", "篇/秒"), float64(e.Bytes)/1e6/e.Seconds)
	}
	if e.Bytes > 0 && e.Total > e.Bytes {
		left := time.Duration(e.Seconds * float64(e.Total-e.Bytes) / float64(e.Bytes) * float64(time.Second))
		s += "  ETA " + left.Round(time.Second).String()
	}
	if e.Docs > 0 {
		s += fmt.Sprintf("  %s %.1f%%", l.T("kept", "保留"), 100*float64(e.Alive)/float64(e.Docs))
	}
	return s
}

func (p *progress) draw(e engine.Event) {
	if p.bar == nil || p.pass != e.Pass {
		p.finish()
		p.pass = e.Pass
		p.bar = progressbar.NewOptions64(max(e.Total, 1),
			progressbar.OptionSetWriter(p.app.err), progressbar.OptionSetTheme(progressbar.ThemeASCII), progressbar.OptionSetWidth(24),
			progressbar.OptionSetPredictTime(false), progressbar.OptionSetElapsedTime(false), progressbar.OptionClearOnFinish(),
			progressbar.OptionThrottle(100*time.Millisecond))
	}
	p.bar.Describe(p.line(e))
	_ = p.bar.Set64(e.Bytes)
}

// finish leaves the last line of a pass on the screen.
func (p *progress) finish() {
	if p.bar != nil {
		_ = p.bar.Clear()
		p.bar = nil
	}
}

func (p *progress) close() {
	p.finish()
}
