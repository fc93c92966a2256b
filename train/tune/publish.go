package tune

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"

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
	case r.LoRA != nil:
		err = r.publishAdapters(info)
	default:
		err = checkpoint.SaveModel(r.Out, r.Model, r.Tokenizer, info)
	}
	if err != nil {
		return nil, err
	}
	p, model := r.progress, r.Out
	if r.LoRA != nil && r.NoMerge {
		model = filepath.Join(r.Out, adapterFolder)
	}
	return &Result{Out: r.Out, Model: model, Kind: r.Kind, Hash: info.Hash, Steps: r.Step, Best: p.Best, Stopped: p.Stopped, Tokens: r.Tokens, Loss: p.Loss, Eval: p.Eval,
		Speed: r.clock.speed(), Seconds: maps.Clone(r.clock.seconds)}, nil
}

// publishAdapters writes the adapters, and unless that is not wanted the model with them folded in. The run is over then.
func (r *Run) publishAdapters(info *checkpoint.Info) error {
	dir, own := filepath.Join(r.Out, adapterFolder), *info
	own.Kind = checkpoint.KindAdapter
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	base, err := relative(dir, r.Parent)
	if err != nil {
		return err
	}
	if err := checkpoint.SaveAdapter(dir, r.Model, base, &own); err != nil {
		return err
	}
	if info.Hash = own.Hash; r.NoMerge {
		return nil
	}
	r.Model.Merge(r.Pool)
	return checkpoint.SaveModel(r.Out, r.Model, r.Tokenizer, info)
}

// relative is the way from a folder to a path, or the whole path where there is none.
func relative(dir, path string) (string, error) {
	from, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	to, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	if way, err := filepath.Rel(from, to); err == nil {
		return filepath.ToSlash(way), nil
	}
	return to, nil
}

// lineage is what the model was made from.
func (r *Run) lineage() (*checkpoint.Info, error) {
	info := &checkpoint.Info{Kind: r.Kind, Tokenizer: r.Tokenizer.Hash(), Seed: r.Seed, Kernel: r.Pool.Kernel(), Program: r.Program, Steps: int64(r.Step),
		Tokens: r.Tokens, Files: r.work.Data, Parents: append([]checkpoint.Info{*r.Info}, r.work.Parents...)}
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

// DataOf describes files that a method learns from: their hashes, and how many rows of each it read, by path.
func DataOf(files []string, rows map[string]int64) ([]checkpoint.File, error) {
	var all []checkpoint.File
	for _, path := range files {
		f, err := checkpoint.FileOf(path, rows[path], 0)
		if err != nil {
			return nil, err
		}
		all = append(all, f)
	}
	return all, nil
}

// Reference is the parent as it was: what a policy may not go too far from.
type Reference struct {
	trainer *llm.Trainer
	adapted *llm.Model // whose adapters are switched off meanwhile; nil: a model of its own
}

// Reference gives the frozen parent: the model with its adapters off, or a second copy in memory.
func (r *Run) Reference() (*Reference, error) {
	if r.LoRA != nil {
		return &Reference{r.Trainer, r.Model}, nil
	}
	m, _, info, err := checkpoint.LoadModel(r.Parent)
	if err != nil {
		return nil, err
	}
	if info.Hash != r.Info.Hash {
		return nil, fmt.Errorf("%s: has changed since it was read", r.Parent)
	}
	return &Reference{llm.NewTrainer(m, r.Pool), nil}, nil
}

// Do lends the reference's trainer. It is not to be trained, nor used behind the call.
func (f *Reference) Do(use func(t *llm.Trainer) error) error {
	if f.adapted == nil {
		return use(f.trainer)
	}
	return f.adapted.WithoutAdapters(func() error { return use(f.trainer) })
}

// Nats is -log p of each target of a batch under the reference; 0 where none is counted.
func (f *Reference) Nats(b *llm.Batch) (nats []float32, err error) {
	err = f.Do(func(t *llm.Trainer) error {
		nats, err = t.Nats(b)
		return err
	})
	return nats, err
}
