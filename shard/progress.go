package shard

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"time"

	"winnow/shard/store"
)

// Notes that attempts at tasks leave beside manifests: the task's name, one of these, and a random end.
const (
	NoteBegun  = ".begun-"
	NoteFailed = ".failed-"
)

// Note says who began an attempt at a task, or how it failed.
type Note struct {
	Task    string `json:"task"`
	Host    string `json:"host"`
	Process int    `json:"process"`
	Time    string `json:"time"` // RFC 3339, UTC
	Error   string `json:"error,omitempty"`
}

// Progress is how far a run is, as its tasks folder shows it.
type Progress struct {
	Waves  []WaveProgress `json:"waves"`
	Active time.Time      `json:"active"` // when anything was written there last
}

// WaveProgress is how far one wave is. Of what the manifests hold, Read fills in the sums.
type WaveProgress struct {
	WaveInfo
	Done   int      `json:"done"`
	Begun  []string `json:"begun,omitempty"`  // notes of tasks that are not done: in work, or killed
	Killed int      `json:"killed,omitempty"` // attempts that left such a note, at tasks that are done
	Failed []string `json:"failed,omitempty"` // notes

	Seconds    float64          `json:"seconds,omitempty"`     // wall time of all tasks
	CPUSeconds float64          `json:"cpu_seconds,omitempty"` // of the programs while they ran; counted double where one program did several at once
	Counts     map[string]int64 `json:"counts,omitempty"`
	Slowest    []TaskTime       `json:"slowest,omitempty"`

	done map[string]bool
}

// TaskTime is how long a task took.
type TaskTime struct {
	Task    string  `json:"task"`
	Seconds float64 `json:"seconds"`
}

// ReadProgress lists a run's tasks folder once. It goes by names alone: a manifest that another version of the program left is
// taken for done.
func ReadProgress(s *store.Store, dir string, r *Run) (*Progress, error) {
	entries, err := s.List(store.Join(dir, "tasks"))
	if err != nil {
		return nil, err
	}
	p := &Progress{}
	for _, w := range r.Waves {
		p.Waves = append(p.Waves, WaveProgress{WaveInfo: w, done: map[string]bool{}})
	}
	var begun []string
	for _, e := range entries {
		if e.Time.After(p.Active) {
			p.Active = e.Time
		}
		task, note, _ := strings.Cut(e.Name, ".")
		w := p.wave(task)
		switch {
		case w == nil:
		case note == "json":
			w.Done++
			w.done[task] = true
		case strings.HasPrefix("."+note, NoteBegun):
			begun = append(begun, e.Name)
		case strings.HasPrefix("."+note, NoteFailed):
			w.Failed = append(w.Failed, e.Name)
		}
	}
	for _, name := range begun {
		task, _, _ := strings.Cut(name, ".")
		if w := p.wave(task); w.done[task] {
			w.Killed++
		} else {
			w.Begun = append(w.Begun, name)
		}
	}
	if last := len(p.Waves) - 1; last >= 0 && r.State == Done && p.Waves[last].Tasks < 0 {
		p.Waves[last].Tasks = p.Waves[last].Done
	}
	return p, nil
}

var numbered = regexp.MustCompile(`^-[0-9]{5,}$`)

// wave finds that of a task by its name; nil where there is none.
func (p *Progress) wave(task string) *WaveProgress {
	for k := range p.Waves {
		w := &p.Waves[k]
		if rest, ok := strings.CutPrefix(task, w.Stage); ok && (rest == "" || numbered.MatchString(rest)) {
			return w
		}
	}
	return nil
}

// Tasks counts all tasks, as far as they are known, and those done.
func (p *Progress) Tasks() (done, all int) {
	for _, w := range p.Waves {
		done, all = done+w.Done, all+max(w.Tasks, w.Done)
	}
	return done, all
}

// Missing lists the tasks of a wave that are not done, the first few of them.
func (w *WaveProgress) Missing(most int) (names []string) {
	for n := 0; n < w.Tasks && len(names) < most; n++ {
		name := w.Stage
		if !strings.HasPrefix(name, "resolve-") {
			name += fmt.Sprintf("-%05d", n)
		}
		if !w.done[name] {
			names = append(names, name)
		}
	}
	return names
}

// ReadManifests adds up what the manifests of a wave say.
func (w *WaveProgress) ReadManifests(s *store.Store, dir string) error {
	w.Counts = map[string]int64{}
	for task := range w.done {
		m, err := ReadManifest(s, store.Join(dir, "tasks", task+".json"))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		w.Seconds += m.Seconds
		w.CPUSeconds += m.CPUSeconds
		for k, v := range m.Counts {
			w.Counts[k] += v
		}
		w.Slowest = append(w.Slowest, TaskTime{task, m.Seconds})
	}
	slices.SortFunc(w.Slowest, func(a, b TaskTime) int {
		return cmp.Or(cmp.Compare(b.Seconds, a.Seconds), cmp.Compare(a.Task, b.Task))
	})
	w.Slowest = w.Slowest[:min(3, len(w.Slowest))]
	return nil
}

// ReadNote reads one of the notes that Progress names.
func ReadNote(s *store.Store, dir, name string) (n Note) {
	if b, err := s.ReadFile(store.Join(dir, "tasks", name)); err == nil {
		_ = json.Unmarshal(b, &n)
	}
	return n
}
