package cli

import (
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// Live tells whether progress may be one line that changes: messages go to a terminal, and somebody wants to read them.
func (a *App) Live() bool {
	f, ok := a.Err.(*os.File)
	return ok && !a.Quiet && !a.JSON && term.IsTerminal(int(f.Fd()))
}

// StepLine is what training shows of its steps: one live line on a terminal, a plain line now and then elsewhere.
type StepLine struct {
	App  *App
	Live bool
	bar  *progressbar.ProgressBar
	Last time.Time // of a plain line
	All  int       // steps
}

func (a *App) NewStepLine() StepLine {
	return StepLine{App: a, Live: a.Live(), Last: time.Now()}
}

// Told deals with events that need no line, and says whether this was one: warnings, and all under --quiet and --json.
func (l *StepLine) Told(kind, en, zh string, event any) bool {
	a := l.App
	switch {
	case kind == "warning" && !a.JSON:
		l.Close()
		fmt.Fprintln(a.Err, "! "+a.Lang.T(en, zh))
		return true
	case a.Quiet:
		return true
	case a.JSON:
		if b, err := json.Marshal(event); err == nil {
			fmt.Fprintln(a.Err, string(b))
		}
		return true
	}
	return false
}

// Show puts a step in the line.
func (l *StepLine) Show(step int, text string) {
	a := l.App
	switch {
	case l.Live:
		if l.bar == nil {
			l.bar = progressbar.NewOptions(l.All, progressbar.OptionSetWriter(a.Err), progressbar.OptionSetTheme(progressbar.ThemeASCII),
				progressbar.OptionSetWidth(20), progressbar.OptionSetPredictTime(false), progressbar.OptionSetElapsedTime(false),
				progressbar.OptionClearOnFinish(), progressbar.OptionThrottle(100*time.Millisecond))
		}
		l.bar.Describe(text)
		_ = l.bar.Set(step)
	case time.Since(l.Last) >= PlainEvery:
		l.Last = time.Now()
		fmt.Fprintf(a.Err, "%s %d/%d  %s\n", a.Lang.T("step", "步"), step, l.All, text)
	}
}

// Close takes the line away, so that something else can be said.
func (l *StepLine) Close() {
	if l.bar != nil {
		_ = l.bar.Clear()
		l.bar = nil
	}
}
