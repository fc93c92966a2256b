// Package align shows on small models what the field says of fine-tuning and of learning from feedback. A seed flows in; outcomes,
// one line for each arm and measure, flow out.
//
// All data are made here: people and their facts, questions, instructions with a scorer that knows the truth, preferences, noise, in
// English and Chinese. Base models are made once and kept by the hash of what they are made from; seeds vary the stage under test.
package align
