package models

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/bmatcuk/doublestar/v4"

	"winnow/shard"
)

// Trainer trains one model. It goes on where it was stopped, and what lies in Step.Out at the end is a model folder.
type Trainer interface {
	Check(s *Spec) error                                         // of what a recipe says, as far as it can be told before: a *Mistake whose path begins below the step's kind, .loss
	Train(ctx context.Context, s Step) (map[string]int64, error) // counts for the manifest: steps, tokens
}

// Step is a Spec with all that its names stand for.
type Step struct {
	Spec
	Run         string   // folder of the run whose kept texts a base is trained on
	Out         string   // folder of the model
	Parent      string   // folder; empty for a base
	RewardModel string   // folder of a policy's reward model; may be empty
	Files       []string // of Data
	Seed        uint64
}

// Event tells of a step: begin, skip (it was done before), done.
type Event struct {
	Type, Name, Kind, Out string
	Number, Of            int
	Seconds               float64
}

// Plan is the training behind one run.
type Plan struct {
	Specs  []Spec
	Folder string // of the run
	Data   string // hash of what the run kept
	Seed   uint64
}

// folderName is where models lie in a run's folder.
const folderName = "models"

// Out is the folder of a model by its step's name.
func (p *Plan) Out(name string) string { return filepath.Join(p.Folder, folderName, name) }

func (p *Plan) manifest(name string) string {
	return filepath.Join(p.Folder, "tasks", "train-"+name+".json")
}

// Run performs every step that is not done yet, in order. Stopped anywhere, it goes on there.
func (p *Plan) Run(ctx context.Context, t Trainer, tell func(Event)) error {
	keys := map[string]string{}
	for i := range p.Specs {
		s, err := p.step(i)
		if err != nil {
			return err
		}
		key, err := p.key(s, keys)
		if err != nil {
			return err
		}
		keys[s.Out] = key
		e := Event{Type: "begin", Name: s.Name(), Kind: s.Kind(), Out: s.Out, Number: i + 1, Of: len(p.Specs)}
		done, err := p.done(s, key)
		if err != nil {
			return err
		}
		if done {
			e.Type = "skip"
			tell(e)
			continue
		}
		tell(e)
		begin := time.Now()
		if err := p.perform(ctx, t, s, key); err != nil {
			return fmt.Errorf("train: %s: %w", s.Name(), err)
		}
		e.Type, e.Seconds = "done", time.Since(begin).Seconds()
		tell(e)
	}
	return nil
}

// Steps resolves the names of all steps, for those who want to see them before they are run.
func (p *Plan) Steps() (list []Step, err error) {
	for i := range p.Specs {
		s, err := p.step(i)
		if err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	return list, nil
}

// step resolves the names of a step.
func (p *Plan) step(i int) (s Step, err error) {
	s = Step{Spec: p.Specs[i], Run: p.Folder, Seed: p.Seed}
	s.Out = p.Out(s.Name())
	seed := (*uint64)(nil)
	if t := s.tuning(); t != nil {
		seed, s.Parent = t.Seed, p.model(i, t.Parent)
		if s.Files, err = Files(t.Data); err != nil {
			return s, err
		}
	} else {
		seed = s.Base.Seed
	}
	if seed != nil {
		s.Seed = *seed
	}
	if s.Policy != nil && s.Policy.Reward != "" {
		s.RewardModel = p.model(i, s.Policy.Reward)
	}
	return s, nil
}

// model is the folder that a name stands for in step i.
func (p *Plan) model(i int, name string) string {
	if slices.ContainsFunc(p.Specs[:i], func(s Spec) bool { return s.Name() == name }) {
		return p.Out(name)
	}
	return name
}

// key hashes all that a step depends on. keys are those of earlier steps, by their folders.
func (p *Plan) key(s Step, keys map[string]string) (string, error) {
	h := sha256.New()
	spec, err := json.Marshal(s.Spec)
	if err != nil {
		return "", err
	}
	fmt.Fprintf(h, "train 2\n%s\n%d\n", spec, p.Seed)
	if s.Base != nil {
		fmt.Fprintln(h, p.Data)
	}
	for _, folder := range []string{s.Parent, s.RewardModel} {
		if key := keys[folder]; key != "" {
			fmt.Fprintln(h, key)
		} else if folder != "" {
			b, err := record(folder)
			if err != nil {
				return "", err
			}
			h.Write(b)
		}
	}
	if err := content(h, s.Files); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// record is what a model's folder says of it, with the hash of its weights where this program wrote it.
func record(folder string) ([]byte, error) {
	b, err := os.ReadFile(filepath.Join(folder, "winnow.json"))
	if errors.Is(err, fs.ErrNotExist) {
		b, err = os.ReadFile(filepath.Join(folder, "config.json"))
	}
	if err != nil {
		return nil, fmt.Errorf("model %s: %w", folder, err)
	}
	return b, nil
}

// Files lists what patterns match, in the order of patterns and names. A pattern that matches nothing is an error.
func Files(patterns []string) (files []string, err error) {
	for _, pattern := range patterns {
		found, err := doublestar.FilepathGlob(pattern, doublestar.WithFilesOnly())
		if err != nil {
			return nil, fmt.Errorf("data %q: %w", pattern, err)
		}
		if len(found) == 0 {
			return nil, fmt.Errorf("data %q: matches no file", pattern)
		}
		files = append(files, found...)
	}
	return files, nil
}

func content(h hash.Hash, files []string) error {
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			return err
		}
		_, err = io.Copy(h, f)
		f.Close()
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		fmt.Fprintln(h)
	}
	return nil
}

// done tells whether a step was finished under this key and its files are there still.
func (p *Plan) done(s Step, key string) (bool, error) {
	m, err := shard.ReadManifest(nil, p.manifest(s.Name()))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil || m.Key != key {
		return false, err
	}
	for _, o := range m.Outputs {
		if info, err := os.Stat(filepath.Join(p.Folder, filepath.FromSlash(o.Name))); err != nil || info.Size() != o.Bytes {
			return false, nil
		}
	}
	return true, nil
}

// keyName is the file of a model's folder that says under which key it was begun.
const keyName = ".key"

// perform trains, and commits.
func (p *Plan) perform(ctx context.Context, t Trainer, s Step, key string) error {
	if err := begin(s.Out, key); err != nil {
		return err
	}
	from := time.Now()
	counts, err := t.Train(ctx, s)
	if err != nil {
		return err
	}
	m := &shard.Manifest{Key: key, Task: "train-" + s.Name(), Counts: counts, Seconds: time.Since(from).Seconds()}
	if m.Outputs, err = p.outputs(s.Out); err != nil {
		return err
	}
	return shard.Commit(nil, p.manifest(s.Name()), m)
}

// begin makes the folder of a model. What was begun there under another key is removed: the run's folder is the program's own.
func begin(out, key string) error {
	path := filepath.Join(out, keyName)
	if b, err := os.ReadFile(path); err == nil && string(b) == key {
		return nil
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) { // first, so that what is half removed has no key
		return err
	}
	if err := os.RemoveAll(out); err != nil {
		return err
	}
	if err := os.MkdirAll(out, 0o777); err != nil {
		return err
	}
	f, err := shard.Create(nil, path)
	if err != nil {
		return err
	}
	if _, err := f.Write([]byte(key)); err != nil {
		f.Abort()
		return err
	}
	return f.Commit()
}

// outputs lists the files of a model's folder, without those of folders in it: checkpoints and caches may go.
func (p *Plan) outputs(out string) (list []shard.Output, err error) {
	entries, err := os.ReadDir(out)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if e.IsDir() || strings.HasPrefix(e.Name(), ".") {
			continue
		}
		h := sha256.New()
		path := filepath.Join(out, e.Name())
		if err := content(h, []string{path}); err != nil {
			return nil, err
		}
		info, err := e.Info()
		if err != nil {
			return nil, err
		}
		name, err := filepath.Rel(p.Folder, path)
		if err != nil {
			return nil, err
		}
		list = append(list, shard.Output{Name: filepath.ToSlash(name), Bytes: info.Size(), SHA256: hex.EncodeToString(h.Sum(nil))})
	}
	return list, nil
}
