// Package train turns tokens into a model: pretraining, and later what teaches a model to answer. Kept shards of a run and a
// tokenizer flow in; a model folder that other tools load (safetensors, config, tokenizer), its checkpoints, metrics and
// lineage flow out.
//
// One file per method, each one readable loop. Its rooms: bpe (text to ids), rows (documents to rows of tokens), llm (the
// model, its operators on spago, decoding), checkpoint (state on disk, open formats, lineage), serve (HTTP), scaling (how
// large and how long), eval (what a model knows), journal (what a run tells by the step), demo (small experiments), internal/kernel (float32 arithmetic).
package train
