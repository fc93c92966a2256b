package train

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

// Journal is a file of JSON lines, each with the step that it is about, in the order of steps. Lines hold nothing that
// depends on clock, machine or number of threads: the same run gives the same bytes, also when it was stopped and went on.
type Journal struct{ file *os.File }

// OpenJournal opens path behind its last line that is whole and not beyond step; what follows is cut off.
func OpenJournal(path string, step int) (*Journal, error) {
	end, err := journalEnd(path, step)
	if err != nil {
		return nil, err
	}
	f, err := openCut(path, end)
	if err != nil {
		return nil, err
	}
	return &Journal{f}, nil
}

// Write adds one line.
func (j *Journal) Write(v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = j.file.Write(append(b, '\n'))
	return err
}

// Sync brings all lines to the disk: before a checkpoint says that their steps are done.
func (j *Journal) Sync() error { return j.file.Sync() }

// Close closes the file.
func (j *Journal) Close() error { return errors.Join(j.file.Sync(), j.file.Close()) }

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

// Metric is one line of metrics.jsonl: what a step did, or, where Eval is set, what was measured behind it.
type Metric struct {
	Step   int     `json:"step"`             // counted from 1
	Loss   float64 `json:"loss,omitempty"`   // nats a counted target
	Rate   float64 `json:"lr,omitempty"`     // learning rate
	Norm   float64 `json:"norm,omitempty"`   // of the gradient before clipping
	Tokens int64   `json:"tokens,omitempty"` // counted targets so far
	Row    int64   `json:"row,omitempty"`    // number of the row that comes next
	Epoch  int     `json:"epoch,omitempty"`  // passes over the data that were begun
	Spike  string  `json:"spike,omitempty"`  // the measure that jumped: loss or norm
	Score  float64 `json:"score,omitempty"`  // how far, in standard deviations
	Skip   bool    `json:"skip,omitempty"`   // the update was left out

	Documents []string           `json:"documents,omitempty"` // in the batch of a spike
	Eval      map[string]float64 `json:"eval,omitempty"`      // bits per byte held out, by language and "all"
}

// ReadMetrics reads a metrics.jsonl. An end that is not whole, as kill -9 leaves it, is left out.
func ReadMetrics(path string) ([]Metric, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var out []Metric
	for line := range bytes.Lines(b) {
		var m Metric
		if err := json.Unmarshal(line, &m); err != nil {
			if !bytes.HasSuffix(line, []byte("\n")) {
				break
			}
			return nil, fmt.Errorf("%s: line %d: %w", path, len(out)+1, err)
		}
		out = append(out, m)
	}
	return out, nil
}
