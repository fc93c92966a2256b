package main

import (
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// live tells whether progress may be one line that changes: messages go to a terminal, and somebody wants to read them.
func (a *app) live() bool {
	f, ok := a.err.(*os.File)
	return ok && !a.quiet && !a.json && term.IsTerminal(int(f.Fd()))
}

// stepLine is what training shows of its steps: one live line on a terminal, a plain line now and then elsewhere.
type stepLine struct {
	app  *app
	live bool
	bar  *progressbar.ProgressBar
	last time.Time // of a plain line
	all  int       // steps
}

func (a *app) newStepLine() stepLine {
	return stepLine{app: a, live: a.live(), last: time.Now()}
}

// told deals with events that need no line, and says whether this was one: warnings, and all under --quiet and --json.
func (l *stepLine) told(kind, en, zh string, event any) bool {
	a := l.app
	switch {
	case kind == "warning" && !a.json:
		l.close()
		fmt.Fprintln(a.err, "! "+a.lang.T(en, zh))
		return true
	case a.quiet:
		return true
	case a.json:
		if b, err := json.Marshal(event); err == nil {
			fmt.Fprintln(a.err, string(b))
		}
		return true
	}
	return false
}

// show puts a step in the line.
func (l *stepLine) show(step int, text string) {
	a := l.app
	switch {
	case l.live:
		if l.bar == nil {
			l.bar = progressbar.NewOptions(l.all, progressbar.OptionSetWriter(a.err), progressbar.OptionSetTheme(progressbar.ThemeASCII),
				progressbar.OptionSetWidth(20), progressbar.OptionSetPredictTime(false), progressbar.OptionSetElapsedTime(false),
				progressbar.OptionClearOnFinish(), progressbar.OptionThrottle(100*time.Millisecond))
		}
		l.bar.Describe(text)
		_ = l.bar.Set(step)
	case time.Since(l.last) >= plainEvery:
		l.last = time.Now()
		fmt.Fprintf(a.err, "%s %d/%d  %s\n", a.lang.T("step", "步"), step, l.all, text)
	}
}

// close takes the line away, so that something else can be said.
func (l *stepLine) close() {
	if l.bar != nil {
		_ = l.bar.Clear()
		l.bar = nil
	}
}
