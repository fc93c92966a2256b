package rephrase

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"winnow"
	"winnow/rephrase/openai"
)

const (
	tasksEN = "Instruction: Explain in two sentences what happened to the stone bridge at Harlow in 1912.\nAnswer: A flood took two of its five arches away. The town built them again within 18 months.\n\n" +
		"Instruction: How many carts used the bridge?\nAnswer: It carried 1,200 carts a day.\n\n" +
		"Instruction: When did it open?\nAnswer: It opened in 1790."
	tasksZH  = "指令：介绍哈洛镇的老石桥。\n回答：它建于1784年，有五个桥洞，每天有1200辆马车经过。"
	factsEN  = "- Harlow's bridge dates from 1784.\n- It was in 1784 that the bridge at Harlow was built.\n- Harlow's bridge dates from 1784!\n2. In 1799 it was built."
	secondEN = "Since then the townspeople have painted its railings each spring, and in summer children fish from it."
)

// apply sends one document through a stage whose model always says the same.
func apply(t *testing.T, answer string, d *winnow.Document, change func(*Options), styles ...string) (*Stage, winnow.Result) {
	t.Helper()
	c := answerer(func(openai.Request) openai.Answer {
		return openai.Answer{Response: openai.Response{Text: answer, Finish: "stop", PromptTokens: 200, CompletionTokens: 40}}
	})
	s := mustNew(t, c, change, styles...)
	res, err := s.ApplyBatch(t.Context(), []*winnow.Document{d})
	if err != nil {
		t.Fatal(err)
	}
	return s, res[0]
}

func english() *winnow.Document { return &winnow.Document{ID: "d", Text: sourceEN, Language: "en"} }

// fates tells what became of each derived document.
func fates(r winnow.Result) (out []string) {
	for i, d := range r.Derived {
		fate := "kept"
		if r.Judged[i].Drop {
			fate = strings.TrimPrefix(r.Judged[i].Rule, "rephrase.")
		}
		out = append(out, d.ID+" "+fate)
	}
	return out
}

// One answer becomes several documents, each with its own verdict, its lineage and a row of training data.
func TestInstructions(t *testing.T) {
	priced := func(o *Options) { o.Price = openai.Price{Prompt: 1, Completion: 2} }
	_, res := apply(t, tasksEN, english(), priced, "instruct")
	if got := fates(res); !slices.Equal(got, []string{"d#instruct#0 kept", "d#instruct#1 kept", "d#instruct#2 new_numbers"}) {
		t.Fatal(got)
	}
	var row []message
	first := res.Derived[0]
	if err := json.Unmarshal([]byte(first.Meta[MetaMessages]), &row); err != nil || len(row) != 2 || row[0].Role != "user" || row[1].Role != "assistant" ||
		!strings.HasPrefix(row[1].Content, "A flood") || first.Text != row[0].Content+"\n\n"+row[1].Content {
		t.Errorf("row %+v of %q, %v", row, first.Text, err)
	}
	if first.Meta[MetaPromptCost] != "200" || first.Meta[MetaAnswerCost] != "40" || first.Meta[MetaDollars] != "0.000280000" || len(first.Meta[MetaPrompt]) != 64 ||
		res.Derived[1].Meta[MetaPromptCost] != "0" {
		t.Errorf("lineage %v", first.Meta)
	}
	_, res = apply(t, tasksZH, &winnow.Document{ID: "z", Text: sourceZH, Language: "zh"}, nil, "instruct")
	if got := fates(res); !slices.Equal(got, []string{"z#instruct#0 kept"}) {
		t.Error(got)
	}
	_, res = apply(t, answerEN, english(), nil, "instruct")
	if got := fates(res); !slices.Equal(got, []string{"d#instruct#0 malformed"}) || res.Derived[0].Text != answerEN {
		t.Error(got)
	}
}

func TestWordingsAreNoNearDuplicates(t *testing.T) {
	s, res := apply(t, factsEN, english(), nil, "wordings")
	if got := fates(res); !slices.Equal(got, []string{"d#wordings#0 kept", "d#wordings#1 kept", "d#wordings#2 near_duplicate", "d#wordings#3 new_numbers"}) {
		t.Fatal(got)
	}
	if v := res.Judged[2]; v.Value != 1 || signal(t, s, res.Derived[2], "rephrase.near_duplicate") != 1 || winnow.Measured(signal(t, s, res.Derived[0], "rephrase.near_duplicate")) {
		t.Errorf("%+v", v)
	}
}

func TestContinuation(t *testing.T) {
	_, res := apply(t, secondEN, english(), nil, "continue")
	if len(res.Derived) != 1 || res.Judged[0].Drop {
		t.Fatalf("%+v %v", res.Judged, fates(res))
	}
	var row []message
	if err := json.Unmarshal([]byte(res.Derived[0].Meta[MetaMessages]), &row); err != nil || !strings.HasPrefix(row[0].Content, "Continue this text:\n\nThe old stone") ||
		strings.Contains(row[0].Content, "18 months") || row[1].Content != secondEN {
		t.Errorf("%+v %v", row, err)
	}
}

// Every built-in style asks in both languages for what its own form reads, and never repeats another's prompt.
func TestEveryStyle(t *testing.T) {
	good := map[string]string{"question_answer": "Question: When was the bridge at Harlow built, what carried it each day, and how many arches has it?\nAnswer: In 1784, 1,200 carts a day, and five.",
		"knowledge_list": "- The bridge at Harlow dates from 1784.\n- Some 1,200 carts crossed it daily.\n- In 1912 a flood took two of five arches, and 18 months were needed to rebuild it.",
		"instruct":       tasksEN, "wordings": factsEN, "continue": secondEN}
	good["diverse_qa"] = good["question_answer"]
	seen := map[string]bool{}
	for _, name := range StyleNames() {
		s, res := apply(t, orElse(good[name], answerEN), english(), nil, name)
		if len(res.Derived) == 0 || res.Judged[0].Drop {
			t.Errorf("%s: a good answer is not taken: %v %+v", name, fates(res), res.Judged)
		}
		style := s.o.Styles[0]
		if !style.has("en") || !style.has("zh") {
			t.Errorf("%s: not in both languages", name)
		}
		for _, lang := range []string{"en", "zh"} {
			m, hash, err := style.ask(newScene(lang, "", sourceZH))
			if asked := m[len(m)-1].Content; err != nil || seen[hash] || !strings.Contains(asked, "哈洛镇的老石桥") || strings.Contains(asked, "passage") != (lang == "en") {
				t.Errorf("%s, %s: %v", name, lang, m)
			}
			seen[hash] = true
		}
	}
	if len(StyleNames()) < 13 {
		t.Errorf("styles: %v", StyleNames())
	}
}

func orElse(a, b string) string {
	if a == "" {
		return b
	}
	return a
}

// A mistake in a style's file is told with its place.
func TestStyleErrors(t *testing.T) {
	const ok = `{{define "en"}}x{{end}}` + "\n"
	for src, want := range map[string]string{
		ok + "{{define \"zh\"}}\n改写 {{.Txt}}{{end}}":                    "3:6: ",
		ok + "\n  {{define \"zh\"}}{{foo .Text}}{{end}}":                "3:20: ",
		ok + "{{define \"zh\"}}{{if}}{{end}}":                           "2:1: ",
		ok + "{{define \"match\"}}({{end}}":                             "2:1: match",
		ok + "{{define \"output\"}}poem{{end}}":                         `2:1: output "poem"`,
		ok + "{{define \"output\"}}reply{{end}}":                        "2:1: output reply needs",
		ok + "\n{{define \"guards\"}}\ncopied ..1\nlenth 0..1\n{{end}}": `5:1: guards: rephrase: unknown guard "lenth", perhaps `,
		ok + "{{define \"guards\"}}copied 1{{end}}":                     "2:1: guards: \"1\" is no bound",
		ok + "{{define \"guards\"}}copied 1..0{{end}}":                  "2:1: guards: ",
		"{{define \"fr\"}}x{{end}}":                                     "1:1: neither",
		ok + "{{define \"fr\"}}x{{end}}":                                `2:1: "fr" means nothing here`,
	} {
		file := filepath.Join(t.TempDir(), "mine.tmpl")
		if err := os.WriteFile(file, []byte(src), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := LoadStyle(file); err == nil || !strings.HasPrefix(err.Error(), "rephrase: style "+file+":"+want) {
			t.Errorf("%q: got %v, want %s", src, err, want)
		}
	}
}

func TestDropOnReject(t *testing.T) {
	doc := english()
	doc.Text += "\n" + strings.Replace(sourceEN, "Harlow", "Denholm", 1)
	c := answerer(func(r openai.Request) openai.Answer {
		if strings.Contains(passage(r), "Denholm") {
			return openai.Answer{Err: &openai.RequestError{Status: 500, Attempts: 6, Err: os.ErrClosed}}
		}
		return faithful(r)
	})
	for reject, want := range map[Reject]string{Original: "d#wikipedia#0 kept", Drop: "d#wikipedia#0 unanswered"} {
		s := mustNew(t, c, func(o *Options) { o.Segment, o.Reject = 50, reject }, "wikipedia")
		d := *doc
		res, err := s.ApplyBatch(t.Context(), []*winnow.Document{&d})
		if err != nil || !slices.Equal(fates(res[0]), []string{want}) || res[0].Verdict.Drop {
			t.Errorf("%s: %v %v", reject, fates(res[0]), err)
		}
	}
}

// Documents get their share in order, each at what its requests may take at most; the first that does not fit ends it, however the
// documents come in batches.
func TestBudgetInOrder(t *testing.T) {
	var docs []*winnow.Document
	for i := range 40 {
		docs = append(docs, &winnow.Document{ID: fmt.Sprint(i), Text: strings.Repeat(sourceEN+"\n", 1+i*7%5), Language: "en"})
	}
	s := mustNew(t, answerer(faithful), func(o *Options) { o.Price = openai.Price{Prompt: 1, Completion: 4} }, "wikipedia", "instruct")
	costs := make([]Cost, len(docs))
	for i, d := range docs {
		var err error
		if costs[i], err = s.Bound(d); err != nil || costs[i].Requests < 2 {
			t.Fatal(costs[i], err)
		}
	}
	for _, budget := range []Budget{{Requests: 51}, {Tokens: 70000}, {Dollars: .2}} {
		var sum Cost
		want := 0
		for ; want < len(docs); want++ {
			c := costs[want]
			sum = Cost{sum.Requests + c.Requests, sum.Prompt + c.Prompt, sum.Completion + c.Completion, 0}
			if budget.Requests > 0 && sum.Requests > budget.Requests || budget.Tokens > 0 && sum.Prompt+sum.Completion > budget.Tokens || budget.Dollars > 0 && sum.Dollars(s.o.Price) > budget.Dollars {
				break
			}
		}
		if want < 5 || want > 35 {
			t.Fatalf("%+v: %d documents are no test", budget, want)
		}
		for _, size := range []int{1, 3, 40} {
			r := &Rationed{mustNew(t, answerer(faithful), func(o *Options) { o.Price, o.Budget = s.o.Price, budget }, "wikipedia", "instruct")}
			var all []bool
			var booked []int64
			for batch := range slices.Chunk(docs, size) {
				granted, after, err := r.Reserve(batch, booked)
				if err != nil {
					t.Fatal(err)
				}
				all, booked = append(all, granted...), after
			}
			for i, got := range all {
				if got != (i < want) {
					t.Errorf("%+v, batches of %d: document %d: %v, want the first %d", budget, size, i, got, want)
				}
			}
			d := *docs[0]
			res, err := r.ApplyGranted(t.Context(), []*winnow.Document{&d}, []bool{false})
			if err != nil || len(res[0].Derived) != 0 || signal(t, r.Stage, &d, "rephrase.unfunded") != 2 || d.Meta[MetaRejected] != "rephrase.unfunded=2" {
				t.Errorf("without a share: %+v %v", res, d)
			}
		}
	}
}

// The mixture keeps the ratio over many documents, and draws the same every time.
func TestMix(t *testing.T) {
	for _, mix := range []Mix{{1, 1}, {1, 3}, {3, 1}, {0, 1}} {
		originals, synthetic := 0, 0
		var rules []string
		s := mustNew(t, answerer(func(openai.Request) openai.Answer {
			return said("- Harlow's bridge dates from 1784.\n- It was in 1784 that the old bridge at Harlow was built.", "stop")
		}), func(o *Options) { o.Mix = mix }, "wordings")
		for i := range 2000 {
			d := &winnow.Document{ID: fmt.Sprintf("https://example.org/%d", i), Text: sourceEN, Language: "en"}
			all, err := s.ApplyBatch(t.Context(), []*winnow.Document{d})
			if err != nil {
				t.Fatal(err)
			}
			res := all[0]
			if !res.Verdict.Drop {
				originals++
			} else if res.Verdict.Rule != "rephrase.mix" || signal(t, s, d, "rephrase.mix") != res.Verdict.Value || res.Verdict.Bound.Holds(res.Verdict.Value) {
				t.Fatalf("%+v", res.Verdict)
			}
			for _, v := range res.Judged {
				if !v.Drop {
					synthetic++
				}
			}
			rules = append(rules, fates(res)...)
		}
		got, want := float64(originals)/float64(synthetic), mix.Original/mix.Synthetic
		if math.Abs(got-want) > .1*want || synthetic < 600 {
			t.Errorf("%+v: %d originals, %d synthetic", mix, originals, synthetic)
		}
		if mix.Original == 3 && !slices.ContainsFunc(rules, func(s string) bool { return strings.HasSuffix(s, " mix") }) {
			t.Error("no derived document was drawn out")
		}
	}
}

// A long Chinese line is one paragraph: cut at its sentences, all of it is sent, and it comes back in order.
func TestLongChineseLine(t *testing.T) {
	var line strings.Builder
	for i := range 200 {
		fmt.Fprintf(&line, "第%d段讲的是镇上的老桥与集市，人们天天从桥上走过去买菜。", i+1)
	}
	var sent []string
	c := answerer(func(r openai.Request) openai.Answer {
		sent = append(sent, passage(r))
		return said("〔"+passage(r)+"〕", "stop")
	})
	s := mustNew(t, c, func(o *Options) {
		o.Guards = Guards{"copied": winnow.Any, "copied_back": winnow.Any}
	}, "wikipedia")
	res, err := s.ApplyBatch(t.Context(), []*winnow.Document{{ID: "l", Text: line.String(), Language: "zh"}})
	if err != nil || len(res[0].Derived) != 1 || res[0].Judged[0].Drop {
		t.Fatalf("%+v %v", res, err)
	}
	if strings.Join(sent, "") != line.String() || len(sent) < 15 {
		t.Errorf("%d segments do not make the line", len(sent))
	}
	for _, p := range sent {
		if !strings.HasSuffix(p, "。") || openai.EstimateTokens(p) > 300 {
			t.Errorf("cut inside a sentence, or too long: %q", p)
		}
	}
	if got := strings.NewReplacer("〔", "", "〕", "").Replace(res[0].Derived[0].Text); got != line.String() {
		t.Error("order is lost")
	}
}
