package train

import (
	"fmt"
	"math"
	"strings"
)

// Guard knows a loss or a gradient that jumps: more than Limit standard deviations above the mean of the last Window steps,
// once Window/4 of them are there (the rule of llm.c's outlier detector, which looks at 128 steps). Its whole state is
// exported, so that a checkpoint holds it and a run that goes on judges as one that never stopped.
type Guard struct {
	Limit  float64   `json:"limit"` // standard deviations; 0: never
	Window int       `json:"window"`
	Losses []float64 `json:"losses"` // nats a token, the last Window steps, oldest first
	Norms  []float64 `json:"norms"`  // of the gradient before clipping, likewise
}

// NewGuard has the window of llm.c, and a limit that leaves small batches of ordinary text alone.
func NewGuard(limit float64) *Guard { return &Guard{Limit: limit, Window: 128} }

// Spike tells whether a step stands out, by which measure and how far, and takes the step into the window.
func (g *Guard) Spike(loss, norm float64) (measure string, score float64) {
	if z := outlier(g.Losses, loss, g.Window/4); g.Limit > 0 && z > g.Limit {
		measure, score = "loss", z
	} else if z := outlier(g.Norms, norm, g.Window/4); g.Limit > 0 && z > g.Limit {
		measure, score = "norm", z
	}
	g.Losses = pushed(g.Losses, loss, g.Window)
	g.Norms = pushed(g.Norms, norm, g.Window)
	return measure, score
}

// outlier is how many standard deviations v lies above the mean; 0 while there are fewer than least values, or all are equal.
func outlier(window []float64, v float64, least int) float64 {
	n := float64(len(window))
	if len(window) < max(least, 2) {
		return 0
	}
	var sum, squares float64
	for _, x := range window {
		sum += x
	}
	for _, x := range window {
		squares += (x - sum/n) * (x - sum/n)
	}
	deviation := math.Sqrt(squares / n)
	if deviation == 0 {
		return 0
	}
	return (v - sum/n) / deviation
}

func pushed(window []float64, v float64, size int) []float64 {
	if len(window) >= size {
		window = append(window[:0], window[len(window)-size+1:]...)
	}
	return append(window, v)
}

// DivergedError is a loss or gradient that is no number. The step was not applied: the parameters are those of the step before.
type DivergedError struct {
	Step      int      // counted from 1
	First     int64    // row number of the first row of the step's batch
	Rows      int      // of that batch; 0: it was found out behind the step, on what is held out
	Loss      float64  // nats a token; on what is held out, bits per byte
	Norm      float64  // of the gradient
	Documents []string // ids of the documents in the batch
	Saved     int      // step of the checkpoint whose model Base left; 0: there was none
}

// Error names the batch and the first of its documents.
func (e *DivergedError) Error() string {
	if e.Rows == 0 {
		return fmt.Sprintf("step %d: %g bits per byte on what is held out", e.Step, e.Loss)
	}
	return fmt.Sprintf("step %d: loss %g, gradient norm %g: rows %d to %d, documents %s", e.Step, e.Loss, e.Norm, e.First, e.First+int64(e.Rows)-1, some(e.Documents, 8))
}

// some joins the first ids, and says how many there are beside them.
func some(ids []string, most int) string {
	if len(ids) <= most {
		return strings.Join(ids, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(ids[:most], ", "), len(ids)-most)
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
