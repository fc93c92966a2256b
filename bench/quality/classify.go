package quality

import (
	"context"

	"winnow/bench/meter"
	"winnow/filter/quality/classify"
)

// ownModels are winnow's classifiers of the shapes that differ in speed.
var ownModels = []struct {
	name string
	o    classify.Options
}{
	{"winnow's, linear", classify.Options{}},
	{"winnow's, hidden layer of 16", classify.Options{Hidden: 16}},
	{"winnow's, linear, with characters 3-5", classify.Options{Features: classify.Features{Shortest: 3, Longest: 5}}},
}

// measureOwn measures training and scoring of winnow's own classifiers on the lines that fastText's models read. The classes do not
// matter for the time; they are every other text.
func measureOwn(ctx context.Context, o *meter.Options, lines []string) (out []meter.Figure, err error) {
	set, size := classify.Binary(nil, nil), int64(0)
	for i, l := range lines {
		set.Add(l, i%2)
		size += int64(len(l))
	}
	for _, kind := range ownModels {
		begin := meter.ProcessorTime()
		m, _, err := classify.Train(set, kind.o)
		if err != nil {
			return nil, err
		}
		took := (meter.ProcessorTime() - begin).Seconds()
		seconds, err := o.PerPass(ctx, func() error {
			for _, l := range lines {
				m.Score(l)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		out = append(out, meter.Figure{Name: kind.name + ": scored", Unit: "MB/s per core", Value: meter.Rate(size, seconds)},
			meter.Figure{Name: kind.name + ": trained, 5 epochs", Unit: "texts/s per core", Value: float64(len(lines)) / took})
	}
	return out, nil
}
