package report

import (
	"bytes"
	"encoding/json"
	"flag"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"winnow/shard"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func golden(t *testing.T, name string, write func(io.Writer) error) {
	t.Helper()
	var b bytes.Buffer
	check1(t, write(&b))
	path := filepath.Join("testdata", name)
	if *update {
		check1(t, os.MkdirAll("testdata", 0o755))
		check1(t, os.WriteFile(path, b.Bytes(), 0o644))
	}
	want, err := os.ReadFile(path)
	check1(t, err)
	if !bytes.Equal(want, b.Bytes()) {
		t.Errorf("%s differs; got:\n%s", name, b.String())
	}
}

func TestGolden(t *testing.T) {
	f := fixture(t, "fixture-a", 50, 80)
	r, err := New(f)
	check1(t, err)
	golden(t, "report.en.txt", func(w io.Writer) error { return r.Text(w, Page{Lang: EN}) })
	golden(t, "report.zh.md", func(w io.Writer) error { return r.Markdown(w, Page{Lang: ZH}) })
	golden(t, "report.json", r.JSON)
	d, err := NewDiff(f, fixture(t, "fixture-b", 80, 78), 3)
	check1(t, err)
	golden(t, "diff.en.txt", func(w io.Writer) error { return d.Text(w, Page{Lang: EN}) })
	golden(t, "diff.zh.md", func(w io.Writer) error { return d.Markdown(w, Page{Lang: ZH}) })
	golden(t, "diff.json", d.JSON)
}

// TestCountsRowByRow adds the same ledger up in the plainest way.
func TestCountsRowByRow(t *testing.T) {
	f := fixture(t, "fixture-a", 50, 80)
	r, err := New(f)
	check1(t, err)
	j := NewJudge(f.Run)
	first, any, solo, pairs := map[string]int64{}, map[string]int64{}, map[string]int64{}, map[[2]string]int64{}
	var read, kept Sizes
	for row, err := range f.Rows() {
		check1(t, err)
		read.add(row)
		if row.Verdict.Drop {
			first[row.Verdict.Rule]++
		} else {
			kept.add(row)
		}
		broken := j.Broken(row)
		judged := false
		for i, b := range broken {
			any[b.Rule]++
			if b.Alone {
				solo[b.Rule]++
			}
			judged = judged || b.Rule == row.Verdict.Rule
			for _, c := range broken[:i] {
				pairs[[2]string{c.Rule, b.Rule}]++
			}
		}
		if row.Verdict.Drop && !judged {
			any[row.Verdict.Rule]++
			solo[row.Verdict.Rule]++
		}
	}
	if read != r.Read || kept != r.Kept {
		t.Errorf("read %+v, kept %+v; want %+v, %+v", r.Read, r.Kept, read, kept)
	}
	if len(r.Rules) != len(any) {
		t.Errorf("%d rules, want %d", len(r.Rules), len(any))
	}
	for _, x := range r.Rules {
		if x.First != first[x.ID] || x.Any != any[x.ID] || x.Solo != solo[x.ID] {
			t.Errorf("%s: first %d any %d solo %d, want %d %d %d", x.ID, x.First, x.Any, x.Solo, first[x.ID], any[x.ID], solo[x.ID])
		}
	}
	for p, n := range pairs {
		if got := r.Both(p[1], p[0]); got != n {
			t.Errorf("%v: %d documents, want %d", p, got, n)
		}
	}
	for i, s := range r.Stages[1:] {
		if s.In != r.Stages[i].Kept {
			t.Errorf("%s: %+v comes in, %+v went out before", s.Label, s.In, r.Stages[i].Kept)
		}
	}
}

func TestSilentRules(t *testing.T) {
	r, err := New(fixture(t, "fixture-a", 50, 80))
	check1(t, err)
	var got []string
	for _, x := range r.Silent {
		got = append(got, x.ID)
		if (x.Measured == 0) != (x.ID == "zh.han_ratio") {
			t.Errorf("%s: measured %d", x.ID, x.Measured)
		}
	}
	if want := []string{"zh.han_ratio", "c4.lorem_ipsum"}; !reflect.DeepEqual(got, want) {
		t.Errorf("silent %v, want %v", got, want)
	}
}

func TestWarnings(t *testing.T) {
	stage := func(name string, in, kept int64) Stage {
		return Stage{Label: name + "-x", name: name, In: Sizes{Documents: in}, Kept: Sizes{Documents: kept}}
	}
	for _, c := range []struct {
		stage  Stage
		errors int64
		want   bool
	}{
		{stage("filter", 1000, 100), 0, false}, {stage("filter", 1000, 99), 0, true}, {stage("filter", 49, 0), 0, false},
		{stage("dedup", 1000, 400), 0, false}, {stage("dedup", 1000, 399), 0, true},
		{stage("extract", 1000, 500), 200, false}, {stage("extract", 1000, 500), 201, true},
		{stage("quality", 1000, 1), 0, false},
	} {
		r := &Report{Stages: []Stage{c.stage}, Rules: []Rule{{ID: "error.charset", Stage: c.stage.Label, First: c.errors}, {ID: "crawl.status", Stage: c.stage.Label, First: 300}}}
		got := r.warnings()
		if (len(got) == 1) != c.want {
			t.Errorf("%+v: %v", c, got)
		}
		for _, w := range got {
			if en, zh := w.Text(EN), w.Text(ZH); !strings.Contains(en, "1,000") || !strings.Contains(zh, "1,000") || strings.Contains(en+zh, "%!") {
				t.Errorf("%s / %s", en, zh)
			}
		}
	}
}

func TestEvidenceFromBothSides(t *testing.T) {
	f := fixture(t, "fixture-a", 50, 80)
	r, err := New(f)
	check1(t, err)
	e, err := r.Evidence(f, 10, 2)
	check1(t, err)
	for _, s := range e.Rules {
		if s.Rule != "gopher.words" {
			continue
		}
		if len(s.Dropped) != 2 || len(s.Kept) != 2 || s.Dropped[0].Kept || !s.Kept[0].Kept {
			t.Fatalf("%+v", s)
		}
		for _, x := range append(s.Dropped, s.Kept...) {
			if x.ID == "" || x.Text == "" || x.Value == "" || x.Bound == "" {
				t.Errorf("example without id, text, value or bound: %+v", x)
			}
		}
	}
	if c := e.Clusters[1]; c.ID != "doc-017" || len(c.Members) != 3 || c.Members[0].ID != c.ID || !c.Members[0].Kept || c.Members[1].Kept {
		t.Errorf("clusters %+v", e.Clusters)
	}
	again, err := r.Evidence(f, 10, 2)
	check1(t, err)
	if !reflect.DeepEqual(e, again) {
		t.Error("evidence differs from one time to the next")
	}
}

func TestDiffOfARunWithItself(t *testing.T) {
	f := fixture(t, "fixture-a", 50, 80)
	d, err := NewDiff(f, f, 3)
	check1(t, err)
	if d.Both != 80 || d.Moved+d.Gained.Sizes.Documents+d.Lost.Sizes.Documents+d.OnlyA.Documents+d.OnlyB.Documents != 0 || len(d.Bounds)+len(d.Stages)+len(d.Rules) != 0 {
		t.Errorf("%+v", d)
	}
}

func TestLengthKey(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 1: "1-99", 99: "1-99", 100: "100-199", 4999: "2000-4999", 100_000: "100000+", 1 << 40: "100000+"} {
		if got := lengthKey(n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}

// TestCard reads the front matter as HuggingFace's dataset card format has it.
func TestCard(t *testing.T) {
	f := fixture(t, "fixture-a", 50, 80)
	r, err := New(f)
	check1(t, err)
	r.By["language"] = append(r.By["language"], Group{Key: "no", Kept: Sizes{Documents: 1}})
	check1(t, r.WriteFiles(f, []byte("name: fixture\n")))
	card, err := os.ReadFile(filepath.Join(f.Dir, "README.md"))
	check1(t, err)
	parts := strings.SplitN(string(card), "---\n", 3)
	var front struct {
		Language       []string
		License        string
		PrettyName     string   `yaml:"pretty_name"`
		SizeCategories []string `yaml:"size_categories"`
		TaskCategories []string `yaml:"task_categories"`
		Tags           []string
		Configs        []struct {
			Name    string `yaml:"config_name"`
			Files   string `yaml:"data_files"`
			Default bool
		}
	}
	check1(t, yaml.UnmarshalWithOptions([]byte(parts[1]), &front, yaml.Strict()))
	if !reflect.DeepEqual(front.Language, []string{"zh", "en", "no"}) && !reflect.DeepEqual(front.Language, []string{"en", "zh", "no"}) {
		t.Errorf("language %v", front.Language)
	}
	if front.SizeCategories[0] != "n<1K" || front.License != "unknown" || front.PrettyName != "fixture" {
		t.Errorf("%+v", front)
	}
	for _, c := range front.Configs {
		if files, err := filepath.Glob(filepath.Join(f.Dir, c.Files)); err != nil || len(files) == 0 || c.Default != (c.Name == "default") {
			t.Errorf("config %+v: files %v, %v", c, files, err)
		}
	}
	var back map[string]any
	j, err := os.ReadFile(filepath.Join(f.Dir, "report.json"))
	check1(t, err)
	check1(t, json.Unmarshal(j, &back))
}

// TestRealRun reads a run that stands in a folder of runs, where one is named.
func TestRealRun(t *testing.T) {
	dir := os.Getenv("WINNOW_RUN")
	if dir == "" {
		t.Skip("WINNOW_RUN names no run's folder")
	}
	f, err := shard.Open(nil, dir)
	check1(t, err)
	r, err := New(f)
	check1(t, err)
	if r.Read.Documents != f.Run.Totals.Documents || r.Kept.Documents != f.Run.Totals.Kept || r.Kept.Tokens != f.Run.Totals.TokensOut {
		t.Errorf("report %+v %+v, run.json %+v", r.Read, r.Kept, f.Run.Totals)
	}
}
