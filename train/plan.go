package train

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"winnow/shard"
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

// ChangedError says that OUT holds a run that was asked for other things.
type ChangedError struct {
	Out    string
	Fields []string // name: then, now
}

// Error names every field that differs.
func (e *ChangedError) Error() string {
	return fmt.Sprintf("%s: holds another run: %s", e.Out, strings.Join(e.Fields, "; "))
}

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
	return writeWhole(filepath.Join(out, planName), append(b, '\n'))
}

func writeWhole(path string, b []byte) error {
	t, err := shard.Create(path)
	if err != nil {
		return err
	}
	if _, err := t.Write(b); err != nil {
		t.Abort()
		return err
	}
	return t.Commit()
}

// differences names the fields in which two wishes differ, by their JSON names.
func differences(then, now Asked) ([]string, error) {
	a, err := asMap(then)
	if err != nil {
		return nil, err
	}
	b, err := asMap(now)
	if err != nil {
		return nil, err
	}
	var out []string
	for name := range a {
		if !reflect.DeepEqual(a[name], b[name]) {
			out = append(out, fmt.Sprintf("%s: %s, now %s", name, shown(a[name]), shown(b[name])))
		}
	}
	for name := range b {
		if _, ok := a[name]; !ok {
			out = append(out, fmt.Sprintf("%s: not set, now %s", name, shown(b[name])))
		}
	}
	slices.Sort(out)
	return out, nil
}

// asMap keeps numbers as they are written: seeds do not fit into float64.
func asMap(a Asked) (m map[string]any, err error) {
	b, err := json.Marshal(a)
	if err != nil {
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	return m, d.Decode(&m)
}

func shown(v any) string {
	if v == nil {
		return "not set"
	}
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(b)
}
