package train

import (
	"math"
	"testing"
)

func TestRate(t *testing.T) {
	cosine := Schedule{Shape: "cosine", Peak: 1, Floor: .1, Warmup: 10, Steps: 100}
	wsd := Schedule{Shape: "wsd", Peak: 2, Warmup: 10, Decay: 20, Steps: 100}
	for _, c := range []struct {
		s    Schedule
		step int
		want float64
	}{
		{cosine, 0, .1}, {cosine, 9, 1}, {cosine, 10, 1}, {cosine, 55, .55}, {cosine, 99, .100274},
		{wsd, 0, .2}, {wsd, 9, 2}, {wsd, 10, 2}, {wsd, 79, 2}, {wsd, 80, 2}, {wsd, 85, 1}, {wsd, 99, 2 * (1 - math.Sqrt(.95))},
		{Schedule{Shape: "cosine", Peak: 3, Floor: .1, Steps: 1}, 0, 3},
	} {
		if got := c.s.Rate(c.step); math.Abs(got-c.want) > 1e-6 {
			t.Errorf("%s step %d: %g, want %g", c.s.Shape, c.step, got, c.want)
		}
	}
}

func TestScheduleValidate(t *testing.T) {
	for _, s := range []Schedule{
		{Shape: "linear", Peak: 1, Steps: 10}, {Shape: "cosine", Steps: 10}, {Shape: "cosine", Peak: math.NaN(), Steps: 10},
		{Shape: "cosine", Peak: 1}, {Shape: "cosine", Peak: 1, Steps: 5, Warmup: 6}, {Shape: "wsd", Peak: 1, Steps: 5, Warmup: 3, Decay: 3},
		{Shape: "cosine", Peak: 1, Steps: 5, Floor: 1.5},
	} {
		if s.Validate() == nil {
			t.Errorf("%+v is taken", s)
		}
	}
	if err := (Schedule{Shape: "wsd", Peak: 1, Steps: 5, Warmup: 2, Decay: 3}).Validate(); err != nil {
		t.Error(err)
	}
}
