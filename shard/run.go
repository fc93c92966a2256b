package shard

import (
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"path/filepath"

	"winnow"
	"winnow/shard/store"
)

// States of a Run.
const (
	Running = "running"
	Done    = "done"
	Failed  = "failed"
)

// runFile is the name of a run's description in its folder.
const runFile = "run.json"

// Run describes a run: what went in, what was done, and what came out. Times are RFC 3339 in UTC.
type Run struct {
	ID       string                      `json:"id"`
	Name     string                      `json:"name"`    // of the recipe
	Program  string                      `json:"program"` // its version
	Recipe   string                      `json:"recipe"`  // sha256 of the recipe's bytes
	State    string                      `json:"state"`   // Running, Done or Failed
	Error    string                      `json:"error,omitempty"`
	Started  string                      `json:"started"`
	Finished string                      `json:"finished,omitempty"`
	Seed     uint64                      `json:"seed"`
	Inputs   []Input                     `json:"inputs"`
	Shards   []winnow.Shard              `json:"shards"`
	Stages   []StageInfo                 `json:"stages"`
	Waves    []WaveInfo                  `json:"waves,omitempty"`  // of tasks, in the order in which they can be done
	Bounds   map[string]map[string]Bound `json:"bounds,omitempty"` // by rule, then language; "" is any language
	Totals   Totals                      `json:"totals"`
	Spent    map[string]float64          `json:"spent,omitempty"`   // seconds of one worker outside of stages: read, tokens, write
	Edits    map[string]EditCount        `json:"edits,omitempty"`   // what each rule changed in kept texts
	Records  map[string]int64            `json:"records,omitempty"` // read, by kind
	Lost     []Lost                      `json:"lost,omitempty"`
	Dropped  string                      `json:"dropped"`         // whose texts dropped/ holds: all, sample or none
	Dedup    map[string]string           `json:"dedup,omitempty"` // parameters as resolved
	Outputs  []Output                    `json:"outputs"`
}

// EditCount is how much one rule changed.
type EditCount struct {
	Documents int64 `json:"documents"` // kept ones with at least one such edit
	Edits     int64 `json:"edits"`
	Removed   int64 `json:"removed"` // bytes cut or replaced
	Added     int64 `json:"added"`   // bytes put in their place
}

// Input is one file that a run read.
type Input struct {
	File        string `json:"file"`
	Bytes       int64  `json:"bytes"`
	Fingerprint string `json:"fingerprint"`
}

// StageInfo is one stage of a run, in the order of the recipe.
type StageInfo struct {
	Label    string  `json:"label"` // tells stages of one name apart
	Name     string  `json:"name"`
	Kind     string  `json:"kind"` // each, judged, batch or corpus
	Version  string  `json:"version"`
	Bounds   string  `json:"bounds,omitempty"`   // Judged.Bounds
	Sketches string  `json:"sketches,omitempty"` // of a corpus stage: what its records hold; equal ones can be compared
	Cuts     bool    `json:"cuts,omitempty"`     // a corpus stage that cuts texts
	Pass     int     `json:"pass,omitempty"`     // from 1: stages of one pass are applied, or sketched, by the same tasks
	Signals  Signals `json:"signals,omitempty"`
	First    int     `json:"first"`   // index of its first signal in the ledger's signals
	Seconds  float64 `json:"seconds"` // of one worker, summed over all documents; 0 where stored values were taken over
}

// WaveInfo is tasks of one kind, named stage-00000 and so on, but for resolve-*, which is one.
type WaveInfo struct {
	Stage string `json:"stage"`
	Tasks int    `json:"tasks"` // -1: not known when the run began
}

// Totals are sums over all documents of a run.
type Totals struct {
	Documents int64 `json:"documents"` // read or derived
	Kept      int64 `json:"kept"`
	RawBytes  int64 `json:"raw_bytes"`
	Bytes     int64 `json:"bytes"` // of kept text, UTF-8
	Chars     int64 `json:"chars"` // of kept text, code points
	TokensIn  int64 `json:"tokens_in"`
	TokensOut int64 `json:"tokens_out"`
}

// Bound is a winnow.Bound that goes to JSON as {"min": 1, "max": null}: an open side is null.
type Bound winnow.Bound

type jsonBound struct {
	Min *float32 `json:"min"`
	Max *float32 `json:"max"`
}

// MarshalJSON writes open sides as null.
func (b Bound) MarshalJSON() ([]byte, error) {
	var j jsonBound
	if b.Min != winnow.Any.Min {
		j.Min = &b.Min
	}
	if b.Max != winnow.Any.Max {
		j.Max = &b.Max
	}
	return json.Marshal(j)
}

// UnmarshalJSON takes null, or a side that is left out, as open.
func (b *Bound) UnmarshalJSON(data []byte) error {
	var j jsonBound
	if err := json.Unmarshal(data, &j); err != nil {
		return err
	}
	*b = Bound(winnow.Any)
	if j.Min != nil {
		b.Min = *j.Min
	}
	if j.Max != nil {
		b.Max = *j.Max
	}
	return nil
}

// Signals are winnow.Signals that go to JSON with their labels and default bounds.
type Signals []winnow.Signal

type jsonSignal struct {
	ID      string   `json:"id"`
	EN      string   `json:"en"`
	ZH      string   `json:"zh"`
	Langs   []string `json:"langs,omitempty"`
	Default Bound    `json:"default"`
}

// MarshalJSON writes a list of objects with the keys id, en, zh, langs and default.
func (s Signals) MarshalJSON() ([]byte, error) {
	list := make([]jsonSignal, len(s))
	for i, x := range s {
		list[i] = jsonSignal{x.ID, x.EN, x.ZH, x.Langs, Bound(x.Default)}
	}
	return json.Marshal(list)
}

// UnmarshalJSON reads what MarshalJSON writes.
func (s *Signals) UnmarshalJSON(data []byte) error {
	var list []jsonSignal
	if err := json.Unmarshal(data, &list); err != nil {
		return err
	}
	*s = make(Signals, len(list))
	for i, x := range list {
		(*s)[i] = winnow.Signal{ID: x.ID, EN: x.EN, ZH: x.ZH, Langs: x.Langs, Default: winnow.Bound(x.Default)}
	}
	return nil
}

// WriteRun writes dir/run.json, whole or not at all, replacing what is there; a nil Store is the disk.
func WriteRun(s *store.Store, dir string, r *Run) error {
	b, err := readable(r)
	if err != nil {
		return err
	}
	t, err := s.Create(store.Join(dir, runFile))
	if err != nil {
		return err
	}
	defer t.Abort()
	if _, err := t.Write(b); err != nil {
		return err
	}
	return t.Commit()
}

// ReadRun reads dir/run.json. Where there is none the error is fs.ErrNotExist.
func ReadRun(s *store.Store, dir string) (*Run, error) {
	name := store.Join(dir, runFile)
	b, err := s.ReadFile(name)
	if err != nil {
		return nil, err
	}
	r := new(Run)
	if err := json.Unmarshal(b, r); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if r.ID == "" {
		return nil, fmt.Errorf("%s: no run of winnow", name)
	}
	return r, nil
}

// Folder is a run's folder. Its files are in order, which is that of the input.
type Folder struct {
	Store   *store.Store // where it lies; nil: the disk
	Dir     string
	Run     *Run
	Data    []string
	Ledger  []string
	Dropped []string
}

// Open reads run.json and lists the files of a run; a nil Store is the disk.
func Open(s *store.Store, dir string) (*Folder, error) {
	r, err := ReadRun(s, dir)
	if err != nil {
		return nil, err
	}
	f := &Folder{Store: s, Dir: dir, Run: r}
	var errs [3]error
	f.Data, errs[0] = parquetFiles(s, store.Join(dir, "data"))
	f.Ledger, errs[1] = parquetFiles(s, store.Join(dir, "ledger"))
	f.Dropped, errs[2] = parquetFiles(s, store.Join(dir, "dropped"))
	return f, errors.Join(errs[:]...)
}

// parquetFiles lists whole files, not attempts, by name; a folder that is not there has none.
func parquetFiles(s *store.Store, dir string) (files []string, err error) {
	entries, err := s.List(dir)
	for _, e := range entries {
		if filepath.Ext(e.Name) == ".parquet" {
			files = append(files, store.Join(dir, e.Name))
		}
	}
	return files, err
}

// Rows reads the whole ledger. An error ends the stream.
func (f *Folder) Rows() iter.Seq2[*Row, error] { return chain(f.Store, f.Ledger, ReadLedger) }

// Documents reads all kept documents. An error ends the stream.
func (f *Folder) Documents() iter.Seq2[*winnow.Document, error] {
	return chain(f.Store, f.Data, ReadData)
}

// DroppedRows reads the stored texts of dropped documents. An error ends the stream.
func (f *Folder) DroppedRows() iter.Seq2[*Row, error] { return chain(f.Store, f.Dropped, ReadDropped) }

func chain[T any](s *store.Store, files []string, read func(*store.Store, string) iter.Seq2[*T, error]) iter.Seq2[*T, error] {
	return func(yield func(*T, error) bool) {
		for _, file := range files {
			for x, err := range read(s, file) {
				if !yield(x, err) || err != nil {
					return
				}
			}
		}
	}
}
