// Package checkpoint is everything of the trainer that lies on a disk. A model, its tokenizer and what it was made from flow
// in; a model folder that transformers loads, a GGUF file that llama.cpp loads, or the state of a run in training flow out.
// The same files flow in again and give the same bits.
//
// Its rooms: safetensors and gguf (the two containers), half (16-bit floats).
package checkpoint
