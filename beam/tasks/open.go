package tasks

import (
	"crypto/sha256"
	"debug/elf"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"winnow"
	"winnow/beam/clouds"
	"winnow/crawl/remote"
	"winnow/pipelines"
	"winnow/pipelines/engine"
	"winnow/shard"
	"winnow/shard/store"
)

// work is a run opened in this process.
type work struct {
	*engine.Work
	plan *engine.Plan
}

// opened holds the runs of this process. Beam makes functions itself, out of their JSON, as often as it likes, and gives them
// nothing of the program's; a plan has models and word lists, which are loaded once.
var opened sync.Map // Spec but for its Stage -> func() (*work, error)

func open(s Spec) (*work, error) {
	s.Stage = ""
	f, _ := opened.LoadOrStore(s, sync.OnceValues(func() (*work, error) { return load(s) }))
	w, err := f.(func() (*work, error))()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.PlanURI, err)
	}
	return w, nil
}

func load(s Spec) (*work, error) {
	own, err := Build()
	if err != nil {
		return nil, err
	}
	if s.Build != own {
		return nil, fmt.Errorf("this worker is another build (%.12s) than the program that submitted the job (%.12s): install the same winnow-beam on all machines", own, s.Build)
	}
	files := Store(s.PlanURI)
	folder, err := shard.Open(files, s.PlanURI)
	if err != nil {
		return nil, err
	}
	p, err := pipelines.Reopen(folder, folder.Run.Program)
	if err != nil {
		return nil, err
	}
	if id := p.RunID(); id != folder.Run.ID {
		return nil, fmt.Errorf("the run was begun with other models or rules: this worker would make %s", id)
	}
	if sum := Sum(p); sum != s.PlanSHA {
		return nil, fmt.Errorf("the plan there is another one (%.12s) than the job's (%.12s)", sum, s.PlanSHA)
	}
	w, err := engine.OpenWork(p, engine.Options{Jobs: s.Jobs, Memory: s.Memory})
	if err != nil {
		return nil, err
	}
	return &work{w, p}, nil
}

// Store keeps the runs below a root: nil, which is the disk, unless the root is a URL, of s3, gs or azblob. Keys are the environment's.
func Store(root string) *store.Store {
	if !winnow.IsURL(root) {
		return nil
	}
	return store.New(clouds.New(remote.Options{}), "")
}

// Close releases what the runs of this process hold: connections, cache files. Nothing may be at work.
func Close() error {
	var errs []error
	opened.Range(func(key, f any) bool {
		opened.Delete(key)
		if w, err := f.(func() (*work, error))(); err == nil {
			errs = append(errs, w.plan.Close(), w.plan.Store.Close())
		}
		return true
	})
	return errors.Join(errs...)
}

// sourceBytes is the input that Map task n of the first pass reads.
func (w *work) sourceBytes(n int) int64 { return w.plan.Shards[n].Bytes() }

func (w *work) missing(stage string) ([]int, error) {
	if _, err := w.Tasks(stage); err != nil {
		return nil, err
	}
	return w.Missing(engine.Wave{Stage: stage})
}

// Sum identifies a plan: its recipe and its shards.
func Sum(p *engine.Plan) string {
	h := sha256.New()
	h.Write(p.Recipe)
	if err := json.NewEncoder(h).Encode([]any{p.RunID(), p.Dropped, p.Shards}); err != nil {
		return "" // which no worker agrees with; shards are plain numbers and strings
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Build identifies the program: Beam finds functions by their names and their data by its form, so both sides must be one build.
// It is the linker's own sum where the file has one, else the file's.
var Build = sync.OnceValues(func() (string, error) {
	path, err := os.Executable()
	if err != nil {
		return "", err
	}
	h := sha256.New()
	if program, err := elf.Open(path); err == nil {
		defer program.Close()
		if note := program.Section(".note.go.buildid"); note != nil {
			if id, err := note.Data(); err == nil && len(id) > 16 {
				h.Write(id)
				return hex.EncodeToString(h.Sum(nil)), nil
			}
		}
	}
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
})
