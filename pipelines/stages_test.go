package pipelines

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"winnow/filter/quality/classify"
	"winnow/pipelines/engine"
	"winnow/shard"
)

// TestSampleModelIsMadeFromTheSamples trains samples/quality.bin again.
func TestSampleModelIsMadeFromTheSamples(t *testing.T) {
	t.Chdir("..")
	ctx := context.Background()
	texts := func(file, split string) []string {
		out, err := Texts(ctx, []string{file}, "text", split)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	set := classify.Binary(texts("samples/good.jsonl", "train"), texts("samples/bad.jsonl", "train"))
	m, card, err := classify.Train(set, classify.Options{HeldOut: .2})
	if err != nil {
		t.Fatal(err)
	}
	var got bytes.Buffer
	if err := m.Write(&got); err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile("samples/quality.bin")
	if err != nil {
		t.Fatal(err)
	}
	if runtime.GOARCH == "amd64" && !bytes.Equal(got.Bytes(), want) {
		t.Error("samples/quality.bin is stale: winnow quality train --split train --good samples/good.jsonl --bad samples/bad.jsonl --out samples/quality.bin")
	}
	stored, err := classify.Read(bytes.NewReader(want))
	if err != nil {
		t.Fatal(err)
	}
	if kept, err := os.ReadFile("samples/quality.card.md"); err != nil || !strings.Contains(string(kept), stored.Hash()) || runtime.GOARCH == "amd64" && card.Model != stored.Hash() {
		t.Errorf("samples/quality.card.md is of another model: %v", err)
	}
	set = classify.Binary(texts("samples/good.jsonl", "test"), texts("samples/bad.jsonl", "test"))
	e := classify.Evaluate(stored, &set, .5)
	if e.Binary.AUC < .95 || len(e.Languages) < 2 {
		t.Errorf("on texts it has not seen: %+v", e)
	}
	for _, l := range e.Languages {
		if l.Language != "other" && l.Binary.AUC < .95 {
			t.Errorf("on %s it has not seen: %+v", l.Language, l.Binary)
		}
	}
}

// TestRephraseOnceAndForAll runs a recipe with the rephrase stage against an endpoint that fails now and then. A second
// run, begun anew, asks nothing again; derived documents name their origin.
func TestRephraseOnceAndForAll(t *testing.T) {
	var asked atomic.Int64
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if asked.Add(1)%4 == 1 {
			http.Error(w, `{"error":{"message":"busy"}}`, http.StatusServiceUnavailable)
			return
		}
		var req struct {
			Messages []struct{ Content string }
		}
		if err := json.NewDecoder(r.Body).Decode(&req); err != nil {
			t.Error(err)
		}
		answer := "The harbour is quiet. Boats lie on the sand until the water comes back in the evening, as it does every day."
		if strings.Contains(req.Messages[len(req.Messages)-1].Content, "港口") {
			answer = "港口很安静。船只搁在沙滩上，等到傍晚潮水回来，每天都是如此。"
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"id":"1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"finish_reason":"stop","message":{"role":"assistant","content":%q}}],"usage":{"prompt_tokens":50,"completion_tokens":20,"total_tokens":70}}`, answer)
	}))
	defer srv.Close()
	t.Setenv("OPENAI_API_KEY", "none")
	dir := t.TempDir()
	in := `{"id":"en","text":"The harbour lies quiet. All the boats rest on the sand till evening, when the water comes back, as it does day after day after day."}
{"id":"zh","text":"港口里静悄悄的。船都停在沙滩上，要等到傍晚潮水回来的时候才会动，天天如此，年年如此。"}
`
	input := filepath.Join(dir, "in.jsonl")
	if err := os.WriteFile(input, []byte(in), 0o644); err != nil {
		t.Fatal(err)
	}
	raw := fmt.Sprintf("name: re\ninput: {jsonl: [%q]}\nstages:\n  - language:\n  - rephrase: {endpoint: %q, model: m, styles: [wikipedia], cache: %q}\n", input, srv.URL+"/v1", filepath.Join(dir, "cache"))
	once := func(root string) []*shard.Row {
		r, err := Parse("re.yaml", []byte(raw))
		if err != nil {
			t.Fatal(err)
		}
		p, err := Build(r, []byte(raw), "test")
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		p.Root = root
		if p.Shards, err = p.Source.Shards(context.Background()); err != nil {
			t.Fatal(err)
		}
		_, out := runPlan(t, p, engine.Options{})
		f, err := shard.Open(nil, out)
		if err != nil {
			t.Fatal(err)
		}
		var rows []*shard.Row
		for row, err := range f.Rows() {
			if err != nil {
				t.Fatal(err)
			}
			rows = append(rows, row)
		}
		return rows
	}
	rows := once(filepath.Join(dir, "a"))
	if len(rows) != 4 || rows[1].Doc.Origin != "en" || rows[1].Doc.ID != "en#wikipedia#0" || rows[3].Doc.Origin != "zh" || rows[1].Verdict.Drop || rows[3].Verdict.Drop {
		for _, r := range rows {
			t.Logf("%s of %q %+v", r.Doc.ID, r.Doc.Origin, r.Verdict)
		}
		t.Fatal("want each document and what was derived from it")
	}
	paid := asked.Load()
	if paid == 0 {
		t.Fatal("the endpoint was never asked")
	}
	once(filepath.Join(dir, "b"))
	if asked.Load() != paid {
		t.Errorf("the second run asked %d times", asked.Load()-paid)
	}
}
