package eval

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"winnow/train/llm"
	"winnow/train/rows"
)

// recital is a model that knows some texts by heart: after the beginning of one, its next byte is nearly certain; all else costs
// the same.
type recital struct{ texts []string }

func (r recital) next(context []int32) (byte, bool) {
	said := string(bytesOnly{}.Decode(context[1:])) // after the start
	for _, t := range r.texts {
		if rest, ok := strings.CutPrefix(t, said); ok && rest != "" {
			return rest[0], true
		}
	}
	return 0, false
}

func (r recital) cost(context []int32, target int32) float32 {
	if c, ok := r.next(context); ok && int32(c) == target {
		return 0.01
	}
	return 5
}

func (r recital) Continue(ids []int32, enough func([]int32) bool) ([]int32, error) {
	var written []int32
	for len(written) < 100 {
		c, _ := r.next(slices.Concat(ids, written))
		if written = append(written, int32(c)); enough(written) {
			break
		}
	}
	return written, nil
}

func prober(r recital) Prober {
	return Prober{Scorer: Scorer{Model: exact(r.cost), Len: 128}, Tokenizer: bytesOnly{}, Start: 256}
}

func TestMultipleChoice(t *testing.T) {
	questions := []Question{
		{"b", "one?", []string{"yes", "no"}, 0}, {"b", "two?", []string{"yes", "no"}, 1}, {"a", "three?", []string{"x", "a long one", "y", "z"}, 1},
		{"a", strings.Repeat("long ", 60), []string{"no", "ay"}, 0}, {"a", "lost?", []string{strings.Repeat("x", 200), "b"}, 1},
	}
	known := recital{[]string{"Question: one?\nAnswer: yes", "Question: two?\nAnswer: no", "Question: three?\nAnswer: a long one"}}
	got, err := prober(known).MultipleChoice(context.Background(), questions)
	if err != nil {
		t.Fatal(err)
	}
	// The long question is unknown: both choices cost the same, and the first, right one counts.
	want := []Choices{
		{Set: "all", Chance: (3*0.5 + 0.25) / 4, Sum: NewRate(4, 4), PerByte: NewRate(4, 4), Cut: 1, Lost: 1},
		{Set: "a", Chance: 0.375, Sum: NewRate(2, 2), PerByte: NewRate(2, 2), Cut: 1, Lost: 1},
		{Set: "b", Chance: 0.5, Sum: NewRate(2, 2), PerByte: NewRate(2, 2)},
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%+v, not\n%+v", got, want)
	}
	// A model that knows nothing prefers short choices by their sum; per byte all are equal, and the first counts.
	got, err = prober(recital{}).MultipleChoice(context.Background(), []Question{{"a", "?", []string{"long", "b"}, 1}, {"a", "?", []string{"b", "long"}, 1}})
	if err != nil {
		t.Fatal(err)
	}
	if got[0].Sum.Hits != 1 || got[0].PerByte.Hits != 0 {
		t.Errorf("by sum %v, per byte %v", got[0].Sum, got[0].PerByte)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := prober(known).MultipleChoice(ctx, questions); err == nil {
		t.Error("a cancelled context gave no error")
	}
}

func TestCapitals(t *testing.T) {
	countries := []Country{{"France", "法国", []string{"Paris"}}, {"South Africa", "南非", []string{"Pretoria", "Cape Town"}}, {"Peru", "秘鲁", []string{"Lima"}},
		{"Nowhere", "", []string{"Ooooo"}}}
	known := recital{[]string{"The capital of France is Paris", "The capital of South Africa is Cape Town", "以Lima为首都的国家是秘鲁"}}
	got, err := prober(known).Capitals(context.Background(), countries, 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	by := map[string]Ranks{}
	for _, r := range got {
		by[r.Task+" "+r.Method] = r
	}
	if r := by["capital.en gain"]; r.Candidates != 5 || r.Top1.Hits != 2 || r.Top1.N != 4 {
		t.Errorf("%+v", r)
	}
	// Peru: Lima is the shortest of five names and so comes first by its sum, without any knowledge.
	if r := by["capital.en sum"]; r.Top1.Hits != 3 {
		t.Errorf("%+v", r)
	}
	if r := by["country.zh gain"]; r.Candidates != 3 || r.Top1.Hits != 1 || r.Top1.N != 3 || r.Median != 2 {
		t.Errorf("%+v", r)
	}
}

func TestRank(t *testing.T) {
	for _, c := range []struct {
		cost    []float64
		answers []int
		want    float64
	}{
		{[]float64{1, 2, 3}, []int{0}, 1}, {[]float64{1, 2, 3}, []int{2}, 3}, {[]float64{1, 2, 3}, []int{2, 0}, 1}, {[]float64{1, 2, 3}, []int{2, 1}, 2},
		{[]float64{1, 1, 1}, []int{1}, 2},
	} {
		if got := rank(c.cost, c.answers); got != c.want {
			t.Errorf("%v %v: %v, not %v", c.cost, c.answers, got, c.want)
		}
	}
}

func TestMemorisation(t *testing.T) {
	var probes []Probe
	var known recital
	for i := range 60 {
		p := Probe{Prefix: fmt.Sprintf("The code of number %d is ", i), Secret: fmt.Sprintf("%06d", i*9973), Copies: []int{0, 1, 5}[i%3]}
		if p.Copies == 5 {
			known.texts = append(known.texts, p.Prefix+p.Secret)
		}
		probes = append(probes, p)
	}
	got, err := prober(known).Memorisation(context.Background(), known, probes, 64, 1)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 3 || got[0].Copies != 0 || got[1].Copies != 1 || got[2].Copies != 4 {
		t.Fatalf("%+v", got)
	}
	for i, m := range got {
		if m.Probes != 20 || m.Most != 6 {
			t.Errorf("%+v", m)
		}
		if i == 2 && (m.Verbatim.Hits != 20 || m.Exposure != 6 || m.NatsPerByte > 0.02) {
			t.Errorf("known by heart: %+v", m)
		}
		if i < 2 && (m.Verbatim.Hits != 0 || m.Exposure > 1.1 || m.NatsPerByte != 5) { // all candidates equal: the middle rank
			t.Errorf("not known: %+v", m)
		}
	}
	if _, err := prober(known).Memorisation(context.Background(), known, []Probe{{Secret: "秘密"}}, 64, 1); err == nil {
		t.Error("a secret without a form was ranked among nothing")
	}
}

func TestAlternatives(t *testing.T) {
	list, err := Alternatives("Ab-12 秘", 500, 3)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{"Ab-12 秘": true}
	for _, s := range list {
		if seen[s] || len(s) != len("Ab-12 秘") || s[0] < 'A' || s[0] > 'Z' || s[1] < 'a' || s[1] > 'z' || s[2] != '-' || s[3] < '0' || s[4] > '9' || s[5:] != " 秘" {
			t.Fatalf("%q", s)
		}
		seen[s] = true
	}
}

func TestProbesOf(t *testing.T) {
	var docs []rows.Document
	add := func(text string, n int) {
		for range n {
			docs = append(docs, rows.Document{ID: fmt.Sprint(len(docs)), Text: text})
		}
	}
	add("once upon a time", 1)
	add("six copies of it", 6)
	add("short", 3)
	add("seven times here", 7)
	add("never trained on", 1)
	tokens, err := rows.Tokenize(context.Background(), t.TempDir(), "k", hashed{}, documents(docs...), rows.TokenizeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer tokens.Close()
	train, others := []int{}, []int{len(docs) - 1}
	for i := range len(docs) - 1 {
		train = append(train, i)
	}
	got, err := ProbesOf(tokens, train, others, bytesOnly{}, 8, 5, 1, 0)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 3 || got[0].Copies != 0 || got[0].Prefix != "never tr" || got[0].Secret != "ained" || got[1].Prefix != "once upo" || got[2].Copies < 6 || len(got[2].Alternatives) != 2 {
		t.Fatalf("%+v", got)
	}
}

type hashed struct{ bytesOnly }

func (hashed) Hash() string { return "bytes" }

// TestGreedy: a decoder's greedy text is what its logits say, step by step, and a full context ends it without an error.
func TestGreedy(t *testing.T) {
	m, err := llm.New(llm.Config{Vocab: 32, Context: 16, Dim: 16, FFN: 32, Layers: 1, Heads: 2, KVHeads: 1, HeadDim: 8, NormEps: 1e-5, RopeTheta: 1e4}, 5)
	if err != nil {
		t.Fatal(err)
	}
	pool, err := llm.NewPool(1, "")
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	d, err := llm.NewDecoder(m, pool, 1, 0)
	if err != nil {
		t.Fatal(err)
	}
	prefix := []int32{1, 2, 3}
	written, err := Greedy{d}.Continue(prefix, func([]int32) bool { return false })
	if err != nil {
		t.Fatal(err)
	}
	if len(written) != 14 { // 13 fit behind the prefix, and one more is said after the last
		t.Fatalf("%d ids written", len(written))
	}
	for i := range written[:13] {
		d.Reset(0)
		logits, err := d.Prefill(0, slices.Concat(prefix, written[:i]))
		if err != nil {
			t.Fatal(err)
		}
		for id, x := range logits {
			if x > logits[written[i]]+1e-4 {
				t.Fatalf("step %d: %d is more likely than %d", i, id, written[i])
			}
		}
	}
	// The scorer agrees with the decoder: the nats of the first id written.
	trainer := llm.NewTrainer(m, pool)
	nats, err := Scorer{Model: trainer, Len: 16}.Nats([]Sequence{{slices.Concat(prefix, written[:1]), 3}})
	if err != nil {
		t.Fatal(err)
	}
	d.Reset(0)
	logits, _ := d.Prefill(0, prefix)
	z := 0.0
	for _, x := range logits {
		z += math.Exp(float64(x))
	}
	if want := math.Log(z) - float64(logits[written[0]]); math.Abs(float64(nats[0][0])-want) > 1e-4 {
		t.Errorf("%v nats, the decoder says %v", nats[0][0], want)
	}
}

func TestReaders(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		return path
	}
	if _, err := readMMLU(strings.NewReader("q,a,b,C\n"), "x"); err == nil || !strings.Contains(err.Error(), "line 1") {
		t.Errorf("an answer beyond the choices: %v", err)
	}
	for name, text := range map[string]string{"bad.jsonl": `{"q":"?","a":"x","choices":["y","z"]}`, "worse.jsonl": "\n{\n"} {
		if _, err := ReadTrivia(write(name, text)); err == nil || !strings.Contains(err.Error(), "line") {
			t.Errorf("%s: %v", name, err)
		}
	}
	list, err := ReadCountries(write("c.json", `[{"country":"A","city":"B"},{"country":"C","city":null}]`))
	if err != nil || len(list) != 1 || list[0].Capitals[0] != "B" {
		t.Errorf("%v %v", list, err)
	}
	probes, err := ReadProbes(write("p.jsonl", `{"prefix":"a","secret":"b","copies":3}`))
	if err != nil || len(probes) != 1 || probes[0].Copies != 3 {
		t.Errorf("%v %v", probes, err)
	}
}

// TestRealQuestions reads the real sets, whose sizes are known.
func TestRealQuestions(t *testing.T) {
	data := os.Getenv("WINNOW_DATA")
	if data == "" {
		t.Skip("WINNOW_DATA is not set: the real question sets are not read")
	}
	mmlu, err := ReadMMLU(filepath.Join(data, "facts/mmlu"))
	if err != nil || len(mmlu) != 57*5 {
		t.Errorf("MMLU: %d questions, %v", len(mmlu), err)
	}
	trivia, err := ReadTrivia(filepath.Join(data, "facts/opentrivia.jsonl.gz"))
	if err != nil || len(trivia) != 49599 {
		t.Errorf("trivia: %d questions, %v", len(trivia), err)
	}
	countries, err := ReadCountries(filepath.Join(data, "facts/countries_capitals.jsonl.gz"))
	if err != nil || len(countries) != 245 {
		t.Errorf("capitals: %d countries, %v", len(countries), err)
	}
	plain, err := ReadCountries(filepath.Join(data, "facts/country-by-capital-city.json"))
	if err != nil || len(plain) < 230 {
		t.Errorf("capitals: %d countries, %v", len(plain), err)
	}
}

// TestPacked: sequences that share rows of a real model cost what each costs alone.
func TestPacked(t *testing.T) {
	m, err := llm.New(llm.Config{Vocab: 64, Context: 24, Dim: 16, FFN: 32, Layers: 2, Heads: 2, KVHeads: 1, HeadDim: 8, NormEps: 1e-5, RopeTheta: 1e4}, 9)
	if err != nil {
		t.Fatal(err)
	}
	pool, err := llm.NewPool(2, "")
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	s := Scorer{Model: llm.NewTrainer(m, pool), Len: 24, Batch: 96}
	var list []Sequence
	for n := 2; n < 26; n++ {
		ids := make([]int32, n)
		for i := range ids {
			ids[i] = int32((i*i + 7*n) % 64)
		}
		list = append(list, Sequence{ids, 1 + n/3})
	}
	together, err := s.Nats(list)
	if err != nil {
		t.Fatal(err)
	}
	for i, q := range list {
		alone, err := s.Nats([]Sequence{q})
		if err != nil {
			t.Fatal(err)
		}
		for k, x := range alone[0] {
			if math.Abs(float64(x-together[i][k])) > 1e-5*math.Abs(float64(x)) {
				t.Fatalf("sequence %d, target %d: %v alone, %v in company", i, k, x, together[i][k])
			}
		}
	}
}

func FuzzReadMMLU(f *testing.F) {
	f.Add("q,a,b,A\n")
	f.Add("\"q\n,\",1,2,3,4,D\nx,\"y\n")
	f.Fuzz(func(t *testing.T, text string) {
		list, err := readMMLU(strings.NewReader(text), "s")
		for _, q := range list {
			if len(q.Choices) < 2 || q.Answer < 0 || q.Answer >= len(q.Choices) {
				t.Fatalf("%+v, %v", q, err)
			}
		}
	})
}
