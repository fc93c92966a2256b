package demo

import (
	"math"
	"testing"
)

func TestDifferencesAreSaidOnlyBeyondTheNoiseOfSeeds(t *testing.T) {
	seeds := func(ref, arm [2]float64) [][]Measure {
		var out [][]Measure
		for s := range 2 {
			out = append(out, []Measure{{Arm: "ref", Metric: "bpb", Better: -1, Value: ref[s]}, {Arm: "arm", Metric: "bpb", Better: -1, Value: arm[s]}})
		}
		return out
	}
	for _, c := range []struct {
		name     string
		ref, arm [2]float64
		gain     int
	}{
		{"clearly less", [2]float64{2.87, 2.85}, [2]float64{2.50, 2.51}, 1},
		{"clearly more", [2]float64{2.87, 2.85}, [2]float64{3.19, 3.22}, -1},
		{"within the range of one arm", [2]float64{2.87, 2.85}, [2]float64{2.90, 2.99}, 0},
		{"the seeds disagree", [2]float64{2.80, 2.90}, [2]float64{2.85, 2.85}, 0},
	} {
		got, err := lines(seeds(c.ref, c.arm))
		if err != nil {
			t.Fatal(err)
		}
		if got[0].Against != nil || got[1].Against.Gain != c.gain {
			t.Errorf("%s: gain %d, want %d (%+v)", c.name, got[1].Against.Gain, c.gain, got[1].Against)
		}
	}
	if _, err := lines([][]Measure{{{Arm: "a", Metric: "m", Better: 1, Value: 1}}, {{Arm: "b", Metric: "m", Better: 1, Value: 1}}}); err == nil {
		t.Error("seeds with different measures were put together")
	}
	one, _ := lines([][]Measure{{{Arm: "ref", Metric: "m", Better: 1, Value: 1}, {Arm: "arm", Metric: "m", Better: 1, Value: 9}}})
	if one[1].Against != nil {
		t.Error("one seed has no noise to compare with, yet a gain was said")
	}
}

func TestIntervals(t *testing.T) {
	got, err := lines([][]Measure{
		{{Arm: "a", Metric: "share, %", Value: 90, Trials: 10}, {Arm: "a", Metric: "gain", Value: 2, Gains: []float64{1, 3}}, {Arm: "a", Metric: "loss", Value: 1}},
		{{Arm: "a", Metric: "share, %", Value: 70, Trials: 10}, {Arm: "a", Metric: "gain", Value: 1, Gains: []float64{0, 2}}, {Arm: "a", Metric: "loss", Value: 1}},
	})
	if err != nil {
		t.Fatal(err)
	}
	// Wilson's interval of 16 in 20, as Brown, Cai, DasGupta 2001 compute it; a mean of 1.5 with a deviation of 1.291 over four.
	for i, want := range []*Interval{{58.398, 91.933}, {.2348, 2.7652}, nil} {
		switch in := got[i].Interval; {
		case want == nil && in == nil:
		case want == nil || in == nil || math.Abs(in.Low-want.Low) > .01 || math.Abs(in.High-want.High) > .01:
			t.Errorf("%s: interval %v, want %v", got[i].Metric, in, want)
		}
	}
}
