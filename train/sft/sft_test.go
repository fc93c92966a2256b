package sft_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"winnow/train"
	"winnow/train/chat"
	"winnow/train/checkpoint"
	"winnow/train/llm"
	"winnow/train/sft"
	"winnow/train/tune"
	"winnow/train/tune/tunetest"
)

var things = []string{"sky", "grass", "snow", "coal", "blood", "sea", "sun", "leaf", "rose", "night", "milk", "sand"}
var colours = []string{"blue", "green", "white", "black", "red", "grey"}

// talks are questions for colours, each a conversation of its own length.
func talks() (list []*chat.Conversation) {
	for i, thing := range things {
		answer := "The " + thing + " is " + colours[i%len(colours)] + "."
		if i%3 == 0 {
			answer += " " + strings.Repeat("Yes. ", i/3) + "It is."
		}
		list = append(list, &chat.Conversation{Place: chat.Place{File: "colours", Line: int64(i + 1), Row: int64(i)},
			Messages: []chat.Message{{Role: chat.User, Content: "What colour is the " + thing + "?"}, {Role: chat.Assistant, Content: answer}}})
	}
	return list
}

func parent(t testing.TB, template string) string {
	var texts []string
	for _, c := range talks() {
		texts = append(texts, c.Messages[0].Content+" "+c.Messages[1].Content)
	}
	return tunetest.Parent(t, 64, template, texts...)
}

func options(t testing.TB, parent, out string) sft.Options {
	o := sft.Options{Options: tune.Options{Settings: tune.Defaults(), Out: out, Parent: parent, Pool: tunetest.Pool(t)}, Config: sft.Usual(),
		Train: sft.Data{Name: "colours", Talks: talks()}}
	o.Steps, o.Rate, o.Eval, o.Batch, o.Len, o.Holdout, o.Template = 12, 2e-3, 4, 2, 64, .2, "chatml"
	return o
}

func TestResume(t *testing.T) {
	base, pool := parent(t, ""), tunetest.Pool(t)
	for name, change := range map[string]func(*sft.Options){
		"plain": func(*sft.Options) {},
		"lora":  func(o *sft.Options) { o.LoRA = &llm.LoRA{Rank: 2, Alpha: 4, Seed: 3} },
		"selected, response only, micro-batches": func(o *sft.Options) {
			o.ResponseOnly, o.Accumulate, o.Select = true, 2, sft.Selection{How: sft.Quality, N: 5}
			o.Know = sft.Asking()
			o.Know.Prompts, o.Know.Samples, o.Know.Shots = 1, 2, 1
		},
	} {
		t.Run(name, func(t *testing.T) {
			tunetest.Resume(t, 3, func(ctx context.Context, out string, tell func(tune.Event)) error {
				o := options(t, base, out)
				o.Pool, o.Tell, o.Save = pool, tell, 2
				change(&o)
				_, err := sft.Run(ctx, o)
				return err
			})
		})
	}
}

// TestLearns: after fine-tuning, the model answers as it was taught, ends its turn, and its folder says what it was made from.
func TestLearns(t *testing.T) {
	o := options(t, parent(t, ""), t.TempDir())
	o.Steps, o.Eval, o.Rate = 360, 120, 5e-3
	o.Held = sft.Data{Name: "the same", Talks: talks()}
	var samples []string
	first := 0.
	o.Tell = func(e tune.Event) {
		switch {
		case e.Type == "sample" && e.Sample.Step == o.Steps:
			samples = append(samples, e.Sample.Prompt+" "+e.Sample.Text)
		case e.Type == "eval" && e.Metric.Step == 0:
			first = e.Eval["loss"]
		}
	}
	r, err := sft.Run(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	if first < 4 || r.Eval["loss"] > .1 || r.Best == 0 || r.Tokens == 0 || r.Eval["bits_per_byte"] > .1 {
		t.Errorf("%+v from %g", r, first)
	}
	right := 0
	for _, s := range samples {
		if strings.Contains(s, " is ") && strings.HasSuffix(strings.TrimSpace(s), ".") {
			right++
		}
	}
	if right != o.Samples {
		t.Errorf("%q", samples)
	}
	_, tok, info, err := checkpoint.LoadModel(o.Out)
	if err != nil {
		t.Fatal(err)
	}
	template, err := chat.Of(info, tok)
	if err != nil || template == nil || template.Name() != "chatml" {
		t.Fatalf("%v %v", template, err)
	}
	if info.Kind != checkpoint.KindSFT || len(info.Files) != 2 || info.Files[0].Rows != int64(len(things)) || info.Files[0].Used != int64(len(things)) || info.Files[1].Split != "validation" || len(info.Parents) != 1 || info.Parents[0].Kind != checkpoint.KindBase || info.Seed != o.Seed {
		t.Errorf("%+v", info)
	}
	next := options(t, o.Out, t.TempDir())
	next.Template = "zephyr"
	if _, err := sft.Run(context.Background(), next); err == nil || !strings.Contains(err.Error(), "chatml") {
		t.Errorf("another template: %v", err)
	}
}

// TestResponseOnly: what is asked, and what the system says, makes no difference to what is learnt, while it does else.
func TestResponseOnly(t *testing.T) {
	base := parent(t, "")
	var hash [4]string
	for i := range hash {
		o := options(t, base, t.TempDir())
		o.Steps, o.Holdout, o.ResponseOnly = 3, 0, i < 2
		if i%2 == 1 {
			for _, c := range o.Train.Talks {
				c.Messages[0].Content = "Another question?"
				c.Messages = append([]chat.Message{{Role: chat.System, Content: "Be brief."}}, c.Messages...)
			}
		}
		r, err := sft.Run(context.Background(), o)
		if err != nil {
			t.Fatal(err)
		}
		hash[i] = r.Hash
	}
	if hash[0] != hash[1] || hash[2] == hash[3] || hash[0] == hash[2] {
		t.Errorf("weights without questions %.8s and %.8s, with them %.8s and %.8s", hash[0], hash[1], hash[2], hash[3])
	}
}

// TestFirstLoss compares the loss of the first update with the mean of the validated nats on the same rows, in one and in two
// micro-batches.
func TestFirstLoss(t *testing.T) {
	base := parent(t, "")
	var loss [2]float64
	for i := range 2 {
		o := options(t, base, t.TempDir())
		o.Steps, o.Holdout, o.Warmup, o.Batch, o.Accumulate = 1, 0, 0, 4, 1
		o.Train.Talks = talks()[1:3] // which fill one row, so that four rows are four passes over them
		o.Held = sft.Data{Name: "same", Talks: o.Train.Talks}
		if i == 1 {
			o.Batch, o.Accumulate = 2, 2
		}
		var validated float64
		o.Tell = func(e tune.Event) {
			if e.Type == "eval" && e.Metric.Step == 0 {
				validated = e.Eval["loss"]
			}
		}
		o.Seed = 4
		r, err := sft.Run(context.Background(), o)
		if err != nil {
			t.Fatal(err)
		}
		loss[i] = r.Loss
		if want := 4 * learnt(t, base, o.Train.Talks); r.Tokens != want {
			t.Fatalf("%d targets of %d", r.Tokens, want)
		}
		if math.Abs(r.Loss-validated) > 1e-5 {
			t.Errorf("loss %g, validated %g", r.Loss, validated)
		}
	}
	if math.Abs(loss[0]-loss[1]) > 1e-6 {
		t.Errorf("loss %g in one, %g in two micro-batches", loss[0], loss[1])
	}
}

func learnt(t *testing.T, base string, talks []*chat.Conversation) (n int64) {
	_, tok, _, err := checkpoint.LoadModel(base)
	if err != nil {
		t.Fatal(err)
	}
	template, err := chat.New("chatml", tok)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range talks {
		s, err := template.Encode(c)
		if err != nil {
			t.Fatal(err)
		}
		n += int64(s.Count())
	}
	return n
}

func TestSelections(t *testing.T) {
	base := parent(t, "")
	picked := func(s string, change func(*sft.Options)) (picks []sft.Pick) {
		t.Helper()
		o := options(t, base, t.TempDir())
		o.Steps, o.Samples = 1, 0
		var err error
		if o.Select, err = sft.ParseSelection(s); err != nil {
			t.Fatal(err)
		}
		if change != nil {
			change(&o)
		}
		if _, err := sft.Run(context.Background(), o); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(filepath.Join(o.Out, "selected.jsonl"))
		if err != nil {
			t.Fatal(err)
		}
		for line := range bytes.Lines(b) {
			var p sft.Pick
			if err := json.Unmarshal(line, &p); err != nil {
				t.Fatal(err)
			}
			picks = append(picks, p)
		}
		return picks
	}
	ids := func(picks []sft.Pick) (list []string) {
		for _, p := range picks {
			list = append(list, p.ID)
		}
		return list
	}
	longest := picked("longest:3", nil)
	shortest := math.MaxInt
	for _, p := range longest {
		shortest = min(shortest, p.Targets)
	}
	all := picked("longest:100", nil)
	longer := 0
	for _, p := range all {
		if p.Targets > shortest {
			longer++
		}
	}
	if len(longest) != 3 || longer > 2 {
		t.Errorf("%d are longer than the shortest of the longest 3: %+v", longer, longest)
	}
	a, b, c := picked("random:4", nil), picked("random:4", nil), picked("random:4", func(o *sft.Options) { o.Seed = 9; o.Holdout = 0 })
	if len(a) != 4 || !slices.Equal(ids(a), ids(b)) || slices.Equal(ids(a), ids(c)) {
		t.Errorf("random: %v, %v, with another seed %v", ids(a), ids(b), ids(c))
	}
	sum := 0
	for _, p := range picked("random:40t", nil) {
		sum += p.Targets
	}
	if sum > 40 || sum < 20 {
		t.Errorf("%d targets for a budget of 40", sum)
	}
	rated := picked("quality:2", func(o *sft.Options) { o.Rater, o.Holdout = rater{}, 0 })
	if len(rated) != 2 || rated[0].By != "red" || rated[0].Score != 1 || rated[1].Score != 1 {
		t.Errorf("rated: %+v", rated)
	}
	likely := picked("quality:2", nil)
	if len(likely) != 2 || likely[0].Score >= 0 || !strings.Contains(likely[0].By, "log-probability") {
		t.Errorf("by likelihood: %+v", likely)
	}
}

// rater likes what is red.
type rater struct{}

func (rater) Name() string { return "red" }

func (rater) Score(_ context.Context, texts []string) (scores []float64, _ error) {
	for _, s := range texts {
		scores = append(scores, float64(strings.Count(s, "red.")))
	}
	return scores, nil
}

func TestParseSelection(t *testing.T) {
	for _, bad := range []string{"longest", "shortest:3", "random:x", "random:-1", "quality:0", "random:5kt"} {
		if _, err := sft.ParseSelection(bad); err == nil {
			t.Errorf("%s is taken", bad)
		}
	}
	for s, want := range map[string]sft.Selection{"": {}, "random:7": {How: "random", N: 7}, "longest:20t": {How: "longest", N: 20, Targets: true}, "maybe-known": {How: "maybe-known"}} {
		if got, err := sft.ParseSelection(s); err != nil || got != want {
			t.Errorf("%s: %+v %v", s, got, err)
		}
	}
}

// TestRefuses: what cannot be learnt from as it is, is told before anything is done.
func TestRefuses(t *testing.T) {
	base := parent(t, "")
	file := filepath.Join(t.TempDir(), "a.jsonl")
	var b strings.Builder
	for i := range 9 {
		fmt.Fprintf(&b, `{"prompt":"colour of %d?","completion":"red"}`+"\n", i)
	}
	b.WriteString(`{"prompt":"only a prompt"}` + "\n" + `{"prompt":"{{name}}","completion":"{{name}} is my name"}` + "\n")
	if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	o := options(t, base, t.TempDir())
	o.Train = sft.Data{Files: []string{file}}
	var account *chat.Account
	o.Tell = func(e tune.Event) {
		if e.Type == "account" {
			account = e.More.(*chat.Account)
		}
	}
	if _, err := sft.Run(context.Background(), o); err == nil || !strings.Contains(err.Error(), "2 of 11 rows") || account == nil || account.Dropped != 2 {
		t.Errorf("%v, %+v", err, account)
	}
	o.MostDropped, o.Train.Rows.Set = .1, map[string]string{"name": "Winnow"}
	if _, err := sft.Run(context.Background(), o); err != nil {
		t.Fatal(err)
	}
	o.Train.Rows.Set["name"] = "Chaff"
	var changed *train.ChangedError
	if _, err := sft.Run(context.Background(), o); !errors.As(err, &changed) || len(changed.Fields) != 1 || !strings.Contains(changed.Fields[0], "Chaff") {
		t.Errorf("another name: %v", err)
	}
	o.Train.Rows.Set["name"] = "Winnow"
	if err := os.WriteFile(file, []byte(strings.Replace(b.String(), "red", "blue", 1)), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := sft.Run(context.Background(), o); !errors.As(err, &changed) || len(changed.Fields) != 1 || !strings.HasPrefix(changed.Fields[0], "data") {
		t.Errorf("other data: %v", err)
	}
}
