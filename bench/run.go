package bench

import (
	"cmp"
	"context"
	"os"
	"runtime/debug"
	"time"

	"winnow/bench/meter"
	"winnow/pipelines"
	"winnow/pipelines/engine"
	"winnow/shard"
)

// prepareRun measures a whole run: the recipe on all of the input, into a folder that is removed.
func prepareRun(_ context.Context, o meter.Options) (meter.Once, error) {
	path := cmp.Or(o.Recipe, "quickstart")
	recipe, raw, err := pipelines.Load(path)
	if err != nil {
		return nil, err
	}
	if len(o.Inputs) > 0 {
		if raw, err = pipelines.WithInput(raw, o.Inputs); err != nil {
			return nil, err
		}
		if recipe, err = pipelines.Parse(path, raw); err != nil {
			return nil, err
		}
	}
	return func(ctx context.Context) ([]meter.Figure, error) {
		dir, err := os.MkdirTemp("", "winnow-bench-")
		if err != nil {
			return nil, err
		}
		defer os.RemoveAll(dir)
		recipe.Output.Dir = dir
		plan, err := pipelines.Build(recipe, raw, o.Program)
		if err != nil {
			return nil, err
		}
		return wholeRun(ctx, plan)
	}, nil
}

func wholeRun(ctx context.Context, plan *engine.Plan) ([]meter.Figure, error) {
	clocks := withClocks(plan)
	debug.FreeOSMemory() // what a repetition before left behind is not this one's memory
	wall, cpu := time.Now(), meter.ProcessorTime()
	var err error
	if plan.Shards, err = plan.Source.Shards(ctx); err != nil {
		return nil, err
	}
	info, err := engine.Run(ctx, plan, engine.Options{})
	if err != nil {
		return nil, err
	}
	return runFigures(info.Totals, time.Since(wall).Seconds(), (meter.ProcessorTime() - cpu).Seconds(), clocks), nil
}

func runFigures(t shard.Totals, wall, cpu float64, clocks []*clock) []meter.Figure {
	docs := float64(t.Documents)
	out := []meter.Figure{
		{Name: "documents", Value: docs},
		{Name: "raw HTML", Unit: "MB", Value: float64(t.RawBytes) / 1e6},
		{Name: "wall time", Unit: "s", Value: wall},
		{Name: "processor time", Unit: "s", Value: cpu},
		{Name: "speed", Unit: "MB/s per core", Value: meter.Rate(t.RawBytes, cpu)},
		{Name: "speed in documents", Unit: "docs/s per core", Value: docs / cpu},
		{Name: "retained", Unit: "%", Value: 100 * float64(t.Kept) / max(docs, 1)},
		{Name: "peak memory", Unit: "MB resident", Value: float64(meter.PeakMemory()) / 1e6},
	}
	rest := cpu
	for _, c := range clocks {
		out = append(out, meter.Figure{Name: "time in " + c.label, Unit: "% of processor time", Value: 100 * c.seconds() / cpu})
		rest -= c.seconds()
	}
	return append(out, meter.Figure{Name: "time in engine, files, garbage collection", Unit: "% of processor time", Value: 100 * max(rest, 0) / cpu})
}

// withClocks puts a clock on the plan's source, each of its stages and its counting of tokens.
func withClocks(p *engine.Plan) []*clock {
	read, tokens := &clock{label: "read"}, &clock{label: "tokens"}
	clocks := []*clock{read}
	p.Source = timedSource{p.Source, read}
	for i := range p.Steps {
		c := &clock{label: p.Steps[i].Label}
		clocks = append(clocks, c)
		p.Steps[i].Stage = timed(p.Steps[i].Stage, c)
	}
	count := p.Tokens
	p.Tokens = func(text string) (int64, error) {
		defer tokens.start()()
		return count(text)
	}
	return append(clocks, tokens)
}
