// Package garbage finds what may go from a run's folder. A run's folder flows in; the files of it that nothing names, and, where
// that is wanted, those that only resuming and re-judging would read, flow out.
package garbage

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"winnow"
	"winnow/shard"
	"winnow/shard/store"
)

// Why a file may go.
const (
	Attempt      = "attempt"      // of a task that failed, was killed, or lost to another attempt
	Spill        = "spill"        // of a sort that was killed
	Intermediate = "intermediate" // what tasks left for later ones
)

// File is one that may go.
type File struct {
	Name  string    `json:"name"` // relative to the run's folder
	Bytes int64     `json:"bytes"`
	Why   string    `json:"why"`
	Time  time.Time `json:"time"` // of its last change
}

// Options say what is looked for.
type Options struct {
	Older        time.Duration // what changed since may still be written to, and stays
	Intermediate bool          // also what only resuming and re-judging read; of a run that is done alone
	Now          time.Time
}

// ErrAtWork is the error for a run that is not done and may be at work.
var ErrAtWork = errors.New("the run is not done: it could not go on without them")

// Find lists what may go, manifests before what they name, and tells how many files are too young to go. What a manifest or
// run.json names stays, but for what Options.Intermediate asks for.
func Find(s *store.Store, dir string, o Options) (files []File, young int, err error) {
	run, err := shard.ReadRun(s, dir)
	if err != nil {
		return nil, 0, err
	}
	if o.Intermediate && run.State != shard.Done {
		return nil, 0, ErrAtWork
	}
	// Files are listed before manifests are read: what is named after that was not listed.
	sizes := map[string]winnow.Entry{}
	var names []string
	for _, folder := range []string{"", "tasks", "sketches", "data", "ledger", "dropped"} {
		entries, err := s.List(store.Join(dir, folder))
		if err != nil {
			return nil, 0, err
		}
		for _, e := range entries {
			if e.Folder {
				continue
			}
			name := strings.TrimPrefix(folder+"/"+e.Name, "/")
			sizes[name] = e
			names = append(names, name)
		}
	}
	manifests, err := read(s, dir, names)
	if err != nil {
		return nil, 0, err
	}
	named := map[string]bool{}
	for _, out := range run.Outputs {
		named[out.Name] = true
	}
	for _, m := range manifests {
		for _, out := range m.Outputs {
			named[out.Name] = true
		}
	}
	for _, name := range names {
		why := ""
		switch {
		case named[name]:
		case store.IsAttempt(name):
			why = Attempt
		case strings.HasPrefix(name, "tasks/spill-"):
			why = Spill
		}
		if why == "" {
			continue
		}
		if e := sizes[name]; o.Now.Sub(e.Time) >= o.Older {
			files = append(files, File{name, e.Size, why, e.Time})
		} else {
			young++
		}
	}
	if o.Intermediate {
		files = append(files, intermediate(run, manifests, sizes)...)
	}
	return files, young, nil
}

// read reads all manifests of a run, by name.
func read(s *store.Store, dir string, names []string) (map[string]*shard.Manifest, error) {
	var tasks []string
	for _, name := range names {
		if strings.HasPrefix(name, "tasks/") && strings.HasSuffix(name, ".json") {
			tasks = append(tasks, name)
		}
	}
	list := make([]*shard.Manifest, len(tasks))
	var g errgroup.Group
	g.SetLimit(atOnce)
	for i, name := range tasks {
		g.Go(func() (err error) {
			if list[i], err = shard.ReadManifest(s, store.Join(dir, name)); errors.Is(err, fs.ErrNotExist) {
				return nil // torn, or gone: the task is not done
			}
			return err
		})
	}
	err := g.Wait()
	out := map[string]*shard.Manifest{}
	for i, m := range list {
		if m != nil {
			out[tasks[i]] = m
		}
	}
	return out, err
}

// intermediate lists the manifests of tasks that left something for other tasks alone, and then what that is.
func intermediate(run *shard.Run, manifests map[string]*shard.Manifest, sizes map[string]winnow.Entry) (files []File) {
	final := map[string]bool{}
	for _, out := range run.Outputs {
		final[out.Name] = true
	}
	var outputs []File
	for name, m := range manifests {
		own := len(m.Outputs) > 0
		for _, out := range m.Outputs {
			folder, _, _ := strings.Cut(out.Name, "/")
			own = own && (folder == "tasks" || folder == "sketches") && !final[out.Name]
		}
		if !own {
			continue
		}
		files = append(files, File{name, sizes[name].Size, Intermediate, sizes[name].Time})
		for _, out := range m.Outputs {
			if e, ok := sizes[out.Name]; ok {
				outputs = append(outputs, File{out.Name, e.Size, Intermediate, e.Time})
			}
		}
	}
	for _, list := range [][]File{files, outputs} {
		slices.SortFunc(list, func(x, y File) int { return strings.Compare(x.Name, y.Name) })
	}
	return append(files, outputs...)
}

// atOnce is how many requests are on their way at a time.
const atOnce = 16

// Remove takes files away, manifests before all others: a task whose files are gone must not look done. Stopped anywhere, what
// is left is found again.
func Remove(s *store.Store, dir string, files []File) error {
	for _, first := range []bool{true, false} {
		var g errgroup.Group
		g.SetLimit(atOnce)
		for _, f := range files {
			if strings.HasSuffix(f.Name, ".json") != first {
				continue
			}
			g.Go(func() error {
				if err := s.Remove(store.Join(dir, f.Name)); err != nil {
					return fmt.Errorf("%s: %w", f.Name, err)
				}
				return nil
			})
		}
		if err := g.Wait(); err != nil {
			return err
		}
	}
	return nil
}
