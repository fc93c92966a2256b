// Package rows makes rows of tokens out of documents. Kept documents of runs and a tokenizer flow in; rows of a fixed length
// with inputs, targets and positions flow out, and a ledger that says where every token went.
//
// Text is tokenised once (Tokenize) into a file of ids. Holdout takes documents for evaluation away, whole duplicate clusters
// at a time. A Stream is an endless sequence of rows out of weighted sources, each epoch of a source in another order; what a
// row holds is a pure function of the seed, the row's number and the lengths of the documents, so the whole state of reading is
// one int64. A Plan is one epoch of one source.
//
// A document of n text tokens is n+1 pairs of input and target: bos to the first token, each token to the next, the last to
// eos. So every byte of text is a target exactly once an epoch, and eos is never an input. Pairs that do not fit a row go on in
// another one. Documents stand isolated: positions begin at 0 in each piece.
//
// For fine-tuning, Sequences are ids with marks of what is to be learnt, and Masked makes rows of them by the same plan; a
// sequence is never divided.
package rows
