package prefer

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"testing"

	"winnow/train/chat"
	"winnow/train/checkpoint"
	"winnow/train/llm"
	"winnow/train/monitor"
	"winnow/train/tune"
	"winnow/train/tune/tunetest"
)

func TestRewardLearns(t *testing.T) {
	parent, file, pool := toyParent(t), toyPairs(t, 80), tunetest.Pool(t)
	var s seen
	out := t.TempDir()
	o := toyOptions(parent, out, pool, 40, 3e-3)
	o.Tell = s.tell
	c := RewardConfig{Rows: toyRows(file, 8), Centring: .01, Margin: true}
	r := must[*tune.Result](t)(Reward(context.Background(), o, c))
	if !(r.Eval[monitor.Accuracy] > .8) {
		t.Errorf("held out: %v", r.Eval)
	}
	card := must[Card](t)(readCard(out))
	if card.Held == nil || card.Held.Accuracy != r.Eval[monitor.Accuracy] || card.Held.Pairs*2 != card.Scale.Answers {
		t.Errorf("card: %+v, validated %v", card, r.Eval)
	}
	scorer := must[*Scorer](t)(OpenScorer(out, pool))
	if scorer.Info.Kind != checkpoint.KindReward || len(scorer.Info.Parents) != 1 || len(scorer.Info.Parents[0].Hash) == 0 {
		t.Errorf("lineage: %+v", scorer.Info)
	}
	// The published rewards of the held-out answers have mean 0 and standard deviation 1.
	run := must[*tune.Run](t)(tune.Open(toyOptions(parent, t.TempDir(), pool, 1, 1e-3), "toy", struct{}{}))
	defer run.Close()
	_, held, _, err := readDuos(run, c.Rows)
	if err != nil {
		t.Fatal(err)
	}
	var ids [][]int32
	for _, a := range answersOf(held) {
		ids = append(ids, a.IDs)
	}
	rewards := must[[]float64](t)(scorer.ScoreIDs(ids))
	if again := scaleOf(rewards); math.Abs(again.Mean) > 1e-4 || math.Abs(again.SD-1) > 1e-4 {
		t.Errorf("published rewards: %+v", again)
	}
	// What a Scorer says of a conversation is what it says of its ids, alone or among others.
	better := &chat.Conversation{Messages: []chat.Message{{Role: chat.User, Content: asked(1)}, {Role: chat.Assistant, Content: better(1)}}}
	worse := &chat.Conversation{Messages: []chat.Message{{Role: chat.User, Content: asked(1)}, {Role: chat.Assistant, Content: worse(1)}}}
	two := must[[]float64](t)(scorer.Score([]*chat.Conversation{better, worse}))
	one := must[[]float64](t)(scorer.Score([]*chat.Conversation{worse}))
	if !(two[0] > two[1]) || one[0] != two[1] {
		t.Errorf("scores: %v, alone %v", two, one)
	}
	if _, err := scorer.ScoreIDs([][]int32{make([]int32, 65)}); err == nil {
		t.Error("a sequence longer than the context was scored")
	}
	if _, err := scorer.Score([]*chat.Conversation{{Messages: better.Messages[:1]}}); err == nil {
		t.Error("a question was scored")
	}
}

// A reward does not change with padding to its right, nor with what else is in the batch.
func TestRewardUnderPadding(t *testing.T) {
	pool := tunetest.Pool(t)
	m, _, _, err := checkpoint.LoadModel(toyParent(t))
	if err != nil {
		t.Fatal(err)
	}
	head := llm.NewHead(m.Config, 3)
	ids := []int32{5, 9, 17, 40, 8}
	s := &Scorer{model: m, head: head, trainer: llm.NewTrainer(m, pool)}
	want := must[[]float64](t)(s.ScoreIDs([][]int32{{1, 2, 3}, ids, {7}}))[1]
	const width = 12
	b := &llm.Batch{Rows: 2, Len: width}
	for row := range 2 {
		for i := range width {
			id, pos := int32(0), int32(i)
			if row == 0 && i < len(ids) {
				id = ids[i]
			}
			b.IDs, b.Targets, b.Pos = append(b.IDs, id), append(b.Targets, -1), append(b.Pos, pos)
		}
	}
	o, err := s.trainer.Outputs(b, head)
	if err != nil {
		t.Fatal(err)
	}
	if got := float64(o.Values[len(ids)-1]); got != want {
		t.Errorf("padded %v, packed %v", got, want)
	}
}

func TestRewardResumes(t *testing.T) {
	parent, file, pool := toyParent(t), toyPairs(t, 30), tunetest.Pool(t)
	tunetest.Resume(t, 4, func(ctx context.Context, out string, tell func(tune.Event)) error {
		o := toyOptions(parent, out, pool, 12, 1e-3)
		o.Tell = tell
		_, err := Reward(ctx, o, RewardConfig{Rows: toyRows(file, 4)})
		return err
	})
}

func TestCalibration(t *testing.T) {
	odds := func(p float64) float64 { return math.Log(p / (1 - p)) }
	var rewards []float64
	for i := range 10 { // sure by 75 %, right in 6 of 10
		d := odds(.75)
		if i >= 6 {
			d = -d
		}
		rewards = append(rewards, d, 0)
	}
	for range 10 { // sure by 95 %, always right
		rewards = append(rewards, odds(.95), 0)
	}
	c := calibrate(rewards)
	if c.Pairs != 20 || math.Abs(c.Accuracy-.8) > 1e-12 || c.Bins[2].Pairs != 10 || c.Bins[4].Pairs != 10 || math.Abs(c.Error-(.15+.05)/2) > 1e-12 {
		t.Errorf("%+v", c)
	}
	if got, want := c.Loss, -(6*math.Log(.75)+4*math.Log(.25)+10*math.Log(.95))/20; math.Abs(got-want) > 1e-12 {
		t.Errorf("loss %v, want %v", got, want)
	}
	if s := scaleOf([]float64{2, 2, 2}); s.SD != 1 || s.Mean != 2 {
		t.Errorf("equal rewards: %+v", s)
	}
	card, err := readCard(t.TempDir())
	if err != nil || card.Bias != 0 {
		t.Errorf("no card: %+v, %v", card, err)
	}
	broken := t.TempDir()
	if err := os.WriteFile(filepath.Join(broken, CardName), []byte("{"), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := readCard(broken); err == nil {
		t.Error("a broken card was read")
	}
}
