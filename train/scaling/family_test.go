package scaling

import (
	"context"
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func shapes(from, factor float64, n int) (out []Shape) {
	for i := range n {
		size := from * math.Pow(factor, float64(i))
		out = append(out, Shape{Name: "s" + string(rune('a'+i)), N: math.Round(size), FLOPs: 6 * math.Round(size) * 1.1})
	}
	return out
}

// world trains by a law that the family does not know.
func world(law Law, trained *[]Task) func(context.Context, Task) (Outcome, error) {
	return func(_ context.Context, t Task) (Outcome, error) {
		*trained = append(*trained, t)
		return Outcome{Tokens: t.Tokens, Loss: law.Loss(t.Shape.N, float64(t.Tokens)), Seconds: 1}, nil
	}
}

func TestFamily(t *testing.T) {
	path := filepath.Join(t.TempDir(), "scaling.json")
	law := Law{E: .6, A: 40, B: 90, Alpha: .35, Beta: .33}
	var trained []Task
	f, err := Open(path, "a run")
	if err != nil {
		t.Fatal(err)
	}
	s := Search{Budgets: []float64{1e12, 4e12}, Shapes: shapes(2e4, 1.7, 10), Extra: 3, Train: world(law, &trained),
		Save: func(f *Family) error { return f.Write(path) }}
	stop := errors.New("stopped")
	s.Train = func(ctx context.Context, task Task) (Outcome, error) {
		if len(trained) == 4 {
			return Outcome{}, stop
		}
		return world(law, &trained)(ctx, task)
	}
	if err := f.Run(t.Context(), s); !errors.Is(err, stop) {
		t.Fatalf("stopped run: %v", err)
	}
	if f, err = Open(path, "a run"); err != nil || len(f.Arms) != 4 {
		t.Fatalf("%d arms after a stop, %v", len(f.Arms), err)
	}
	s.Train = world(law, &trained)
	if err := f.Run(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	if len(trained) != len(f.Arms) {
		t.Errorf("%d arms trained, %d held: an arm was trained twice", len(trained), len(f.Arms))
	}
	for _, b := range f.Budgets {
		if b.Minimum == nil {
			t.Fatalf("%g FLOP: %s", b.FLOPs, b.Problem)
		}
		n, _ := law.Optimum(b.FLOPs / 1.1)
		near(t, "N of the minimum", b.Minimum.N/n, 1, .15)
	}
	if f.Law == nil || f.Size == nil || f.Size.Error != 0 {
		t.Fatalf("law %v, line %v", f.Law, f.Size)
	}
	near(t, "slope", f.Size.Slope, law.Exponent(), .05)
	near(t, "a", f.Law.Law.Exponent(), law.Exponent(), .02)
	if _, err := Open(path, "another run"); err == nil || !strings.Contains(err.Error(), "another run") {
		t.Errorf("arms of other data were taken: %v", err)
	}
	p, err := Make(60, s.Shapes, 1e5, f, func(s Shape) (Speed, error) { return Speed{Shape: s.Name, FLOPs: 1e13 / 3600}, nil })
	if err != nil {
		t.Fatal(err)
	}
	d := 1e13 / p.Shape.FLOPs
	near(t, "forecast", p.Own.Loss, law.Loss(p.Shape.N, d), .02)
	near(t, "tokens", p.Tokens/d, 1, 1e-9)
	near(t, "decades", p.Own.Decades, math.Log10(2.5), 1e-9)
	if p.By != "law" || p.Own.Low > p.Own.Loss || p.Own.High < p.Own.Loss {
		t.Errorf("by %s, forecast %+v", p.By, p.Own)
	}
}

func TestFamilyExtendsOrRefuses(t *testing.T) {
	law := Law{E: .6, A: 40, B: 90, Alpha: .35, Beta: .33}
	n, _ := law.Optimum(1e12)
	for name, c := range map[string]struct {
		from  float64
		extra int
		want  string
	}{
		"no smaller shapes": {n * 2, 4, "extend the grid downwards or raise C"},
		"none may be added": {n / 60, 0, ""},
		"extended":          {n / 300, 8, ""},
	} {
		var trained []Task
		f := &Family{Format: format}
		s := Search{Budgets: []float64{1e12}, Shapes: shapes(c.from, 1.6, 14), Extra: c.extra, Train: world(law, &trained), Save: func(*Family) error { return nil }}
		if err := f.Run(t.Context(), s); err != nil {
			t.Fatal(err)
		}
		b := f.Budgets[0]
		if c.want != "" && (b.Minimum != nil || !strings.Contains(b.Problem, c.want)) || c.want == "" && b.Minimum == nil {
			t.Errorf("%s: %d arms, minimum %v, %q", name, len(f.Arms), b.Minimum, b.Problem)
		}
		if f.Law != nil || f.Size != nil {
			t.Errorf("%s: one budget gave a slope or a law", name)
		}
	}
}

func TestPlanWithoutRuns(t *testing.T) {
	var asked []string
	p, err := Make(60, shapes(2e4, 1.5, 16), 1e5, nil, func(s Shape) (Speed, error) {
		asked = append(asked, s.Name)
		return Speed{Shape: s.Name, FLOPs: 5e10 * s.N / (s.N + 2e5)}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if p.By != "epoch" || p.Own != nil || len(asked) < 2 || asked[len(asked)-1] != p.Shape.Name {
		t.Errorf("plan %+v asked %v", p, asked)
	}
	n, _ := Epoch().Optimum(p.FLOPs)
	if r := p.Shape.N / n; r < .6 || r > 1.6 {
		t.Errorf("proposed %g parameters, optimum %g", p.Shape.N, n)
	}
	near(t, "FLOP", p.FLOPs, p.Speed.FLOPs*3600, 1)
	for _, e := range p.Extern {
		if e.Decades < 3 || e.Decades > 6 {
			t.Errorf("%s: %g decades at %g FLOP", e.Name, e.Decades, p.FLOPs)
		}
	}
	if _, err := Make(0, shapes(1, 2, 3), 1, nil, nil); err == nil {
		t.Error("no time was planned")
	}
}

func TestReadRefuses(t *testing.T) {
	dir := t.TempDir()
	if _, err := Read(filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	for name, text := range map[string]string{
		"format": `{"format":9}`, "json": `{`, "arm": `{"format":1,"arms":[{"budget":1e12,"shape":{"n":0,"flops":1},"tokens":1,"loss":1}]}`,
	} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := Read(path); err == nil {
			t.Errorf("%s was read", name)
		}
	}
}
