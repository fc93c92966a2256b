package cli

import (
	"context"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"winnow/pipelines"
	"winnow/pipelines/engine"
)

// RecipeFlags change what a recipe says.
type RecipeFlags struct {
	Input   []string
	Dropped string
}

func (f *RecipeFlags) Add(a *App, cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&f.Input, "input", nil, a.Lang.T("files to read instead of the recipe's; may be given more than once; globs know **", "用这些文件代替配方的输入；可多次给出；支持 **"))
	cmd.Flags().StringVar(&f.Dropped, "dropped", "", a.Lang.T("texts of dropped documents: all, sample, none", "保存哪些被丢弃的文本：all、sample、none"))
}

// Load reads a recipe and makes its plan, shards included.
func (a *App) Load(ctx context.Context, path string, f RecipeFlags) (*pipelines.Recipe, *engine.Plan, error) {
	r, raw, err := pipelines.Load(path)
	if err == nil && len(f.Input) > 0 {
		if raw, err = pipelines.WithInput(raw, f.Input); err == nil {
			r, err = pipelines.Parse(path, raw)
		}
	}
	if err != nil {
		return nil, nil, ExitWith(ExitUsage, err)
	}
	if f.Dropped != "" {
		if !slices.Contains([]string{"all", "sample", "none"}, f.Dropped) {
			return nil, nil, Usage(a.Lang.T("--dropped %s: write all, sample or none", "--dropped %s：应写 all、sample 或 none"), f.Dropped)
		}
		r.Output.Dropped = f.Dropped
	}
	if r.Output.Dir == "" || a.Runs != "runs" {
		r.Output.Dir = a.Runs
	}
	if r.Output.Dir, err = Cleaned(r.Output.Dir, nil); err != nil {
		return nil, nil, err
	}
	p, err := pipelines.Build(r, raw, Version())
	if err != nil {
		return nil, nil, ExitWith(ExitUsage, err)
	}
	p.Store = a.Store
	if p.Shards, err = p.Source.Shards(ctx); err != nil {
		return nil, nil, ExitWith(ExitUsage, fmt.Errorf("%s: input: %w", path, err))
	}
	return r, p, nil
}
