package tune

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"winnow/shard"
	"winnow/train"
	"winnow/train/checkpoint"
	"winnow/train/checkpoint/safetensors"
)

const (
	bestFolder = "best"
	keepStates = 2
)

// progress is what is known of validations; a checkpoint holds it.
type progress struct {
	Validated int                `json:"validated"` // step of the last one
	Best      int                `json:"best"`      // step of the best; 0: none
	Score     float64            `json:"score"`     // of the best
	Eval      map[string]float64 `json:"eval"`      // of the best
	Worse     int                `json:"worse"`     // validations since
	Stopped   bool               `json:"stopped"`   // by Patience
	Loss      float64            `json:"loss"`      // of the last update
}

// rest is what a checkpoint holds beside weights, moments, step and row.
type rest struct {
	Tokens   int64           `json:"tokens"`
	Guard    *train.Guard    `json:"guard"`
	Progress progress        `json:"progress"`
	Method   json.RawMessage `json:"method,omitempty"`
}

// save brings the journals to the disk, then the state: a checkpoint never stands before its metrics.
func (r *Run) save() error {
	if err := errors.Join(r.metrics.Sync(), r.samples.Sync(), r.events.Sync()); err != nil {
		return err
	}
	keep := rest{Tokens: r.Tokens, Guard: r.Guard, Progress: r.progress}
	var err error
	if r.work.Extra != nil {
		if keep.Method, err = json.Marshal(r.work.Extra); err != nil {
			return err
		}
	}
	s := &checkpoint.State{Step: int64(r.Step), Cursor: r.Row, Kernel: r.Pool.Kernel(), Hashes: map[string]string{"parent": r.Info.Hash, "tokenizer": r.Tokenizer.Hash()},
		Weights: r.tensors()}
	if s.Extra, err = json.Marshal(keep); err != nil {
		return err
	}
	s.M, s.V = r.moments()
	folder, err := checkpoint.Save(r.Out, s, keepStates)
	if err != nil {
		return err
	}
	r.clock.saved(r.Step)
	r.tell(Event{Type: "save", Folder: folder, Metric: &Metric{Step: r.Step}})
	return r.prune()
}

// restore puts the run where a checkpoint stood.
func (r *Run) restore(s *checkpoint.State) error {
	var kept rest
	if err := json.Unmarshal(s.Extra, &kept); err != nil || kept.Guard == nil {
		return fmt.Errorf("no state of this loop (%v)", err)
	}
	m, v := r.moments()
	if err := errors.Join(checkpoint.Restore(r.tensors(), s.Weights), checkpoint.Restore(m, s.M), checkpoint.Restore(v, s.V)); err != nil {
		return err
	}
	if r.work.Extra != nil {
		if err := json.Unmarshal(kept.Method, r.work.Extra); err != nil {
			return fmt.Errorf("state of %s: %w", r.Kind, err)
		}
	}
	r.Step, r.Row, r.Tokens, r.Guard, r.progress = int(s.Step), s.Cursor, kept.Tokens, kept.Guard, kept.Progress
	r.clock.keep = [2]int{r.progress.Best, r.progress.Best}
	r.clock.saved(r.Step)
	return nil
}

// tensors are all trained values, sharing their memory.
func (r *Run) tensors() (all []checkpoint.Tensor) {
	for _, p := range r.params {
		all = append(all, checkpoint.Tensor{Name: p.Name, Shape: []int{len(p.Value)}, Data: p.Value})
	}
	return all
}

// moments are AdamW's, one vector for each trained tensor, sharing its memory.
func (r *Run) moments() (first, second []checkpoint.Tensor) {
	for i, p := range r.params {
		shape := []int{len(p.Value)}
		first = append(first, checkpoint.Tensor{Name: p.Name, Shape: shape, Data: r.Adam.M[i]})
		second = append(second, checkpoint.Tensor{Name: p.Name, Shape: shape, Data: r.Adam.V[i]})
	}
	return first, second
}

func (r *Run) bestPath(step int) string {
	return filepath.Join(r.Out, bestFolder, fmt.Sprintf("step-%08d.safetensors", step))
}

// keepBest writes the trained values as they stand. The best of before stays until a checkpoint knows of this one: whoever goes on from
// an earlier checkpoint may need it.
func (r *Run) keepBest() error {
	if err := os.MkdirAll(filepath.Join(r.Out, bestFolder), 0o777); err != nil {
		return err
	}
	t, err := shard.Create(nil, r.bestPath(r.Step))
	if err != nil {
		return err
	}
	if err := safetensors.Write(t, "F32", r.tensors(), nil); err != nil {
		t.Abort()
		return err
	}
	return t.Commit()
}

// takeBest puts the best values in place of the last ones.
func (r *Run) takeBest() error {
	set, err := safetensors.Open(r.bestPath(r.progress.Best))
	if err != nil {
		return err
	}
	defer set.Close()
	tensors, err := set.Tensors()
	if err != nil {
		return err
	}
	return checkpoint.Restore(r.tensors(), tensors)
}

// prune removes values that neither of the two kept checkpoints calls its best.
func (r *Run) prune() error {
	r.clock.keep = [2]int{r.clock.keep[1], r.progress.Best}
	files, err := filepath.Glob(filepath.Join(r.Out, bestFolder, "step-*"))
	if err != nil {
		return err
	}
	for _, f := range files {
		if f != r.bestPath(r.clock.keep[0]) && f != r.bestPath(r.clock.keep[1]) {
			err = errors.Join(err, os.Remove(f))
		}
	}
	return err
}
