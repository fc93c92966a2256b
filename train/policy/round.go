package policy

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"winnow/train/llm"
	"winnow/train/loss"
	"winnow/train/monitor"
	"winnow/train/reward"
	"winnow/train/tune"
)

// Work is what a run learns from, and by.
type Work struct {
	Prompts []Prompt
	Files   []string         // that the prompts come from, for the lineage
	Rows    map[string]int64 // read of each
	Reward  reward.Scorer
	True    reward.Scorer // what is really wanted, where it is known: measured, never learnt from; may be nil
	Head    *llm.Head     // PPO: what the value head begins from; nil: zeros
}

// BudgetError is a policy that went beyond its budget of KL before a validation had found one within it.
type BudgetError struct {
	Step       int
	KL, Budget float64 // nats a response
}

// Error says what to do.
func (e *BudgetError) Error() string {
	return fmt.Sprintf("step %d: KL is %.2f nats a response, the budget %.2f, and no model within it was validated: lower the learning rate, or validate more often", e.Step, e.KL, e.Budget)
}

// answer is one answer of a round with all that is known of it. What goes by tokens has one value for each of the answer's.
type answer struct {
	reward.Answer
	group     int // number of its prompt in the round
	score     float64
	truth     float64
	before    []float64 // log-probabilities under the policy that wrote it, by the training forward
	reference []float64 // and under the reference
	entropy   []float64
	values    []float64 // PPO: of the states before each token
	returns   []float64
	advantage []float64
}

// earned is the score less the penalty of an answer without an end, held to the limit.
func (a *answer) earned(s *Settings) float64 {
	v := a.score
	if !a.Ended {
		v -= s.Missing
	}
	if s.Limit > 0 {
		v = min(max(v, -s.Limit), s.Limit)
	}
	return v
}

// divergence is the estimate of KL(policy‖reference) over the answer, in nats.
func (a *answer) divergence(k loss.KL) (sum float64) {
	for t := range a.before {
		nats, _ := k.Of(a.before[t], a.reference[t])
		sum += nats
	}
	return sum
}

// state is what a checkpoint keeps of a method.
type state struct {
	Watch *monitor.Watch `json:"watch"`
	Kappa float64        `json:"kappa"` // the KL coefficient as it is now
	Mean  float64        `json:"mean"`  // of rewards so far, the baseline of REINFORCE
	Seen  bool           `json:"seen"`  // Mean is known
	Kept  bool           `json:"kept"`  // a model within the KL budget was validated
}

// method is what both loops share: the run, and what answers are written and measured with.
type method struct {
	*tune.Run
	s            Settings
	w            Work
	state        state
	writer       *Writer
	reference    *tune.Reference
	head         *llm.Head // nil without a value head
	learnt, held []encoded
}

// open makes everything ready up to the first round.
func open(o tune.Options, s Settings, w Work, kind string) (*method, error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	if len(w.Prompts) == 0 {
		return nil, errors.New("policy: no prompts")
	}
	if o.Score == "" {
		o.Score = monitor.Reward
	}
	r, err := tune.Open(o, kind, s)
	if err != nil {
		return nil, err
	}
	m := &method{Run: r, s: s, w: w}
	if err := m.prepare(); err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return m, nil
}

func (m *method) prepare() error {
	all, err := encode(m.Run, m.w.Prompts, m.s.MaxTokens)
	if err != nil {
		return err
	}
	if m.learnt, m.held = divide(all, m.s.Held, m.Seed); len(m.learnt) == len(all) {
		m.Warn("validated on prompts that are learnt from, too: there are too few, or none is held out", "验证所用提示也参与训练：提示太少，或没有留出")
	}
	longest := 0
	for _, p := range all {
		longest = max(longest, len(p.ids))
	}
	work := tune.Work{Epoch: (len(m.learnt) + m.s.Prompts - 1) / m.s.Prompts * m.s.Updates(), Extra: &m.state}
	if work.Data, err = tune.DataOf(m.w.Files, m.w.Rows); err != nil {
		return err
	}
	if model, ok := m.w.Reward.(*RewardModel); ok {
		if err := model.fits(m.Run); err != nil {
			return err
		}
		work.Parents = append(work.Parents, *model.Info)
	}
	work.Scores = map[string]bool{monitor.Reward: true, monitor.KL: false, monitor.Ended: true}
	if m.w.True != nil {
		work.Scores[monitor.True] = true
	}
	if m.s.Method == monitor.PPO {
		if m.head = m.w.Head; m.head == nil {
			m.head = llm.ZeroHead(m.Model.Config) // first values from chance can be several times as wide as rewards, and then wreck the policy
		}
		work.Join = m.head.Params()
	}
	m.state = state{Watch: monitor.New(m.s.Method, monitor.Limits{KLBudget: m.s.Budget, MaxTokens: float64(m.s.MaxTokens), Group: m.s.Samples}), Kappa: m.s.Beta}
	if m.reference, err = m.Reference(); err != nil {
		return err
	}
	if err := m.Begin(work); err != nil {
		return err
	}
	m.writer, err = NewWriter(m.Model, m.Pool, m.s.Slots, min(longest+m.s.MaxTokens, m.Model.Context))
	return err
}

// write lets the model answer prompts, so many times each, and scores the answers. seed tells one sampling from another.
func (m *method) write(ctx context.Context, prompts []encoded, samples int, seed ...uint64) ([]*answer, error) {
	begin := time.Now()
	m.writer.Reload()
	var asks []Ask
	for i, p := range prompts {
		for k := range samples {
			asks = append(asks, Ask{Prompt: p.ids, Stop: p.stop, Most: m.s.MaxTokens, Seed: seedOf(append(seed, m.Seed, uint64(i), uint64(k))...)})
		}
	}
	written, err := m.writer.Write(ctx, asks)
	if err != nil {
		return nil, err
	}
	m.Spent("generate", begin)
	list, seen := make([]*answer, len(written)), make([]reward.Answer, len(written))
	for i, w := range written {
		p := &prompts[i/samples]
		seen[i] = reward.Answer{Prompt: p.text, Messages: p.Messages, Text: text(m.Run, p, w), Ended: w.Ended, IDs: append(p.ids[:len(p.ids):len(p.ids)], w.IDs...),
			From: len(p.ids), Columns: p.Columns}
		list[i] = &answer{Answer: seen[i], group: i / samples}
	}
	return list, m.score(ctx, list, seen)
}

func (m *method) score(ctx context.Context, list []*answer, seen []reward.Answer) error {
	defer m.Spent("score", time.Now())
	scores, err := m.w.Reward.Score(ctx, seen)
	if err == nil {
		err = reward.Check(scores, seen)
	}
	if err != nil {
		return err
	}
	for i, a := range list {
		a.score = scores[i]
	}
	if m.w.True == nil {
		return nil
	}
	if scores, err = m.w.True.Score(ctx, seen); err == nil {
		err = reward.Check(scores, seen)
	}
	if err != nil {
		return fmt.Errorf("true reward: %w", err)
	}
	for i, a := range list {
		a.truth = scores[i]
	}
	return nil
}

// look fills log-probabilities, entropies and values by the training forward on the rows that are learnt from, and the reference's.
func (m *method) look(batches []*batch) error {
	begin := time.Now()
	for _, b := range batches {
		o, err := m.Trainer.Outputs(&b.Batch, m.head)
		if err != nil {
			return err
		}
		for i, a := range b.answers {
			from, to := b.at[i], b.at[i]+a.Tokens()
			a.before, a.entropy = negative(o.Nats[from:to]), double(o.Entropy[from:to])
			if o.Values != nil {
				a.values = double(o.Values[from:to])
			}
		}
	}
	m.Spent("old log-probabilities", begin)
	defer m.Spent("reference", time.Now())
	for _, b := range batches {
		nats, err := m.reference.Nats(&b.Batch)
		if err != nil {
			return err
		}
		for i, a := range b.answers {
			a.reference = negative(nats[b.at[i] : b.at[i]+a.Tokens()])
		}
	}
	return nil
}

// minibatches divides answers anew for each pass.
func (m *method) minibatches(answers []*answer, round int64, pass int) (list [][]*answer) {
	order := rand.New(rand.NewPCG(seedOf(m.Seed, uint64(round)), uint64(pass))).Perm(len(answers))
	n := m.s.Minibatches
	for i := range n {
		var part []*answer
		for _, k := range order[i*len(answers)/n : (i+1)*len(answers)/n] {
			part = append(part, answers[k])
		}
		list = append(list, part)
	}
	return list
}

func negative(nats []float32) []float64 {
	out := make([]float64, len(nats))
	for i, v := range nats {
		out[i] = -float64(v)
	}
	return out
}

func double(list []float32) []float64 {
	out := make([]float64, len(list))
	for i, v := range list {
		out[i] = float64(v)
	}
	return out
}

// measures says how the policy that wrote the answers does.
func (m *method) measures(answers []*answer) monitor.Values {
	v := monitor.Values{monitor.Ended: 0}
	var tokens, squares float64
	dead, first := map[int]bool{}, map[int]float64{}
	for _, a := range answers {
		n := float64(len(answers))
		v[monitor.Reward] += a.score / n
		if m.w.True != nil {
			v[monitor.True] += a.truth / n
		}
		v[monitor.KL] += a.divergence(loss.K1) / n
		v[monitor.K3] += a.divergence(loss.K3) / n
		v[monitor.Length] += float64(a.Tokens()) / n
		tokens += float64(a.Tokens())
		if a.Ended {
			v[monitor.Ended] += 1 / n
		}
		for _, e := range a.entropy {
			v[monitor.Entropy] += e
		}
		earned := a.earned(&m.s)
		if before, seen := first[a.group]; !seen {
			first[a.group], dead[a.group] = earned, true
		} else if before != earned {
			dead[a.group] = false
		}
	}
	v[monitor.Entropy] /= max(tokens, 1)
	for _, a := range answers {
		squares += (a.score - v[monitor.Reward]) * (a.score - v[monitor.Reward])
	}
	v[monitor.RewardSD] = math.Sqrt(squares / float64(len(answers)))
	if m.s.Samples > 1 && len(answers) > len(first) {
		n := 0
		for _, is := range dead {
			if is {
				n++
			}
		}
		v[monitor.Dead] = float64(n) / float64(len(first))
	}
	return v
}
