// Package tuning is the commands that make one model of another: fine-tuning, rewards, feedback, judges. Flags and a terminal flow in;
// model folders and tables flow out.
package tuning

import (
	"github.com/spf13/cobra"

	"winnow/cmd/winnow/cli"
	"winnow/train/monitor"
)

// app is the program, with the commands of this room.
type app struct{ *cli.App }

// Commands are the commands of this room.
func Commands(c *cli.App) []*cobra.Command {
	a := &app{c}
	return []*cobra.Command{
		a.trainSFT(),
		a.trainKnow(),
		a.trainDistill(),
		a.trainJudge(),
		a.trainTeach(),
		a.trainSelf(),
		a.trainReward(),
		a.trainDPO(),
		a.trainKTO(),
		a.trainMeasures(),
		a.trainPolicy(monitor.Reinforce),
		a.trainPolicy(monitor.RLOO),
		a.trainPolicy(monitor.GRPO),
		a.trainPolicy(monitor.PPO),
	}
}
