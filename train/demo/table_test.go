package demo

import "testing"

func TestDifferencesAreSaidOnlyBeyondTheNoiseOfSeeds(t *testing.T) {
	seeds := func(ref, arm [2]float64) [][]Measure {
		var out [][]Measure
		for s := range 2 {
			out = append(out, []Measure{{"ref", "bpb", -1, ref[s]}, {"arm", "bpb", -1, arm[s]}})
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
	if _, err := lines([][]Measure{{{"a", "m", 1, 1}}, {{"b", "m", 1, 1}}}); err == nil {
		t.Error("seeds with different measures were put together")
	}
	one, _ := lines([][]Measure{{{"ref", "m", 1, 1}, {"arm", "m", 1, 9}}})
	if one[1].Against != nil {
		t.Error("one seed has no noise to compare with, yet a gain was said")
	}
}
