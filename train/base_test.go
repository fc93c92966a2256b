package train

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"winnow"
	"winnow/shard"
	"winnow/train/checkpoint"
	"winnow/train/llm"
)

// smallRun is a finished run of documents in English and Chinese, made of a few words.
func smallRun(t testing.TB) *shard.Folder {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "small-1")
	words := map[string][]string{
		"en": strings.Fields("the a river stone light under over walks sings green slow morning and with letters of glass"),
		"zh": strings.Split("河流 石头 光 在 下面 上面 走 唱 绿色 慢 早晨 和 信 玻璃 的 了", " "),
	}
	rng := rand.New(rand.NewPCG(5, 6))
	must(t, os.MkdirAll(filepath.Join(dir, "data"), 0o755))
	f, err := os.Create(filepath.Join(dir, "data", "00000.parquet"))
	must(t, err)
	w := shard.NewDataWriter(f, nil)
	for i := range 120 {
		language, join := "en", " "
		if i%2 == 1 {
			language, join = "zh", ""
		}
		var text []string
		for range 20 + rng.IntN(60) {
			text = append(text, words[language][rng.IntN(16)])
		}
		must(t, w.Write(&winnow.Document{ID: fmt.Sprintf("doc-%03d", i), Language: language, Text: strings.Join(text, join)}))
	}
	must(t, w.Close())
	must(t, f.Close())
	must(t, shard.WriteRun(nil, dir, &shard.Run{ID: "small-1", Name: "small", State: shard.Done, Outputs: []shard.Output{{Name: "data/00000.parquet", SHA256: "ab"}}}))
	folder, err := shard.Open(nil, dir)
	must(t, err)
	return folder
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// smallOptions are 20 steps of 4 micro-batches.
func smallOptions(out string, run *shard.Folder, p *llm.Pool) Options {
	c := llm.Config{Context: 24, Dim: 32, FFN: 64, Layers: 1, Heads: 2, KVHeads: 2, HeadDim: 16, NormEps: 1e-5, RopeTheta: 10000, Tied: true}
	o := Options{Out: out, Sources: []Source{{Folder: run}}, Pool: p, Save: 3}
	o.Asked = Asked{Config: &c, Vocab: 320, Tokens: 20 * 2 * 4 * 24, Seed: 11, Batch: 2, Accumulate: 4, Rate: 5e-3, Shape: "cosine", Warmup: -1, Clip: 1, Decay: .1,
		Spike: 6, Holdout: .1, Eval: 5, Sample: 10}
	return o
}

// bytesOf are the files that must not depend on threads, stops or kills.
func bytesOf(t testing.TB, out string) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, name := range []string{"model.safetensors", metricsName, samplesName, planName, tokenizerName, checkpoint.InfoName} {
		b, err := os.ReadFile(filepath.Join(out, name))
		must(t, err)
		all[name] = string(b)
	}
	return all
}

func same(t testing.TB, what string, want, got map[string]string) {
	t.Helper()
	for name := range want {
		if want[name] != got[name] {
			t.Errorf("%s: other %s (%d bytes, want %d)", what, name, len(got[name]), len(want[name]))
		}
	}
}

func TestBase(t *testing.T) {
	run, out := smallRun(t), t.TempDir()
	var events []Event
	o := smallOptions(out, run, pool(t, 2))
	o.Tell = func(e Event) { events = append(events, e) }
	r, err := Base(context.Background(), o)
	must(t, err)
	if r.Steps != 20 || r.Held[All] <= 0 || r.Held["en"] <= 0 || r.Held["zh"] <= 0 || r.Grams[All]["byte-1"] <= 0 {
		t.Errorf("%+v", r)
	}
	if r.Held[All] >= 8 {
		t.Errorf("%.2f bits per byte", r.Held[All])
	}
	metrics, err := ReadMetrics(out)
	must(t, err)
	var steps, evals []int
	for _, m := range metrics {
		if m.Eval == nil {
			steps = append(steps, m.Step)
		} else {
			evals = append(evals, m.Step)
		}
	}
	if len(steps) != 20 || !slices.IsSorted(steps) || !reflect.DeepEqual(evals, []int{0, 5, 10, 15, 20}) {
		t.Errorf("steps %v, evaluated at %v", steps, evals)
	}
	m, tok, info, err := checkpoint.LoadModel(out)
	must(t, err)
	if info.Hash != r.Hash || tok.Size() != m.Vocab || info.Steps != 20 || len(info.Data) != 1 || info.Data[0].Run != "small-1" || info.Seed != 11 {
		t.Errorf("%+v", info)
	}
	done, err := Base(context.Background(), o) // again: nothing is left to do
	must(t, err)
	if done.Hash != r.Hash || done.Steps != 20 || done.Held[All] != r.Held[All] {
		t.Errorf("%+v", done)
	}
}

func TestBaseRefusesAnotherRun(t *testing.T) {
	run, out, p := smallRun(t), t.TempDir(), pool(t, 1)
	o := smallOptions(out, run, p)
	_, err := Base(context.Background(), o)
	must(t, err)
	before := bytesOf(t, out)
	o.Rate, o.Accumulate, o.Asked.Tokens = 1e-3, 2, 0
	_, err = Base(context.Background(), o)
	var changed *ChangedError
	if !errors.As(err, &changed) || len(changed.Fields) != 3 || changed.Fields[0] != "accumulate: 4, now 2" || changed.Fields[1] != "lr: 0.005, now 0.001" || changed.Fields[2] != "tokens: 3840, now not set" {
		t.Fatalf("%v", err)
	}
	same(t, "refused", before, bytesOf(t, out))
	o = smallOptions(out, run, p)
	o.Seed, o.Fresh = 12, true
	r, err := Base(context.Background(), o)
	must(t, err)
	if r.Steps != 20 || bytesOf(t, out)["model.safetensors"] == before["model.safetensors"] {
		t.Error("--fresh did not begin anew")
	}
}

func TestBaseStoppedAtEveryStep(t *testing.T) {
	run, straight, p := smallRun(t), t.TempDir(), pool(t, 2)
	_, err := Base(context.Background(), smallOptions(straight, run, p))
	must(t, err)
	out := t.TempDir()
	for step := 1; step < 20; step++ {
		ctx, cancel := context.WithCancel(context.Background())
		o := smallOptions(out, run, p)
		o.Tell = func(e Event) {
			if e.Type == "step" {
				cancel()
			}
		}
		if _, err := Base(ctx, o); !errors.Is(err, context.Canceled) {
			t.Fatalf("step %d: %v", step, err)
		}
		if m, _, _, err := checkpoint.LoadModel(out); err != nil || m.Layers != 1 {
			t.Fatalf("stopped at step %d: no model: %v", step, err)
		}
	}
	_, err = Base(context.Background(), smallOptions(out, run, p))
	must(t, err)
	same(t, "stopped at every step", bytesOf(t, straight), bytesOf(t, out))
}

// TestBaseWithDamagedCheckpoint damages the last checkpoint: the one before it is gone on from, to the same bytes.
func TestBaseWithDamagedCheckpoint(t *testing.T) {
	run, straight, p := smallRun(t), t.TempDir(), pool(t, 2)
	_, err := Base(context.Background(), smallOptions(straight, run, p))
	must(t, err)
	out := t.TempDir()
	ctx, cancel := context.WithCancel(context.Background())
	o := smallOptions(out, run, p)
	o.Tell = func(e Event) {
		if e.Type == "step" && e.Metric.Step == 10 {
			cancel()
		}
	}
	_, err = Base(ctx, o)
	if !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	name := filepath.Join(out, "checkpoints", "step-00000010", "model.safetensors")
	b, err := os.ReadFile(name)
	must(t, err)
	b[len(b)-3] ^= 1
	must(t, os.WriteFile(name, b, 0o644))
	var warned, first int
	o.Tell = func(e Event) {
		switch {
		case e.Type == "warning":
			warned++
		case e.Type == "step" && first == 0:
			first = e.Metric.Step
		}
	}
	_, err = Base(context.Background(), o)
	must(t, err)
	if warned != 1 || first != 10 {
		t.Errorf("%d warnings, went on with step %d", warned, first)
	}
	same(t, "damaged", bytesOf(t, straight), bytesOf(t, out))
}

// TestBaseUnderAnotherKernel warns, and goes on.
func TestBaseUnderAnotherKernel(t *testing.T) {
	run, out := smallRun(t), t.TempDir()
	ctx, cancel := context.WithCancel(context.Background())
	o := smallOptions(out, run, pool(t, 1))
	if o.Pool.Kernel() == "portable" {
		t.Skip("this CPU runs the portable kernel alone")
	}
	o.Tell = func(e Event) {
		if e.Type == "step" && e.Metric.Step == 4 {
			cancel()
		}
	}
	if _, err := Base(ctx, o); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	first := o.Pool.Kernel()
	other, err := llm.NewPool(1, "portable")
	must(t, err)
	t.Cleanup(other.Close)
	o.Pool = other
	var en, zh string
	o.Tell = func(e Event) {
		if e.Type == "warning" {
			en, zh = e.EN, e.ZH
		}
	}
	r, err := Base(context.Background(), o)
	must(t, err)
	if r.Steps != 20 || !strings.Contains(en, "kernel "+first) || !strings.Contains(zh, "内核 "+first) || !strings.Contains(en, "portable") || !strings.Contains(zh, "portable") {
		t.Errorf("%d steps, warned: %q, %q", r.Steps, en, zh)
	}
}

func TestBaseWithNothingHeldOut(t *testing.T) {
	o := smallOptions(t.TempDir(), smallRun(t), pool(t, 1))
	o.Holdout, o.Asked.Tokens = 0, 2*2*4*24
	r, err := Base(context.Background(), o)
	must(t, err)
	if r.Steps != 2 || len(r.Held) != 0 || len(r.Grams) != 0 {
		t.Errorf("%+v", r)
	}
}

// TestBaseMixes reads two runs three to one, and stops where the first of them was read twice.
func TestBaseMixes(t *testing.T) {
	run, out := smallRun(t), t.TempDir()
	o := smallOptions(out, run, pool(t, 1))
	o.Sources = []Source{{run, 3}, {run, 1}}
	o.Asked.Tokens, o.Epochs, o.Accumulate, o.Batch = 0, 2, 1, 16
	r, err := Base(context.Background(), o)
	must(t, err)
	metrics, err := ReadMetrics(out)
	must(t, err)
	last := metrics[len(metrics)-2] // the last line is an evaluation
	p, err := readPlan(out)
	must(t, err)
	if p.Limit != "epochs" || r.Steps != p.Schedule.Steps || last.Epoch > 2 || last.Epoch < 1 {
		t.Errorf("%d steps by %s, epoch %d", r.Steps, p.Limit, last.Epoch)
	}
}

func TestSweep(t *testing.T) {
	o := smallOptions(t.TempDir(), smallRun(t), pool(t, 2))
	o.Asked.Tokens, o.Batch, o.Accumulate = 20*1024, 0, 1
	var told []Arm
	arms, err := Sweep(context.Background(), o, []int{1, 2}, []float64{1e-5, 4e-3}, func(a Arm) { told = append(told, a) })
	must(t, err)
	if !reflect.DeepEqual(arms, told) || len(arms) != 4 || arms[1].Steps != 20 || arms[3].Depth != 2 {
		t.Errorf("%+v", arms)
	}
	if arms[0].Held[All] < arms[1].Held[All]+.5 {
		t.Errorf("a rate of 1e-5 gives %.3f bits per byte, 4e-3 %.3f", arms[0].Held[All], arms[1].Held[All])
	}
}

func TestPlanIsStored(t *testing.T) {
	run, out, p := smallRun(t), t.TempDir(), pool(t, 1)
	o := smallOptions(out, run, p)
	o.Asked.Tokens, o.Minutes = 0, .02
	r, err := Base(context.Background(), o)
	must(t, err)
	first, err := readPlan(out)
	must(t, err)
	if first.Limit != "minutes" || first.Speed <= 0 || first.Schedule.Steps != r.Steps {
		t.Errorf("%+v", first)
	}
	measured := false
	o.Tell = func(e Event) { measured = measured || e.Type == "measure" }
	_, err = Base(context.Background(), o)
	must(t, err)
	second, err := readPlan(out)
	must(t, err)
	if measured || !reflect.DeepEqual(first, second) {
		t.Error("the second time, the machine was measured again")
	}
}

func TestSteps(t *testing.T) {
	p := Plan{Model: tiny, Len: 24, Batch: 2, Accumulate: 4} // 192 positions a step
	for _, c := range []struct {
		asked     Asked
		epochRows int64
		want      int
		limit     string
	}{
		{Asked{Tokens: 1}, 0, 1, "tokens"}, {Asked{Tokens: 1920}, 0, 10, "tokens"}, {Asked{Tokens: 1921}, 0, 11, "tokens"},
		{Asked{FLOPs: 10.5 * p.FLOPs()}, 0, 10, "flops"}, {Asked{Minutes: 1}, 0, 60 * 900 / 192, "minutes"},
		{Asked{Tokens: 1920}, 40, 5, "epochs"}, {Asked{}, 0, int((20*tiny.MatmulParams() + 191) / 192), "parameters"},
	} {
		p.Asked = c.asked
		n, err := p.steps(c.epochRows, func() (float64, error) { return 1000, nil })
		if err != nil || n != c.want || p.Limit != c.limit {
			t.Errorf("%+v: %d steps by %s (%v), want %d by %s", c.asked, n, p.Limit, err, c.want, c.limit)
		}
	}
	good := Asked{Depth: 2, Shape: "wsd"}
	must(t, good.Check())
	for i, spoil := range []func(a *Asked){
		func(a *Asked) { a.Tokens, a.Minutes = 1, 1 }, func(a *Asked) { a.FLOPs = -1 }, func(a *Asked) { a.Holdout = .7 }, func(a *Asked) { a.Config = &tiny },
		func(a *Asked) { c := tiny; c.Heads = 3; a.Config, a.Depth = &c, 0 },
		func(a *Asked) { a.Clip = -1 }, func(a *Asked) { a.Batch = -1 }, func(a *Asked) { a.Depth = 7 }, func(a *Asked) { a.Shape = "linear" },
	} {
		a := good
		spoil(&a)
		if a.Check() == nil {
			t.Errorf("%d: %+v is taken", i, a)
		}
	}
}

func TestAskedKeepsSeeds(t *testing.T) {
	a := Asked{Seed: 1<<63 + 1}
	b, err := json.Marshal(a)
	must(t, err)
	var back Asked
	must(t, json.Unmarshal(b, &back))
	if d, err := Differences(a, back); err != nil || len(d) > 0 {
		t.Errorf("%v %v", d, err)
	}
	back.Seed--
	if d, err := Differences(a, back); err != nil || len(d) != 1 || !bytes.Contains([]byte(d[0]), []byte("9223372036854775809")) {
		t.Errorf("%v %v", d, err)
	}
}
