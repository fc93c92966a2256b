// Package quality is the commands about models of quality: train, eval, annotate, agree. Texts flow in; classifiers and labels flow out.
package quality

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
		a.qualityCmd(),
	}
}
