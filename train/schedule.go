package train

import (
	"fmt"
	"math"
	"slices"
)

// Schedule gives the learning rate of every step of a run.
type Schedule struct {
	Shape  string  `json:"shape"`  // "cosine", or "wsd": warm-up, steady, decay
	Peak   float64 `json:"peak"`   // learning rate after the warm-up
	Floor  float64 `json:"floor"`  // share of Peak that cosine ends at; 0.1 as nanoGPT, from Hoffmann et al. 2022, section 3
	Warmup int     `json:"warmup"` // steps of linear rise; the first step already has Peak/Warmup
	Decay  int     `json:"decay"`  // wsd: steps of the fall at the end, 1-sqrt(progress), Hägele et al. 2024, equation 1
	Steps  int     `json:"steps"`  // of the whole run
}

// Shapes are the schedules there are.
func Shapes() []string { return []string{"cosine", "wsd"} }

// Validate says what no run can follow.
func (s Schedule) Validate() error {
	switch {
	case !slices.Contains(Shapes(), s.Shape):
		return fmt.Errorf("schedule %q: there are %v", s.Shape, Shapes())
	case !(s.Peak > 0) || math.IsInf(s.Peak, 0):
		return fmt.Errorf("schedule: learning rate %g is not above 0", s.Peak)
	case s.Steps < 1:
		return fmt.Errorf("schedule: %d steps", s.Steps)
	case s.Warmup < 0 || s.Warmup > s.Steps:
		return fmt.Errorf("schedule: warm-up of %d in %d steps", s.Warmup, s.Steps)
	case s.Shape == "wsd" && (s.Decay < 0 || s.Warmup+s.Decay > s.Steps):
		return fmt.Errorf("schedule: warm-up of %d and decay of %d in %d steps", s.Warmup, s.Decay, s.Steps)
	case s.Floor < 0 || s.Floor > 1:
		return fmt.Errorf("schedule: floor %g is not within 0 and 1", s.Floor)
	}
	return nil
}

// Rate is the learning rate of a step, counted from 0.
func (s Schedule) Rate(step int) float64 {
	if step < s.Warmup {
		return s.Peak * float64(step+1) / float64(s.Warmup)
	}
	if s.Shape == "wsd" {
		begin := s.Steps - s.Decay
		if step < begin {
			return s.Peak
		}
		return s.Peak * (1 - math.Sqrt(float64(step-begin)/float64(s.Decay)))
	}
	progress := float64(step-s.Warmup) / float64(max(s.Steps-s.Warmup, 1))
	return s.Peak * (s.Floor + (1-s.Floor)*0.5*(1+math.Cos(math.Pi*min(progress, 1))))
}
