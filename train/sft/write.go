package sft

import (
	"context"

	"winnow/train/bpe"
	"winnow/train/llm"
)

// Ask is a prompt and how it is to be gone on from, once for each of Texts.
type Ask struct {
	Prompt  []int32
	Texts   []llm.Sampling
	Most    int // tokens of a text
	StopIDs []int32
	Stops   []string
}

// Text is what a model wrote.
type Text struct {
	IDs    []int32 // without the token that ended it
	Text   string
	Finish llm.Finish
}

// writer is one slot of a decoder at work.
type writer struct {
	ask   int // -1: idle
	text  int // of the ask
	ids   []int32
	first []float32 // logits behind the prompt
	held  []int32   // what the slot holds of prompts
	gen   *llm.Generation
	out   Text
}

// Write goes on from all asks in the decoder's slots, many at a time, and hands over each text as it ends. A slot reads a prompt once
// for all of its texts, and of the next prompt only what differs from the last: asks that begin alike should stand together.
func Write(ctx context.Context, d *llm.Decoder, tok *bpe.Tokenizer, asks []Ask, each func(ask, text int, t Text) error) error {
	workers := make([]*writer, min(d.Slots(), len(asks)))
	for i := range workers {
		d.Reset(i)
		workers[i] = &writer{ask: -1}
	}
	next := 0
	for {
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		var slots []int
		var ids []int32
		for s, w := range workers {
			for w.ask >= 0 || next < len(asks) { // until the slot has a text that goes on
				if w.ask < 0 {
					if err := w.take(d, s, tok, next, asks[next]); err != nil {
						return err
					}
					next++
				}
				if len(w.ids) > 0 { // a token to be read
					slots, ids = append(slots, s), append(ids, w.ids[0])
					break
				}
				if err := each(w.ask, w.text, w.out); err != nil {
					return err
				}
				if err := w.turn(d, s, tok, asks[w.ask]); err != nil {
					return err
				}
			}
		}
		if len(slots) == 0 {
			return nil
		}
		logits, err := d.Step(slots, ids)
		if err != nil {
			return err
		}
		v := len(logits) / len(slots)
		for i, s := range slots {
			workers[s].draw(logits[i*v : (i+1)*v])
		}
	}
}

// take reads the prompt of an ask and begins its first text.
func (w *writer) take(d *llm.Decoder, slot int, tok *bpe.Tokenizer, i int, a Ask) error {
	same := 0
	for same < len(w.held) && same < len(a.Prompt)-1 && w.held[same] == a.Prompt[same] {
		same++
	}
	d.Truncate(slot, same)
	logits, err := d.Prefill(slot, a.Prompt[same:])
	if err != nil {
		return err
	}
	w.held = append(w.held[:0], a.Prompt...)
	w.first = append(w.first[:0], logits...)
	w.ask, w.text = i, -1
	return w.turn(d, slot, tok, a)
}

// turn begins the next text of an ask; behind the last the slot is idle.
func (w *writer) turn(d *llm.Decoder, slot int, tok *bpe.Tokenizer, a Ask) (err error) {
	if w.text++; w.text == len(a.Texts) {
		w.ask = -1
		return nil
	}
	d.Truncate(slot, len(a.Prompt))
	request := llm.Request{Prompt: a.Prompt, MaxTokens: a.Most, Sampling: a.Texts[w.text], StopIDs: a.StopIDs, Stops: a.Stops}
	if w.gen, err = llm.NewGeneration(request, d.Context()-len(a.Prompt), tok.NewStream()); err != nil {
		return err
	}
	w.out = Text{}
	w.draw(w.first)
	return nil
}

// draw takes the next token: it is to be read next, or the text is over.
func (w *writer) draw(logits []float32) {
	t := w.gen.Next(logits)
	w.out.Text += t.Text
	w.ids = w.ids[:0]
	if w.out.Finish = t.Finish; t.Finish == llm.FinishStop {
		return
	}
	w.out.IDs = append(w.out.IDs, t.ID)
	if t.Finish == "" {
		w.ids = append(w.ids, t.ID)
	}
}
