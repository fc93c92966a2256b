// Package fasttext reads supervised models of fastText, whole (.bin) or quantised (.ftz), and predicts with them in pure Go.
// The bytes of a model flow in, then one line of text at a time; labels with their probabilities flow out, equal to those of
// fastText 0.9.2 but for the last bits of a float.
//
// What is kept of fastText, because models were trained with it: tokens end at space, LF, CR, tab, VT, FF and NUL alone; a line
// ends with the token </s>, which counts as a word; the hash is FNV-1a over sign-extended bytes, so that bytes from 0x80
// differ from the usual FNV; words that the dictionary lacks have character n-grams alone; a probability is exp(log(p+1e-5)).
package fasttext
