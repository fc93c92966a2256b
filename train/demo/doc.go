// Package demo shows on small models what the field says of large ones, with honest numbers. Prose of a run and a seed flow
// in; a table of arms, one row each, with the mean over seeds and their range, flows out. An effect that is smaller than the
// range of the seeds is said to be no measurable difference.
//
// What an experiment needs to know exactly, it writes itself: people that nobody could have read of, secret codes, pages of
// the letter M, navigation boilerplate, all from a seed, in English and Chinese. Prose is never made up: it comes from a run.
package demo
