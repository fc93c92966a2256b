package demo

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"winnow/train/llm"
	"winnow/train/rows"
)

// prose makes documents of a few words in both languages.
func prose(seed uint64, n int) (docs []rows.Document) {
	random := rand.New(rand.NewPCG(seed, 1))
	words := map[Lang][]string{
		English: strings.Fields("the a river stone light under over walks sings green slow morning and with letters of glass"),
		Chinese: strings.Split("河流 石头 光 在 下面 上面 走 唱 绿色 慢 早晨 和 信 玻璃 的 了", " "),
	}
	for i := range n {
		lang, join := English, " "
		if i%2 == 1 {
			lang, join = Chinese, ""
		}
		var text []string
		for range 60 {
			text = append(text, words[lang][random.IntN(16)])
		}
		docs = append(docs, rows.Document{ID: fmt.Sprint(seed, "-", i), Language: string(lang), Text: strings.Join(text, join)})
	}
	return docs
}

// bench is a lab at a scale that takes seconds.
func bench(t *testing.T) *Lab {
	pool, err := llm.NewPool(0, "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	l := &Lab{Prose: &Prose{Kept: prose(1, 200), Dropped: prose(2, 40), Held: prose(3, 6)}, Pool: pool, Dir: t.TempDir()}
	if err := l.open(scale{divide: 512, steps: 3, levels: []int{0, 2}, each: 1, candidates: 6, known: 2}); err != nil {
		t.Fatal(err)
	}
	return l
}

// TestExperiments does each experiment twice in a small way: every arm is there, every number is one, and the second time gives the
// same.
func TestExperiments(t *testing.T) {
	want := map[string][]string{
		"ngrams":    {"token-1", "token-2", "token-3", "gzip-9", "zstd", "network"},
		"filtered":  {"raw", "filtered"},
		"poison":    {"clean", "clean, 0.7 of the steps", "30 % letters M", "30 % boilerplate"},
		"epochs":    {"new text", "4 times a quarter", "16 times a 16th", "64 times a 64th"},
		"copies":    {"0 copies", "2 copies", "0 copies, deduplicated", "2 copies, deduplicated"},
		"knowledge": {"3.12 % of the tokens", "6.25 % of the tokens", "12.5 % of the tokens", "25 % of the tokens", "50 % of the tokens", "100 % of the tokens"},
		"isoflop":   {"width 32, 1 layers", "width 32, 2 layers", "width 64, 2 layers", "width 96, 3 layers", "width 128, 4 layers", "minimum of the parabola"},
	}
	a, b := bench(t), bench(t)
	for _, e := range Pretrain() {
		first, err := e.Run(context.Background(), a, 1)
		if err != nil {
			t.Fatal(err)
		}
		var arms []string
		for _, l := range first.Lines {
			name, _, _ := strings.Cut(l.Arm, " layers, ")
			if name != l.Arm {
				name += " layers"
			}
			if !slices.Contains(arms, name) {
				arms = append(arms, name)
			}
			if math.IsNaN(l.Mean) || math.IsInf(l.Mean, 0) || strings.HasPrefix(l.Metric, "bits per byte") && (l.Mean <= 0 || l.Mean > 10) {
				t.Errorf("%s: %s: %s is %g", e.Name, l.Arm, l.Metric, l.Mean)
			}
		}
		if !reflect.DeepEqual(arms, want[e.Name]) {
			t.Errorf("%s: arms %q, want %q", e.Name, arms, want[e.Name])
		}
		if e.EN == "" || e.ZH == "" || e.EN == e.ZH {
			t.Errorf("%s: its claim is not in both languages", e.Name)
		}
		second, err := e.Run(context.Background(), b, 1)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(first, second) {
			t.Errorf("%s: one seed gave two outcomes:\n%+v\n%+v", e.Name, first, second)
		}
	}
}

// TestSeedsDiffer holds two seeds of an experiment to another, and says what a stopped one is.
func TestSeedsDiffer(t *testing.T) {
	l := bench(t)
	e := Pretrain()[1]
	o, err := e.Run(context.Background(), l, 2)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range o.Lines {
		if len(line.Values) != 2 || line.Values[0] == line.Values[1] {
			t.Errorf("%s: %s: seeds gave %v", line.Arm, line.Metric, line.Values)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := e.Run(ctx, l, 1); err == nil || !strings.HasPrefix(err.Error(), "filtered, seed 1: ") {
		t.Errorf("%v", err)
	}
}
