package policy

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"winnow/train/llm"
	"winnow/train/loss"
	"winnow/train/monitor"
	"winnow/train/reward"
	"winnow/train/tune"
)

// made is an answer of so many tokens with what the tests need.
func made(n, group int, score float64) *answer {
	a := &answer{Answer: reward.Answer{IDs: make([]int32, 3+n), From: 3, Ended: true}, group: group, score: score}
	a.before, a.reference = make([]float64, n), make([]float64, n)
	return a
}

func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if math.Abs(got-want) > 1e-9 {
		t.Errorf("%s: %.10f, want %.10f", what, got, want)
	}
}

// TestGroups: the worked numbers of GRPO and RLOO come through the loop's own path from scores to advantages of tokens.
func TestGroups(t *testing.T) {
	for _, c := range []struct {
		method    monitor.Method
		good, bad float64
		beta      float64
	}{
		{monitor.GRPO, 1.2073814406, -.7244288644, .04},
		{monitor.RLOO, .7142857143, -.4285714286, 0},
	} {
		s := Usual(c.method)
		s.Beta = c.beta
		m := &method{s: s, state: state{Kappa: s.Beta}, Run: new(tune.Run)}
		var answers []*answer
		for i, r := range []float64{1, 0, 0, 1, 1, 0, 0, 0} {
			answers = append(answers, made(2+i%3, 0, r))
		}
		if err := m.compare(answers, 8); err != nil {
			t.Fatal(err)
		}
		for i, a := range answers {
			want := c.bad
			if i == 0 || i == 3 || i == 4 {
				want = c.good
			}
			if len(a.advantage) != a.Tokens() {
				t.Fatalf("%d advantages of %d tokens", len(a.advantage), a.Tokens())
			}
			for _, v := range a.advantage {
				near(t, fmt.Sprintf("%s answer %d", c.method, i), v, want)
			}
		}
	}
}

// TestPenalties: the KL comes out of the reward before answers are compared; so does the penalty of an answer that does not end.
func TestPenalties(t *testing.T) {
	s := Usual(monitor.RLOO)
	s.Beta = .5
	m := &method{s: s, state: state{Kappa: s.Beta}, Run: new(tune.Run)}
	a, b := made(2, 0, 1), made(1, 0, 1)
	a.before, a.reference = []float64{-1, -1}, []float64{-1.4, -1} // k1 of .4
	b.Ended = false
	if err := m.compare([]*answer{a, b}, 2); err != nil {
		t.Fatal(err)
	}
	near(t, "ended", a.advantage[0], .8-0)
	near(t, "cut off", b.advantage[0], 0-.8)
	v := m.measures([]*answer{a, b})
	near(t, "k1", v[monitor.KL], .2)
	near(t, "k3", v[monitor.K3], .0703200460/2)
	near(t, "ended", v[monitor.Ended], .5)
	near(t, "dead", v[monitor.Dead], 0)
	near(t, "length", v[monitor.Length], 1.5)
}

// TestAdvantagesOfPPO: rewards by tokens, advantages and returns are the worked numbers, the score lies on the last token, and whitening
// goes over all tokens of the round.
func TestAdvantagesOfPPO(t *testing.T) {
	s := Usual(monitor.PPO)
	s.Beta = .1
	m := &method{s: s, state: state{Kappa: .1}, Run: new(tune.Run)}
	a := made(3, 0, 1)
	a.before, a.reference = []float64{-1, -1, -1}, []float64{-1.2, -.9, -1.3} // k1 .2, -.1, .3: rewards -.02, .01, .97
	a.values = []float64{.1, .2, .4}
	values := monitor.Values{}
	m.estimate([]*answer{a}, values)
	for i, want := range []float64{.7464360877, .3897525771, -1.1361886648} {
		if math.Abs(a.advantage[i]-want) > 1e-6 { // the root has 1e-8 in it
			t.Errorf("advantage %d: %.10f, want %.10f", i, a.advantage[i], want)
		}
	}
	for i, want := range []float64{.893925, .9515, .97} {
		near(t, fmt.Sprintf("return %d", i), a.returns[i], want)
	}
	if _, ok := values[monitor.Explained]; !ok {
		t.Error("explained variance is not measured")
	}
	near(t, "limit", (&answer{Answer: reward.Answer{Ended: true}, score: 40}).earned(&s), 10)
}

// TestLossesAndDerivatives: the loss of a micro-batch has the worked numbers of the clip, and its derivatives are those of finite
// differences, with KL in the loss, an entropy's bonus and values.
func TestLossesAndDerivatives(t *testing.T) {
	s := Usual(monitor.PPO)
	m := &method{s: s, Run: new(tune.Run)}
	one := func(advantage, ahead float64) float64 {
		a := made(1, 0, 0)
		a.before, a.advantage, a.values, a.returns = []float64{-1}, []float64{advantage}, []float64{0}, []float64{0}
		b := pack([]*answer{a}, 64)[0]
		o := llm.Outputs{Nats: make([]float32, 3), Entropy: make([]float32, 3)}
		o.Nats[b.at[0]] = float32(1 - ahead)
		return m.losses(b, map[*answer]float64{a: 1}, o, llm.Gradients{Nats: make([]float32, 3), Entropy: make([]float32, 3)}, new(spread))
	}
	for _, c := range [][3]float64{{1, .3, -1.2}, {-1, .3, 1.3498588076}, {-1, -.3, .8}, {1, -.3, -.7408182207}} {
		if got := one(c[0], c[1]); math.Abs(got-c[2]) > 1e-6 {
			t.Errorf("advantage %g, %g ahead: %.8f, want %.8f", c[0], c[1], got, c[2])
		}
	}
	s.InLoss, s.Entropy, s.Estimator, s.ClipLow, s.ClipHigh = true, .1, loss.K3, .9, .9
	m.s, m.state.Kappa = s, .3
	a, c := made(3, 0, 0), made(2, 0, 0)
	for i, x := range []*answer{a, c} {
		for k := range x.before {
			x.before[k], x.reference[k] = -1-.1*float64(k), -1.2+.2*float64(k+i)
			x.advantage, x.values, x.returns = append(x.advantage, .5-float64(k)), append(x.values, .1), append(x.returns, .3*float64(k))
		}
	}
	b := pack([]*answer{a, c}, 64)[0]
	n := len(b.IDs)
	o := llm.Outputs{Nats: make([]float32, n), Entropy: make([]float32, n), Values: make([]float32, n)}
	for i := range n {
		o.Nats[i], o.Entropy[i], o.Values[i] = 1+.05*float32(i), .5, .05*float32(i)
	}
	weights := map[*answer]float64{a: .2, c: .7}
	of := func() (float64, llm.Gradients) {
		g := llm.Gradients{Nats: make([]float32, n), Entropy: make([]float32, n), Values: make([]float32, n)}
		return m.losses(b, weights, o, g, new(spread)), g
	}
	_, g := of()
	for name, pair := range map[string][2][]float32{"nats": {o.Nats, g.Nats}, "entropy": {o.Entropy, g.Entropy}, "values": {o.Values, g.Values}} {
		for i := range n {
			old := pair[0][i]
			pair[0][i] = old + 1.0/128
			up, _ := of()
			pair[0][i] = old - 1.0/128
			down, _ := of()
			pair[0][i] = old
			if slope := (up - down) * 64; math.Abs(slope-float64(pair[1][i])) > 2e-4 {
				t.Errorf("%s at %d: derivative %g, differences give %g", name, i, pair[1][i], slope)
			}
		}
	}
}

// TestPack: each token of each answer is a target once, at the place that is told; positions begin anew for each answer and for padding.
func TestPack(t *testing.T) {
	var answers []*answer
	for i := range 17 {
		a := made(1+i%5, i, 0)
		for k := range a.IDs {
			a.IDs[k] = int32(100*i + k)
		}
		answers = append(answers, a)
	}
	seen := map[*answer]int{}
	for _, b := range pack(answers, 20) {
		targets := 0
		for i, a := range b.answers {
			seen[a]++
			for k := range a.Tokens() {
				at := b.at[i] + k
				if b.Targets[at] != a.IDs[a.From+k] || b.IDs[at] != a.IDs[a.From+k-1] || b.Pos[at] != int32(a.From+k-1) {
					t.Fatalf("token %d of answer %d stands wrong", k, a.group)
				}
				targets++
			}
		}
		for _, x := range b.Targets {
			if x >= 0 {
				targets--
			}
		}
		if targets != 0 || b.Rows*b.Len > 24 {
			t.Errorf("%d targets too few, %d positions", targets, b.Rows*b.Len)
		}
	}
	for _, a := range answers {
		if seen[a] != 1 {
			t.Errorf("answer %d is in %d batches", a.group, seen[a])
		}
	}
}

func TestChosenGoesThroughAllPrompts(t *testing.T) {
	list := make([]encoded, 7)
	for i := range list {
		list[i].text = fmt.Sprint(i)
	}
	var order []string
	for at := int64(0); at < 21; at += 3 {
		for _, p := range chosen(list, 5, at, 3) {
			order = append(order, p.text)
		}
	}
	for epoch := range 3 {
		part := slices.Clone(order[epoch*7 : epoch*7+7])
		slices.Sort(part)
		if fmt.Sprint(part) != "[0 1 2 3 4 5 6]" {
			t.Errorf("epoch %d: %v", epoch, part)
		}
	}
	if slices.Equal(order[:7], order[7:14]) {
		t.Error("two epochs in one order")
	}
}
