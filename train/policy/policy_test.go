package policy_test

import (
	"context"
	"fmt"
	"iter"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"winnow/train"
	"winnow/train/bpe"
	"winnow/train/chat"
	"winnow/train/checkpoint"
	"winnow/train/llm"
	"winnow/train/monitor"
	"winnow/train/policy"
	"winnow/train/reward"
	"winnow/train/rows"
	"winnow/train/tune"
	"winnow/train/tune/tunetest"
)

// parent is a small model that was fine-tuned to answer "pick 17" with three of six colours, drawn evenly, and to end there.
var parent string

var colours = []string{"red", "blue", "green", "gold", "gray", "pink"}

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "policy")
	if err != nil {
		panic(err)
	}
	parent = dir
	if err := fineTuned(dir); err != nil {
		panic(err)
	}
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

func fineTuned(dir string) error {
	rng := rand.New(rand.NewPCG(1, 2))
	var talks []*chat.Conversation
	var texts []string
	for i := range 300 {
		three := []string{colours[rng.IntN(6)], colours[rng.IntN(6)], colours[rng.IntN(6)]}
		question, answer := fmt.Sprintf("pick %d", i%60), strings.Join(three, " ")
		talks = append(talks, &chat.Conversation{Messages: []chat.Message{{Role: chat.User, Content: question}, {Role: chat.Assistant, Content: answer}}})
		texts = append(texts, question+" "+answer)
	}
	tok, err := bpe.Train(slices.Values(texts), bpe.TrainOptions{Vocab: 320})
	if err != nil {
		return err
	}
	template, err := chat.New("chatml", tok)
	if err != nil {
		return err
	}
	list := iter.Seq2[*chat.Conversation, error](func(yield func(*chat.Conversation, error) bool) {
		for _, c := range talks {
			if !yield(c, nil) {
				return
			}
		}
	})
	const length = 48
	sequences, _, err := chat.Prepare(template, list, chat.PrepareOptions{Len: length, Cut: chat.CutTurns})
	if err != nil {
		return err
	}
	packed, err := rows.NewMasked(sequences, nil, rows.Options{Len: length, Seed: 1, PAD: tok.PAD()})
	if err != nil {
		return err
	}
	pool, err := llm.NewPool(1, "")
	if err != nil {
		return err
	}
	defer pool.Close()
	loop, err := train.Run(context.Background(), train.Setup{
		Model: llm.Config{Vocab: tok.Size(), Context: length, Dim: 32, FFN: 64, Layers: 1, Heads: 2, KVHeads: 2, HeadDim: 16, NormEps: 1e-5, RopeTheta: 10000, Tied: true},
		Seed:  1, Rows: packed, Len: length, Batch: 8, Schedule: train.Schedule{Shape: "cosine", Peak: 1e-2, Steps: 150}, Clip: 1, Pool: pool,
	}, nil)
	if err != nil {
		return err
	}
	info := &checkpoint.Info{Kind: checkpoint.KindSFT, Seed: 1}
	template.Stamp(info)
	return checkpoint.SaveModel(dir, loop.Params, tok, info)
}

// red is the share of an answer's three words that are red.
var red = reward.Func(func(a reward.Answer) float64 {
	n := 0
	for _, w := range strings.Fields(a.Text) {
		if w == "red" {
			n++
		}
	}
	return float64(min(n, 3)) / 3
})

func prompts(n int) (list []policy.Prompt) {
	for i := range n {
		list = append(list, policy.Prompt{Name: fmt.Sprint(i), Messages: []chat.Message{{Role: chat.User, Content: fmt.Sprintf("pick %d", i)}}, Columns: map[string]any{"n": i}})
	}
	return list
}

// small are settings for the toy.
func small(m monitor.Method) policy.Settings {
	s := policy.Usual(m)
	s.MaxTokens, s.Held, s.Reward = 12, 16, "red"
	return s
}

func options(t testing.TB, s policy.Settings, rounds int, rate float64) tune.Options {
	o := tune.Options{Settings: tune.Defaults(), Out: t.TempDir(), Parent: parent, Pool: tunetest.Pool(t)}
	o.Steps, o.Rate, o.Warmup = rounds*s.Updates(), rate, 0
	return o
}

func run(ctx context.Context, o tune.Options, s policy.Settings, w policy.Work) (*tune.Result, error) {
	if s.Method == monitor.PPO {
		return policy.PPO(ctx, o, s, w)
	}
	return policy.Free(ctx, o, s, w)
}

// TestEachMethodLearns: each raises the reward from about a sixth, within 10 nats a response, and the monitors see what they should.
func TestEachMethodLearns(t *testing.T) {
	for _, m := range []monitor.Method{monitor.Reinforce, monitor.RLOO, monitor.GRPO, monitor.PPO} {
		t.Run(string(m), func(t *testing.T) {
			s := small(m)
			o := options(t, s, 30, map[monitor.Method]float64{monitor.Reinforce: 2e-3, monitor.RLOO: 2e-3, monitor.GRPO: 2e-3, monitor.PPO: 2e-4}[m])
			var evals []map[string]float64
			var alarms []monitor.Alarm
			o.Tell = func(e tune.Event) {
				switch e.Type {
				case "eval":
					evals = append(evals, e.Eval)
				case "alarm":
					alarms = append(alarms, e.More.(monitor.Alarm))
				}
			}
			r, err := run(context.Background(), o, s, policy.Work{Prompts: prompts(60), Reward: red, True: red})
			if err != nil {
				t.Fatal(err)
			}
			before, after := evals[0], r.Eval
			t.Logf("reward %.3f -> %.3f, KL %.2f, ended %.2f, time %v", before["reward"], after["reward"], after["kl"], after["ended"], r.Seconds)
			if before["kl"] != 0 {
				t.Errorf("KL %g before the first update", before["kl"])
			}
			if before["reward"] > .35 || after["reward"] < before["reward"]+.3 || after["kl"] <= 0 || after["kl"] >= 10 {
				t.Errorf("reward %.3f -> %.3f, KL %.2f", before["reward"], after["reward"], after["kl"])
			}
			for _, a := range alarms {
				if a.ID == "first_ratio" || a.ID == "k3_negative" || a.ID == "kl_negative" || a.ID == "no_gradient" {
					t.Errorf("alarm %s: %s", a.ID, a.EN)
				}
			}
			metrics, err := tune.ReadMetrics(o.Out)
			if err != nil {
				t.Fatal(err)
			}
			rounds := 0
			for _, x := range metrics {
				if x.Values == nil {
					continue
				}
				if rounds++; x.Values[monitor.RatioGap] != 0 {
					t.Fatalf("step %d: the first ratio differs from 1 by %g", x.Step, x.Values[monitor.RatioGap])
				}
				if x.Values[monitor.K3] < 0 {
					t.Fatalf("step %d: k3 %g", x.Step, x.Values[monitor.K3])
				}
			}
			if rounds == 0 || rounds*s.Updates() != r.Steps {
				t.Errorf("%d rounds were measured in %d steps", rounds, r.Steps)
			}
			_, _, info, err := checkpoint.LoadModel(o.Out)
			if err != nil || info.Kind != checkpoint.KindPolicy || info.Parents[0].Kind != checkpoint.KindSFT || info.Template == nil {
				t.Errorf("lineage %+v, %v", info, err)
			}
		})
	}
}
