// Package judge lets a language model say which of two answers is better, or how good one is: learning from AI feedback (RLAIF).
//
// Prompts with answers flow in, and a Client that asks a model; verdicts, scores and preference rows flow out, with a Report of how far
// they can be trusted. Where the model tells log-probabilities, a verdict is the likelihood of its labels in both orders, so that what
// it thinks of the first place cancels (Lee et al. 2023, arXiv 2309.00267); else it is what the model says, read as text, and each
// verdict and report says which of both it was. What no model was asked for never goes by the name of AI feedback.
package judge

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"

	"golang.org/x/sync/errgroup"

	"winnow/train/chat"
)

// ErrUnanswered says that one question failed for good and others may succeed: a Client wraps it.
var ErrUnanswered = errors.New("the judge did not answer")

// Question is what a judge is asked.
type Question struct {
	Messages  []chat.Message
	Labels    []string // the answers that count: the model should tell how likely each is as the first thing it says
	MaxTokens int      // of an answer in words
}

// Candidate is a token that the answer may begin with, and its natural log-probability.
type Candidate struct {
	Token   string
	Logprob float64
}

// Reply is what a model answered. First is nil where it tells no log-probabilities; then Text is its answer in words.
type Reply struct {
	Text  string
	First []Candidate
}

// Client asks a model, greedily. It is safe for concurrent use.
type Client interface {
	Ask(ctx context.Context, q Question) (Reply, error)
}

// How a verdict was found.
const (
	ByLikelihood = "likelihood" // of the labels as the next token
	ByText       = "text"       // a label in what the model said
)

// Judge asks a Client about answers. Model names who is asked; it stands in every row.
type Judge struct {
	Client   Client
	Model    string
	Lang     string // of the question: en, zh; empty: that of the prompt
	Parallel int    // questions at the same time; 0: 8
}

// words is the longest answer of a model that tells no log-probabilities, in tokens: a verdict and some reasons.
const words = 256

// opinion is how likely each label is, as far as it was told.
type opinion struct {
	share []float64 // of the labels, adding up to 1; all equal where the model named none
	mass  float64   // probability of all labels together; of a text 1 or 0
	by    string
	text  string
}

func (j *Judge) ask(ctx context.Context, messages []chat.Message, labels []string) (opinion, error) {
	r, err := j.Client.Ask(ctx, Question{messages, labels, words})
	if err != nil {
		return opinion{}, fmt.Errorf("judge: %w", err)
	}
	if r.First == nil {
		return read(r.Text, labels), nil
	}
	return weigh(r.First, labels), nil
}

// weigh adds up the probabilities of tokens that are a label, with or without white space around it.
func weigh(first []Candidate, labels []string) opinion {
	o := opinion{share: make([]float64, len(labels)), by: ByLikelihood}
	for _, c := range first {
		for i, l := range labels {
			if bare(c.Token) == l {
				o.share[i] += math.Exp(c.Logprob)
			}
		}
	}
	for _, s := range o.share {
		o.mass += s
	}
	for i := range o.share {
		if o.mass > 0 {
			o.share[i] /= o.mass
		} else {
			o.share[i] = 1 / float64(len(labels))
		}
	}
	o.mass = min(o.mass, 1)
	return o
}

// bare is a token without white space, also as SentencePiece and GPT-2 write it.
func bare(token string) string {
	return strings.Trim(token, " \t\r\n\u00a0\u2581\u0120\u010a")
}

// read finds the one label that a text names: the one it begins with, else the only one on its last line, else the only one in it.
func read(text string, labels []string) opinion {
	o := opinion{share: make([]float64, len(labels)), by: ByText, text: text}
	text = strings.TrimSpace(text)
	lines := strings.Split(text, "\n")
	found := -1
	all, last := named(text, labels), distinct(named(lines[len(lines)-1], labels))
	switch {
	case len(all) > 0 && strings.HasPrefix(strings.TrimLeft(text, "*#[(\"'“ "), labels[all[0]]):
		found = all[0]
	case len(last) == 1:
		found = last[0]
	case len(distinct(all)) == 1:
		found = all[0]
	}
	if found < 0 {
		for i := range o.share {
			o.share[i] = 1 / float64(len(labels))
		}
		return o
	}
	o.share[found], o.mass = 1, 1
	return o
}

// named lists the labels that stand in a text by themselves, not within a number or a word, in their order.
func named(text string, labels []string) (out []int) {
	word := func(s string) bool {
		return s != "" && (s[0] >= '0' && s[0] <= '9' || s[0] >= 'a' && s[0] <= 'z' || s[0] >= 'A' && s[0] <= 'Z' || s[0] == '_')
	}
	for at := range text {
		for i, l := range labels {
			if !strings.HasPrefix(text[at:], l) || word(text[at+len(l):]) || at > 0 && word(text[at-1:]) {
				continue
			}
			// 1.5 and 8/10 are no labels
			if rest := text[at+len(l):]; len(rest) > 1 && (rest[0] == '.' || rest[0] == ',') && rest[1] >= '0' && rest[1] <= '9' || at > 1 && (text[at-1] == '.' || text[at-1] == '/') && text[at-2] >= '0' && text[at-2] <= '9' {
				continue
			}
			out = append(out, i)
		}
	}
	return out
}

func distinct(list []int) (out []int) {
	seen := map[int]bool{}
	for _, i := range list {
		if !seen[i] {
			out = append(out, i)
		}
		seen[i] = true
	}
	return out
}

// each does f for 0 to n-1, several at a time. The first error that is not ErrUnanswered ends it.
func (j *Judge) each(ctx context.Context, n int, f func(ctx context.Context, i int) error) error {
	g, ctx := errgroup.WithContext(ctx)
	limit := j.Parallel
	if limit < 1 {
		limit = 8
	}
	g.SetLimit(limit)
	for i := range n {
		g.Go(func() error {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return f(ctx, i)
		})
	}
	return g.Wait()
}

// LongError is a question that a judge's context does not hold; it is an ErrUnanswered.
type LongError struct{ Tokens, Context int }

// Error gives both numbers.
func (e *LongError) Error() string {
	return fmt.Sprintf("the question has %d tokens, the judge's context holds %d", e.Tokens, e.Context)
}

// Unwrap is ErrUnanswered.
func (e *LongError) Unwrap() error { return ErrUnanswered }
