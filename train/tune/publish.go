package tune

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"

	"winnow/shard"
	"winnow/train/checkpoint"
	"winnow/train/llm"
)

const adapterFolder = "adapter"

// publish writes the best model, or the last.
func (r *Run) publish() (*Result, error) {
	if r.progress.Best > 0 {
		if err := r.takeBest(); err != nil {
			return nil, err
		}
	}
	info, err := r.lineage()
	if err != nil {
		return nil, err
	}
	switch {
	case r.work.Publish != nil:
		err = r.work.Publish(info)
	default:
		err = checkpoint.SaveModel(r.Out, r.Model, r.Tokenizer, info)
	}
	if err != nil {
		return nil, err
	}
	p := r.progress
	return &Result{Out: r.Out, Kind: r.Kind, Hash: info.Hash, Steps: r.Step, Best: p.Best, Stopped: p.Stopped, Tokens: r.Tokens, Loss: p.Loss, Eval: p.Eval,
		Speed: r.clock.speed(), Seconds: maps.Clone(r.clock.seconds)}, nil
}

// lineage is what the model was made from.
func (r *Run) lineage() (*checkpoint.Info, error) {
	info := &checkpoint.Info{Kind: r.Kind, Tokenizer: r.Tokenizer.Hash(), Seed: r.Seed, Kernel: r.Pool.Kernel(), Program: r.Program, Steps: int64(r.Step),
		Tokens: r.Tokens, Data: r.work.Data, Parents: []checkpoint.Info{*r.Info}}
	if r.progress.Best > 0 {
		info.Steps = int64(r.progress.Best)
	}
	if r.Template != nil {
		r.Template.Stamp(info)
	}
	var err error
	info.Config, err = json.Marshal(r.Plan)
	return info, err
}

// DataOf describes files that a method learns from: their hashes, and how many rows of each it read. A file is a Data without a run.
func DataOf(files []string, rows map[string]int64) ([]checkpoint.Data, error) {
	var all []checkpoint.Data
	for _, path := range files {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		sum := sha256.New()
		n, err := io.Copy(sum, f)
		f.Close()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		name, hash := filepath.Base(path), hex.EncodeToString(sum.Sum(nil))
		all = append(all, checkpoint.Data{Name: name, Shards: []shard.Output{{Name: name, Bytes: n, Rows: rows[path], SHA256: hash}}, Hash: hash})
	}
	return all, nil
}

// Reference is the parent as it was: what a policy may not go too far from.
type Reference struct {
	trainer *llm.Trainer
}

// Reference gives the frozen parent: the model with its adapters off, or a second copy in memory.
func (r *Run) Reference() (*Reference, error) {
	m, _, info, err := checkpoint.LoadModel(r.Parent)
	if err != nil {
		return nil, err
	}
	if info.Hash != r.Info.Hash {
		return nil, fmt.Errorf("%s: has changed since it was read", r.Parent)
	}
	return &Reference{llm.NewTrainer(m, r.Pool)}, nil
}

// Do lends the reference's trainer. It is not to be trained, nor used behind the call.
func (f *Reference) Do(use func(t *llm.Trainer) error) error {
	return use(f.trainer)
}

// Nats is -log p of each target of a batch under the reference; 0 where none is counted.
func (f *Reference) Nats(b *llm.Batch) (nats []float32, err error) {
	err = f.Do(func(t *llm.Trainer) error {
		nats, err = t.Nats(b)
		return err
	})
	return nats, err
}
