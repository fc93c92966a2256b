package bench

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"winnow"
	"winnow/bench/meter"
	"winnow/report"
)

func TestCombine(t *testing.T) {
	one := func(v float64) []meter.Figure { return []meter.Figure{{Name: "speed", Unit: "MB/s", Value: v}} }
	for _, c := range []struct {
		values []float64
		want   meter.Figure
	}{
		{[]float64{3}, meter.Figure{Bench: "run", Name: "speed", Unit: "MB/s", Value: 3, Min: 3, Max: 3, Runs: 1}},
		{[]float64{5, 1}, meter.Figure{Bench: "run", Name: "speed", Unit: "MB/s", Value: 3, Min: 1, Max: 5, Runs: 2}},
		{[]float64{9, 1, 2}, meter.Figure{Bench: "run", Name: "speed", Unit: "MB/s", Value: 2, Min: 1, Max: 9, Runs: 3}},
	} {
		var runs [][]meter.Figure
		for _, v := range c.values {
			runs = append(runs, one(v))
		}
		if got := combine("run", runs); got[0] != c.want {
			t.Errorf("combine(%v) = %+v, want %+v", c.values, got[0], c.want)
		}
	}
}

func TestUnknown(t *testing.T) {
	_, err := Run(context.Background(), "nonsense", meter.Options{})
	var unknown *UnknownError
	if !errors.As(err, &unknown) || !strings.Contains(err.Error(), "all, run, extract") {
		t.Errorf("error %v", err)
	}
}

// TestBenches runs every bench on the sample crawl, as briefly as can be. Figures are not judged, but for their being there.
func TestBenches(t *testing.T) {
	t.Chdir("..")
	for _, b := range All() {
		t.Run(b.Name, func(t *testing.T) {
			figures, err := Run(t.Context(), b.Name, meter.Options{Recipe: "web-en", Least: time.Nanosecond, Docs: 3000, Inputs: []string{"samples/crawl.warc.gz"}})
			if err != nil {
				t.Fatal(err)
			}
			seen := map[string]bool{}
			for _, f := range figures {
				if seen[f.Name] || f.Value < 0 || f.Bench != b.Name || f.Runs != 1 {
					t.Errorf("figure %+v", f)
				}
				seen[f.Name] = true
				if strings.Contains(f.Unit, "per core") && f.Value == 0 {
					t.Errorf("figure %+v: no speed", f)
				}
			}
			md := Markdown(b, figures, report.ZH)
			if rows := strings.Count(md, "\n| "); rows != len(figures)+1 {
				t.Errorf("%d rows for %d figures:\n%s", rows, len(figures), md)
			}
		})
	}
}

// TestShares holds the shares of a run to a whole.
func TestShares(t *testing.T) {
	t.Chdir("..")
	figures, err := Run(t.Context(), "run", meter.Options{Recipe: "web-en"})
	if err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for _, f := range figures {
		if strings.HasPrefix(f.Name, "time in ") {
			sum += f.Value
		}
	}
	if sum < 99.9 {
		t.Errorf("shares add up to %g %%", sum)
	}
}

func TestNumber(t *testing.T) {
	for v, want := range map[float64]string{0: "0", 1: "1", .256: "0.256", 3.14159: "3.14", 31.4159: "31.4", 273: "273", 314.159: "314", 46501: "46,501", 46501.6: "46,502"} {
		if got := number(v); got != want {
			t.Errorf("number(%g) = %s, want %s", v, got, want)
		}
	}
}

// judged is a stage that does nothing.
type judged struct{ winnow.Judged }

func (judged) Apply(context.Context, *winnow.Document) (winnow.Verdict, []winnow.Edit, error) {
	panic("as a stage may")
}

func TestTimedKeepsShapeAndPanics(t *testing.T) {
	c := &clock{}
	s := timed(judged{}, c)
	if _, ok := s.(winnow.Judged); !ok {
		t.Fatalf("%T is no Judged", s)
	}
	defer func() {
		if recover() == nil {
			t.Error("the panic got lost")
		}
	}()
	s.(winnow.Each).Apply(context.Background(), nil)
}
