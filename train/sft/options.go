package sft

import (
	"context"
	"errors"
	"fmt"

	"winnow/train/chat"
	"winnow/train/tune"
)

// Kind is what a fine-tuned model is in its lineage.
const Kind = "sft"

// Config is what fine-tuning is told beside tune.Settings, all that its result depends on.
type Config struct {
	Len          int       `json:"length"` // positions of a row; 0: the model's context, at most 512
	Batch        int       `json:"batch"`  // rows of a micro-batch
	Accumulate   int       `json:"accumulate"`
	Cut          chat.Cut  `json:"cut"`          // what becomes of long conversations
	MostCut      float64   `json:"most_cut"`     // share of the rows that may be cut
	MostDropped  float64   `json:"most_dropped"` // share of the rows that may be dropped
	Holdout      float64   `json:"holdout"`      // share of the prompts that are only validated on, where there is no Held
	HeldMost     int       `json:"held_most"`    // conversations validated on; 0: all
	ResponseOnly bool      `json:"response_only,omitempty"`
	Select       Selection `json:"select"`
	Samples      int       `json:"samples"` // held-out prompts that are answered after a validation
	Reading      Reading   `json:"reading"`
	HeldHashes   []string  `json:"held,omitempty"` // hashes of data to validate on; Run sets it
}

// Reading is how rows are read: source.Options as the plan keeps them. Run sets it.
type Reading struct {
	Fields  map[string]string `json:"fields,omitempty"`
	Set     map[string]string `json:"set,omitempty"`
	Literal bool              `json:"literal,omitempty"`
	GoOn    bool              `json:"go_on,omitempty"`
}

// Usual is the configuration that is used where nothing else is said.
func Usual() Config {
	return Config{Batch: 4, Accumulate: 1, Cut: chat.CutTurns, MostCut: .01, MostDropped: .05, Holdout: .05, HeldMost: 500, Samples: 3}
}

// Scorer rates texts: higher is better.
type Scorer interface {
	Name() string
	Score(ctx context.Context, texts []string) ([]float64, error)
}

// Options are for Run.
type Options struct {
	tune.Options
	Config
	Train Data
	Held  Data       // to validate on; empty: a share of Train
	Rater Scorer     // for Selection quality; nil: the mean log-probability of the answers under the parent
	Know  *Knowledge // what the parent knows of Train is measured first; nil: not, unless the Selection needs it
}

func (o *Options) check() error {
	switch {
	case o.Len < 0 || o.Batch < 1 || o.Accumulate < 1:
		return fmt.Errorf("%d rows, %d times, of %d positions", o.Batch, o.Accumulate, o.Len)
	case o.Holdout < 0 || o.Holdout > .5:
		return fmt.Errorf("holdout %g is not within 0 and 0.5", o.Holdout)
	case o.Train.empty():
		return errors.New("no data")
	case o.Samples < 0 || o.HeldMost < 0:
		return errors.New("samples, held-most: below 0")
	}
	return o.Select.check()
}
