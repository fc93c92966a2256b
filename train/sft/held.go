package sft

import (
	"context"
	"errors"
	"math"
	"strings"
	"time"

	"winnow/train/bpe"
	"winnow/train/chat"
	"winnow/train/llm"
	"winnow/train/rows"
	"winnow/train/tune"
)

// held are conversations that are validated on.
type held struct {
	rows    *rows.Masked
	count   int64 // rows
	batch   *llm.Batch
	tok     *bpe.Tokenizer
	prompts []chat.Prompt
	shown   []string // the prompts as people read them
	room    int      // tokens of prompt and answer
}

// answerTokens is how long the answers of samples are at most.
const answerTokens = 64

// newHeld lays out the conversations which of a set; nil where there are none.
func newHeld(from *set, which []int, t *chat.Template, tok *bpe.Tokenizer, length int, o *Options) (*held, error) {
	if len(which) == 0 {
		return nil, nil
	}
	h := &held{tok: tok, room: length}
	var err error
	if h.rows, err = rows.NewMasked(from.sequences, which, rows.Options{Len: length, PAD: tok.PAD()}); err != nil {
		return nil, err
	}
	if h.count, err = h.rows.EpochRows(0); err != nil {
		return nil, err
	}
	h.batch = newBatch(int(min(int64(o.Batch), h.count)), length)
	for _, i := range which {
		if len(h.prompts) == o.Samples {
			break
		}
		asked, shown := opening(from.talks[i])
		p, err := t.PromptOf(asked)
		if err != nil || len(p.IDs) >= length {
			continue
		}
		h.prompts, h.shown = append(h.prompts, p), append(h.shown, shown)
	}
	return h, nil
}

// opening is a conversation up to its first answer, and the last message of it.
func opening(c *chat.Conversation) (*chat.Conversation, string) {
	asked := &chat.Conversation{Place: c.Place, Tools: c.Tools}
	shown := ""
	for _, m := range c.Messages {
		if m.Role == chat.Assistant {
			break
		}
		asked.Messages = append(asked.Messages, m)
		shown = m.Content
	}
	return asked, shown
}

// measure gives the mean nats of held-out targets, and bits per byte of their text: special tokens are not in the latter.
func (h *held) measure(t *llm.Trainer) (map[string]float64, error) {
	var all, text float64
	var targets, bytes int64
	err := h.each(func(b *llm.Batch) error {
		nats, err := t.Nats(b)
		if err != nil {
			return err
		}
		for i, target := range b.Targets {
			if target < 0 {
				continue
			}
			targets++
			all += float64(nats[i])
			if !h.tok.IsSpecial(target) {
				text += float64(nats[i])
				bytes += int64(len(h.tok.Token(target)))
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return map[string]float64{"loss": all / float64(targets), "bits_per_byte": text / math.Ln2 / float64(max(bytes, 1))}, nil
}

// each gives all rows, some at a time.
func (h *held) each(use func(b *llm.Batch) error) error {
	for first := int64(0); first < h.count; first += int64(h.batch.Rows) {
		b := cut(h.batch, 0, int(min(int64(h.batch.Rows), h.count-first)))
		if err := h.rows.Fill(first, b.IDs, b.Targets, b.Pos); err != nil {
			return err
		}
		if err := use(b); err != nil {
			return err
		}
	}
	return nil
}

// validate measures the model as it stands, and lets it answer a few held-out prompts.
func (h *held) validate(ctx context.Context, r *tune.Run) error {
	if h == nil {
		return nil
	}
	begin := time.Now()
	scores, err := h.measure(r.Trainer)
	if err != nil {
		return err
	}
	r.Spent("validate", begin)
	if err := r.Validated(scores); err != nil {
		return err
	}
	return h.answer(ctx, r)
}

// answer lets the model answer the prompts, always by its most likely tokens.
func (h *held) answer(ctx context.Context, r *tune.Run) error {
	if len(h.prompts) == 0 {
		return nil
	}
	begin := time.Now()
	defer func() { r.Spent("sample", begin) }()
	d, err := llm.NewDecoder(r.Model, r.Pool, len(h.prompts), h.room)
	if err != nil {
		return err
	}
	asks := make([]Ask, len(h.prompts))
	for i, p := range h.prompts {
		asks[i] = Ask{Prompt: p.IDs, Texts: []llm.Sampling{{}}, Most: answerTokens, StopIDs: p.StopIDs, Stops: p.Stop}
	}
	answers := make([]string, len(asks))
	err = Write(context.WithoutCancel(ctx), d, h.tok, asks, func(i, _ int, t Text) error {
		answers[i] = t.Text
		if h.prompts[i].Trim {
			answers[i] = strings.TrimPrefix(t.Text, " ")
		}
		return nil
	})
	for i, text := range answers {
		err = errors.Join(err, r.Sample(h.shown[i], text))
	}
	return err
}
