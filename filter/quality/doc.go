// Package quality judges documents by models: classifiers of winnow's own (classify), fastText's (fasttext), and language models
// (kenlm). Through its stages flow Documents; scores, ranks, buckets and topics flow out as signals, with a verdict by bounds on
// them. It also asks language models for labels, and compares annotators.
package quality
