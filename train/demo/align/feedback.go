package align

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"

	"winnow/train/chat"
	"winnow/train/demo"
	"winnow/train/llm"
	"winnow/train/loss"
)

// school is where learning from feedback begins: a model that was fine-tuned on answers of which many have flaws, the tasks that
// feedback is about, and those that are tested.
type school struct {
	course
	sft       string     // model folder
	reference *llm.Model // of sft
	train     []task
	test      []task
	prompts   [][]int32 // of test
	before    []float64 // true score of the reference's answers to test, a mean of samples each
}

// flawed is the share of flawed answers that a school's model learns from.
const flawed = .7

// samples is how many answers to each prompt a policy's true score is a mean of.
const samples = 2

// school makes one for a seed. Half of the people are those of fine-tuning and of feedback, others are tested.
func (l *Lab) school(ctx context.Context, seed uint64) (*school, error) {
	return l.schoolWith(ctx, seed, nil)
}

// schoolWith is a school whose model learns more than answers: more gives the lessons, of which each has its own place. May be nil.
func (l *Lab) schoolWith(ctx context.Context, seed uint64, more func(s *school) ([]*chat.Conversation, error)) (*school, error) {
	base, err := l.base(ctx, l.main())
	if err != nil {
		return nil, err
	}
	s := &school{course: l.course(seed)}
	random := rand.New(rand.NewPCG(seed, 41))
	list := tasks(random, s.learn, l.steps(1200))
	var learn []*chat.Conversation
	for i, text := range mixed(random, list, s.learn, flawed) {
		learn = append(learn, talk(i, list[i].question(), text))
	}
	lesson := lesson{parent: base, learn: learn, steps: l.steps(200), seed: seed}
	if more != nil {
		others, err := more(s)
		if err != nil {
			return nil, err
		}
		for i, c := range learn { // twice, since the others are many
			lesson.learn = append(lesson.learn, talk(len(learn)+i, c.Messages[0].Content, c.Messages[1].Content))
		}
		lesson.learn, lesson.steps, lesson.more = append(lesson.learn, others...), l.steps(judgeSteps), long
	}
	tuned, err := l.tune(ctx, lesson)
	if err != nil {
		return nil, err
	}
	s.sft = tuned.dir
	if s.reference, err = l.load(s.sft); err != nil {
		return nil, err
	}
	s.train, s.test = tasks(random, s.learn, l.steps(256)), tasks(random, s.course.test, max(l.steps(120), 16))
	var questions []string
	for _, t := range s.test {
		questions = append(questions, t.question())
	}
	if s.prompts, err = l.prompts(questions); err != nil {
		return nil, err
	}
	s.before, _, err = l.truth(ctx, s.reference, s)
	return s, err
}

// drawn is an answer that was sampled, and where it comes from.
type drawn struct {
	prompt []int32
	reply
}

// truth samples answers to a school's test, and gives their mean true score for each prompt.
func (l *Lab) truth(ctx context.Context, m *llm.Model, s *school) (scores []float64, all []drawn, err error) {
	scores = make([]float64, len(s.test))
	for k := range samples {
		replies, err := l.answers(ctx, m, s.prompts, 1, uint64(1000*k+1))
		if err != nil {
			return nil, nil, err
		}
		for i, r := range replies {
			scores[i] += s.test[i].score(r.text) / samples
			all = append(all, drawn{s.prompts[i], r})
		}
	}
	return scores, all, nil
}

// policy measures what feedback made of a school's model: the true score, its gain over the school's paired by prompt, how far the
// policy went from it, and the form of its answers.
func (l *Lab) policy(ctx context.Context, arm, dir string, s *school) ([]demo.Measure, error) {
	m, err := l.load(dir)
	if err != nil {
		return nil, err
	}
	scores, all, err := l.truth(ctx, m, s)
	if err != nil {
		return nil, err
	}
	gains := make([]float64, len(scores))
	for i := range scores {
		gains[i] = scores[i] - s.before[i]
	}
	k1, k3, err := l.distance(m, s.reference, all)
	if err != nil {
		return nil, err
	}
	return append(l.described(arm, scores, all),
		demo.Measure{Arm: arm, Metric: "gain of true score over SFT", Better: 1, Value: mean(gains), Gains: gains},
		demo.Measure{Arm: arm, Metric: "KL to SFT, nats an answer (k1)", Value: k1},
		demo.Measure{Arm: arm, Metric: "KL to SFT, nats an answer (k3)", Value: k3}), nil
}

// described measures answers alone.
func (l *Lab) described(arm string, scores []float64, all []drawn) []demo.Measure {
	var length, ended float64
	for _, d := range all {
		length += float64(len(d.ids)) / float64(len(all))
		if d.ended {
			ended++
		}
	}
	return []demo.Measure{
		{Arm: arm, Metric: "true score, 0 to 1", Better: 1, Value: mean(scores)},
		{Arm: arm, Metric: "answers that end their turn, %", Better: 1, Value: 100 * ended / float64(len(all)), Trials: len(all)},
		{Arm: arm, Metric: "tokens an answer", Value: length},
	}
}

// start is the first arm of every table of feedback: the school's model.
func (l *Lab) start(ctx context.Context, s *school) ([]demo.Measure, error) {
	scores, all, err := l.truth(ctx, s.reference, s)
	return l.described("SFT", scores, all), err
}

func mean(list []float64) (m float64) {
	for _, x := range list {
		m += x / float64(len(list))
	}
	return m
}

// distance estimates the divergence of a policy from its reference by answers that the policy gave, in nats an answer: the mean over
// answers of the sums of k1 and of k3 over tokens.
func (l *Lab) distance(policy, reference *llm.Model, all []drawn) (k1, k3 float64, err error) {
	p, r := llm.NewTrainer(policy, l.Pool), llm.NewTrainer(reference, l.Pool)
	const at = 16
	for from := 0; from < len(all); from += at {
		b := l.asBatch(all[from:min(from+at, len(all))])
		ours, err := p.Nats(b)
		if err != nil {
			return 0, 0, err
		}
		theirs, err := r.Nats(b)
		if err != nil {
			return 0, 0, err
		}
		for i, t := range b.Targets {
			if t < 0 {
				continue
			}
			a, _ := loss.KL("k1").Of(-float64(ours[i]), -float64(theirs[i]))
			c, _ := loss.KL("k3").Of(-float64(ours[i]), -float64(theirs[i]))
			k1, k3 = k1+a/float64(len(all)), k3+c/float64(len(all))
		}
	}
	if math.IsNaN(k1) || math.IsNaN(k3) {
		return 0, 0, fmt.Errorf("divergence is no number")
	}
	return k1, k3, nil
}

// asBatch puts answers one a row, with the answer's tokens as targets.
func (l *Lab) asBatch(all []drawn) *llm.Batch {
	size := len(all) * positions
	b := &llm.Batch{Rows: len(all), Len: positions, IDs: make([]int32, size), Targets: make([]int32, size), Pos: make([]int32, size)}
	for row, d := range all {
		ids := append(append([]int32{}, d.prompt...), d.ids...)
		if d.ended {
			ids = append(ids, l.template.End())
		}
		for i := range positions {
			at := row*positions + i
			b.IDs[at], b.Targets[at] = max(l.tok.PAD(), 0), -1
			if i < len(ids) {
				b.IDs[at], b.Pos[at] = ids[i], int32(i)
			}
			if i+1 < len(ids) && i+1 >= len(d.prompt) {
				b.Targets[at] = ids[i+1]
			}
		}
	}
	return b
}

// message is a message as files have it.
type message struct {
	Role    string `json:"role"`
	Content string `json:"content"`
}

// write writes rows as JSONL and gives the file's path.
func (l *Lab) write(name string, rows []any) (string, error) {
	dir, err := l.out(name)
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, name+".jsonl")
	f, err := os.Create(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	e := json.NewEncoder(f)
	for _, r := range rows {
		if err := e.Encode(r); err != nil {
			return "", err
		}
	}
	return path, f.Close()
}

// preferences writes choices as a file that dpo and reward read.
func (l *Lab) preferences(list []choice) (string, error) {
	var rows []any
	for _, c := range list {
		rows = append(rows, map[string]any{"prompt": []message{{chat.User, c.question()}},
			"chosen": []message{{chat.Assistant, c.chosen()}}, "rejected": []message{{chat.Assistant, c.rejected()}}})
	}
	return l.write("preferences", rows)
}

// thumb is a judged answer.
type thumb struct {
	task
	text string
	good bool
}

// thumbs writes judged answers as a file that kto reads.
func (l *Lab) thumbs(list []thumb) (string, error) {
	var rows []any
	for _, t := range list {
		rows = append(rows, map[string]any{"prompt": []message{{chat.User, t.question()}}, "completion": []message{{chat.Assistant, t.text}}, "label": t.good})
	}
	return l.write("thumbs", rows)
}

// sampled lets a model answer tasks n times each, at temperature 1.
func (l *Lab) sampled(ctx context.Context, m *llm.Model, list []task, n int, seed uint64) ([][]string, error) {
	var questions []string
	for _, t := range list {
		questions = append(questions, t.question())
	}
	prompts, err := l.prompts(questions)
	if err != nil {
		return nil, err
	}
	out := make([][]string, len(list))
	for k := range n {
		replies, err := l.answers(ctx, m, prompts, 1, seed<<16+uint64(k)<<10+1)
		if err != nil {
			return nil, err
		}
		for i, r := range replies {
			out[i] = append(out[i], r.text)
		}
	}
	return out, nil
}

// extremes pairs, for each task, the best and the worst of some answers by a score; ties and empty answers make no pair.
func extremes(list []task, texts [][]string, score func(t task, text string) float64) (out []choice) {
	for i, t := range list {
		best, worst := "", ""
		high, low := math.Inf(-1), math.Inf(1)
		for _, text := range texts[i] {
			if text == "" {
				continue
			}
			s := score(t, text)
			if s > high {
				best, high = text, s
			}
			if s < low {
				worst, low = text, s
			}
		}
		if high > low {
			out = append(out, choice{t, [2]string{best, worst}, 0})
		}
	}
	return out
}
