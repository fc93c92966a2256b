package openai

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	api "github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
)

var (
	errCut   = errors.New("stream ended before the answer did")
	errEmpty = errors.New("answer has no choices")
)

// send makes one attempt.
func (c *Client) send(ctx context.Context, req Request) (Response, *failure) {
	ctx, cancel := context.WithTimeout(ctx, c.o.Timeout)
	defer cancel()
	exchange := c.whole
	if c.o.Stream {
		exchange = c.stream
	}
	var res *http.Response
	r, err := exchange(ctx, c.params(req), option.WithResponseInto(&res))
	if err != nil {
		return Response{}, classify(res, err)
	}
	if r.PromptTokens == 0 {
		r.PromptTokens, _ = req.Bound()
	}
	if r.CompletionTokens == 0 {
		r.CompletionTokens = int64(EstimateTokens(r.Text))
	}
	return r, nil
}

func (c *Client) params(req Request) api.ChatCompletionNewParams {
	p := api.ChatCompletionNewParams{
		Model:       req.Model,
		Temperature: api.Float(req.Temperature),
		TopP:        api.Float(req.TopP),
		Seed:        api.Int(req.Seed),
	}
	if c.o.ServedModel != "" {
		p.Model = c.o.ServedModel
	}
	switch {
	case req.MaxTokens == 0:
	case c.o.MaxCompletionTokens:
		p.MaxCompletionTokens = api.Int(int64(req.MaxTokens))
	default:
		p.MaxTokens = api.Int(int64(req.MaxTokens))
	}
	if req.Top > 0 {
		p.Logprobs, p.TopLogprobs = api.Bool(true), api.Int(int64(req.Top))
	}
	for _, m := range req.Messages {
		switch m.Role {
		case "system":
			p.Messages = append(p.Messages, api.SystemMessage(m.Content))
		case "assistant":
			p.Messages = append(p.Messages, api.AssistantMessage(m.Content))
		default:
			p.Messages = append(p.Messages, api.UserMessage(m.Content))
		}
	}
	return p
}

// whole takes the answer in one piece.
func (c *Client) whole(ctx context.Context, p api.ChatCompletionNewParams, o option.RequestOption) (Response, error) {
	got, err := c.api.Chat.Completions.New(ctx, p, o)
	if err != nil {
		return Response{}, err
	}
	if len(got.Choices) == 0 {
		return Response{}, errEmpty
	}
	first := got.Choices[0]
	r := Response{Finish: first.FinishReason, PromptTokens: got.Usage.PromptTokens, CompletionTokens: got.Usage.CompletionTokens}
	r.First = candidates(first.Logprobs.Content)
	r.say(first.Message.Content, first.Message.Refusal)
	return r, nil
}

// candidates lists what the first token could have been: the most likely ones, and the one that it was.
func candidates(tokens []api.ChatCompletionTokenLogprob) (out []Candidate) {
	if len(tokens) == 0 {
		return nil
	}
	first, found := tokens[0], false
	for _, c := range first.TopLogprobs {
		out = append(out, Candidate{c.Token, c.Logprob})
		found = found || c.Token == first.Token
	}
	if !found {
		out = append(out, Candidate{first.Token, first.Logprob})
	}
	return out
}

// stream takes the answer piece by piece. Only a finish reason tells that the last piece has come.
func (c *Client) stream(ctx context.Context, p api.ChatCompletionNewParams, o option.RequestOption) (Response, error) {
	p.StreamOptions.IncludeUsage = api.Bool(true)
	s := c.api.Chat.Completions.NewStreaming(ctx, p, o)
	defer s.Close()
	var r Response
	var said, refusal strings.Builder
	for s.Next() {
		chunk := s.Current()
		if u := chunk.Usage; u.TotalTokens > 0 {
			r.PromptTokens, r.CompletionTokens = u.PromptTokens, u.CompletionTokens
		}
		if len(chunk.Choices) == 0 {
			continue
		}
		first := chunk.Choices[0]
		if r.First == nil {
			r.First = candidates(first.Logprobs.Content)
		}
		said.WriteString(first.Delta.Content)
		refusal.WriteString(first.Delta.Refusal)
		if first.FinishReason != "" {
			r.Finish = first.FinishReason
		}
	}
	if err := s.Err(); err != nil {
		return Response{}, err
	}
	if r.Finish == "" {
		return Response{}, errCut
	}
	r.say(said.String(), refusal.String())
	return r, nil
}

// say sets the text; a refusal that stands in its own field counts as withheld.
func (r *Response) say(content, refusal string) {
	r.Text = content
	if refusal != "" && content == "" {
		r.Text, r.Finish = refusal, FinishFilter
	}
}

// classify tells what an error means. res is nil where no header arrived.
func classify(res *http.Response, err error) *failure {
	switch {
	case res == nil:
		// A timeout comes after work was done, a refused connection before; both can pass.
		return &failure{err: err, retry: true, billed: errors.Is(err, context.DeadlineExceeded)}
	case res.StatusCode < 400:
		err = fmt.Errorf("content type %q: %w", res.Header.Get("Content-Type"), err)
		return &failure{err: err, status: res.StatusCode, retry: true, billed: true}
	}
	f := &failure{err: fmt.Errorf("status %d %s", res.StatusCode, http.StatusText(res.StatusCode)), status: res.StatusCode}
	f.wait, f.asked = retryAfter(res.Header, time.Now())
	var said *api.Error
	// What a 401 says may hold part of the key.
	if errors.As(err, &said) && said.Message != "" && f.status != http.StatusUnauthorized {
		f.err = fmt.Errorf("%w: %s", f.err, short(said.Message))
	}
	switch code := res.StatusCode; {
	case code == http.StatusUnauthorized, code == http.StatusPaymentRequired, code == http.StatusNotFound,
		said != nil && said.Code == "insufficient_quota":
		f.setup = true
	case code == http.StatusTooManyRequests, code == http.StatusRequestTimeout, code >= 500:
		f.retry = true
	}
	return f
}

// short cuts a message to about 200 bytes, at a character.
func short(s string) string {
	const most = 200
	for i := range s {
		if i >= most {
			return s[:i] + "…"
		}
	}
	return s
}
