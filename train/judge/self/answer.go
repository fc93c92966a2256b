package self

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"winnow/train/bpe"
	"winnow/train/chat"
	"winnow/train/judge"
	"winnow/train/llm"
	"winnow/train/serve"
)

// candidates are the answers to one prompt, as a line of the file.
type candidates struct {
	Prompt  []chat.Message `json:"prompt"`
	Read    []int32        `json:"prompt_ids"`
	Answers []candidate    `json:"answers"`
}

type candidate struct {
	Text  string  `json:"text"`
	IDs   []int32 `json:"ids"`
	Ended bool    `json:"ended"` // by its end of turn
}

// item leaves off answers that say nothing or the same as an earlier one; places are those of what is left.
func (c *candidates) item() (it judge.Item, places []int) {
	seen := map[string]bool{}
	var texts []string
	for i, a := range c.Answers {
		if strings.TrimSpace(a.Text) != "" && !seen[a.Text] {
			texts, places = append(texts, a.Text), append(places, i)
		}
		seen[a.Text] = true
	}
	return judge.ItemOf(c.Prompt, texts...), places
}

// answer writes all answers of a round, many at a time. An answer's seed is of the run, the round, the prompt and its number alone.
func (o *Options) answer(ctx context.Context, round int, m *llm.Model, tok *bpe.Tokenizer, template *chat.Template) ([]*candidates, error) {
	const together = 64 // prompts
	slots := o.Slots
	if slots == 0 {
		slots = 8
	}
	engine, err := serve.NewEngine(m, tok, o.Pool, serve.Options{Slots: slots, Queue: together * o.Candidates})
	if err != nil {
		return nil, err
	}
	defer engine.Close()
	list := make([]*candidates, len(o.Prompts))
	for from := 0; from < len(list); from += together {
		to := min(from+together, len(list))
		var requests []serve.Request
		for i := from; i < to; i++ {
			p, err := template.Prompt(tok, o.Prompts[i].Messages)
			if err != nil {
				return nil, fmt.Errorf("prompt %d: %w", i+1, err)
			}
			list[i] = &candidates{Prompt: o.Prompts[i].Messages, Read: p.IDs, Answers: make([]candidate, o.Candidates)}
			for k := range o.Candidates {
				seed := o.Seed + uint64(round)<<48 + uint64(i)<<16 + uint64(k)
				requests = append(requests, serve.Request{Prompt: p.IDs, MaxTokens: o.MaxTokens, Logprobs: 0, Stop: p.Stop, StopIDs: p.StopIDs,
					Sampling: llm.Sampling{Temperature: o.Temperature, TopP: o.TopP, Seed: seed}})
			}
		}
		job, err := engine.Submit(ctx, requests...)
		if err != nil {
			return nil, err
		}
		for e, ok := job.Next(); ok; e, ok = job.Next() {
			if e.Err != nil {
				err = e.Err
				continue
			}
			a := &list[from+e.Index/o.Candidates].Answers[e.Index%o.Candidates]
			a.Text += e.Text
			for _, t := range e.Tokens {
				a.IDs = append(a.IDs, t.ID)
			}
			a.Ended = e.Finish == llm.FinishStop
		}
		if err != nil {
			return nil, err
		}
		for _, c := range list[from:to] {
			for k := range c.Answers { // a template's lead is not part of the answer
				c.Answers[k].Text = strings.TrimLeft(c.Answers[k].Text, " \n")
			}
		}
	}
	return list, nil
}

// readCandidates reads the file of a round, nil where there is none.
func readCandidates(path string) (out []*candidates, err error) {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	for d := json.NewDecoder(bufio.NewReader(f)); ; {
		c := &candidates{}
		switch err := d.Decode(c); {
		case err == io.EOF:
			return out, nil
		case err != nil:
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		out = append(out, c)
	}
}
