package rank

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
)

// File is what `winnow quality ranks` writes: how some classifiers score one sample.
type File struct {
	Sample      Sample       `json:"sample"`
	Classifiers []Classifier `json:"classifiers"`
}

// Sample says what was scored.
type Sample struct {
	Files []string `json:"files"`  // as given
	Texts int      `json:"texts"`  // scored
	Hash  string   `json:"sha256"` // over the texts in order
}

// Classifier is one model and the cutoffs of its scores.
type Classifier struct {
	Name    string  `json:"name"`  // for signals
	Model   string  `json:"model"` // path and label, as given
	Hash    string  `json:"hash"`  // identifies model and options
	Cutoffs Cutoffs `json:"cutoffs"`
}

// Open reads a file of ranks.
func Open(path string) (*File, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("ranks: %w", err)
	}
	var f File
	if err := json.Unmarshal(raw, &f); err != nil {
		return nil, fmt.Errorf("ranks: %s: %w", path, err)
	}
	for _, c := range f.Classifiers {
		if err := c.Cutoffs.Check(); err != nil {
			return nil, fmt.Errorf("ranks: %s: %s: %w", path, c.Name, err)
		}
	}
	return &f, nil
}

// Find gives the cutoffs of the classifier with a hash; model is for the message where there are none.
func (f *File) Find(hash, model string) (Cutoffs, error) {
	var there []string
	for _, c := range f.Classifiers {
		if c.Hash == hash {
			return c.Cutoffs, nil
		}
		there = append(there, c.Model)
	}
	return nil, fmt.Errorf("ranks: no cutoffs of %s as it is now; there are those of %s: make them again by `winnow quality ranks`",
		model, strings.Join(there, ", "))
}

// Write writes the file.
func (f *File) Write(path string) error {
	raw, err := json.MarshalIndent(f, "", " ")
	if err != nil {
		return fmt.Errorf("ranks: %w", err)
	}
	if err := os.WriteFile(path, append(raw, '\n'), 0o666); err != nil {
		return fmt.Errorf("ranks: %w", err)
	}
	return nil
}
