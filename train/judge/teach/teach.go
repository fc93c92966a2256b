// Package teach lets a stronger model write what a smaller one learns from: answers to instructions, and the second halves of texts.
//
// Tasks flow in, and a Client that asks the teacher; rows for supervised fine-tuning flow out into a file, in the order of the tasks,
// each with who wrote it and of what. The file is the state: whoever teaches into it again goes on behind what it holds.
package teach

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/sync/errgroup"

	"winnow/train/chat"
)

// ErrUnanswered says that one request failed for good and others may succeed: a Client wraps it.
var ErrUnanswered = errors.New("the teacher did not answer")

// Reasons why an answer ended, as OpenAI's interface has them.
const (
	finishLength = "length"
	finishFilter = "content_filter"
)

// Answer is what a teacher wrote.
type Answer struct {
	Text             string
	Finish           string
	PromptTokens     int64
	CompletionTokens int64
}

// Client asks a teacher. It is safe for concurrent use.
type Client interface {
	Answer(ctx context.Context, messages []chat.Message, s Sampling) (Answer, error)
}

// Sampling is how a teacher writes.
type Sampling struct {
	Temperature float64 `json:"temperature"`
	TopP        float64 `json:"top_p"`
	Seed        int64   `json:"seed"`
	MaxTokens   int     `json:"max_tokens"`
}

// Task is one thing to write.
type Task struct {
	Prompt []chat.Message // what the row's prompt is to be
	Asked  []chat.Message // what the teacher is asked; nil: Prompt
	Origin string         // where it stands: file:line, or a document's id
}

// Options of Teach.
type Options struct {
	Teacher  string // its model's name, for the rows
	Sampling Sampling
	System   string // first message to the teacher; not in the rows
	Parallel int    // requests at the same time; 0: 8
	KeepCut  bool   // also answers that were cut off at MaxTokens
	Tell     func(done, all int)
}

// Row is a line of the file: chat's shape prompt-completion, and where it comes from.
type Row struct {
	Prompt     []chat.Message `json:"prompt"`
	Completion []chat.Message `json:"completion"`
	Literal    bool           `json:"literal"` // {{name}} is text
	Teacher    Lineage        `json:"teacher"`
}

// Lineage says who wrote a completion, when asked what.
type Lineage struct {
	Model      string   `json:"model"`
	Asked      string   `json:"prompt_hash"` // sha256 of what was asked, with the sampling
	Sampling   Sampling `json:"sampling"`
	Prompt     int64    `json:"prompt_tokens"`
	Completion int64    `json:"completion_tokens"`
	Finish     string   `json:"finish_reason"`
	Origin     string   `json:"origin"`
}

// Report is what came of the tasks.
type Report struct {
	Tasks      int    `json:"tasks"`
	Rows       int    `json:"rows"`     // in the file
	Before     int    `json:"before"`   // of these, there already
	Twice      int    `json:"repeated"` // tasks that ask the same as an earlier one
	Cut        int    `json:"cut"`      // answers that were cut off at the most tokens, and left out
	Withheld   int    `json:"withheld"`
	Empty      int    `json:"empty"`
	Unanswered int    `json:"unanswered"`
	Why        string `json:"why_unanswered,omitempty"` // the first failure
	Prompt     int64  `json:"prompt_tokens"`            // of the rows of this call
	Completion int64  `json:"completion_tokens"`
}

// batch is how many tasks are worked off between two writes.
const batch = 64

// Teach has the tasks answered and appends a row for each to the file. An error that is not ErrUnanswered ends it, behind the rows of
// the batches before; the same call goes on from there.
func Teach(ctx context.Context, path string, client Client, tasks []Task, o Options) (*Report, error) {
	f, done, err := open(path)
	if err != nil {
		return nil, fmt.Errorf("teach: %w", err)
	}
	defer f.Close()
	r := &Report{Tasks: len(tasks)}
	var left []Task
	var hashes []string
	seen := map[string]bool{}
	for _, t := range tasks {
		if t.Asked == nil {
			t.Asked = t.Prompt
		}
		if o.System != "" {
			t.Asked = append([]chat.Message{{Role: chat.System, Content: o.System}}, t.Asked...)
		}
		hash, err := t.hash(o)
		switch {
		case err != nil:
			return nil, fmt.Errorf("teach: %w", err)
		case seen[hash]:
			r.Twice++
			continue
		}
		seen[hash] = true
		if done[hash] {
			r.Before++
			continue
		}
		left, hashes = append(left, t), append(hashes, hash)
	}
	r.Rows = r.Before
	for from := 0; from < len(left); from += batch {
		to := min(from+batch, len(left))
		answers, failed, err := answer(ctx, client, left[from:to], o)
		if failed != nil && r.Why == "" {
			r.Why = failed.Error()
		}
		if err != nil {
			return r, fmt.Errorf("teach: %w", err)
		}
		if err := r.write(f, left[from:to], hashes[from:to], answers, o); err != nil {
			return r, fmt.Errorf("teach: %w", err)
		}
		if o.Tell != nil {
			o.Tell(to, len(left))
		}
	}
	return r, nil
}

// hash names what is asked of whom and how.
func (t *Task) hash(o Options) (string, error) {
	b, err := json.Marshal([]any{o.Teacher, t.Asked, o.Sampling})
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:]), nil
}

// open reads which tasks a file has rows of, and cuts off a line that was not written to its end.
func open(path string) (*os.File, map[string]bool, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o666)
	if err != nil {
		return nil, nil, err
	}
	done := map[string]bool{}
	in := bufio.NewReaderSize(f, 1<<16)
	size := int64(0)
	for line := 1; ; line++ {
		b, err := in.ReadBytes('\n')
		if err == io.EOF && (len(b) == 0 || bytes.HasPrefix(b, []byte(`{"prompt":`)) || strings.HasPrefix(`{"prompt":`, string(b))) {
			break
		}
		var r Row
		if err == nil {
			err = json.Unmarshal(b, &r)
		}
		if err != nil || r.Teacher.Asked == "" {
			return nil, nil, errors.Join(fmt.Errorf("%s: line %d is no row of a teacher's: give another file", path, line), f.Close())
		}
		done[r.Teacher.Asked] = true
		size += int64(len(b))
	}
	if err := f.Truncate(size); err != nil {
		return nil, nil, errors.Join(err, f.Close())
	}
	if _, err := f.Seek(size, io.SeekStart); err != nil {
		return nil, nil, errors.Join(err, f.Close())
	}
	return f, done, nil
}

// answer asks for a batch, several at a time; nil where one request failed for good; the first such failure is given beside.
func answer(ctx context.Context, client Client, tasks []Task, o Options) (list []*Answer, failed error, err error) {
	out, why := make([]*Answer, len(tasks)), make([]error, len(tasks))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(max(o.Parallel, 1))
	if o.Parallel == 0 {
		g.SetLimit(8)
	}
	for i, t := range tasks {
		g.Go(func() error {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			a, err := client.Answer(ctx, t.Asked, o.Sampling)
			if errors.Is(err, ErrUnanswered) {
				why[i] = err
				return nil
			}
			out[i] = &a
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return out, nil, err
	}
	return out, cmp.Or(why...), nil
}

// write appends the rows of a batch and syncs them.
func (r *Report) write(f *os.File, tasks []Task, hashes []string, answers []*Answer, o Options) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	for i, a := range answers {
		switch {
		case a == nil:
			r.Unanswered++
			continue
		case a.Finish == finishFilter:
			r.Withheld++
			continue
		case a.Finish == finishLength && !o.KeepCut:
			r.Cut++
			continue
		case strings.TrimSpace(a.Text) == "":
			r.Empty++
			continue
		}
		row := Row{Prompt: tasks[i].Prompt, Completion: []chat.Message{{Role: chat.Assistant, Content: a.Text}}, Literal: true,
			Teacher: Lineage{o.Teacher, hashes[i], o.Sampling, a.PromptTokens, a.CompletionTokens, a.Finish, tasks[i].Origin}}
		if err := e.Encode(row); err != nil {
			return err
		}
		r.Rows++
		r.Prompt += a.PromptTokens
		r.Completion += a.CompletionTokens
	}
	if b.Len() == 0 {
		return nil
	}
	if _, err := f.Write(b.Bytes()); err != nil {
		return err
	}
	return f.Sync()
}
