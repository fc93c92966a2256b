// Package talk is the commands that use a model: generate, chat, serve, export, lineage. A model folder flows in; text, other formats or
// an HTTP server come out.
package talk

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
		a.generateCmd(),
		a.chatCmd(),
		a.serveCmd(),
		a.exportCmd(),
		a.lineageCmd(),
	}
}
