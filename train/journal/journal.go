// Package journal writes what a run in training tells step by step. Values flow in; files of JSON lines and TensorBoard event
// files flow out, which are cut back to the step that a run goes on from, so that no step stands in them twice.
package journal

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// File is a file of JSON lines, each with the step that it is about, in the order of steps. Lines hold nothing that
// depends on clock, machine or number of threads: the same run gives the same bytes, also when it was stopped and went on.
type File struct{ file *os.File }

// Open opens path behind its last line that is whole and not beyond step; what follows is cut off.
func Open(path string, step int) (*File, error) {
	end, err := journalEnd(path, step)
	if err != nil {
		return nil, err
	}
	f, err := openCut(path, end)
	if err != nil {
		return nil, err
	}
	return &File{f}, nil
}

// Write adds one line.
func (f *File) Write(v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = f.file.Write(append(b, '\n'))
	return err
}

// Sync brings all lines to the disk: before a checkpoint says that their steps are done.
func (f *File) Sync() error { return f.file.Sync() }

// Close closes the file.
func (f *File) Close() error { return errors.Join(f.file.Sync(), f.file.Close()) }

// journalEnd is the length of what stays: whole lines up to and with step.
func journalEnd(path string, step int) (end int64, err error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	} else if err != nil {
		return 0, err
	}
	defer f.Close()
	for in := bufio.NewReader(f); ; {
		line, err := in.ReadBytes('\n')
		if err == io.EOF {
			return end, nil
		} else if err != nil {
			return 0, err
		}
		var at struct{ Step *int }
		if json.Unmarshal(line, &at) != nil || at.Step == nil || *at.Step > step {
			return end, nil
		}
		end += int64(len(line))
	}
}

// openCut opens path for writing at end, and cuts off what lies behind.
func openCut(path string, end int64) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	err = f.Truncate(end)
	if err == nil {
		_, err = f.Seek(end, io.SeekStart)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// Read reads a journal of lines of one type. An end that is not whole, as kill -9 leaves it, is left out.
func Read[T any](path string) ([]T, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var out []T
	for line := range bytes.Lines(b) {
		var v T
		if err := json.Unmarshal(line, &v); err != nil {
			if !bytes.HasSuffix(line, []byte("\n")) {
				break
			}
			return nil, fmt.Errorf("%s: line %d: %w", path, len(out)+1, err)
		}
		out = append(out, v)
	}
	return out, nil
}
