// Package pretrain is the commands that make a model from kept texts: tokenizer, base model, evaluation, scaling, demonstrations.
// Flags and a terminal flow in; model folders and tables flow out.
package pretrain

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
		a.trainBase(),
		a.trainDemo(),
		a.trainShow(),
		a.trainEval(),
		a.trainTokenizer(),
		a.trainSweep(),
		a.trainScaling(),
	}
}

// Plan is `winnow plan train`.
func Plan(c *cli.App) *cobra.Command { return (&app{c}).planTrain() }
