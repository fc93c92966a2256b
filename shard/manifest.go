package shard

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"

	"winnow/shard/store"
)

// manifestFormat tells a manifest from any other JSON.
const manifestFormat = "winnow manifest 1"

// Manifest says that a task is done, and what came of it. It is created last.
type Manifest struct {
	Format     string             `json:"format"`            // Commit sets it
	Key        string             `json:"key"`               // hash of all that the outputs depend on; another key means not done
	Task       string             `json:"task"`              // name of the task, for people
	Attempt    string             `json:"attempt,omitempty"` // which of several attempts at the task this was
	Outputs    []Output           `json:"outputs"`
	Counts     map[string]int64   `json:"counts,omitempty"`
	Records    map[string]int64   `json:"records,omitempty"` // Tally.Records
	Content    map[string]string  `json:"content,omitempty"` // Tally.Content: sha256 by file
	Lost       []Lost             `json:"lost,omitempty"`    // input that no document could be made of
	Seconds    float64            `json:"seconds"`
	CPUSeconds float64            `json:"cpu_seconds"`     // of the whole program while the task ran
	Spent      map[string]float64 `json:"spent,omitempty"` // seconds of one worker, by stage label, and "read", "tokens", "write"
}

// Output is one file that a task wrote.
type Output struct {
	Name   string `json:"name"` // relative to the run's folder, or as the task says
	Bytes  int64  `json:"bytes"`
	Rows   int64  `json:"rows"`
	SHA256 string `json:"sha256"`
}

// Lost is damage in the input that no document stands for.
type Lost struct {
	File   string `json:"file"`
	Offset int64  `json:"offset"` // as Document.Offset
	Bytes  int64  `json:"bytes"`  // skipped, where known
	Rule   string `json:"rule"`   // error.*
	Error  string `json:"error"`
}

// Commit writes m under a name, whole or not at all. Of several committers with one key the first wins, and all succeed. What
// is there with another key, or is no manifest, is replaced; of several who find it so, the last wins.
func Commit(s *store.Store, name string, m *Manifest) error {
	stamped := *m
	stamped.Format = manifestFormat
	b, err := readable(&stamped)
	if err != nil {
		return err
	}
	return s.Commit(name, b, func(there []byte) bool {
		old, err := parseManifest(there)
		return err == nil && old.Key == m.Key
	})
}

// ReadManifest reads a manifest. Where there is none, or none that is whole, the error is fs.ErrNotExist: the task is not
// done. Any other error is the machine's.
func ReadManifest(s *store.Store, name string) (*Manifest, error) {
	b, err := s.ReadFile(name)
	if err != nil {
		return nil, err
	}
	m, err := parseManifest(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %w", name, err, fs.ErrNotExist)
	}
	return m, nil
}

func parseManifest(b []byte) (*Manifest, error) {
	m := new(Manifest)
	if err := json.Unmarshal(b, m); err != nil {
		return nil, err
	}
	if m.Format != manifestFormat || m.Key == "" {
		return nil, errors.New("no manifest of this version")
	}
	return m, nil
}

// readable is v as JSON that people can read.
func readable(v any) ([]byte, error) {
	b, err := json.MarshalIndent(v, "", "  ")
	return append(b, '\n'), err
}

// Temp is a store.Temp that a manifest can name.
type Temp struct{ *store.Temp }

// Create opens a file to be known by a name, whose folder must exist; a nil Store is the disk.
func Create(s *store.Store, name string) (*Temp, error) {
	t, err := s.Create(name)
	if err != nil {
		return nil, err
	}
	return &Temp{t}, nil
}

// Output describes what has been written so far, under the final name without its folder.
func (t *Temp) Output(rows int64) Output {
	return Output{Name: t.Base(), Bytes: t.Size(), Rows: rows, SHA256: t.SHA256()}
}

// Keep is store.Temp.Keep; the Output has the attempt's name without its folder.
func (t *Temp) Keep(rows int64) (o Output, err error) {
	o = t.Output(rows)
	o.Name, err = t.Temp.Keep()
	return o, err
}
