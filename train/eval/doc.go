// Package eval tells what a model knows. A model, a tokenizer and texts or questions flow in; bits per byte beside what counting
// and compressing give on the same bytes, rates with intervals, ranks and exposures flow out.
//
// Whatever gives likelihoods is a Model (llm.Trainer is one), so that everything here works on a trained model, on a fake one in
// tests, and on the model of a training loop between two steps.
package eval
