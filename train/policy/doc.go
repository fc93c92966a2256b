// Package policy tunes a model by rewards of its own answers. Prompts, a reward.Scorer and a parent flow in; a model that earns more flows
// out, with the measures of every round.
//
// A round writes answers (Writer), scores them, and asks the training forward for their log-probabilities under the policy and under its
// reference, on the very rows that are learnt from; then come one or more updates. Free is the loop of the methods without a value head:
// REINFORCE, RLOO, GRPO. PPO is the loop with one. State changes only between rounds, so that a run that was killed anywhere goes on to
// the same bytes.
package policy
