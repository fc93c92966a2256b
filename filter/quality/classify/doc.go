// Package classify trains and runs small classifiers of texts. Labelled texts flow into Train and a Model and its Card flow
// out; through a Model flow texts, and for each a probability of every class.
//
// The features are fastText's (Joulin et al. 2016): n-grams of words, and of characters within words, hashed into buckets. A
// linear model has one weight a bucket and class; one with a hidden layer has a vector a bucket, and a layer of
// units over their mean. Training is spago's: its gradient and its AdaGrad. Weights are rounded to one byte, so that scoring
// adds integers. A held-out part of the texts calibrates the scores and measures them.
package classify
