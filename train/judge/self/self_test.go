package self

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"winnow/train/bpe"
	"winnow/train/chat"
	"winnow/train/chat/source"
	"winnow/train/checkpoint"
	"winnow/train/llm"
	"winnow/train/prefer"
	"winnow/train/reward"
	"winnow/train/tune"
)

// talker makes a folder with a small model of random weights that has a template.
func talker(t *testing.T, pool *llm.Pool) string {
	t.Helper()
	var texts []string
	for i := range 40 {
		texts = append(texts, fmt.Sprintf("The number %d follows the number %d. 第%d回。", i+1, i, i))
	}
	tok, err := bpe.Train(slices.Values(texts), bpe.TrainOptions{Vocab: 340})
	if err != nil {
		t.Fatal(err)
	}
	m, err := llm.New(llm.Config{Vocab: tok.Size(), Context: 1024, Dim: 32, FFN: 64, Layers: 2, Heads: 4, KVHeads: 2, HeadDim: 8, NormEps: 1e-5, RopeTheta: 1e4}, 3)
	if err != nil {
		t.Fatal(err)
	}
	template, err := chat.New("chatml", tok)
	if err != nil {
		t.Fatal(err)
	}
	info := &checkpoint.Info{Kind: "base"}
	template.Stamp(info)
	dir := filepath.Join(t.TempDir(), "talker")
	if err := checkpoint.SaveModel(dir, m, tok, info); err != nil {
		t.Fatal(err)
	}
	return dir
}

func options(t *testing.T, model string, pool *llm.Pool) Options {
	o := Options{Settings: Usual(), Model: model, Out: t.TempDir(), Rounds: 2, Pool: pool, Slots: 5}
	o.Candidates, o.MaxTokens, o.Temperature, o.TopP = 3, 6, 1, 1
	for i := range 6 {
		o.Prompts = append(o.Prompts, Prompt{Messages: []chat.Message{{Role: chat.User, Content: fmt.Sprint("count ", i, " {{x}}")}}, Columns: map[string]any{"n": float64(i)}})
	}
	o.True = reward.Func(func(a reward.Answer) float64 { return float64(len(a.Text)) + a.Columns["n"].(float64) })
	o.Tune = func(ctx context.Context, parent, data, out string) error {
		s := tune.Defaults()
		s.Steps, s.Rate = 3, 1e-3
		c := prefer.DPOConfig{Rows: prefer.Rows{Files: []string{data}, Cut: chat.CutPrompt, Dropped: 1, Batch: 2}, Loss: "sigmoid"}
		c.Beta = .1
		_, err := prefer.DPO(ctx, tune.Options{Settings: s, Parent: parent, Out: out, Pool: pool}, c)
		return err
	}
	return o
}

// files reads what a run left that must not depend on how often it was stopped.
func files(t *testing.T, o Options) string {
	t.Helper()
	var all strings.Builder
	for n := 1; n <= o.Rounds; n++ {
		for _, name := range []string{candidatesName, pairsName, auditName, modelName + "/model.safetensors"} {
			b, err := os.ReadFile(filepath.Join(room(o.Out, n), name))
			if err != nil {
				t.Fatal(err)
			}
			all.Write(b)
		}
	}
	return all.String()
}

func TestRounds(t *testing.T) {
	pool, err := llm.NewPool(0, "")
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	model := talker(t, pool)
	o := options(t, model, pool)
	audits, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	parent, err := checkpoint.ReadInfo(model)
	if err != nil {
		t.Fatal(err)
	}
	for i, a := range audits {
		if a.Round != i+1 || a.Answers != 18 || a.Unique < 6 || a.Judge.Rows+a.Judge.Ties != 6 || a.Judge.Rows == 0 || a.Judge.Likelihood < a.Unique || a.Judge.Gap <= 0 || a.Characters <= 0 || a.Parent != parent.Hash {
			t.Errorf("round %d: %+v %+v", i+1, a, a.Judge)
		}
		if a.True == nil || a.True.Differ > a.Judge.Rows || a.True.Agree > a.True.Differ || math.Abs(a.True.Chosen-a.True.Rejected) > 60 || a.True.Mean <= 0 {
			t.Errorf("round %d: %+v", i+1, a.True)
		}
		made, err := checkpoint.ReadInfo(Folder(o.Out, i+1))
		if err != nil || made.Hash != a.Model || made.Hash == parent.Hash || len(made.Parents) == 0 || made.Parents[0].Hash != parent.Hash {
			t.Errorf("round %d: lineage %+v %v", i+1, made, err)
		}
		parent = made
		n := 0
		for p, err := range source.Pairs([]string{filepath.Join(room(o.Out, i+1), pairsName)}, source.Options{}) {
			if err != nil || !strings.HasSuffix(p.Prompt[0].Content, " {{x}}") {
				t.Fatalf("%+v %v", p, err)
			}
			n++
		}
		if n != a.Judge.Rows {
			t.Errorf("round %d: %d pairs", i+1, n)
		}
	}
	want := files(t, o)

	// the same again does nothing
	calm := o
	calm.Tune = func(context.Context, string, string, string) error { return errors.New("tuned again") }
	if again, err := Run(t.Context(), calm); err != nil || len(again) != 2 || files(t, o) != want {
		t.Errorf("once more: %v", err)
	}
	other := o
	other.Temperature = .5
	var changed *ChangedError
	if _, err := Run(t.Context(), other); !errors.As(err, &changed) {
		t.Errorf("other settings: %v", err)
	}

	// stopped before, within and after the tuning of each round, with a lost file: the same bytes
	for stop := range 4 {
		p := options(t, model, pool)
		ctx, cancel := context.WithCancel(t.Context())
		usual, calls := p.Tune, 0
		p.Tune = func(c context.Context, parent, data, out string) error {
			if calls++; calls == 1+stop/2 {
				if stop%2 == 0 {
					cancel()
					return c.Err()
				}
				err := usual(c, parent, data, out)
				return errors.Join(err, errors.New("killed before the audit was written"))
			}
			return usual(c, parent, data, out)
		}
		if _, err := Run(ctx, p); err == nil {
			t.Fatalf("stop %d: it was not stopped", stop)
		}
		cancel()
		if stop == 2 {
			os.Remove(filepath.Join(room(p.Out, 2), candidatesName))
		}
		p.Tune = usual
		if _, err := Run(t.Context(), p); err != nil {
			t.Fatalf("stop %d: %v", stop, err)
		}
		if files(t, p) != want {
			t.Errorf("stop %d: other bytes", stop)
		}
	}
}

func TestNothingToPrefer(t *testing.T) {
	pool, err := llm.NewPool(0, "")
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	model := talker(t, pool)
	o := options(t, model, pool)
	o.Temperature = 0 // all answers are the same
	if _, err := Run(t.Context(), o); !errors.Is(err, ErrNoPairs) {
		t.Errorf("%v", err)
	}
	o = options(t, model, pool)
	o.Candidates = 1
	if _, err := Run(t.Context(), o); err == nil {
		t.Error("one answer was compared")
	}
	c := candidates{Answers: []candidate{{Text: "a"}, {Text: " "}, {Text: "a"}, {Text: "b"}}}
	if it, places := c.item(); !slices.Equal(it.Answers, []string{"a", "b"}) || !slices.Equal(places, []int{0, 3}) {
		t.Errorf("%+v %v", it, places)
	}
}
