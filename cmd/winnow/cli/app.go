// Package cli is what the commands share: streams and flags of the program, exit codes, ways to name a run, progress, endpoints. Arguments
// flow in; options, lines for people and errors with their exit codes flow out.
package cli

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"winnow/crawl/remote"
	"winnow/report"
	"winnow/shard/store"
)

// App is what every command shares: where to read and write, and the flags that all have.
type App struct {
	In       io.Reader
	Out, Err io.Writer

	JSON     bool
	Quiet    bool
	LangFlag string
	Runs     string // folder of runs
	Scratch  string // folder for what is on its way to or from a URL
	Lang     report.Lang
	Store    *store.Store // where runs lie; nil: on the disk alone
}

// ExitCodes ends the help of commands that start something.
const ExitCodes = `
Exit codes: 0 done; 1 failed; 2 usage or recipe error, nothing was started; 3 finished, but some input could not be read;
4 an expectation of the recipe was not met; 130 stopped, run again to go on.
Every flag but --data can be set by WINNOW_<FLAG> in the environment; flags win over the environment, the environment over the
recipe. WINNOW_DATA is the folder of labelled data that tests and "winnow bench" measure on.`

// Prepare takes flags that were not given from the environment, refuses numbers that are none, and settles the language.
func (a *App) Prepare(cmd *cobra.Command) (err error) {
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		name := "WINNOW_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
		if v, ok := os.LookupEnv(name); ok && !f.Changed && err == nil && f.Name != "data" { // WINNOW_DATA is what tests and bench measure on
			if e := cmd.Flags().Set(f.Name, v); e != nil {
				err = Usage("%s=%s: %v", name, v, e)
			}
		}
		if v, e := strconv.ParseFloat(f.Value.String(), 64); f.Value.Type() == "float64" && e == nil && (math.IsNaN(v) || math.IsInf(v, 0)) && err == nil {
			err = Usage(a.Lang.T("--%s %s: this is no finite number", "--%s %s：不是有限的数"), f.Name, f.Value)
		}
	})
	a.Store = store.New(remote.New(remote.Options{TempDir: a.Scratch}), a.Scratch).With(cmd.Context())
	if a.Runs, err = Cleaned(a.Runs, err); err != nil {
		return err
	}
	switch a.LangFlag {
	case "auto":
	case "en", "zh":
		a.Lang = report.Lang(a.LangFlag)
	default:
		return Usage(a.Lang.T("--lang %s: write en, zh or auto", "--lang %s：应写 en、zh 或 auto"), a.LangFlag)
	}
	return err
}

// Cleaned is a folder's name in one form, unless something went wrong before.
func Cleaned(name string, err error) (string, error) {
	if err != nil {
		return "", err
	}
	if name, err = store.Clean(name); err != nil {
		return "", ExitWith(ExitUsage, err)
	}
	return name, nil
}

// LangArg finds --lang before flags are parsed: the texts of flags and commands themselves are in that language.
func LangArg(args []string) report.Lang {
	for i, s := range args {
		v, ok := strings.CutPrefix(s, "--lang=")
		if s == "--lang" && i+1 < len(args) {
			v, ok = args[i+1], true
		}
		if ok && (v == "en" || v == "zh") {
			return report.Lang(v)
		}
	}
	return ""
}

// Locale is the language that the environment asks for.
func Locale() string {
	return cmp.Or(os.Getenv("WINNOW_LANG"), os.Getenv("LC_ALL"), os.Getenv("LC_MESSAGES"), os.Getenv("LANG"))
}

// Say writes one line for people to stderr; with --json, as an event like all others there.
func (a *App) Say(en, zh string, args ...any) {
	if a.Quiet {
		return
	}
	text := fmt.Sprintf(a.Lang.T(en, zh), args...)
	if a.JSON {
		if b, err := json.Marshal(map[string]string{"type": "message", "text": strings.TrimSpace(text)}); err == nil {
			text = string(b)
		}
	}
	fmt.Fprintln(a.Err, text)
}

// ExactArgs is cobra.RangeArgs with this program's exit code.
func ExactArgs(least, most int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) < least || len(args) > most {
			return Usage("%s", strings.TrimSpace(cmd.UseLine())+": wrong number of arguments")
		}
		return nil
	}
}

// Exit codes, as `winnow help` lists them.
const (
	ExitFailed  = 1
	ExitUsage   = 2
	ExitPartial = 3
	exitExpect  = 4
	ExitStopped = 130
)

// ExitError ends the program with a code of its own.
type ExitError struct {
	Code int
	err  error
}

func (e *ExitError) Error() string { return e.err.Error() }

func (e *ExitError) Unwrap() error { return e.err }

// ExitWith ends the program with that code.
func ExitWith(code int, err error) error { return &ExitError{code, err} }

// Usage is a mistake in the command line or the recipe: nothing was started.
func Usage(format string, args ...any) error {
	return ExitWith(ExitUsage, fmt.Errorf(format, args...))
}
