package train

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"winnow/train/llm"
)

// Asked is what one tells `winnow train base` that its result depends on. Zero stands for what the depth or the data decide.
type Asked struct {
	Data       []Part      `json:"data"`
	Tokenizer  string      `json:"tokenizer,omitempty"` // hash of one that is there already
	Vocab      int         `json:"vocab,omitempty"`     // of one to be trained; 0: by bytes of text
	Depth      int         `json:"depth,omitempty"`
	Config     *llm.Config `json:"config,omitempty"` // in place of Depth
	Minutes    float64     `json:"minutes,omitempty"`
	Tokens     int64       `json:"tokens,omitempty"`
	FLOPs      float64     `json:"flops,omitempty"`
	Epochs     float64     `json:"epochs,omitempty"` // most passes over the data; 0: no limit
	Seed       uint64      `json:"seed"`
	Batch      int         `json:"batch,omitempty"`
	Accumulate int         `json:"accumulate,omitempty"`
	Rate       float64     `json:"lr,omitempty"`
	Shape      string      `json:"schedule"`
	Warmup     int         `json:"warmup"` // steps; below 0: a twentieth of all
	Clip       float64     `json:"clip"`
	Decay      float64     `json:"decay"`
	Spike      float64     `json:"spike"`
	Skip       bool        `json:"skip_spikes"`
	Holdout    float64     `json:"holdout"`      // share of duplicate clusters that are only evaluated on
	Eval       int         `json:"eval_every"`   // steps; 0: a tenth of all
	Sample     int         `json:"sample_every"` // steps; 0: a quarter of all
}

// Part is a run to train on, and its share.
type Part struct {
	Run    string  `json:"run"`
	Hash   string  `json:"hash"` // of the kept shards
	Weight float64 `json:"weight,omitempty"`
}

// Plan is what was decided before step 1. It lies in OUT/train.json, and a run that goes on follows it.
type Plan struct {
	Asked      Asked                         `json:"asked"`
	Model      llm.Config                    `json:"model"`
	Len        int                           `json:"len"` // T
	Batch      int                           `json:"batch"`
	Accumulate int                           `json:"accumulate"`
	Schedule   Schedule                      `json:"schedule"` // with the number of steps
	Eval       int                           `json:"eval_every"`
	Sample     int                           `json:"sample_every"`
	Tokenizer  string                        `json:"tokenizer"`           // hash
	Kernel     string                        `json:"kernel"`              // that the plan was made with
	Speed      float64                       `json:"speed,omitempty"`     // positions a second, where Minutes asked for a measurement
	Grams      map[string]map[string]float64 `json:"baselines,omitempty"` // bits per byte of n-grams on what is held out, by language, then order
	Limit      string                        `json:"limit"`               // what decided the number of steps: minutes, tokens, flops, epochs or parameters
}

const planName = "train.json"

// Positions is the number of positions that a step computes.
func (p *Plan) Positions() int64 { return int64(p.Batch) * int64(p.Accumulate) * int64(p.Len) }

// FLOPs is what a step takes, by 6N + 6LdT a position.
func (p *Plan) FLOPs() float64 { return p.Model.FLOPsPerToken(p.Len) * float64(p.Positions()) }

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

// write writes OUT/train.json, whole or not at all.
func (p *Plan) write(out string) error {
	b, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		return err
	}
	return WriteWhole(filepath.Join(out, planName), append(b, '\n'))
}

// tokensPerParameter is how long training is when nothing says so: about 20 tokens for each matmul parameter (Hoffmann et al.
// 2022, table 3; as an order of magnitude, since their models are a thousand times larger and more).
const tokensPerParameter = 20

// enough is how long a measurement of speed may take, and how much of the minutes asked for it may spend.
const (
	measureSeconds = 3
	measureShare   = .05
	trainShare     = .9 // of the minutes: evaluation, samples, saving and the noise of other work take the rest
)

// steps turns what was asked for into a number of steps, once. epochRows is the number of rows after which a source is read
// as often as Asked.Epochs allows; 0: no limit. speed, positions a second, is asked for only when minutes decide.
func (p *Plan) steps(epochRows int64, speed func() (float64, error)) (n int, err error) {
	a, positions := p.Asked, float64(p.Positions())
	var most float64
	switch {
	case a.Minutes > 0:
		p.Limit = "minutes"
		if p.Speed, err = speed(); err != nil {
			return 0, err
		}
		most = a.Minutes * 60 * trainShare * p.Speed / positions
	case a.Tokens > 0:
		p.Limit, most = "tokens", math.Ceil(float64(a.Tokens)/positions)
	case a.FLOPs > 0:
		p.Limit, most = "flops", a.FLOPs/p.FLOPs()
	default:
		p.Limit, most = "parameters", math.Ceil(tokensPerParameter*float64(p.Model.MatmulParams())/positions)
	}
	if rows := float64(p.Batch * p.Accumulate); epochRows > 0 && float64(epochRows)/rows < most {
		p.Limit, most = "epochs", float64(epochRows)/rows
	}
	if most > math.MaxInt32 {
		return 0, fmt.Errorf("%.3g steps are too many", most)
	}
	return max(int(most), 1), nil
}

// Check says what cannot be had, before anything is started.
func (a Asked) Check() error {
	given := 0
	for _, v := range []float64{a.Minutes, float64(a.Tokens), a.FLOPs} {
		if v < 0 || math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("a budget of %g", v)
		}
		if v > 0 {
			given++
		}
	}
	switch {
	case given > 1:
		return fmt.Errorf("minutes, tokens and flops: give one of them")
	case a.Config != nil && a.Depth != 0:
		return fmt.Errorf("depth and config: give one of them")
	case a.Config != nil && (a.Config.Heads < 1 || a.Config.Dim%a.Config.Heads != 0):
		return fmt.Errorf("config: dim %d is no multiple of heads %d: transformers would not load the model", a.Config.Dim, a.Config.Heads)
	case a.Config == nil && !slices.Contains(Depths(), a.Depth):
		return fmt.Errorf("depth %d: there are %v", a.Depth, Depths())
	case !slices.Contains(Shapes(), a.Shape):
		return fmt.Errorf("schedule %q: there are %s", a.Shape, strings.Join(Shapes(), ", "))
	case a.Holdout < 0 || a.Holdout > .5:
		return fmt.Errorf("holdout %g is not within 0 and 0.5", a.Holdout)
	case a.Epochs < 0 || a.Clip < 0 || a.Decay < 0 || a.Spike < 0 || a.Rate < 0:
		return fmt.Errorf("epochs, clip, decay, spike, lr: below 0")
	case a.Batch < 0 || a.Accumulate < 0 || a.Eval < 0 || a.Sample < 0 || a.Vocab < 0:
		return fmt.Errorf("batch, accumulate, eval-every, sample-every, vocab: below 0")
	}
	return nil
}

// Speed measures how many positions a second this machine trains on, in steps whose results are thrown away: after two
// steps to warm up, as many as fit into seconds, at least two. It takes the median step.
func Speed(ctx context.Context, s Setup, seconds float64) (float64, error) {
	s.Schedule = Schedule{Shape: "wsd", Peak: 1e-6, Steps: math.MaxInt32}
	l, err := Begin(s)
	if err != nil {
		return 0, err
	}
	var took []float64
	for begin := time.Now(); len(took) < 4 || time.Since(begin).Seconds() < seconds; {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		at := time.Now()
		if _, err := l.Next(); err != nil {
			return 0, err
		}
		took = append(took, time.Since(at).Seconds())
	}
	return float64(l.Batch*l.Accumulate*l.Len) / median(took[2:]), nil
}

func median(list []float64) float64 {
	sorted := slices.Sorted(slices.Values(list))
	if len(sorted) == 0 {
		return 0
	}
	return sorted[len(sorted)/2]
}
