package align

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"winnow/train/demo"
	"winnow/train/llm"
)

// tiny is a lab at a scale that takes a second or two.
func tiny(t *testing.T, cache string) *Lab {
	pool, err := llm.NewPool(1, "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	l := &Lab{Pool: pool, Cache: cache, Work: t.TempDir()}
	if err := l.open(scale{people: 4, tokens: 16_000, divide: 40, depth: 1}); err != nil {
		t.Fatal(err)
	}
	return l
}

// TestAnExperimentFromEndToEnd does one twice, the second time with the base model that the first has made.
func TestAnExperimentFromEndToEnd(t *testing.T) {
	cache := t.TempDir()
	var outcomes []*demo.Outcome
	var stamps []int64
	for range 2 {
		l := tiny(t, cache)
		o, err := Experiments()[0].Run(context.Background(), l, 2)
		if err != nil {
			t.Fatal(err)
		}
		outcomes = append(outcomes, o)
		made, err := filepath.Glob(filepath.Join(cache, "base-*", "model.safetensors"))
		if err != nil || len(made) != 1 {
			t.Fatalf("%d base models: %v", len(made), err)
		}
		s, err := os.Stat(made[0])
		if err != nil {
			t.Fatal(err)
		}
		stamps = append(stamps, s.ModTime().UnixNano())
		left, err := os.ReadDir(l.Work)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range left {
			if e.IsDir() {
				t.Errorf("%s was left behind", e.Name())
			}
		}
	}
	if !reflect.DeepEqual(outcomes[0], outcomes[1]) {
		t.Errorf("one seed gave two outcomes:\n%+v\n%+v", outcomes[0], outcomes[1])
	}
	if stamps[0] != stamps[1] {
		t.Error("the base model was made twice")
	}
	arms := map[string]bool{}
	for _, line := range outcomes[0].Lines {
		arms[line.Arm] = true
		if len(line.Values) != 2 || math.IsNaN(line.Mean) || line.Mean < 0 {
			t.Errorf("%s: %s: %v", line.Arm, line.Metric, line.Values)
		}
	}
	if len(arms) != 3 {
		t.Errorf("arms %v", arms)
	}
}

func TestClaimsAreInBothLanguages(t *testing.T) {
	seen := map[string]bool{}
	for _, e := range Experiments() {
		if e.EN == "" || e.ZH == "" || e.EN == e.ZH || seen[e.Name] || e.run == nil {
			t.Errorf("%s", e.Name)
		}
		seen[e.Name] = true
	}
}

func TestAStoppedExperimentSaysWhich(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Experiments()[0].Run(ctx, tiny(t, t.TempDir()), 1); err == nil || !strings.HasPrefix(err.Error(), "answers, seed 1: base model: ") || !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}
