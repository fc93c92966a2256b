package bench

import (
	"context"
	"slices"

	"winnow"
	"winnow/bench/meter"
	"winnow/filter"
)

// together are the families that a recipe for a language mostly takes.
var together = []struct {
	name, language string
	use            []string
}{
	{"gopher+repetition+c4+fineweb, en", "en", []string{"repetition", "gopher", "c4", "fineweb"}},
	{"gopher+repetition+fineweb+zh, zh", "zh", []string{"repetition", "gopher", "fineweb", "zh"}},
}

// prepareFilter measures each family of rules alone, and those together that are mostly taken together, on the main texts of
// the input, under the default bounds. A family gets the texts of the languages that it is meant for.
func prepareFilter(ctx context.Context, o meter.Options) (meter.Once, error) {
	texts, err := o.Texts(ctx)
	if err != nil {
		return nil, err
	}
	families := filter.Families()[1:] // the first, text, is part of every stage
	return func(ctx context.Context) ([]meter.Figure, error) {
		out := []meter.Figure{
			{Name: "texts", Value: float64(len(texts))},
			{Name: "text", Unit: "MB", Value: float64(meter.SizeOf(texts)) / 1e6},
		}
		for _, f := range families {
			if out, err = measureRules(ctx, &o, out, f.Name, []string{f.Name}, meantFor(f, texts)); err != nil {
				return nil, err
			}
		}
		for _, t := range together {
			if out, err = measureRules(ctx, &o, out, t.name, t.use, in(t.language, texts)); err != nil {
				return nil, err
			}
		}
		return out, nil
	}, nil
}

// measureRules adds the figure of some rules; none where there is no text for them.
func measureRules(ctx context.Context, o *meter.Options, out []meter.Figure, name string, use []string, texts []meter.Text) ([]meter.Figure, error) {
	stage, err := filter.New(filter.Options{Use: use})
	if err != nil || len(texts) == 0 {
		return out, err
	}
	d := &winnow.Document{}
	seconds, err := o.PerPass(ctx, func() error {
		for _, t := range texts {
			d.Text, d.Language, d.Signals = t.Body, t.Language, d.Signals[:0]
			if _, _, err := stage.Apply(ctx, d); err != nil {
				return err
			}
		}
		return nil
	})
	return append(out, meter.Figure{Name: name, Unit: "MB/s per core", Value: meter.Rate(meter.SizeOf(texts), seconds)}), err
}

func meantFor(f filter.Family, texts []meter.Text) (out []meter.Text) {
	for _, t := range texts {
		if slices.ContainsFunc(f.Rules, func(r filter.Rule) bool { return len(r.Langs) == 0 || slices.Contains(r.Langs, t.Language) }) {
			out = append(out, t)
		}
	}
	return out
}

func in(language string, texts []meter.Text) (out []meter.Text) {
	for _, t := range texts {
		if t.Language == language {
			out = append(out, t)
		}
	}
	return out
}
