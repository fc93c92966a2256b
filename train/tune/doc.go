// Package tune is what every method of fine-tuning shares around its own loop: a parent model folder, what the method was told and the
// data's hashes flow in; a model folder with its lineage, checkpoints, metrics and the best weights by validation flow out.
//
// A method opens a Run, makes its data with the Run's tokenizer and template, and is then one straight loop:
//
//	r, err := tune.Open(options, "sft", config) // lock, parent, tokenizer, template
//	defer r.Close()
//	...                                         // data
//	err = r.Begin(tune.Work{...})               // plan, or the last checkpoint
//	for r.Next(ctx) {                           // false at the end, or when ctx ended and the state is saved
//		...                                 // gradients of r.Model, by r.Trainer
//		m, err := r.Update(tune.Metric{Loss: ...})
//		if r.Due() {
//			err = r.Validated(map[string]float64{"loss": ...})
//		}
//	}
//	return r.Finish()
//
// Whenever it is killed, the same options go on from the last checkpoint and give the same bytes as a run that was never stopped.
// tunetest checks that of a method.
package tune
