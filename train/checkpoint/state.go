package checkpoint

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"winnow/train/checkpoint/safetensors"
)

// State is all that a run in training needs to go on as if it had not stopped. What is JSON here is the caller's: it comes
// back with the same meaning, and written again with the same bytes.
type State struct {
	Step   int64             `json:"step"`             // optimiser steps done
	Cursor int64             `json:"cursor"`           // number of the next row
	Config json.RawMessage   `json:"config,omitempty"` // of model and method
	Extra  json.RawMessage   `json:"extra,omitempty"`
	Hashes map[string]string `json:"hashes,omitempty"` // of what it was made from: tokenizer, data
	Kernel string            `json:"kernel"`           // whose rounding the weights carry
	Model  string            `json:"model"`            // Hash of Weights; Save sets it

	Weights []Tensor `json:"-"`
	M       []Tensor `json:"-"` // AdamW's first moments
	V       []Tensor `json:"-"` // and second
}

// Warning is something that a run goes on after, but that its user should know, in both languages.
type Warning struct {
	Kind   string // "damaged" or "kernel"
	EN, ZH string
}

const (
	statesFolder  = "checkpoints"
	stepPrefix    = "step-"
	attemptPrefix = ".attempt-"
	stateName     = "state.json"
	optimizerName = "optimizer.safetensors"
	sumsName      = "SHA256SUMS"
)

// stateFiles are those that SHA256SUMS names, in its order.
var stateFiles = [...]string{safetensors.FileName, optimizerName, stateName}

// Save writes s to dir/checkpoints/step-<step>, whole or not at all: under another name first, every file and folder
// brought to the disk, then renamed. It keeps the newest keep (at least 2) states that are whole and removes older ones,
// damaged ones and what killed attempts left. It gives the state's folder.
func Save(dir string, s *State, keep int) (string, error) {
	parent := filepath.Join(dir, statesFolder)
	if err := os.MkdirAll(parent, 0o777); err != nil {
		return "", err
	}
	s.Model = Hash(s.Weights)
	attempt := filepath.Join(parent, attemptPrefix+rand.Text())
	final := filepath.Join(parent, fmt.Sprintf("%s%08d", stepPrefix, s.Step))
	if err := writeState(attempt, s); err != nil {
		os.RemoveAll(attempt)
		return "", fmt.Errorf("%s: %w", final, err)
	}
	if err := replaceFolder(attempt, final); err != nil {
		os.RemoveAll(attempt)
		return "", err
	}
	return final, prune(parent, s.Step, max(keep, 2))
}

func writeState(folder string, s *State) error {
	if err := os.Mkdir(folder, 0o777); err != nil {
		return err
	}
	moments := make([]Tensor, 0, len(s.M)+len(s.V))
	for _, t := range s.M {
		moments = append(moments, Tensor{Name: "m." + t.Name, Shape: t.Shape, Data: t.Data})
	}
	for _, t := range s.V {
		moments = append(moments, Tensor{Name: "v." + t.Name, Shape: t.Shape, Data: t.Data})
	}
	encoded, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	var sums strings.Builder
	for i, write := range []func(io.Writer) error{
		func(w io.Writer) error { return safetensors.Write(w, "F32", s.Weights, nil) },
		func(w io.Writer) error { return safetensors.Write(w, "F32", moments, nil) },
		func(w io.Writer) error { _, err := w.Write(append(encoded, '\n')); return err },
	} {
		sum, err := writeFile(filepath.Join(folder, stateFiles[i]), write)
		if err != nil {
			return err
		}
		fmt.Fprintf(&sums, "%s  %s\n", sum, stateFiles[i])
	}
	if _, err := writeFile(filepath.Join(folder, sumsName), func(w io.Writer) error { _, err := io.WriteString(w, sums.String()); return err }); err != nil {
		return err
	}
	return syncFolder(folder)
}

// replaceFolder gives attempt the name final. What had that name is moved away first: a rename cannot replace a folder.
func replaceFolder(attempt, final string) error {
	err := os.Rename(attempt, final)
	if err != nil {
		aside := filepath.Join(filepath.Dir(final), attemptPrefix+rand.Text())
		if os.Rename(final, aside) != nil {
			return err
		}
		if err = os.Rename(attempt, final); err != nil {
			return errors.Join(err, os.Rename(aside, final))
		}
		if err := os.RemoveAll(aside); err != nil {
			return err
		}
	}
	return syncFolder(filepath.Dir(final))
}

// prune leaves the state of this step, which has just been written, and the newest whole ones before it, keep in all.
// States of later steps belong to a run that was begun again further back; they would be taken for the latest.
func prune(parent string, step int64, keep int) error {
	steps, attempts, err := list(parent)
	if err != nil {
		return err
	}
	kept := 1
	for _, s := range steps {
		folder := filepath.Join(parent, s.name)
		if s.step == step || s.step < step && kept < keep && verify(folder) == nil {
			if s.step != step {
				kept++
			}
			continue
		}
		attempts = append(attempts, s.name)
	}
	for _, name := range attempts {
		err = errors.Join(err, os.RemoveAll(filepath.Join(parent, name)))
	}
	return err
}

type stepName struct {
	name string
	step int64
}

// list gives the folders of states, the latest step first, and the names of attempts.
func list(parent string) (steps []stepName, attempts []string, err error) {
	entries, err := os.ReadDir(parent)
	if err != nil {
		return nil, nil, err
	}
	for _, e := range entries {
		var step int64
		if strings.HasPrefix(e.Name(), attemptPrefix) {
			attempts = append(attempts, e.Name())
		} else if n, err := fmt.Sscanf(e.Name(), stepPrefix+"%d", &step); n == 1 && err == nil && e.IsDir() {
			steps = append(steps, stepName{e.Name(), step})
		}
	}
	slices.SortStableFunc(steps, func(a, b stepName) int { return int(max(-1, min(1, b.step-a.step))) })
	return steps, attempts, nil
}

// Latest loads the newest state of dir that is whole, and warns of newer ones that are not, and where the state was made
// by another kernel than the one named: the run goes on, but not with the bits of an unbroken one. Where there is no
// state at all the error is fs.ErrNotExist; where there are only damaged ones, it names them.
func Latest(dir, kernel string) (*State, []Warning, error) {
	parent := filepath.Join(dir, statesFolder)
	steps, _, err := list(parent)
	if err != nil {
		return nil, nil, err
	}
	if len(steps) == 0 {
		return nil, nil, fmt.Errorf("%s: no state: %w", parent, fs.ErrNotExist)
	}
	var warnings []Warning
	var damage []error
	for _, step := range steps {
		folder := filepath.Join(parent, step.name)
		s, err := LoadState(folder)
		if err != nil {
			damage = append(damage, fmt.Errorf("%s: %v", folder, err))
			warnings = append(warnings, Warning{"damaged",
				fmt.Sprintf("%s is damaged and is skipped: %v", folder, err), fmt.Sprintf("%s 已损坏，跳过：%v", folder, err)})
			continue
		}
		if s.Kernel != kernel {
			warnings = append(warnings, Warning{"kernel",
				fmt.Sprintf("%s was made by kernel %s; going on with %s, the bits will differ from an unbroken run's", folder, s.Kernel, kernel),
				fmt.Sprintf("%s 由内核 %s 生成；现用 %s 继续，结果不会与未中断的训练逐位相同", folder, s.Kernel, kernel)})
		}
		return s, warnings, nil
	}
	return nil, warnings, fmt.Errorf("no state is whole: %w", errors.Join(damage...))
}

// LoadState reads the state in one step's folder, after comparing every file with its checksum.
func LoadState(folder string) (*State, error) {
	if err := verify(folder); err != nil {
		return nil, err
	}
	b, err := os.ReadFile(filepath.Join(folder, stateName))
	if err != nil {
		return nil, err
	}
	s := new(State)
	if err := json.Unmarshal(b, s); err != nil {
		return nil, fmt.Errorf("%s: %w", stateName, err)
	}
	if s.Weights, err = readTensors(filepath.Join(folder, safetensors.FileName)); err != nil {
		return nil, err
	}
	moments, err := readTensors(filepath.Join(folder, optimizerName))
	if err != nil {
		return nil, err
	}
	for _, t := range moments {
		kind, name, ok := strings.Cut(t.Name, ".")
		t.Name = name
		switch {
		case ok && kind == "m":
			s.M = append(s.M, t)
		case ok && kind == "v":
			s.V = append(s.V, t)
		default:
			return nil, fmt.Errorf("%s: tensor %q is no moment", optimizerName, kind)
		}
	}
	return s, nil
}

func readTensors(path string) ([]Tensor, error) {
	set, err := safetensors.Open(path)
	if err != nil {
		return nil, err
	}
	defer set.Close()
	return set.Tensors()
}

// verify compares the files of a state with SHA256SUMS.
func verify(folder string) error {
	sums, err := os.ReadFile(filepath.Join(folder, sumsName))
	if err != nil {
		return err
	}
	var want strings.Builder
	for _, name := range stateFiles {
		f, err := os.Open(filepath.Join(folder, name))
		if err != nil {
			return err
		}
		sum, err := hashOf(f)
		f.Close()
		if err != nil {
			return err
		}
		line := sum + "  " + name + "\n"
		if !strings.Contains(string(sums), line) {
			return fmt.Errorf("%s does not have its checksum", name)
		}
		want.WriteString(line)
	}
	if want.String() != string(sums) {
		return fmt.Errorf("%s names other files", sumsName)
	}
	return nil
}

// syncFolder brings the names in a folder to the disk.
func syncFolder(folder string) error {
	if runtime.GOOS == "windows" { // which cannot sync a folder
		return nil
	}
	d, err := os.Open(folder)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
