// Package prefer learns from judgements of answers: which of two is better, or whether one is good.
//
// A parent model folder and files of preferences or of judged answers flow in; out flow, through package tune, a reward model
// (Reward), or a policy that prefers the better answers (DPO with its relatives, KTO). Each method is one loop: both answers of a pair
// go through one batch and one pass, in which no sequence sees another, and the losses are package loss's. What a reward model
// says of answers is read by a Scorer.
package prefer
