// Package openai_test talks to the server through OpenAI's own client. It stands apart so that fuzzing the server need not build it.
package openai_test

import (
	"net/http/httptest"
	"reflect"
	"slices"
	"testing"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"

	"winnow/train/bpe"
	"winnow/train/chat"
	"winnow/train/llm"
	"winnow/train/serve"
)

const sample = "The quick brown fox jumps over the lazy dog. 今天天气很好，我们去公园散步。\n"

func server(t *testing.T) (*serve.Engine, openai.Client) {
	tok, err := bpe.Train(slices.Values([]string{sample}), bpe.TrainOptions{Vocab: 320, Splitter: "gpt-2"})
	if err != nil {
		t.Fatal(err)
	}
	m, err := llm.New(llm.Config{Vocab: tok.Size(), Context: 256, Dim: 32, FFN: 96, Layers: 2, Heads: 4, KVHeads: 2, HeadDim: 8, NormEps: 1e-5, RopeTheta: 10000}, 7)
	if err != nil {
		t.Fatal(err)
	}
	pool, err := llm.NewPool(2, "")
	if err != nil {
		t.Fatal(err)
	}
	e, err := serve.NewEngine(m, tok, pool, serve.Options{Slots: 4})
	if err != nil {
		t.Fatal(err)
	}
	h := httptest.NewServer(serve.NewServer(e, "tiny", nil, "test"))
	t.Cleanup(func() { h.Close(); e.Close(); pool.Close() })
	return e, openai.NewClient(option.WithBaseURL(h.URL+"/v1"), option.WithAPIKey("none"), option.WithMaxRetries(0))
}

// TestClientCompletions talks through OpenAI's own client, whole and streamed.
func TestClientCompletions(t *testing.T) {
	e, c := server(t)
	p := openai.CompletionNewParams{Model: "tiny", Prompt: openai.CompletionNewParamsPromptUnion{OfString: openai.String(sample)},
		MaxTokens: openai.Int(30), Seed: openai.Int(11), N: openai.Int(3), Logprobs: openai.Int(2), Temperature: openai.Float(.9)}
	whole, err := c.Completions.New(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	if len(whole.Choices) != 3 || int(whole.Usage.PromptTokens) != len(serve.Text(e.Tokenizer(), sample)) || whole.Usage.TotalTokens != whole.Usage.PromptTokens+whole.Usage.CompletionTokens {
		t.Fatalf("%d choices, usage %+v", len(whole.Choices), whole.Usage)
	}
	p.StreamOptions.IncludeUsage = openai.Bool(true)
	stream := c.Completions.NewStreaming(t.Context(), p)
	texts, tokens, finishes := make([]string, 3), make([][]string, 3), make([]string, 3)
	var used openai.CompletionUsage
	for stream.Next() {
		chunk := stream.Current()
		for _, choice := range chunk.Choices {
			if len(choice.Logprobs.TextOffset) > 0 && choice.Logprobs.Tokens[0][0] != 'b' && int(choice.Logprobs.TextOffset[0]) != len(texts[choice.Index]) {
				t.Errorf("text_offset %d at %d", choice.Logprobs.TextOffset[0], len(texts[choice.Index]))
			}
			texts[choice.Index] += choice.Text
			tokens[choice.Index] = append(tokens[choice.Index], choice.Logprobs.Tokens...)
			if choice.FinishReason != "" {
				finishes[choice.Index] = string(choice.FinishReason)
			}
		}
		if chunk.Usage.TotalTokens > 0 {
			used = chunk.Usage
		}
	}
	if err := stream.Err(); err != nil {
		t.Fatal(err)
	}
	made := 0
	for i, choice := range whole.Choices {
		if choice.Text != texts[i] || string(choice.FinishReason) != finishes[i] || !reflect.DeepEqual(choice.Logprobs.Tokens, tokens[i]) {
			t.Errorf("choice %d: whole %q, streamed %q", i, choice.Text, texts[i])
		}
		n := len(choice.Logprobs.Tokens)
		if made += n; n != len(choice.Logprobs.TokenLogprobs) || n != len(choice.Logprobs.TopLogprobs) || n != len(choice.Logprobs.TextOffset) {
			t.Errorf("choice %d: lists of log-probabilities differ in length", i)
		}
	}
	if int(used.CompletionTokens) != made || used.TotalTokens != whole.Usage.TotalTokens {
		t.Errorf("usage streamed %+v, whole %+v, tokens told %d", used, whole.Usage, made)
	}
	p.N, p.Seed = openai.Int(1), openai.Int(12)
	if one, err := c.Completions.New(t.Context(), p); err != nil || one.Choices[0].Text != texts[1] {
		t.Errorf("seed 12 alone is not the second choice of seed 11: %v", err)
	}
}

func TestClientChat(t *testing.T) {
	e, c := server(t)
	p := openai.ChatCompletionNewParams{Model: "tiny", MaxCompletionTokens: openai.Int(25), Seed: openai.Int(5), Logprobs: openai.Bool(true), TopLogprobs: openai.Int(3),
		Messages: []openai.ChatCompletionMessageParamUnion{openai.SystemMessage("Be brief."), openai.UserMessage("你好")}}
	whole, err := c.Chat.Completions.New(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	choice := whole.Choices[0]
	if choice.Message.Role != "assistant" || choice.FinishReason != "length" || len(choice.Logprobs.Content) != 25 || len(choice.Logprobs.Content[0].TopLogprobs) != 3 {
		t.Errorf("%+v", choice)
	}
	prompt, err := chat.Lines{}.Prompt(e.Tokenizer(), []serve.Message{{Role: "system", Content: "Be brief."}, {Role: "user", Content: "你好"}})
	if err != nil || int(whole.Usage.PromptTokens) != len(prompt.IDs) || whole.Usage.CompletionTokens != 25 {
		t.Errorf("usage %+v, %v", whole.Usage, err)
	}
	stream := c.Chat.Completions.NewStreaming(t.Context(), p)
	var all openai.ChatCompletionAccumulator
	for stream.Next() {
		if !all.AddChunk(stream.Current()) {
			t.Fatal("a chunk does not fit its stream")
		}
	}
	if err := stream.Err(); err != nil {
		t.Fatal(err)
	}
	if got := all.Choices[0]; got.Message.Content != choice.Message.Content || got.FinishReason != "length" || got.Message.Role != "assistant" {
		t.Errorf("streamed %q, whole %q", got.Message.Content, choice.Message.Content)
	}
}

func TestClientModels(t *testing.T) {
	_, c := server(t)
	list, err := c.Models.List(t.Context())
	if err != nil || len(list.Data) != 1 || list.Data[0].ID != "tiny" {
		t.Fatalf("%+v, %v", list, err)
	}
	if m, err := c.Models.Get(t.Context(), "tiny"); err != nil || m.OwnedBy != "winnow" {
		t.Errorf("%+v, %v", m, err)
	}
	if _, err := c.Models.Get(t.Context(), "other"); err == nil {
		t.Error("a model that is not there")
	}
}
