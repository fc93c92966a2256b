package rephrase

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"winnow"
	"winnow/rephrase/openai"
)

// answerer is a Completer that makes each answer from its request.
type answerer func(openai.Request) openai.Answer

func (f answerer) CompleteAll(_ context.Context, reqs []openai.Request) ([]openai.Answer, error) {
	out := make([]openai.Answer, len(reqs))
	for i, r := range reqs {
		out[i] = f(r)
	}
	return out, nil
}

// passage is what a prompt holds between its marks.
func passage(r openai.Request) string {
	prompt := r.Messages[len(r.Messages)-1].Content
	_, after, _ := strings.Cut(prompt, "<text>\n")
	text, _, _ := strings.Cut(after, "\n</text>")
	return text
}

func docs() []*winnow.Document {
	return []*winnow.Document{
		{ID: "en", Text: sourceEN, URL: "https://bridge.example/", Date: "2026-01-02T03:04:05Z", Dump: "d", File: "f", Offset: 7, Title: "Bridge",
			Language: "en", LangScore: 0.9, LanguageScript: "eng_Latn", TokenCount: 96, Signals: []float32{1, 2}},
		{ID: "short", Text: "Too short.", Language: "en", Signals: []float32{3, 4}},
		{ID: "zh", Text: "\n" + sourceZH + "\n\n", Language: "zh", LanguageScript: "zho_Hans", Signals: []float32{5, 6}},
	}
}

// faithful knows good answers to the two sources.
func faithful(r openai.Request) openai.Answer {
	switch passage(r) {
	case sourceEN:
		return said(answerEN, "stop")
	case sourceZH:
		return said(answerZH, "stop")
	}
	return said("I'm sorry, but I cannot help with that.", "stop")
}

func mustNew(t testing.TB, c Completer, change func(*Options), styles ...string) *Stage {
	t.Helper()
	o := Defaults()
	o.Model = "m"
	for _, name := range styles {
		style, err := LoadStyle(name)
		if err != nil {
			t.Fatal(err)
		}
		o.Styles = append(o.Styles, style)
	}
	if change != nil {
		change(&o)
	}
	s, err := New(c, o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func signal(t *testing.T, s *Stage, d *winnow.Document, id string) float32 {
	t.Helper()
	signals := s.Signals()
	i := slices.IndexFunc(signals, func(x winnow.Signal) bool { return x.ID == id })
	own := d.Signals[len(d.Signals)-len(signals):]
	return own[i]
}

func TestApplyBatch(t *testing.T) {
	s := mustNew(t, answerer(faithful), nil, "wikipedia")
	in := docs()
	res, err := s.ApplyBatch(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	for i, d := range in {
		if want := 2 + len(s.Signals()); len(d.Signals) != want || d.Signals[0] != docs()[i].Signals[0] {
			t.Errorf("%s: signals %v, want %d", d.ID, d.Signals, want)
		}
		if res[i].Verdict.Drop || d.Text != docs()[i].Text {
			t.Errorf("%s: original changed: %+v", d.ID, res[i].Verdict)
		}
	}
	if len(res[0].Derived) != 1 || len(res[1].Derived) != 0 || len(res[2].Derived) != 1 {
		t.Fatalf("derived: %+v", res)
	}
	en := *res[0].Derived[0]
	if n := len(en.Signals); n != 2+len(s.Signals()) || en.Signals[1] != 2 {
		t.Errorf("derived signals %v", en.Signals)
	}
	if signal(t, s, &en, "rephrase.segments") != 1 || signal(t, s, &en, "rephrase.accepted") != 1 ||
		winnow.Measured(signal(t, s, in[0], "rephrase.length_ratio")) || signal(t, s, in[1], "rephrase.segments") != 0 {
		t.Errorf("signals: derived %v, original %v, short %v", en.Signals, in[0].Signals, in[1].Signals)
	}
	tokens := float64(openai.EstimateTokens(answerEN)) * 96 / float64(openai.EstimateTokens(sourceEN))
	en.Signals = nil
	want := fmt.Sprintf("%+v", winnow.Document{Text: answerEN, ID: "en#wikipedia#0", Origin: "en", URL: "https://bridge.example/",
		Date: "2026-01-02T03:04:05Z", Dump: "d", File: "f", Offset: 7, Title: "Bridge", Language: "en", LangScore: 0.9,
		LanguageScript: "eng_Latn", TokenCount: int64(tokens + 0.5), TokensEstimated: true,
		Meta: map[string]string{"rephrase_style": "wikipedia", "rephrase_model": "m", "rephrase_prompt": s.o.Styles[0].prompts["en"],
			"rephrase_prompt_tokens": "0", "rephrase_completion_tokens": "0"}})
	if got := fmt.Sprintf("%+v", en); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if zh := res[2].Derived[0]; zh.Text != "\n"+answerZH+"\n\n" {
		t.Errorf("white space around a segment is lost: %q", zh.Text)
	}
}

func TestReplaceStylesCopies(t *testing.T) {
	seeds := map[int64]int{}
	c := answerer(func(r openai.Request) openai.Answer {
		seeds[r.Seed]++
		if strings.Contains(r.Messages[0].Content, "Question:") {
			return said("Question: When was the bridge at Harlow built?\nAnswer: It was built in 1784.", "stop")
		}
		return faithful(r)
	})
	s := mustNew(t, c, func(o *Options) {
		o.Mode, o.Copies, o.Seed, o.Guards = Replace, 2, 40, Guards{"near_duplicate": winnow.Any}
	}, "wikipedia", "diverse_qa")
	in := docs()[:2]
	res, err := s.ApplyBatch(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	const ids = "en#wikipedia#0 en#wikipedia#1 en#diverse_qa#0 en#diverse_qa#1"
	if v := res[0].Verdict; !v.Drop || v.Rule != "rephrase.replaced" || v.Detail != ids || winnow.Measured(v.Value) {
		t.Errorf("verdict %+v", v)
	}
	if res[1].Verdict.Drop {
		t.Error("a document that was not rephrased is replaced")
	}
	if seeds[40] != 2 || seeds[41] != 2 || signal(t, s, in[0], "rephrase.segments") != 4 {
		t.Errorf("seeds %v, signals %v", seeds, in[0].Signals)
	}
	if got := res[0].Derived[2].Text; !strings.HasPrefix(got, sourceEN+"\n\nQuestion: ") {
		t.Errorf("pairs do not follow their passage: %q", got)
	}
}

func TestSegmentsFallBack(t *testing.T) {
	other := "村里的图书馆每天早上八点开门，读者可以借走五本书，三十天内归还。馆里有一位老人讲故事，孩子们围着他坐。"
	doc := &winnow.Document{ID: "d", Language: "zh", Text: sourceZH + "\n\n标题\n" + other + "\n"}
	c := answerer(func(r openai.Request) openai.Answer {
		if strings.Contains(passage(r), "图书馆") {
			return said("我无法协助处理这段内容。", "stop")
		}
		return faithful(r)
	})
	small := func(o *Options) { o.Segment = 75 }
	s := mustNew(t, c, small, "wikipedia")
	res, err := s.ApplyBatch(t.Context(), []*winnow.Document{doc})
	if err != nil {
		t.Fatal(err)
	}
	if len(res[0].Derived) != 1 || res[0].Derived[0].Text != answerZH+"\n\n标题\n"+other+"\n" {
		t.Fatalf("derived %+v", res[0].Derived)
	}
	for _, d := range []*winnow.Document{doc, res[0].Derived[0]} {
		if signal(t, s, d, "rephrase.accepted") != 0.5 || d.Meta[MetaRejected] == "" {
			t.Errorf("signals %v, meta %v", d.Signals, d.Meta)
		}
	}
	if doc.Meta[MetaRejected] != "rephrase.refused=1" || signal(t, s, res[0].Derived[0], "rephrase.refused") != 0 {
		t.Errorf("original's meta %v, derived's signals %v", doc.Meta, res[0].Derived[0].Signals)
	}
	doc.Signals = nil
	strict := mustNew(t, c, func(o *Options) { small(o); o.MinAccepted = 0.6 }, "wikipedia")
	res, err = strict.ApplyBatch(t.Context(), []*winnow.Document{doc})
	if err != nil || len(res[0].Derived) != 1 {
		t.Fatalf("half accepted, 0.6 wanted: %+v, %v", res, err)
	}
	v, text := res[0].Judged[0], res[0].Derived[0].Text
	if !v.Drop || v.Rule != "rephrase.refused" || v.Value != 1 || v.Bound != winnow.AtMost(0) || v.Detail != "segment 2 of 2" || !strings.Contains(text, "无法协助") ||
		signal(t, strict, res[0].Derived[0], "rephrase.refused") != 1 {
		t.Errorf("half accepted, 0.6 wanted: %+v with %q", v, text)
	}
}

func TestPrompts(t *testing.T) {
	var got []openai.Request
	c := answerer(func(r openai.Request) openai.Answer { got = append(got, r); return faithful(r) })
	ask := func(lang, script string) string {
		got = nil
		for _, style := range []string{"wikipedia", "diverse_qa"} {
			s := mustNew(t, c, nil, style)
			if _, err := s.ApplyBatch(t.Context(), []*winnow.Document{{ID: "x", Text: sourceZH, Language: lang, LanguageScript: script}}); err != nil {
				t.Fatal(err)
			}
		}
		last := func(r openai.Request) string { return r.Messages[len(r.Messages)-1].Content }
		return last(got[0]) + "\n" + last(got[1])
	}
	hans, hant, fr := ask("zh", "zho_Hans"), ask("zh", "zho_Hant"), ask("fr", "fra_Latn")
	for _, p := range []string{hans, hant} {
		if !strings.Contains(p, "百科") || !strings.Contains(p, "提出一个问题") || strings.Contains(p, "passage") {
			t.Errorf("Chinese prompt: %s", p)
		}
	}
	if strings.Count(hans, "简体") != 2 || strings.Count(hant, "繁体") != 2 || strings.Contains(hant, "简体") {
		t.Errorf("simplified: %s\ntraditional: %s", hans, hant)
	}
	if strings.Count(fr, "in the language of the passage") != 2 || strings.Contains(fr, "百科") || !strings.Contains(fr, "one question") {
		t.Errorf("English prompt: %s", fr)
	}
}

func TestStyles(t *testing.T) {
	for name, src := range map[string]string{
		"neither language": `{{define "fr"}}x{{end}}`, "unknown field": `{{define "en"}}{{.Txt}}{{end}}`,
		"broken": `{{define "en"}}`, "bad match": `{{define "en"}}x{{end}}{{define "match"}}({{end}}`,
	} {
		if _, err := ParseStyle("s", src); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := ParseStyle("a#b", `{{define "en"}}x{{end}}`); err == nil {
		t.Error("a name with # is taken")
	}
	if _, err := LoadStyle("wikipedai"); err == nil || !strings.Contains(err.Error(), "diverse_qa") {
		t.Errorf("unknown style: %v", err)
	}
	file := filepath.Join(t.TempDir(), "haiku.tmpl")
	version := func(src string) string {
		if err := os.WriteFile(file, []byte(src), 0o644); err != nil {
			t.Fatal(err)
		}
		return mustNew(t, answerer(faithful), nil, file).Version()
	}
	a := version(`{{define "zh"}}{{.Text}}{{end}}`)
	if a != version(`{{define "zh"}}{{.Text}}{{end}}`) || a == version(`{{define "zh"}}{{.Text}} {{end}}`) || !strings.HasPrefix(a, "rephrase/3 ") {
		t.Errorf("version %q does not follow the file", a)
	}
	style, err := ParseStyle("s", `{{define "zh"}}改写：{{.Text}}{{end}}`)
	if err != nil {
		t.Fatal(err)
	}
	if m, _, err := style.ask(scene{Text: "x", Language: "en"}); err != nil || len(m) != 1 || m[0].Content != "改写：x" {
		t.Errorf("a style with one language: %v, %v", m, err)
	}
}

// A style whose checks alone change asks nothing again.
func TestTemplateHash(t *testing.T) {
	hash := func(src, lang string) string {
		style, err := ParseStyle("s", src)
		if err != nil {
			t.Fatal(err)
		}
		_, h, err := style.ask(scene{Text: "x", Language: lang})
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	const both = `{{define "en"}}Rewrite {{.Text}}{{end}}{{define "zh"}}改写{{.Text}}{{end}}`
	if hash(both, "zh") != hash(both+`{{define "match"}}.{{end}}{{define "en.system"}}Be brief.{{end}}`, "zh") {
		t.Error("the hash follows what is not asked")
	}
	if hash(both, "zh") == hash(both+`{{define "zh.system"}}简短。{{end}}`, "zh") || hash(both, "zh") == hash(both, "en") {
		t.Error("the hash does not follow what is asked")
	}
}

func TestVersion(t *testing.T) {
	seen := map[string]string{}
	for name, change := range map[string]func(*Options){
		"same": nil, "model": func(o *Options) { o.Model = "n" }, "temperature": func(o *Options) { o.Temperature = 0 },
		"guards": func(o *Options) { o.Guards = Guards{"copied": winnow.Any} }, "mode": func(o *Options) { o.Mode = Replace },
		"segment": func(o *Options) { o.Segment = 100 }, "seed": func(o *Options) { o.Seed = 1 },
	} {
		v := mustNew(t, answerer(faithful), change, "wikipedia").Version()
		if seen[v] != "" {
			t.Errorf("%s and %s have the version %s", name, seen[v], v)
		}
		seen[v] = name
	}
	if v := mustNew(t, answerer(faithful), nil, "diverse_qa").Version(); seen[v] != "" {
		t.Errorf("another style has the version %s", v)
	}
}

func TestOptionsCheck(t *testing.T) {
	for name, change := range map[string]func(*Options){
		"no style": func(o *Options) { o.Styles = nil }, "style twice": func(o *Options) { o.Styles = append(o.Styles, o.Styles[0]) },
		"no model": func(o *Options) { o.Model = "" }, "mode": func(o *Options) { o.Mode = "both" },
		"segment": func(o *Options) { o.Segment = 1 }, "answer": func(o *Options) { o.MaxTokens = 10 },
		"temperature": func(o *Options) { o.Temperature = -1 }, "guards": func(o *Options) { o.Guards = Guards{"lenght_ratio": winnow.Any} },
		"bound": func(o *Options) { o.Guards = Guards{"copied": winnow.Between(2, 1)} }, "reject": func(o *Options) { o.Reject = "keep" },
		"mix": func(o *Options) { o.Mix.Original = 1 }, "price": func(o *Options) { o.Budget.Dollars = 1 },
	} {
		style, err := LoadStyle("wikipedia")
		if err != nil {
			t.Fatal(err)
		}
		o := Defaults()
		o.Model, o.Styles = "m", []*Style{style}
		change(&o)
		if _, err := New(answerer(faithful), o); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestSignalsNameEveryGuard(t *testing.T) {
	s := mustNew(t, answerer(faithful), func(o *Options) { o.Guards = Guards{"copied": winnow.AtMost(.5)} }, "wikipedia")
	signals := s.Signals()
	if len(signals) != firstGuard+int(guardCount) || signals[columnUnfunded].ID != "rephrase.unfunded" || signals[columnDraw].ID != "rephrase.mix" {
		t.Fatalf("%d columns: %+v", len(signals), signals)
	}
	for i, g := range guards {
		got, want := signals[firstGuard+i], g.bound
		if i == copied {
			want = winnow.AtMost(.5)
		}
		if got.ID != g.id || got.EN == "" || got.ZH == "" || got.Default != want {
			t.Errorf("column %d is %+v, want %+v", i, got, g)
		}
	}
}

type broken struct{ error }

func (b broken) CompleteAll(context.Context, []openai.Request) ([]openai.Answer, error) {
	return nil, b.error
}

func TestErrorStopsTheRun(t *testing.T) {
	s := mustNew(t, broken{openai.ErrBudget}, nil, "wikipedia")
	if _, err := s.ApplyBatch(t.Context(), docs()); !errors.Is(err, openai.ErrBudget) {
		t.Errorf("got error %v", err)
	}
}

// The whole way: stage, client, network with faults, cache. The second run asks nothing and gives the same documents.
func TestThroughTheNetwork(t *testing.T) {
	var hits atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if hits.Add(1)%3 == 0 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		var req openai.Request
		body, _ := io.ReadAll(r.Body)
		if err := json.Unmarshal(body, &req); err != nil {
			t.Error(err)
		}
		a := faithful(req)
		text, _ := json.Marshal("Here is the text:\n" + a.Response.Text)
		fmt.Fprintf(w, `{"choices":[{"index":0,"finish_reason":"stop","message":{"role":"assistant","content":%s}}]}`, text)
	}))
	defer server.Close()
	dir := t.TempDir()
	run := func() string {
		o := openai.Defaults()
		o.BaseURL, o.APIKey, o.CacheDir, o.Backoff = server.URL+"/v1", "test", dir, 1
		c, err := openai.New(o)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		res, err := mustNew(t, c, nil, "wikipedia").ApplyBatch(t.Context(), docs())
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprintf("%+v %+v", *res[0].Derived[0], *res[2].Derived[0])
	}
	first := run()
	paid := hits.Load()
	if second := run(); second != first || hits.Load() != paid {
		t.Errorf("second run: %d more requests\n%s\n%s", hits.Load()-paid, first, second)
	}
	if !strings.Contains(first, answerEN) || !strings.Contains(first, answerZH) {
		t.Errorf("got %s", first)
	}
}
