package prefer

import (
	"fmt"

	"winnow/train/chat"
	"winnow/train/tune"
)

// mismatch makes batches of n in random order and gives each prompt the answer of the next in its batch, of the first one for the last
// (the batch is rotated by one); an answer to the same prompt is passed over. A last batch of one joins the one before.
func mismatch(r *tune.Run, list []*judged, n int) ([][]*judged, error) {
	shuffled := make([]*judged, len(list))
	for i, from := range newOrder(r.Seed+1, len(list)).perm {
		shuffled[i] = list[from]
	}
	return rotate(shuffled, n, r.Model.Config.Context)
}

// rotate is mismatch for answers in their final order; context is how many ids a sequence may have.
func rotate(shuffled []*judged, n, context int) (batches [][]*judged, err error) {
	for len(shuffled) > 0 {
		k := min(n, len(shuffled))
		if len(shuffled)-k == 1 {
			k++
		}
		batches, shuffled = append(batches, shuffled[:k:k]), shuffled[k:]
	}
	found := false
	for _, b := range batches {
		for i, j := range b {
			for step := 1; step < len(b) && j.other == nil; step++ {
				if next := b[(i+step)%len(b)]; next.key != j.key {
					j.other = crossed(j, next, context)
					found = true
				}
			}
		}
	}
	if !found {
		return nil, fmt.Errorf("kto: no batch of %d has answers to two prompts: the point of comparison needs answers that belong to other prompts", n)
	}
	return batches, nil
}

// crossed is the prompt of one and the answer of another, cut where the context ends.
func crossed(prompt, from *judged, context int) *answer {
	s := &chat.Sequence{}
	s.IDs = append(append(s.IDs, prompt.IDs[:prompt.prompt]...), from.IDs[from.prompt:]...)
	s.Targets = append(append(s.Targets, prompt.Targets[:prompt.prompt]...), from.Targets[from.prompt:]...)
	n := min(len(s.IDs), context)
	s.IDs, s.Targets = s.IDs[:n], s.Targets[:n]
	return newAnswer(s, prompt.key)
}

func judgedAnswers(lists ...[][]*judged) (all []*answer) {
	for _, batches := range lists {
		for _, b := range batches {
			for _, j := range b {
				all = append(all, j.answer)
				if j.other != nil {
					all = append(all, j.other)
				}
			}
		}
	}
	return all
}
