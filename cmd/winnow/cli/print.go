package cli

import (
	"encoding/json"
	"fmt"
	"runtime/debug"
)

// Line writes one value as a line of JSON.
func (a *App) Line(v any) error {
	b, err := json.Marshal(v)
	if err == nil {
		_, err = fmt.Fprintln(a.Out, string(b))
	}
	return err
}

// F3 writes three digits behind the point.
func F3(v float64) string { return fmt.Sprintf("%.3f", v) }

// number is the program's version; a build from a version-control checkout adds the revision.
const number = "0.1.0"

// Version is the number, and the revision where the build knows it.
func Version() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" && len(s.Value) >= 12 {
				return number + "+" + s.Value[:12]
			}
		}
	}
	return number
}

// LossPageName is the page of a training folder that shows its losses.
const LossPageName = "loss.html"
