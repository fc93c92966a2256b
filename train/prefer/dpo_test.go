package prefer

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"winnow/train/llm"
	"winnow/train/loss"
	"winnow/train/monitor"
	"winnow/train/tune"
	"winnow/train/tune/tunetest"
)

func toyDPO(file, name string, batch int) DPOConfig {
	p, err := loss.PreferenceNamed(name)
	if err != nil {
		panic(err)
	}
	return DPOConfig{Rows: toyRows(file, batch), Loss: name, PairOptions: p.Defaults, Drift: Drift{Prompts: 4, Tokens: 12}}
}

// Every loss raises the log-odds of better answers on prompts that it has not seen; the first step is as it must be, to the last bit.
func TestDPOLearns(t *testing.T) {
	parent, file, pool := toyParent(t), toyPairs(t, 80), tunetest.Pool(t)
	for _, p := range loss.Preferences() {
		t.Run(p.Name, func(t *testing.T) {
			var s seen
			o := toyOptions(parent, t.TempDir(), pool, 30, 3e-3)
			o.Tell = s.tell
			r := must[*tune.Result](t)(DPO(context.Background(), o, toyDPO(file, p.Name, 8)))
			if first, known := p.First(p.Defaults); known {
				if math.Abs(s.first.Loss-first) > 1e-15 || s.first.Values[monitor.Margin] != 0 || s.first.Values[monitor.Chosen] != 0 || s.first.Values[monitor.Accuracy] != .5 {
					t.Errorf("first step: loss %v, must be %v; %v", s.first.Loss, first, s.first.Values)
				}
			}
			if r.Eval[monitor.Accuracy] < .9 {
				t.Errorf("held out: %v", r.Eval)
			}
			if p.Reference && !(r.Eval[monitor.Margin] > .01) {
				t.Errorf("margin held out: %v", r.Eval)
			}
			if odds := r.Eval[monitor.ChosenLogP] - r.Eval[rejectedLogP]; !(odds > 2) {
				t.Errorf("log-odds held out: %v", odds)
			}
		})
	}
}

// Adapters learn too, from a reference that is the model without them; the first step is as exact.
func TestLoRALearns(t *testing.T) {
	parent, pairs, answers, pool := toyParent(t), toyPairs(t, 80), toyJudged(t, 80), tunetest.Pool(t)
	for _, method := range []string{"dpo", "kto", "reward"} {
		var s seen
		o := toyOptions(parent, t.TempDir(), pool, 30, 1e-2)
		o.Tell, o.LoRA = s.tell, &llm.LoRA{Rank: 4, Alpha: 8}
		var r *tune.Result
		var err error
		first := math.Ln2
		switch method {
		case "dpo":
			r, err = DPO(context.Background(), o, toyDPO(pairs, "sigmoid", 8))
		case "kto":
			r, err = KTO(context.Background(), o, KTOConfig{Rows: toyRows(answers, 8), Beta: .3, Good: 1, Bad: 1})
			first = .5
		default:
			r, err = Reward(context.Background(), o, RewardConfig{Rows: toyRows(pairs, 8)})
			first = s.first.Loss
		}
		if err != nil {
			t.Fatal(err)
		}
		if math.Abs(s.first.Loss-first) > 1e-15 || !(r.Eval[monitor.Margin] > .1) {
			t.Errorf("%s: first loss %v, held out %v", method, s.first.Loss, r.Eval)
		}
		if method == "reward" {
			scorer := must[*Scorer](t)(OpenScorer(o.Out, pool))
			if scorer.Card.Held.Accuracy <= .8 {
				t.Errorf("reward: %+v", scorer.Card)
			}
		}
	}
}

// The KL of what the policy writes is 0 while it is its reference, whatever it writes, and ends a run above its budget.
func TestDrift(t *testing.T) {
	parent, file, pool := toyParent(t), toyPairs(t, 60), tunetest.Pool(t)
	kl := func(rate, budget float64, lora *llm.LoRA) (list []float64, alarms []string) {
		var s seen
		o := toyOptions(parent, t.TempDir(), pool, 20, rate)
		o.Tell, o.Eval, o.LoRA = s.tell, 4, lora
		c := toyDPO(file, "sigmoid", 8)
		c.Beta, c.Budget = .02, budget
		must[*tune.Result](t)(DPO(context.Background(), o, c))
		for _, e := range s.evals {
			if e[monitor.Length] <= 0 || e[monitor.Length] > 12 || e[monitor.Ended] < 0 {
				t.Errorf("what was written: %v", e)
			}
			list = append(list, e[monitor.KL])
		}
		return list, s.alarms
	}
	for _, lora := range []*llm.LoRA{nil, {Rank: 2, Alpha: 4}} {
		if list, _ := kl(1e-12, 0, lora); math.Abs(list[0]) > 1e-4 {
			t.Errorf("KL of the reference to itself: %v", list)
		}
	}
	far, _ := kl(1e-2, 0, nil)
	if len(far) != 5 || !(far[4] > 1) {
		t.Errorf("KL after 20 wild steps: %v", far)
	}
	list, alarms := kl(1e-2, far[4]/2, nil)
	if len(list) >= 5 || !strings.Contains(strings.Join(alarms, ""), "kl_budget") {
		t.Errorf("with a budget of half of %v: %v, %v", far, list, alarms)
	}
}

// The best by accuracy or margin is the highest, by loss or KL the lowest.
func TestBestBy(t *testing.T) {
	parent, file, pool := toyParent(t), toyPairs(t, 60), tunetest.Pool(t)
	for name, higher := range map[string]bool{"loss": false, monitor.Accuracy: true, monitor.Margin: true, monitor.KL: false} {
		var s seen
		o := toyOptions(parent, t.TempDir(), pool, 12, 3e-3)
		o.Tell, o.Eval, o.Score = s.tell, 2, name
		r := must[*tune.Result](t)(DPO(context.Background(), o, toyDPO(file, "sigmoid", 8)))
		for _, e := range s.evals {
			if higher && e[name] > r.Eval[name] || !higher && e[name] < r.Eval[name] {
				t.Errorf("by %s: kept %v, validated %v", name, r.Eval[name], e[name])
			}
		}
	}
	o := toyOptions(parent, t.TempDir(), pool, 12, 3e-3)
	o.Score = monitor.Margin
	if _, err := DPO(context.Background(), o, toyDPO(file, "simpo", 8)); err == nil || !strings.Contains(err.Error(), "validates accuracy, kl, loss") {
		t.Errorf("a margin without a reference: %v", err)
	}
}

// Rows whose prompt is a held-out file's are not learnt from.
func TestHeldFile(t *testing.T) {
	parent, pool := toyParent(t), tunetest.Pool(t)
	var s seen
	o := toyOptions(parent, t.TempDir(), pool, 4, 1e-3)
	o.Tell = s.tell
	c := toyDPO(toyPairs(t, 30), "sigmoid", 4)
	c.Held = []string{toyPairs(t, 10)}
	must[*tune.Result](t)(DPO(context.Background(), o, c))
	if got, want := s.more["data"].(*Account).String(), "40 rows, 30 used, 10 held out, 0 cut, held_prompt 10"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestDPOResumes(t *testing.T) {
	parent, file, pool := toyParent(t), toyPairs(t, 30), tunetest.Pool(t)
	for _, name := range []string{"sigmoid", "orpo"} {
		tunetest.Resume(t, 4, func(ctx context.Context, out string, tell func(tune.Event)) error {
			o := toyOptions(parent, out, pool, 12, 1e-3)
			o.Tell = tell
			_, err := DPO(ctx, o, toyDPO(file, name, 4))
			return err
		})
	}
}

// A step through several passes has the gradients of its pairs taken apart, and its loss is their mean.
func TestDPOPasses(t *testing.T) {
	pool := tunetest.Pool(t)
	m := must[*llm.Model](t)(llm.New(llm.Config{Vocab: 64, Context: 2048, Dim: 16, FFN: 32, Layers: 1, Heads: 2, KVHeads: 1, HeadDim: 8, NormEps: 1e-5, RopeTheta: 1e4}, 1))
	r := &tune.Run{Model: m, Trainer: llm.NewTrainer(m, pool), Options: tune.Options{Pool: pool}}
	var step []*duo
	for i := range 6 {
		d := &duo{}
		for k, to := range []**answer{&d.chosen, &d.rejected} {
			ids := make([]int32, 1500+100*k)
			for j := range ids {
				ids[j] = int32(i*31+j*7+k*j) % 64
			}
			*to = newAnswer(sequence(ids, 1490), uint64(i))
			(*to).before = -float64(400 + 10*i)
		}
		step = append(step, d)
	}
	if n := len(passes(step, (*duo).size)); n != 2 {
		t.Fatalf("%d passes", n)
	}
	p, err := loss.PreferenceNamed("sigmoid")
	if err != nil {
		t.Fatal(err)
	}
	c := DPOConfig{PairOptions: p.Defaults}
	gradients := func(lists ...[]*duo) (mean float64, all []float32) {
		for _, x := range m.Params() {
			clear(x.Grad)
		}
		for _, list := range lists {
			tally := must[*pairTally](t)(c.learn(r, p, list))
			mean += tally.loss() / float64(len(lists))
		}
		for _, x := range m.Params() {
			for _, g := range x.Grad {
				all = append(all, g/float32(len(lists)))
			}
		}
		return mean, all
	}
	whole, want := gradients(step)
	mean, got := gradients(step[:1], step[1:2], step[2:3], step[3:4], step[4:5], step[5:])
	if math.Abs(whole-mean) > 1e-12 {
		t.Errorf("loss %v, of pairs alone %v", whole, mean)
	}
	var size, apart float64
	for i := range want {
		size += float64(want[i] * want[i])
		apart += float64((want[i] - got[i]) * (want[i] - got[i]))
	}
	if !(size > 0) || math.Sqrt(apart/size) > 1e-5 {
		t.Errorf("gradients differ by %v of %v", math.Sqrt(apart), math.Sqrt(size))
	}
}

func TestPasses(t *testing.T) {
	list := []int{5, 9000, 9000, 1, 20000, 3, 4}
	got := passes(list, func(n int) int { return n })
	if len(got) != 4 || len(got[0]) != 2 || len(got[1]) != 2 || len(got[2]) != 1 || len(got[3]) != 2 {
		t.Errorf("passes: %v", got)
	}
}

// The reference is read once: what is in OUT is taken where its key is right, whole or begun, and made again where it is not.
func TestReferenceIsKept(t *testing.T) {
	parent, file, pool := toyParent(t), toyPairs(t, 30), tunetest.Pool(t)
	out := t.TempDir()
	run := func(ctx context.Context, out string) int {
		reads := 0
		o := toyOptions(parent, out, pool, 4, 1e-3)
		o.Fresh = true
		o.Tell = func(e tune.Event) {
			if e.Type == "reference" {
				reads++
			}
		}
		if _, err := DPO(ctx, o, toyDPO(file, "sigmoid", 4)); err != nil && !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		return reads
	}
	if n := run(ended(), out); n != 0 {
		t.Errorf("a stopped run read %d times", n)
	}
	if n := run(context.Background(), out); n == 0 {
		t.Error("nothing was read")
	}
	path := filepath.Join(out, referenceName)
	want := must[[]byte](t)(os.ReadFile(path))
	if n := run(context.Background(), out); n != 0 {
		t.Errorf("read again, %d times", n)
	}
	known := must[sums](t)(readSums(path))
	known.Sums = known.Sums[:len(known.Sums)/2]
	if err := known.write(path); err != nil {
		t.Fatal(err)
	}
	if n := run(context.Background(), out); n == 0 {
		t.Error("half of the sums were taken for all")
	}
	if got := must[[]byte](t)(os.ReadFile(path)); string(got) != string(want) {
		t.Error("going on from half gives other sums")
	}
	known.Key, known.Sums[0] = strings.Repeat("0", 64), 1
	if err := known.write(path); err != nil {
		t.Fatal(err)
	}
	run(context.Background(), out)
	if got := must[[]byte](t)(os.ReadFile(path)); string(got) != string(want) {
		t.Error("sums of another key were taken")
	}
	if err := os.WriteFile(path, []byte("no JSON"), 0o666); err != nil {
		t.Fatal(err)
	}
	run(context.Background(), out)
	if got := must[[]byte](t)(os.ReadFile(path)); string(got) != string(want) {
		t.Error("a broken file was taken")
	}
}

// A reference that is another model's is seen at the first step, and named.
func TestForeignReference(t *testing.T) {
	parent, file, pool := toyParent(t), toyPairs(t, 30), tunetest.Pool(t)
	out := t.TempDir()
	o := toyOptions(parent, out, pool, 4, 1e-3)
	must[*tune.Result](t)(DPO(context.Background(), o, toyDPO(file, "sigmoid", 4)))
	path := filepath.Join(out, referenceName)
	known := must[sums](t)(readSums(path))
	for i := range known.Sums {
		known.Sums[i] += float64(i%2) * .5
	}
	if err := known.write(path); err != nil {
		t.Fatal(err)
	}
	o.Fresh = true
	if _, err := DPO(context.Background(), o, toyDPO(file, "sigmoid", 4)); err == nil || !strings.Contains(err.Error(), "first step") {
		t.Errorf("a foreign reference: %v", err)
	}
}

func TestDPORefuses(t *testing.T) {
	parent, file, pool := toyParent(t), toyPairs(t, 30), tunetest.Pool(t)
	for want, change := range map[string]func(*DPOConfig){
		"not known": func(c *DPOConfig) { c.Loss = "dop" },
		"beta":      func(c *DPOConfig) { c.Beta = 0 },
		"smoothing": func(c *DPOConfig) { c.Smoothing = .5 },
		"batch":     func(c *DPOConfig) { c.Batch = 0 },
		"no files":  func(c *DPOConfig) { c.Files = nil },
		"share":     func(c *DPOConfig) { c.Share = 1 },
		"cut":       func(c *DPOConfig) { c.Cut = "turns" },
		"budget":    func(c *DPOConfig) { c.Budget, c.Prompts = 1, 0 },
		"too_long":  func(c *DPOConfig) { c.Len = 5 },
	} {
		c := toyDPO(file, "sigmoid", 4)
		change(&c)
		if _, err := DPO(context.Background(), toyOptions(parent, t.TempDir(), pool, 4, 1e-3), c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}
