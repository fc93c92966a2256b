package cli

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/schollz/progressbar/v3"

	"winnow/pipelines/engine"
	"winnow/report"
)

// Progress shows a run's events: one live line on a terminal, a plain line every 30 seconds elsewhere, JSON with --json.
type Progress struct {
	App   *App
	live  bool
	bar   *progressbar.ProgressBar
	pass  int
	last  time.Time
	begun time.Time
	told  map[string]bool // stages that were warned of
}

// PlainEvery is how often a line of progress is written where there is no terminal.
const PlainEvery = 30 * time.Second

func (a *App) NewProgress() *Progress {
	return &Progress{App: a, live: a.Live(), begun: time.Now(), last: time.Now(), told: map[string]bool{}}
}

func (p *Progress) Event(e engine.Event) {
	a := p.App
	p.warn(e)
	switch {
	case a.JSON:
		if b, err := json.Marshal(e); err == nil && !a.Quiet {
			fmt.Fprintln(a.Err, string(b))
		}
	case a.Quiet:
	case e.Type == "start":
		word := a.Lang.T("begins", "开始")
		if e.Resumed {
			word = a.Lang.T("goes on where it stopped", "从断点继续")
		}
		a.Say("%s  %s  %d shards", "%s  %s  %d 个分片", e.Run, word, e.Shards)
	case e.Type == "status" && p.live:
		p.draw(e)
	case e.Type == "status" && time.Since(p.last) >= PlainEvery:
		p.last = time.Now()
		fmt.Fprintln(a.Err, p.line(e))
	}
}

// enough is the number of documents from which a stage is compared with what is usual while the run goes on.
const enough = 2000

// warn says once for each stage, before hours are lost, that it drops far more than is usual. It never asks.
func (p *Progress) warn(e engine.Event) {
	for _, s := range e.Steps {
		if s.Reached < enough || p.told[s.Label] {
			continue
		}
		if w, ok := report.Unusual(s.Name, s.Label, s.Reached, s.Dropped, s.Errors); ok {
			p.told[s.Label] = true
			p.finish()
			if p.App.JSON {
				if b, err := json.Marshal(map[string]any{"type": "warning", "warning": w}); err == nil {
					fmt.Fprintln(p.App.Err, string(b))
				}
				continue
			}
			fmt.Fprintln(p.App.Err, "! "+w.Text(p.App.Lang))
		}
	}
}

// line says all that a status says: stage, documents, speed, time left, share kept.
func (p *Progress) line(e engine.Event) string {
	l := p.App.Lang
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

func (p *Progress) draw(e engine.Event) {
	if p.bar == nil || p.pass != e.Pass {
		p.finish()
		p.pass = e.Pass
		p.bar = progressbar.NewOptions64(max(e.Total, 1),
			progressbar.OptionSetWriter(p.App.Err), progressbar.OptionSetTheme(progressbar.ThemeASCII), progressbar.OptionSetWidth(24),
			progressbar.OptionSetPredictTime(false), progressbar.OptionSetElapsedTime(false), progressbar.OptionClearOnFinish(),
			progressbar.OptionThrottle(100*time.Millisecond))
	}
	p.bar.Describe(p.line(e))
	_ = p.bar.Set64(e.Bytes)
}

// finish leaves the last line of a pass on the screen.
func (p *Progress) finish() {
	if p.bar != nil {
		_ = p.bar.Clear()
		p.bar = nil
	}
}

func (p *Progress) Close() {
	p.finish()
}
