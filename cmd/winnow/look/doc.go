// Package look is the commands that read finished runs and rules: report, explain, sample, cat, tune, rules, dedup. Runs and texts flow in;
// tables and pages flow out.
package look

import (
	"github.com/spf13/cobra"

	"winnow/cmd/winnow/cli"
)

// app is the program, with the commands of this room.
type app struct{ *cli.App }

// Commands are the commands of this room.
func Commands(c *cli.App) []*cobra.Command {
	a := &app{c}
	return []*cobra.Command{
		a.runsCmd(),
		a.gcCmd(),
		a.reportCmd(),
		a.explainCmd(),
		a.sampleCmd(),
		a.rulesCmd(),
		a.tuneCmd(),
		a.catCmd(),
		a.dedupCmd(),
	}
}
