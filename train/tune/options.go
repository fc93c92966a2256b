package tune

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"

	"winnow/train"
	"winnow/train/checkpoint"
	"winnow/train/llm"
)

// Settings are what all methods are told, and what their result depends on. Defaults gives what is usual.
type Settings struct {
	Seed     uint64  `json:"seed"`
	Steps    int     `json:"steps,omitempty"`  // updates; 0: by Epochs
	Epochs   float64 `json:"epochs,omitempty"` // passes over the data, where Steps is 0
	Rate     float64 `json:"lr"`               // peak learning rate; 0: Options.Share of DefaultRate
	Shape    string  `json:"schedule"`         // one of train.Shapes
	Warmup   int     `json:"warmup"`           // steps; below 0: a twentieth of all
	Floor    float64 `json:"floor"`            // share of Rate that cosine ends at
	Clip     float64 `json:"clip"`             // norm that gradients are clipped to; 0: never
	Decay    float64 `json:"decay"`            // weight decay of matrices
	Spike    float64 `json:"spike"`            // standard deviations from which a step is a spike; 0: never
	Skip     bool    `json:"skip_spikes"`      // leave out the update of a spike
	Eval     int     `json:"eval_every"`       // steps between validations; 0: a tenth of all
	Patience int     `json:"patience"`         // validations without a better one after which a run stops; 0: never
	Score    string  `json:"score,omitempty"`  // the validated number by which the best is kept; empty: "loss"
	Higher   bool    `json:"higher,omitempty"` // a higher Score is better; Begin sets it by Work.Scores
}

// Defaults are the settings of a method that is told nothing else: AdamW without decay, clipping at 1, cosine to a tenth.
func Defaults() Settings {
	return Settings{Seed: 1, Shape: "cosine", Warmup: -1, Floor: .1, Clip: 1, Spike: 8}
}

// Check says what no run can follow.
func (s Settings) Check() error {
	for name, v := range map[string]float64{"lr": s.Rate, "epochs": s.Epochs, "clip": s.Clip, "decay": s.Decay, "spike": s.Spike} {
		if v < 0 || math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("%s of %g", name, v)
		}
	}
	switch {
	case s.Steps < 0 || s.Eval < 0 || s.Patience < 0:
		return errors.New("steps, eval-every, patience: below 0")
	case s.Steps == 0 && s.Epochs == 0:
		return errors.New("steps or epochs: give one of them")
	case s.Steps > 0 && s.Epochs > 0:
		return errors.New("steps and epochs: give one of them")
	}
	return s.schedule(max(s.Steps, s.Warmup, 1), cmp.Or(s.Rate, 1)).Validate()
}

// DefaultRate is the peak learning rate of fine-tuning by the model's size: half of what served well at 0.4 million parameters
// (testdata/sweep.json has twice it for pretraining), the usual 2e-5 at 135 million, and a power law between; ten times that for
// adapters, as the papers on LoRA have it. It never is above 1e-3, of adapters 2e-3.
func DefaultRate(parameters int64, adapters bool) float64 {
	rate := 1e-3 * math.Pow(1e6/float64(max(parameters, 1)), .8)
	if adapters {
		return min(10*rate, 2e-3)
	}
	return min(rate, 1e-3)
}

// schedule is that of a run of so many steps.
func (s Settings) schedule(steps int, rate float64) train.Schedule {
	c := train.Schedule{Shape: s.Shape, Peak: rate, Floor: s.Floor, Warmup: s.Warmup, Steps: steps}
	if c.Warmup < 0 {
		c.Warmup = steps / 20
	}
	if c.Shape == "wsd" {
		c.Decay = min(steps/5, steps-min(c.Warmup, steps))
	}
	return c
}

// Options are for Open.
type Options struct {
	Settings
	Out      string    // becomes a model folder
	Parent   string    // model folder, or .gguf file, to go on from
	Template string    // name of a chat template, for a parent that has none
	Bare     bool      // the method writes no conversations: no template is needed
	LoRA     *llm.LoRA // train adapters in place of all weights; nil: all. Out gets them as adapter/
	NoMerge  bool      // with LoRA: Out gets no model with the adapters folded in
	Pool     *llm.Pool
	Program  string      // version
	Share    float64     // of DefaultRate, where Rate is 0; 0: 1
	Save     int         // steps between checkpoints; 0: a tenth of all, and at least every five minutes
	Fresh    bool        // begin anew
	Tell     func(Event) // may be nil
}

// Asked is what a run was asked for, all that its result depends on.
type Asked struct {
	Kind      string          `json:"kind"`
	Parent    string          `json:"parent"`             // hash of the weights
	Parents   []string        `json:"parents,omitempty"`  // hashes of other models
	Tokenizer string          `json:"tokenizer"`          // hash
	Template  string          `json:"template,omitempty"` // hash
	LoRA      *llm.LoRA       `json:"lora,omitempty"`
	Config    json.RawMessage `json:"config,omitempty"` // of the method
	Data      []string        `json:"data"`             // hashes
	Settings
}

// Plan is what was decided before step 1. It lies in OUT/train.json, and a run that goes on follows it.
type Plan struct {
	Asked    Asked          `json:"asked"`
	Schedule train.Schedule `json:"schedule"`
	Eval     int            `json:"eval_every"`
	Kernel   string         `json:"kernel"` // that the plan was made with
}

const planName = "train.json"

// made are the names that a Run gives to what it writes in OUT.
var made = []string{planName, metricsName, samplesName, eventsName, "checkpoints", bestFolder, adapterFolder, "selected.jsonl", "knowledge.json", "loss.html", "tokenizer.json", "tokenizer.winnow.json",
	"model.safetensors", "config.json", "generation_config.json", "tokenizer_config.json", "special_tokens_map.json", "chat_template.jinja", checkpoint.InfoName}

// readPlan reads OUT/train.json. Where there is none, plan and error are nil.
func readPlan(out string) (*Plan, error) {
	path := filepath.Join(out, planName)
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	p := new(Plan)
	if err := json.Unmarshal(b, p); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return p, nil
}

// settle finds the plan in OUT, or makes it. A folder that holds another run, or a model from elsewhere, is a *train.ChangedError.
func (r *Run) settle(asked Asked, epoch int) error {
	if r.Fresh {
		if err := train.Clean(r.Out, made...); err != nil {
			return err
		}
	}
	p, err := readPlan(r.Out)
	switch {
	case err != nil:
		return err
	case p != nil && p.Asked.Kind == "":
		return &train.ChangedError{Out: r.Out}
	case p != nil:
		r.Plan = p
		return changed(r.Out, p.Asked, asked)
	}
	if list, err := filepath.Glob(filepath.Join(r.Out, "*", "run.json")); err != nil || len(list) > 0 {
		return cmp.Or(err, error(&train.ChangedError{Out: r.Out}))
	}
	for _, name := range []string{"model.safetensors", "run.json", "config.json"} {
		if _, err := os.Stat(filepath.Join(r.Out, name)); err == nil {
			return &train.ChangedError{Out: r.Out}
		}
	}
	steps := asked.Steps
	if steps == 0 {
		if epoch < 1 {
			return errors.New("epochs: this method counts in steps")
		}
		steps = max(1, int(math.Ceil(asked.Epochs*float64(epoch))))
	}
	rate := cmp.Or(asked.Rate, cmp.Or(r.Share, 1)*DefaultRate(r.Model.Config.Params(), r.LoRA != nil))
	p = &Plan{Asked: asked, Schedule: asked.schedule(steps, rate), Eval: asked.Eval, Kernel: r.Pool.Kernel()}
	if p.Eval == 0 {
		p.Eval = max(steps/10, 1)
	}
	if err := p.Schedule.Validate(); err != nil {
		return err
	}
	b, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		return err
	}
	r.Plan = p
	return train.WriteWhole(filepath.Join(r.Out, planName), append(b, '\n'))
}

// changed compares two wishes field by field; the method's own fields stand beside the others.
func changed(out string, then, now Asked) error {
	a, err := flat(then)
	if err != nil {
		return err
	}
	b, err := flat(now)
	if err != nil {
		return err
	}
	fields, err := train.Differences(a, b)
	if err == nil && len(fields) > 0 {
		err = &train.ChangedError{Out: out, Fields: fields}
	}
	return err
}

func flat(a Asked) (map[string]json.RawMessage, error) {
	all := map[string]json.RawMessage{}
	config := a.Config
	a.Config = nil
	for _, part := range []any{config, a} {
		b, err := json.Marshal(part)
		if err != nil {
			return nil, err
		}
		if err := json.Unmarshal(b, &all); err != nil {
			return nil, fmt.Errorf("config of %s: %w", a.Kind, err)
		}
	}
	return all, nil
}
