package policy

import (
	"errors"
	"fmt"
	"math"

	"winnow/train/loss"
	"winnow/train/monitor"
)

// Settings are what a method is told, beside tune.Settings. Usual gives what is usual.
type Settings struct {
	Method      monitor.Method `json:"method"`      // reinforce, rloo, grpo, ppo
	Reward      string         `json:"reward"`      // what scores the answers, in words that change when it does
	True        string         `json:"true_reward"` // likewise, of what is measured beside it; may be empty
	Prompts     int            `json:"prompts"`     // a round
	Samples     int            `json:"samples"`     // answers a prompt
	MaxTokens   int            `json:"max_tokens"`  // of an answer, its end of turn included
	Passes      int            `json:"passes"`      // over a round's answers
	Minibatches int            `json:"minibatches"` // updates of a pass
	ClipLow     float64        `json:"clip_low"`    // ratios below 1 - ClipLow and above 1 + ClipHigh have no gradient
	ClipHigh    float64        `json:"clip_high"`
	Aggregation string         `json:"aggregation"` // of tokens into a loss: dapo, grpo, dr_grpo
	Advantage   loss.Baseline  `json:"advantage"`   // what a reward is compared with; PPO: its value head
	Whiten      bool           `json:"whiten"`      // advantages are scaled to variance 1 over a round; those of PPO also brought to mean 0
	Beta        float64        `json:"kl_coefficient"`
	Estimator   loss.KL        `json:"kl_estimator"`        // of the KL that is paid for
	InLoss      bool           `json:"kl_in_loss"`          // the KL is paid for in the loss; else out of the reward
	Budget      float64        `json:"kl_budget"`           // nats a response at which the run stops; 0: none
	Missing     float64        `json:"missing_end_penalty"` // taken off the reward of an answer that does not end
	Limit       float64        `json:"reward_limit"`        // rewards are held to ±Limit; 0: not
	Held        int            `json:"held_prompts"`        // prompts to validate on; below 0: a tenth, where there are 40 or more
	Gamma       float64        `json:"gamma,omitempty"`     // PPO from here on: discount a token
	Lambda      float64        `json:"lambda,omitempty"`    // of generalised advantage estimates
	ValueClip   float64        `json:"value_clip,omitempty"`
	ValueCost   float64        `json:"value_coefficient,omitempty"`
	Value       string         `json:"value_head,omitempty"` // hash of the reward model that the value head begins from; empty: from chance
	Target      float64        `json:"kl_target,omitempty"`  // nats a response that the KL coefficient is adapted to; 0: it is fixed
	Horizon     float64        `json:"kl_horizon,omitempty"` // answers
	Entropy     float64        `json:"entropy_bonus,omitempty"`
	Slots       int            `json:"-"`         // answers written at a time; makes no difference to what comes of it
	Positions   int            `json:"positions"` // of a micro-batch, about
}

// Usual gives a method's usual settings: those of its paper or of TRL, for rounds of 64 answers.
func Usual(m monitor.Method) Settings {
	s := Settings{Method: m, Prompts: 8, Samples: 8, MaxTokens: 64, Passes: 1, Minibatches: 1, ClipLow: .2, ClipHigh: .2, Aggregation: "dapo", Estimator: loss.K1,
		Budget: 10, Missing: 1, Held: -1, Slots: 16, Positions: 4096}
	switch m {
	case monitor.Reinforce:
		s.Prompts, s.Samples, s.Advantage, s.Whiten, s.Beta = 64, 1, loss.None, true, .05
	case monitor.RLOO:
		s.Prompts, s.Samples, s.Advantage, s.Beta = 16, 4, loss.RLOO, .05
	case monitor.GRPO:
		s.Advantage, s.Beta, s.Estimator, s.InLoss = loss.GRPO, .04, loss.K3, true
	case monitor.PPO:
		s.Prompts, s.Samples, s.Passes, s.Minibatches, s.Whiten, s.Beta, s.Limit = 64, 1, 4, 4, true, .05, 10
		s.Gamma, s.Lambda, s.ValueClip, s.ValueCost, s.Horizon = 1, .95, .2, .1, 10000
	}
	return s
}

// Updates is the number of updates of a round.
func (s Settings) Updates() int { return s.Passes * s.Minibatches }

// Check says what no run can follow.
func (s Settings) Check() error {
	switch s.Method {
	case monitor.Reinforce, monitor.RLOO, monitor.GRPO, monitor.PPO:
	default:
		return fmt.Errorf("policy: no method %q", s.Method)
	}
	for name, v := range map[string]float64{"clip": s.ClipLow, "clip-high": s.ClipHigh, "kl": s.Beta, "kl-budget": s.Budget, "reward-limit": s.Limit,
		"value-clip": s.ValueClip, "value-coefficient": s.ValueCost, "kl-target": s.Target, "kl-horizon": s.Horizon, "entropy-bonus": s.Entropy} {
		if v < 0 || math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("%s of %g", name, v)
		}
	}
	switch {
	case s.Prompts < 1 || s.Samples < 1 || s.MaxTokens < 1 || s.Passes < 1 || s.Minibatches < 1 || s.Slots < 1 || s.Positions < 1:
		return errors.New("prompts, samples, max-tokens, passes, minibatches, slots: at least 1 of each")
	case s.Prompts*s.Samples < s.Minibatches:
		return fmt.Errorf("%d minibatches of %d answers", s.Minibatches, s.Prompts*s.Samples)
	case s.Samples < 2 && (s.Advantage == loss.GRPO || s.Advantage == loss.RLOO || s.Advantage == loss.DrGRPO):
		return fmt.Errorf("%s compares the answers to a prompt: at least 2 samples", s.Method)
	case s.Gamma < 0 || s.Gamma > 1 || s.Lambda < 0 || s.Lambda > 1:
		return errors.New("gamma and lambda lie between 0 and 1")
	case s.Target > 0 && s.Horizon == 0:
		return errors.New("kl-target: needs a horizon")
	}
	if err := s.Estimator.Check(); err != nil {
		return err
	}
	_, err := loss.TokenWeights(s.Aggregation, []int{1}, s.MaxTokens)
	return err
}
