package loss

import (
	"encoding/json"
	"os"
	"testing"
)

// fixture is one call of a function of TRL (testdata/fixtures.py): its inputs, its loss and its gradients.
type fixture struct {
	Kind, Name, Aggregation, Estimator                string
	Beta, Smoothing, Gamma, Anchor, Centring, Lambda_ float64
	Chosen, Rejected, Before, Policy, Old, Reference  json.RawMessage
	Tokens, Lengths                                   []int
	Good, Bad, Low, High, Kappa, KL, Target, Horizon  float64
	Clip, Coefficient, Loss                           float64
	Labels                                            []bool
	Sequence                                          bool
	Longest, N                                        int
	Mismatched, Margins, Slope, Losses, Scores        []float64
	Student, Teacher                                  []float64
	Slopes, SlopesValue, Values, Rewards, Returns     [][]float64
	New, Predicted                                    [][]float64
	Advantages                                        json.RawMessage
}

func read[T any](t *testing.T, raw json.RawMessage) (v T) {
	t.Helper()
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

const within = 1e-5 // TRL computes in float32

func TestTRL(t *testing.T) {
	text, err := os.ReadFile("testdata/fixtures.json")
	if err != nil {
		t.Fatal(err)
	}
	var all struct {
		TRL   string
		Cases []fixture
	}
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	kinds := map[string]func(*testing.T, fixture){"pair": pairCase, "kto": ktoCase, "reward": rewardCase, "policy": policyCase,
		"divergence": divergenceCase, "adaptive": adaptiveCase, "ppo": ppoCase}
	count := map[string]int{}
	for _, c := range all.Cases {
		count[c.Kind]++
		t.Run(c.Kind+"/"+c.Name+c.Aggregation+c.Estimator, func(t *testing.T) { kinds[c.Kind](t, c) })
	}
	for kind := range kinds {
		if count[kind] == 0 {
			t.Errorf("no case of %s", kind)
		}
	}
	t.Logf("TRL %s: %v", all.TRL, count)
}

func pairCase(t *testing.T, c fixture) {
	p, err := PreferenceNamed(c.Name)
	if err != nil {
		t.Fatal(err)
	}
	before := read[[]float64](t, c.Before)
	v, s := p.Of(Pair{Chosen: read[float64](t, c.Chosen), Rejected: read[float64](t, c.Rejected), ChosenBefore: before[0], RejectedBefore: before[1],
		ChosenTokens: c.Tokens[0], RejectedTokens: c.Tokens[1]}, PairOptions{c.Beta, c.Smoothing, c.Gamma, c.Anchor})
	near(t, "loss", v, c.Loss, within*max(1, c.Loss))
	nearAll(t, "slopes", []float64{s.Chosen, s.Rejected}, c.Slope, within)
}

func ktoCase(t *testing.T, c fixture) {
	policy, before := read[[]float64](t, c.Policy), read[[]float64](t, c.Before)
	zero := KTOZero(c.Mismatched)
	var sum float64
	for i, good := range c.Labels {
		v, s := KTO(policy[i]-before[i], zero, good, KTOOptions{c.Beta, c.Good, c.Bad})
		sum += v
		near(t, "slope", s/float64(len(c.Labels)), c.Slope[i], within)
	}
	near(t, "loss", sum/float64(len(c.Labels)), c.Loss, within)
}

func rewardCase(t *testing.T, c fixture) {
	chosen, rejected := read[[]float64](t, c.Chosen), read[[]float64](t, c.Rejected)
	var sum float64
	for i := range chosen {
		v, dw, dl := BradleyTerry(chosen[i], rejected[i], c.Margins[i], c.Centring)
		sum += v
		nearAll(t, "slopes", []float64{dw / 3, dl / 3}, []float64{c.Slope[i], c.Slope[3+i]}, within)
	}
	near(t, "loss", sum/3, c.Loss, within)
}

func policyCase(t *testing.T, c fixture) {
	policy, old, reference := read[[][]float64](t, c.Policy), read[[][]float64](t, c.Old), read[[][]float64](t, c.Reference)
	advantages := read[[]float64](t, c.Advantages)
	weights, err := TokenWeights(c.Aggregation, c.Lengths, c.Longest)
	if err != nil {
		t.Fatal(err)
	}
	clip := Clip{Low: c.Low, High: c.High}
	var sum float64
	for i, n := range c.Lengths {
		sv, ss, _ := clip.Sequence(policy[i][:n], old[i][:n], advantages[i])
		for j := range n {
			v, s, _ := clip.Policy(policy[i][j], old[i][j], advantages[i])
			if c.Sequence {
				v, s = sv, ss*float64(n) // the derivative of each of the n equal terms, summed
			}
			kl, slope := K3.Of(policy[i][j], reference[i][j])
			sum += weights[i] * (v + c.Beta*kl)
			near(t, "slope", weights[i]*(s+c.Beta*slope), c.Slopes[i][j], within)
		}
	}
	near(t, "loss", sum, c.Loss, within)
}

func divergenceCase(t *testing.T, c fixture) {
	v, g := Divergence(LogSoftmax(c.Teacher, 1), LogSoftmax(c.Student, 1), c.Beta)
	near(t, "divergence", v, c.Loss, within)
	nearAll(t, "slopes", g, c.Slope, within)
}

func adaptiveCase(t *testing.T, c fixture) {
	near(t, "kappa", AdaptiveKL(c.Kappa, c.KL, c.Target, c.N, c.Horizon), c.Loss, within)
}

func ppoCase(t *testing.T, c fixture) {
	policy, reference := read[[][]float64](t, c.Policy), read[[][]float64](t, c.Reference)
	var whitened, returns []float64
	for i := range policy {
		kl := make([]float64, len(policy[i]))
		for j := range kl {
			kl[j], _ = KL(c.Estimator).Of(policy[i][j], reference[i][j])
		}
		rewards := TokenRewards(kl, c.Kappa, c.Scores[i], 0)
		nearAll(t, "rewards", rewards, c.Rewards[i], within)
		a, g := GAE(rewards, c.Values[i], .97, c.Lambda_)
		nearAll(t, "returns", g, c.Returns[i], within)
		whitened, returns = append(whitened, a...), append(returns, g...)
	}
	Whiten(whitened, nil, false)
	var sum, sumValue float64
	n := float64(len(whitened))
	width := len(policy[0])
	for k, a := range whitened {
		i, j := k/width, k%width
		near(t, "advantage", a, read[[][]float64](t, c.Advantages)[i][j], within)
		v, s, _ := Clip{Low: c.Clip, High: c.Clip}.Policy(c.New[i][j], policy[i][j], a)
		sum += v / n
		near(t, "slope", s/n, c.Slopes[i][j], within)
		v, s, _ = ValueClip(c.Predicted[i][j], c.Values[i][j], returns[k], c.Clip)
		sumValue += c.Coefficient * v / n
		near(t, "slope of value", c.Coefficient*s/n, c.SlopesValue[i][j], within)
	}
	near(t, "policy loss", sum, c.Losses[0], within)
	near(t, "value loss", sumValue, c.Losses[1], within)
}
