package train

import (
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
)

func TestGuardFindsTheJump(t *testing.T) {
	g := NewGuard(6)
	rng := rand.New(rand.NewPCG(1, 2))
	for step := range 1000 {
		loss := 8/(1+float64(step)/50) + 2 + .1*rng.NormFloat64() // falls, and is noisy
		norm := 1 + .2*rng.NormFloat64()
		switch step {
		case 400:
			loss += 3
		case 700:
			norm += 9
		}
		measure, z := g.Spike(loss, norm)
		want := map[int]string{400: "loss", 700: "norm"}[step]
		if measure != want {
			t.Fatalf("step %d: %q (%g), want %q", step, measure, z, want)
		}
	}
	if len(g.Losses) != 128 || len(g.Norms) != 128 {
		t.Errorf("window of %d and %d", len(g.Losses), len(g.Norms))
	}
}

func TestGuardOffAndEarly(t *testing.T) {
	off, early := NewGuard(0), NewGuard(3)
	for i := range 200 {
		off.Spike(1+float64(i%2), 1)
	}
	if m, _ := off.Spike(1e9, 1e9); m != "" {
		t.Errorf("limit 0 finds %s", m)
	}
	for i := range 31 {
		early.Spike(1+float64(i%2), 1)
	}
	if m, _ := early.Spike(1e9, 1e9); m != "" {
		t.Errorf("31 steps are enough for %s", m)
	}
}

func TestGuardComesBackFromJSON(t *testing.T) {
	a := NewGuard(6)
	for i := range 150 {
		a.Spike(1/float64(i+3), 1/float64(i+7))
	}
	b, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	var back Guard
	if err := json.Unmarshal(b, &back); err != nil || !reflect.DeepEqual(*a, back) {
		t.Fatalf("%v: %+v", err, back)
	}
}

func TestDivergedErrorNamesDocuments(t *testing.T) {
	e := &DivergedError{Step: 7, First: 96, Rows: 16, Loss: 1, Norm: 2, Documents: strings.Fields("a b c d e f g h i j")}
	if s := e.Error(); !strings.Contains(s, "step 7") || !strings.Contains(s, "rows 96 to 111") || !strings.Contains(s, "h and 2 more") {
		t.Error(s)
	}
}
