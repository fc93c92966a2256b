package main

import (
	"fmt"
	"runtime"
	"winnow/cmd/winnow/cli"

	"github.com/spf13/cobra"
)

func (a *app) versionCmd() *cobra.Command {
	return &cobra.Command{
		Use: "version", Args: cli.ExactArgs(0, 0),
		Short: a.Lang.T("the version of the program", "程序版本"),
		RunE: func(*cobra.Command, []string) error {
			if a.JSON {
				return a.Line(map[string]string{"version": cli.Version(), "go": runtime.Version(), "os": runtime.GOOS, "arch": runtime.GOARCH})
			}
			_, err := fmt.Fprintf(a.Out, "winnow %s %s %s/%s\n", cli.Version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return err
		},
	}
}
