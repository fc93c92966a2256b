package openai

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"

	"winnow/text"
)

// Message is one turn of a conversation.
type Message struct {
	Role    string `json:"role"` // system, user or assistant
	Content string `json:"content"`
}

// Request is one question to a model. Its fields are all that the answer may depend on, and so the key of the cache; the
// endpoint is not among them.
type Request struct {
	Model       string    `json:"model"`              // the model's own id, whoever serves it; see Options.ServedModel
	Template    string    `json:"template,omitempty"` // hash of the template that the messages were made with
	Temperature float64   `json:"temperature"`
	TopP        float64   `json:"top_p"`
	Seed        int64     `json:"seed"`       // endpoints may ignore it
	MaxTokens   int       `json:"max_tokens"` // longest answer in the model's tokens; 0 leaves it to the endpoint
	Messages    []Message `json:"messages"`
	Top         int       `json:"top_logprobs,omitempty"` // ask for log-probabilities of so many tokens, at most 20; 0: none
}

type key [sha256.Size]byte

// key is the sha256 of the request as JSON, whose order of fields is that of the struct. NaN and infinite parameters have
// no JSON and are refused.
func (r Request) key() (key, error) {
	b, err := json.Marshal(r)
	if err != nil {
		return key{}, fmt.Errorf("openai: request: %w", err)
	}
	return sha256.Sum256(b), nil
}

// Bound is what the request may take at most, in tokens: its prompt, by EstimateTokens, and its longest answer.
func (r Request) Bound() (prompt, completion int64) {
	for _, m := range r.Messages {
		prompt += int64(EstimateTokens(m.Content)) + 4 // the turn's own markup
	}
	return prompt, int64(r.MaxTokens)
}

// Price is what an endpoint takes for a million tokens, in US dollars.
type Price struct{ Prompt, Completion float64 }

// Dollars is the price of so many tokens.
func (p Price) Dollars(prompt, completion int64) float64 {
	return (p.Prompt*float64(prompt) + p.Completion*float64(completion)) / 1e6
}

// Reasons why an answer ended, as in Response.Finish.
const (
	FinishStop   = "stop"           // the model was done
	FinishLength = "length"         // cut off at MaxTokens or at the model's context
	FinishFilter = "content_filter" // withheld by the endpoint, or refused by the model in so many words
)

// Response is a model's answer.
type Response struct {
	Text             string `json:"text"`
	Finish           string `json:"finish"` // one of the Finish constants, or what else the endpoint says
	PromptTokens     int64  `json:"prompt_tokens"`
	CompletionTokens int64  `json:"completion_tokens"` // estimated, like PromptTokens, where the endpoint does not count
	Cached           bool   `json:"-"`                 // taken from the cache, and free

	First []Candidate `json:"first,omitempty"` // what the answer's first token could have been, where Request.Top asks and the endpoint tells
}

// Candidate is a token and its natural log-probability.
type Candidate struct {
	Token   string  `json:"token"`
	Logprob float64 `json:"logprob"`
}

// Answer is the outcome of one request of many: a Response, or why there is none.
type Answer struct {
	Response Response
	Err      *RequestError // nil where there is a response
}

// EstimateTokens estimates how many tokens a current multilingual tokenizer makes of s: one for each Han character, Kana
// or Hangul syllable, and one for every four bytes of anything else, rounded up. It leans to the high side for Chinese.
func EstimateTokens(s string) int {
	east, bytes := 0, len(s)
	for i, r := range s {
		if r >= 0x1100 && (text.IsHan(r) || text.IsKana(r) || text.IsHangul(r)) {
			east++
			bytes -= width(s[i])
		}
	}
	return east + (bytes+3)/4
}

// width is the length of a well-formed character of three or four bytes, from its first.
func width(first byte) int {
	if first >= 0xf0 {
		return 4
	}
	return 3
}
