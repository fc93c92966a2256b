package serve

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"time"
	"unicode/utf8"

	"winnow/train/chat"
	"winnow/train/llm"
)

// Bounds of what one HTTP request may ask for.
const (
	maxBody    = 4 << 20 // bytes
	bodyTime   = time.Minute
	maxChoices = 128 // texts: prompts times n
	maxStops   = 16
	maxTop     = 20 // log-probabilities at a place
)

// body is what both endpoints read. Fields that this server does not know are ignored, as clients send many; fields that would
// change the answer and are not done here are refused in unsupported.
type body struct {
	Model         string          `json:"model"`
	MaxTokens     *int            `json:"max_tokens"`
	Temperature   *float64        `json:"temperature"`
	TopP          *float64        `json:"top_p"`
	TopK          int             `json:"top_k"` // this and min_p are not OpenAI's; vLLM and llama.cpp have them by these names
	MinP          float64         `json:"min_p"`
	N             *int            `json:"n"`
	Seed          *int64          `json:"seed"`
	Stop          json.RawMessage `json:"stop"`
	Stream        bool            `json:"stream"`
	StreamOptions struct {
		IncludeUsage bool `json:"include_usage"`
	} `json:"stream_options"`

	Presence  float64            `json:"presence_penalty"`
	Frequency float64            `json:"frequency_penalty"`
	Bias      map[string]float64 `json:"logit_bias"`
}

type completionBody struct {
	body
	Prompt   json.RawMessage `json:"prompt"`
	Logprobs *int            `json:"logprobs"`
	Echo     bool            `json:"echo"`
	BestOf   *int            `json:"best_of"`
	Suffix   string          `json:"suffix"`
}

type chatBody struct {
	body
	Messages            []chatMessage     `json:"messages"`
	MaxCompletionTokens *int              `json:"max_completion_tokens"`
	Logprobs            bool              `json:"logprobs"`
	TopLogprobs         int               `json:"top_logprobs"`
	Tools               []json.RawMessage `json:"tools"`
	ResponseFormat      struct {
		Type string `json:"type"`
	} `json:"response_format"`
}

type chatMessage struct {
	Role    string          `json:"role"`
	Content json.RawMessage `json:"content"`
}

// decode reads a JSON object of at most maxBody bytes.
func decode(w http.ResponseWriter, r *http.Request, into any) *apiError {
	// a deadline of the whole server would end long answers too: the connection is read on while they are written
	connection := http.NewResponseController(w)
	connection.SetReadDeadline(time.Now().Add(bodyTime))
	defer connection.SetReadDeadline(time.Time{})
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
	err := d.Decode(into)
	if err == nil {
		if _, more := d.Token(); more != io.EOF {
			err = errors.New("more than one JSON value")
		}
	}
	var large *http.MaxBytesError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &large):
		return &apiError{status: http.StatusRequestEntityTooLarge, Message: fmt.Sprintf("the request is larger than %d bytes", maxBody)}
	case errors.As(err, &kind):
		return invalid(kind.Field, "%s: a JSON %s is not what belongs here", kind.Field, kind.Value)
	case err != nil:
		return invalid("", "the request is not a JSON object: %v", err)
	}
	return nil
}

// choices is how many texts each prompt asks for.
func (b *body) choices() (int, *apiError) {
	if b.N == nil {
		return 1, nil
	}
	if *b.N < 1 || *b.N > maxChoices {
		return 0, invalid("n", "n: %d is not between 1 and %d", *b.N, maxChoices)
	}
	return *b.N, nil
}

// sampling is OpenAI's: temperature 1 and no cuts where nothing is said, and a seed by chance.
func (b *body) sampling() (llm.Sampling, *apiError) {
	s := llm.Sampling{Temperature: 1, TopP: 1, TopK: b.TopK, MinP: b.MinP, Seed: rand.Uint64()}
	if b.Temperature != nil {
		s.Temperature = *b.Temperature
	}
	if b.TopP != nil {
		s.TopP = *b.TopP
	}
	if b.Seed != nil {
		s.Seed = uint64(*b.Seed)
	}
	if !(s.TopP > 0) {
		return s, invalid("top_p", "top_p: %g is not above 0 and at most 1", s.TopP)
	}
	if err := s.Validate(); err != nil {
		return s, invalid("", "%v", err)
	}
	return s, nil
}

// unsupported refuses by name what would change the answer.
func (b *body) unsupported() *apiError {
	for name, on := range map[string]bool{"presence_penalty": b.Presence != 0, "frequency_penalty": b.Frequency != 0, "logit_bias": len(b.Bias) > 0} {
		if on {
			return invalid(name, "%s is not supported by this server", name)
		}
	}
	return nil
}

// limit is how many tokens to make: below 0 until the context is full.
func limit(name string, v *int, otherwise int) (int, *apiError) {
	if v == nil {
		return otherwise, nil
	}
	if *v < 0 {
		return 0, invalid(name, "%s: %d is negative", name, *v)
	}
	return *v, nil
}

// stops reads a text, a list of texts, or null.
func stops(raw json.RawMessage) ([]string, *apiError) {
	if empty(raw) {
		return nil, nil
	}
	var list []string
	var one string
	if json.Unmarshal(raw, &one) == nil {
		list = []string{one}
	} else if json.Unmarshal(raw, &list) != nil {
		return nil, invalid("stop", "stop: write a text or a list of texts")
	}
	if len(list) > maxStops {
		return nil, invalid("stop", "stop: %d texts; at most %d", len(list), maxStops)
	}
	for _, s := range list {
		if s == "" || !utf8.ValidString(s) {
			return nil, invalid("stop", "stop: an empty text would stop at once")
		}
	}
	return list, nil
}

func empty(raw json.RawMessage) bool { return len(raw) == 0 || bytes.Equal(raw, []byte("null")) }

// prompts reads a text, a list of texts, a list of token ids, or a list of such lists. Token ids are taken as they are.
func (s *Server) prompts(raw json.RawMessage) ([][]int32, *apiError) {
	var text string
	var texts []string
	var ids []int32
	var lists [][]int32
	tok := s.engine.Tokenizer()
	switch {
	case empty(raw) || json.Unmarshal(raw, &text) == nil:
		return [][]int32{Text(tok, text)}, nil
	case json.Unmarshal(raw, &ids) == nil && len(ids) > 0:
		return [][]int32{ids}, nil
	case json.Unmarshal(raw, &texts) == nil && len(texts) > 0:
		if len(texts) > maxChoices {
			return nil, invalid("prompt", "prompt: %d texts; at most %d", len(texts), maxChoices)
		}
		for _, t := range texts {
			lists = append(lists, Text(tok, t))
		}
		return lists, nil
	case json.Unmarshal(raw, &lists) == nil && len(lists) > 0:
		return lists, nil
	}
	return nil, invalid("prompt", "prompt: write a text, a list of texts, a list of token ids, or a list of such lists")
}

// completion is what /v1/completions asks of the engine: n texts of each prompt, the i-th with seed + i, so that a text does not depend
// on how many are asked for.
func (s *Server) completion(b *completionBody) ([]Request, *apiError) {
	if err := b.unsupported(); err != nil {
		return nil, err
	}
	n, err := b.choices()
	if err != nil {
		return nil, err
	}
	switch {
	case b.Suffix != "":
		return nil, invalid("suffix", "suffix is not supported by this server")
	case b.BestOf != nil && *b.BestOf != n:
		return nil, invalid("best_of", "best_of: %d is not n: it is not supported by this server", *b.BestOf)
	}
	r := Request{Logprobs: -1, Echo: b.Echo}
	if b.Logprobs != nil {
		if r.Logprobs = *b.Logprobs; r.Logprobs < 0 || r.Logprobs > maxTop {
			return nil, invalid("logprobs", "logprobs: %d is not between 0 and %d", r.Logprobs, maxTop)
		}
	}
	if r.MaxTokens, err = limit("max_tokens", b.MaxTokens, 16); err != nil {
		return nil, err
	}
	if r.Sampling, err = b.sampling(); err != nil {
		return nil, err
	}
	if r.Stop, err = stops(b.Stop); err != nil {
		return nil, err
	}
	prompts, err := s.prompts(b.Prompt)
	if err != nil {
		return nil, err
	}
	return repeat(r, prompts, n)
}

// repeat makes n requests of each prompt.
func repeat(r Request, prompts [][]int32, n int) (out []Request, err *apiError) {
	if len(prompts)*n > maxChoices {
		return nil, invalid("n", "%d prompts with n = %d: more than %d texts", len(prompts), n, maxChoices)
	}
	for _, p := range prompts {
		for i := range n {
			one := r
			one.Prompt = p
			one.Sampling.Seed += uint64(i)
			out = append(out, one)
		}
	}
	return out, nil
}

// chat is what a conversation asks of the engine; trim says that a leading space is not part of the answer.
func (s *Server) chat(b *chatBody) (out []Request, trim bool, err *apiError) {
	if err := b.unsupported(); err != nil {
		return nil, false, err
	}
	switch {
	case len(b.Tools) > 0:
		return nil, false, invalid("tools", "tools are not supported by this server")
	case b.ResponseFormat.Type != "" && b.ResponseFormat.Type != "text":
		return nil, false, invalid("response_format", "response_format %q is not supported by this server", b.ResponseFormat.Type)
	case b.TopLogprobs < 0 || b.TopLogprobs > maxTop:
		return nil, false, invalid("top_logprobs", "top_logprobs: %d is not between 0 and %d", b.TopLogprobs, maxTop)
	case b.TopLogprobs > 0 && !b.Logprobs:
		return nil, false, invalid("top_logprobs", "top_logprobs needs logprobs")
	}
	n, err := b.choices()
	if err != nil {
		return nil, false, err
	}
	r := Request{Logprobs: -1}
	if b.Logprobs {
		r.Logprobs = b.TopLogprobs
	}
	name, most := "max_tokens", b.MaxTokens
	if b.MaxCompletionTokens != nil {
		name, most = "max_completion_tokens", b.MaxCompletionTokens
	}
	if r.MaxTokens, err = limit(name, most, -1); err != nil {
		return nil, false, err
	}
	if r.Sampling, err = b.sampling(); err != nil {
		return nil, false, err
	}
	if r.Stop, err = stops(b.Stop); err != nil {
		return nil, false, err
	}
	messages, err := read(b.Messages)
	if err != nil {
		return nil, false, err
	}
	p, problem := s.template.Prompt(s.engine.Tokenizer(), messages)
	if problem != nil {
		return nil, false, invalid("messages", "messages: %v", problem)
	}
	r.Stop, r.StopIDs = append(r.Stop, p.Stop...), p.StopIDs
	out, err = repeat(r, [][]int32{p.IDs}, n)
	return out, p.Trim, err
}

// read takes contents that are a text or a list of text parts.
func read(in []chatMessage) (out []Message, err *apiError) {
	for i, m := range in {
		var text string
		if !empty(m.Content) && json.Unmarshal(m.Content, &text) != nil {
			var parts []struct {
				Type string `json:"type"`
				Text string `json:"text"`
			}
			if json.Unmarshal(m.Content, &parts) != nil {
				return nil, invalid("messages", "messages[%d].content: write a text or a list of text parts", i)
			}
			for _, p := range parts {
				if p.Type != "text" {
					return nil, invalid("messages", "messages[%d].content: parts of type %q are not supported by this server", i, p.Type)
				}
				text += p.Text
			}
		}
		if m.Role == "developer" { // OpenAI's newer name
			m.Role = chat.System
		}
		out = append(out, Message{Role: m.Role, Content: text})
	}
	return out, nil
}
