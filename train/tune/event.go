package tune

import (
	"path/filepath"
	"winnow/train/journal"
	"winnow/train/llm"
)

// Metric is one line of metrics.jsonl: what an update did, or, where Eval is set, what was validated behind it. A method gives Update
// the loss, its own values, and what the update counted.
type Metric struct {
	Step   int     `json:"step"`             // counted from 1
	Loss   float64 `json:"loss"`             // whose gradient it was
	Rate   float64 `json:"lr,omitempty"`     // learning rate
	Norm   float64 `json:"norm,omitempty"`   // of the gradient before clipping
	Tokens int64   `json:"tokens,omitempty"` // counted targets: given to Update those of this update, told and recorded those so far
	Row    int64   `json:"row,omitempty"`    // Run.Row
	Epoch  int     `json:"epoch,omitempty"`  // passes over the data that were begun
	Spike  string  `json:"spike,omitempty"`  // the measure that jumped: loss or norm
	Score  float64 `json:"score,omitempty"`  // how far, in standard deviations
	Skip   bool    `json:"skip,omitempty"`   // the update was left out

	Values    map[string]float64 `json:"values,omitempty"`    // of the method: reward, kl, ...
	Documents []string           `json:"documents,omitempty"` // ids of what a spike was seen on
	Eval      map[string]float64 `json:"eval,omitempty"`
	Positions int64              `json:"-"` // computed forward and backward, for the speed
}

// Sample is a text that the model wrote while it was trained.
type Sample struct {
	Step   int    `json:"step"`
	Prompt string `json:"prompt"`
	Text   string `json:"text"`
}

// Event is what a run tells while it goes on. Type says which fields are set.
type Event struct {
	Type string `json:"type"` // start, step, eval, sample, spike, save, warning, stop, done, or the method's own

	Plan    *Plan              `json:"plan,omitempty"`
	Model   *llm.Config        `json:"model,omitempty"`
	Trained int64              `json:"trained,omitempty"` // values that are trained
	Resumed bool               `json:"resumed,omitempty"`
	Metric  *Metric            `json:"metric,omitempty"`
	Speed   float64            `json:"positions_per_second,omitempty"`
	Left    float64            `json:"seconds_left,omitempty"`
	Eval    map[string]float64 `json:"eval,omitempty"`
	Best    bool               `json:"best,omitempty"` // of an eval: no earlier one was better
	Sample  *Sample            `json:"sample,omitempty"`
	Folder  string             `json:"folder,omitempty"`
	EN      string             `json:"en,omitempty"` // of a warning
	ZH      string             `json:"zh,omitempty"`
	Result  *Result            `json:"result,omitempty"`
	More    any                `json:"more,omitempty"` // of the method
}

// Result is what came of a run.
type Result struct {
	Out     string             `json:"out"`
	Model   string             `json:"model"` // the folder to go on with: Out, or its adapter/
	Kind    string             `json:"kind"`
	Hash    string             `json:"hash"` // of the weights
	Steps   int                `json:"steps"`
	Best    int                `json:"best,omitempty"` // step of the weights that were kept; 0: the last ones, since nothing was validated
	Stopped bool               `json:"stopped_early,omitempty"`
	Tokens  int64              `json:"tokens"`         // counted targets
	Loss    float64            `json:"loss"`           // of the last update
	Eval    map[string]float64 `json:"eval,omitempty"` // of the weights that were kept
	Speed   float64            `json:"positions_per_second"`
	Seconds map[string]float64 `json:"seconds"` // of this process, by what it did
}

func (r *Run) tell(e Event) {
	if r.Tell != nil {
		r.Tell(e)
	}
}

// Warn tells something that a run goes on after, in both languages.
func (r *Run) Warn(en, zh string) { r.tell(Event{Type: "warning", EN: en, ZH: zh}) }

// Note tells something of the method's own.
func (r *Run) Note(kind string, more any) { r.tell(Event{Type: kind, More: more}) }

// ReadMetrics reads the metrics.jsonl of a Run's folder.
func ReadMetrics(out string) ([]Metric, error) {
	return journal.Read[Metric](filepath.Join(out, metricsName))
}
