// Package arrays is the commands for many machines: launch writes arrays of jobs, task does their share. A recipe or run flows in; job
// scripts and finished tasks flow out.
package arrays

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
		a.launchCmd(),
		a.taskCmd(),
	}
}
