// Package sft is supervised fine-tuning: conversations and a model flow in; a model that answers flows out, with what became of each
// row, and what the model knew before.
//
// Its methods are sft.go (the loss on assistants' turns; without instructions: response tuning), distill.go (a teacher's distributions
// in place of single tokens), select.go (which rows to learn from, at equal budget), knowledge.go (what a model knows of closed-book
// questions).
package sft
