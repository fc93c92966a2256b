package quality

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"winnow"
)

func written(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "model.bin")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := trained(t).Write(f); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestStage(t *testing.T) {
	path := written(t)
	s, err := New(Options{Source: Source{Model: path}, MinScore: .5})
	if err != nil {
		t.Fatal(err)
	}
	good, bad := heldOutTexts()
	for _, text := range append(good, bad...) {
		d := &winnow.Document{Text: text, Signals: []float32{1}}
		v, edits, err := s.Apply(context.Background(), d)
		if err != nil || edits != nil || len(d.Signals) != 2 {
			t.Fatalf("%v, %d edits, %d signals", err, len(edits), len(d.Signals))
		}
		judged := s.Judge("en", d.Signals[1:])
		judged.Detail = v.Detail
		if judged != v {
			t.Errorf("Apply: %+v, Judge: %+v", v, judged)
		}
		if v.Drop != (d.Signals[1] < .5) || v.Drop && (v.Rule != "quality.score" || v.Value != d.Signals[1]) {
			t.Errorf("%+v", v)
		}
		if v.Drop && v.Detail == "" {
			t.Errorf("%.30q: dropped without evidence", text)
		}
	}
	v, _, _ := s.Apply(context.Background(), &winnow.Document{Text: badEnglish[1]})
	if !v.Drop || !strings.Contains(v.Detail, "casino") {
		t.Errorf("%+v", v)
	}
	t.Log(v.Detail)
	v, _, _ = s.Apply(context.Background(), &winnow.Document{Text: badChinese[1]})
	t.Log(v.Detail)
}

func TestVersionLeavesOutBound(t *testing.T) {
	path := written(t)
	a, _ := New(Options{Source: Source{Model: path}, MinScore: .5})
	b, _ := New(Options{Source: Source{Model: path}, MinScore: .6})
	if a.Version() != b.Version() || a.Bounds() == b.Bounds() {
		t.Errorf("%s %s, %s %s", a.Version(), a.Bounds(), b.Version(), b.Bounds())
	}
}

func TestNewRefuses(t *testing.T) {
	if _, err := New(Options{Source: Source{Model: filepath.Join(t.TempDir(), "none.bin")}}); err == nil {
		t.Error("a model that is not there: no error")
	}
	if _, err := New(Options{Source: Source{Model: written(t)}, MinScore: 1.5}); err == nil {
		t.Error("min_score 1.5: no error")
	}
}
