// Package self is self-rewarding training (Yuan et al. 2024, arXiv 2401.10020): a model answers, judges its own answers, and is tuned on
// what it preferred; then once more, with the new model.
//
// A model folder and prompts flow in, and a function that tunes on preferences. Out flows a folder with one room for each round:
// candidates.jsonl (all answers), pairs.jsonl (the best against the worst by the model's own score), audit.json (what the round was
// worth) and model/, whose lineage is that of the tuning. What a round has finished is not done again.
package self

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"

	"winnow/train/bpe"
	"winnow/train/chat"
	"winnow/train/checkpoint"
	"winnow/train/judge"
	"winnow/train/llm"
	"winnow/train/reward"
)

// Prompt is what is to be answered, and what its row has beside it for a true reward.
type Prompt struct {
	Messages []chat.Message
	Columns  map[string]any
}

// Settings are what the result depends on, beside the model, the prompts and the tuning.
type Settings struct {
	Candidates  int         `json:"candidates"` // answers to each prompt
	MaxTokens   int         `json:"max_tokens"` // of an answer
	Temperature float64     `json:"temperature"`
	TopP        float64     `json:"top_p"`
	Seed        uint64      `json:"seed"`
	Scale       judge.Scale `json:"scale"`
	Least       float64     `json:"least"` // points between the best and the worst of a pair, more than
	Lang        string      `json:"lang,omitempty"`
}

// Usual are the settings of the paper: four answers, judged by points.
func Usual() Settings {
	return Settings{Candidates: 4, MaxTokens: 256, Temperature: .7, TopP: .9, Seed: 1, Scale: judge.Points}
}

// Options of Run.
type Options struct {
	Settings
	Model   string // folder of the first model, which must answer and judge
	Out     string
	Rounds  int
	Prompts []Prompt
	Pool    *llm.Pool
	Slots   int           // answers written at a time; 0: 8
	True    reward.Scorer // the true reward, to compare with; nil: not known
	Tuning  any           // what Tune was told: compared when a run goes on
	// Tune makes a model folder out of a parent and a file of preferences. It goes on where it stopped, and of a finished one does nothing.
	Tune func(ctx context.Context, parent, data, out string) error
	Tell func(round int, what string, a *Audit) // may be nil
}

// What Options.Tell is told: what begins, and at the end of a round Done with the audit.
const (
	Answering = "answering"
	Judging   = "judging"
	Tuning    = "tuning"
	Done      = "done"
)

// Names in Out and its rounds.
const (
	planName       = "self.json"
	candidatesName = "candidates.jsonl"
	pairsName      = "pairs.jsonl"
	auditName      = "audit.json"
	modelName      = "model"
)

// ErrNoPairs says that a round's model preferred no answer to another: there is nothing to tune on.
var ErrNoPairs = errors.New("the model prefers none of its answers to another")

// ChangedError says that Out holds another run.
type ChangedError struct{ Out string }

// Error names the folder.
func (e *ChangedError) Error() string {
	return e.Out + ": it holds rounds of another model, other prompts or other settings"
}

// Run does the rounds and gives their audits; the last model is in Folder(out, rounds).
func Run(ctx context.Context, o Options) ([]*Audit, error) {
	if o.Candidates < 2 || o.Rounds < 1 || o.MaxTokens < 1 || len(o.Prompts) == 0 {
		return nil, fmt.Errorf("self: %d answers to each of %d prompts of at most %d tokens, in %d rounds: too few", o.Candidates, len(o.Prompts), o.MaxTokens, o.Rounds)
	}
	if err := os.MkdirAll(o.Out, 0o777); err != nil {
		return nil, fmt.Errorf("self: %w", err)
	}
	lock := flock.New(filepath.Join(o.Out, ".lock"))
	if ok, err := lock.TryLock(); !ok && !errors.Is(err, errors.ErrUnsupported) {
		return nil, fmt.Errorf("self: %s: another process works there", o.Out)
	}
	defer lock.Unlock()
	if o.Tell == nil {
		o.Tell = func(int, string, *Audit) {}
	}
	var audits []*Audit
	parent := o.Model
	for n := 1; n <= o.Rounds; n++ {
		a, err := o.round(ctx, n, parent)
		if err != nil {
			return audits, fmt.Errorf("self: round %d: %w", n, err)
		}
		audits = append(audits, a)
		o.Tell(n, Done, a)
		parent = Folder(o.Out, n)
	}
	return audits, nil
}

// Folder is the model of a round, from 1.
func Folder(out string, round int) string { return filepath.Join(room(out, round), modelName) }

func room(out string, round int) string { return filepath.Join(out, fmt.Sprintf("round-%d", round)) }

// round does what is left of one round.
func (o *Options) round(ctx context.Context, n int, parent string) (*Audit, error) {
	dir := room(o.Out, n)
	if a, err := readAudit(dir); err != nil || a != nil && a.Model != "" {
		return a, errors.Join(err, o.settle(n, a))
	}
	m, tok, info, err := checkpoint.LoadModel(parent)
	if err != nil {
		return nil, err
	}
	if err := o.plan(n, info.Hash); err != nil {
		return nil, err
	}
	template, err := chat.Of(info, tok)
	if err == nil && template == nil {
		err = fmt.Errorf("%s: it has no chat template, so that it can neither answer nor judge", parent)
	}
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, err
	}
	a := &Audit{Round: n, Parent: info.Hash, Prompts: len(o.Prompts)}
	if err := o.prefer(ctx, a, dir, m, tok, template, fmt.Sprintf("self-%d@%.12s", n, info.Hash)); err != nil {
		return nil, err
	}
	if a.Judge.Rows == 0 {
		return nil, ErrNoPairs
	}
	o.Tell(n, Tuning, nil)
	if err := o.Tune(ctx, parent, filepath.Join(dir, pairsName), filepath.Join(dir, modelName)); err != nil {
		return nil, err
	}
	made, err := checkpoint.ReadInfo(filepath.Join(dir, modelName))
	if err != nil {
		return nil, err
	}
	a.Model = made.Hash
	return a, judge.WriteRows(filepath.Join(dir, auditName), []*Audit{a})
}

// prefer answers and judges, and writes the pairs.
func (o *Options) prefer(ctx context.Context, a *Audit, dir string, m *llm.Model, tok *bpe.Tokenizer, template *chat.Template, name string) error {
	path := filepath.Join(dir, candidatesName)
	list, err := readCandidates(path)
	if err != nil {
		return err
	}
	if list == nil {
		o.Tell(a.Round, Answering, nil)
		if list, err = o.answer(ctx, a.Round, m, tok, template); err != nil {
			return err
		}
		if err := judge.WriteRows(path, list); err != nil {
			return err
		}
	}
	o.Tell(a.Round, Judging, nil)
	local, err := judge.NewLocal(m, tok, template, o.Pool)
	if err != nil {
		return err
	}
	items := make([]judge.Item, len(list))
	unique := make([][]int, len(list)) // places in list[i] of the answers of items[i]
	for i, c := range list {
		items[i], unique[i] = c.item()
	}
	j := &judge.Judge{Client: local, Model: name, Lang: o.Lang, Parallel: 1}
	rows, scores, r, err := j.Rank(ctx, o.Scale, items, o.Least)
	if err != nil {
		return err
	}
	a.Judge = r
	if err := a.count(ctx, o, list, unique, scores, rows); err != nil {
		return err
	}
	return judge.WriteRows(filepath.Join(dir, pairsName), rows)
}

// plan compares what Out was begun with; a first round writes it.
func (o *Options) plan(n int, parent string) error {
	if n > 1 {
		return nil
	}
	sum := sha256.New()
	e := json.NewEncoder(sum)
	for _, p := range o.Prompts {
		if err := e.Encode(p); err != nil {
			return err
		}
	}
	want, err := json.MarshalIndent(struct {
		Settings
		Model   string `json:"model"`
		Prompts string `json:"prompts"`
		Tuning  any    `json:"tuning,omitempty"`
	}{o.Settings, parent, hex.EncodeToString(sum.Sum(nil)), o.Tuning}, "", "  ")
	if err != nil {
		return err
	}
	path := filepath.Join(o.Out, planName)
	got, err := os.ReadFile(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return os.WriteFile(path, want, 0o666)
	case err != nil:
		return err
	case !bytes.Equal(got, want):
		return &ChangedError{o.Out}
	}
	return nil
}

// settle compares the plan also where the first round is finished.
func (o *Options) settle(n int, a *Audit) error {
	if a == nil {
		return nil
	}
	info, err := checkpoint.ReadInfo(o.Model)
	if n > 1 || err != nil {
		return nil // a .gguf file has no folder to read: its rounds are known by their audits
	}
	return o.plan(n, info.Hash)
}
