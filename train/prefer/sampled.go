package prefer

import (
	"errors"
	"time"

	"winnow/train/chat"
	"winnow/train/llm"
	"winnow/train/monitor"
	"winnow/train/tune"
)

// Drift says how a validation measures how far the policy has gone from its reference: from answers that the policy writes. Data's
// answers cannot tell that, since the policy did not write them.
type Drift struct {
	Prompts int     `json:"kl_prompts"` // held-out prompts that are answered at each validation; 0: none
	Tokens  int     `json:"kl_tokens"`  // of an answer, at most
	Budget  float64 `json:"kl_budget"`  // nats an answer above which the run ends; 0: none
}

// UsualDrift is 8 prompts and 48 tokens, without a budget.
func UsualDrift() Drift { return Drift{Prompts: 8, Tokens: 48} }

func (d Drift) check() error {
	if d.Prompts < 0 || d.Budget < 0 || d.Prompts > 0 && d.Tokens < 1 {
		return errors.New("KL: prompts and budget are at least 0, tokens at least 1")
	}
	if d.Budget > 0 && d.Prompts == 0 {
		return errors.New("KL: a budget needs prompts to measure by")
	}
	return nil
}

// scores are what the best may be kept by: tune.Work's.
func (d Drift) scores(margin bool) map[string]bool {
	all := map[string]bool{"loss": false, monitor.Accuracy: true}
	if margin {
		all[monitor.Margin] = true
	}
	if d.Prompts > 0 {
		all[monitor.KL] = false
	}
	return all
}

// writer answers prompts with the policy as it stands. A nil writer measures nothing.
type writer struct {
	Drift
	prompts   [][]int32
	reference *tune.Reference
	decoder   *llm.Decoder
}

// newWriter takes the first prompts that differ.
func newWriter(r *tune.Run, d Drift, held []*answer) (*writer, error) {
	w := &writer{Drift: d}
	known := map[uint64]bool{}
	longest := 0
	for _, a := range held {
		if len(w.prompts) < d.Prompts && !known[a.key] && a.prompt < r.Model.Config.Context {
			known[a.key] = true
			w.prompts = append(w.prompts, a.IDs[:a.prompt])
			longest = max(longest, a.prompt)
		}
	}
	if len(w.prompts) == 0 {
		return nil, nil
	}
	var err error
	if w.reference, err = r.Reference(); err != nil {
		return nil, err
	}
	w.decoder, err = llm.NewDecoder(r.Model, r.Pool, len(w.prompts), min(longest+d.Tokens, r.Model.Config.Context))
	return w, err
}

// measure adds to scores: nats of KL(policy‖reference) an answer, by the mean over answers of log π - log π_ref, their length, and the
// share of them that end by themselves.
func (w *writer) measure(r *tune.Run, scores map[string]float64) error {
	if w == nil {
		return nil
	}
	defer r.Spent("generate", time.Now())
	w.decoder.Reload()
	written, ended, err := w.write(r)
	if err != nil {
		return err
	}
	var l lot
	l.reset()
	tokens := 0
	for _, a := range written {
		l.add(a)
		tokens += a.tokens
	}
	policy, err := r.Trainer.Outputs(&l.Batch, nil)
	if err != nil {
		return err
	}
	var reference llm.Outputs
	if err := w.reference.Do(func(t *llm.Trainer) (err error) {
		reference, err = t.Outputs(&l.Batch, nil)
		return err
	}); err != nil {
		return err
	}
	n := float64(len(written))
	for _, p := range l.parts {
		scores[monitor.KL] += (p.sum(policy.Nats) - p.sum(reference.Nats)) / n
	}
	scores[monitor.Length], scores[monitor.Ended] = float64(tokens)/n, float64(ended)/n
	return nil
}

// write samples an answer to each prompt at temperature 1, all of them in step.
func (w *writer) write(r *tune.Run) (written []*answer, ended int, err error) {
	open := make([]int, 0, len(w.prompts))
	texts := make([]*llm.Generation, len(w.prompts))
	next := make([][]float32, len(w.prompts))
	for i, prompt := range w.prompts {
		w.decoder.Reset(i)
		if next[i], err = w.decoder.Prefill(i, prompt); err != nil {
			return nil, 0, err
		}
		q := llm.Request{Prompt: prompt, MaxTokens: w.Tokens, StopIDs: []int32{r.Template.End()}, Sampling: llm.Sampling{Temperature: 1, Seed: r.Seed<<32 + uint64(r.Step)<<8 + uint64(i)}}
		if texts[i], err = llm.NewGeneration(q, w.decoder.Context()-len(prompt), nil); err != nil {
			return nil, 0, err
		}
		s := &chat.Sequence{IDs: append([]int32(nil), prompt...), Targets: make([]bool, len(prompt))}
		written = append(written, newAnswer(s, 0))
		open = append(open, i)
	}
	for len(open) > 0 {
		slots, ids := open[:0], make([]int32, 0, len(open))
		for _, i := range open {
			t := texts[i].Next(next[i])
			a := written[i]
			a.IDs, a.Targets = append(a.IDs, t.ID), append(a.Targets, true)
			a.tokens++
			switch {
			case t.Finish == llm.FinishStop:
				ended++
			case t.Finish == "":
				slots, ids = append(slots, i), append(ids, t.ID)
			}
		}
		if open = slots; len(open) == 0 {
			break
		}
		logits, err := w.decoder.Step(slots, ids)
		if err != nil {
			return nil, 0, err
		}
		for k, i := range slots {
			next[i] = logits[k*len(logits)/len(slots) : (k+1)*len(logits)/len(slots)]
		}
	}
	return written, ended, nil
}
