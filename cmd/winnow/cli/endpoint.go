package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"winnow/rephrase/openai"
	"winnow/train/chat"
	"winnow/train/judge"
	"winnow/train/judge/teach"
)

// EndpointFlags say which model is asked, and how hard.
type EndpointFlags struct {
	openai.Options
	Name string
}

func (f *EndpointFlags) Add(a *App, cmd *cobra.Command) {
	f.Options = openai.Defaults()
	t, fl := a.Lang.T, cmd.Flags()
	fl.StringVar(&f.BaseURL, "endpoint", "", t("OpenAI-compatible address, up to and with /v1; the key is OPENAI_API_KEY", "OpenAI 兼容地址，到 /v1 为止；密钥取自 OPENAI_API_KEY"))
	fl.StringVar(&f.Name, "endpoint-model", "", t("model to ask; default: the only one that the endpoint serves", "所问的模型；默认为该地址提供的唯一模型"))
	fl.StringVar(&f.CacheDir, "cache", "", t("folder of answers, so that none is paid for twice; default: OUT.cache", "答案缓存文件夹，避免重复付费；默认 OUT.cache"))
	fl.IntVar(&f.InFlight, "in-flight", f.InFlight, t("requests at the same time", "同时进行的请求数"))
	fl.Float64Var(&f.RequestsPerMinute, "requests-per-minute", 0, t("0: no limit", "0 为不限"))
	fl.Float64Var(&f.TokensPerMinute, "tokens-per-minute", 0, t("0: no limit", "0 为不限"))
	fl.Int64Var(&f.TokenBudget, "token-budget", 0, t("tokens to spend in all; 0: no limit", "总共可用的 token 数；0 为不限"))
	fl.IntVar(&f.Retries, "retries", f.Retries, t("attempts after the first", "失败后的重试次数"))
	fl.DurationVar(&f.Timeout, "timeout", f.Timeout, t("of one attempt", "单次请求的时限"))
}

// Endpoint is a model behind an address, as judges and teachers ask it.
type Endpoint struct {
	Client *openai.Client
	Model  string

	tells  atomic.Bool // it told log-probabilities
	silent atomic.Bool // it tells none
}

// Open connects; out is the file that is written, beside which the cache lies.
func (f *EndpointFlags) Open(a *App, ctx context.Context, out string) (*Endpoint, error) {
	if f.BaseURL == "" {
		return nil, Usage("%s", a.Lang.T("give --endpoint, the address of the model to ask", "请给出 --endpoint，即所问模型的地址"))
	}
	if f.CacheDir == "" {
		f.CacheDir = out + ".cache"
	}
	e := &Endpoint{Model: f.Name}
	var err error
	if e.Client, err = openai.New(f.Options); err != nil {
		return nil, ExitWith(ExitUsage, err)
	}
	if e.Model == "" {
		if e.Model, err = onlyModel(ctx, f.BaseURL); err != nil {
			return nil, errors.Join(fmt.Errorf(a.Lang.T("%w\n(name the model with --endpoint-model)", "%w\n（请用 --endpoint-model 指定模型）"), err), e.Client.Close())
		}
	}
	return e, nil
}

// onlyModel asks an endpoint what it serves.
func onlyModel(ctx context.Context, base string) (string, error) {
	ctx, stop := context.WithTimeout(ctx, 20*time.Second)
	defer stop()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(base, "/")+"/models", nil)
	if err != nil {
		return "", err
	}
	got, err := http.DefaultClient.Do(r)
	if err != nil {
		return "", err
	}
	defer got.Body.Close()
	var list struct{ Data []struct{ ID string } }
	if err := json.NewDecoder(io.LimitReader(got.Body, 1<<20)).Decode(&list); err != nil || got.StatusCode != http.StatusOK || len(list.Data) != 1 {
		return "", fmt.Errorf("%s: status %d, %d models", base, got.StatusCode, len(list.Data))
	}
	return list.Data[0].ID, nil
}

func (e *Endpoint) complete(ctx context.Context, messages []chat.Message, r openai.Request, unanswered error) (openai.Response, error) {
	r.Model = e.Model
	for _, m := range messages {
		r.Messages = append(r.Messages, openai.Message{Role: m.Role, Content: m.Content})
	}
	got, err := e.Client.Complete(ctx, r)
	var failed *openai.RequestError
	if errors.As(err, &failed) {
		return got, &unansweredError{unanswered, failed}
	}
	return got, err
}

// unansweredError is both what judge or teach call it, and why.
type unansweredError struct {
	kind  error
	cause *openai.RequestError
}

func (e *unansweredError) Error() string   { return e.kind.Error() + ": " + e.cause.Error() }
func (e *unansweredError) Unwrap() []error { return []error{e.kind, e.cause} }

// Ask is judge.Client's. Log-probabilities of the first token are asked for until the endpoint has shown that it tells none.
func (e *Endpoint) Ask(ctx context.Context, q judge.Question) (judge.Reply, error) {
	if len(q.Labels) > 0 && !e.silent.Load() {
		r, done, err := e.first(ctx, q)
		if done || err != nil {
			return r, err
		}
	}
	got, err := e.complete(ctx, q.Messages, openai.Request{TopP: 1, MaxTokens: q.MaxTokens}, judge.ErrUnanswered)
	if err != nil {
		return judge.Reply{}, err
	}
	if len(q.Labels) > 0 && !e.tells.Load() {
		e.silent.Store(true)
	}
	return judge.Reply{Text: got.Text}, nil
}

// first asks for the first token's log-probabilities; false where none were told. A model that ends its turn at once says no token of
// which they could be told: another draw has the same log-probabilities.
func (e *Endpoint) first(ctx context.Context, q judge.Question) (judge.Reply, bool, error) {
	for seed := range int64(9) {
		r := openai.Request{TopP: 1, MaxTokens: 1, Top: 20}
		if seed > 0 {
			r.Temperature, r.Seed = 1.5, seed
		}
		got, err := e.complete(ctx, q.Messages, r, judge.ErrUnanswered)
		var failed *openai.RequestError
		switch {
		case errors.As(err, &failed) && (failed.Status == http.StatusBadRequest || failed.Status == http.StatusUnprocessableEntity):
			return judge.Reply{}, false, nil // it may refuse the question for the log-probabilities
		case err != nil:
			return judge.Reply{}, false, err
		case len(got.First) > 0:
			e.tells.Store(true)
			reply := judge.Reply{Text: got.Text, First: []judge.Candidate{}}
			for _, c := range got.First {
				reply.First = append(reply.First, judge.Candidate{Token: c.Token, Logprob: c.Logprob})
			}
			return reply, true, nil
		case got.Text != "":
			return judge.Reply{}, false, nil
		}
	}
	return judge.Reply{}, false, nil
}

// Answer is teach.Client's.
func (e *Endpoint) Answer(ctx context.Context, messages []chat.Message, s teach.Sampling) (teach.Answer, error) {
	got, err := e.complete(ctx, messages, openai.Request{Temperature: s.Temperature, TopP: s.TopP, Seed: s.Seed, MaxTokens: s.MaxTokens}, teach.ErrUnanswered)
	return teach.Answer{Text: got.Text, Finish: got.Finish, PromptTokens: got.PromptTokens, CompletionTokens: got.CompletionTokens}, err
}

// Spent tells what the endpoint was asked.
func (e *Endpoint) Spent(a *App) {
	u := e.Client.Usage()
	a.Say("%s: %d requests, %d retries, %d from the cache, %d tokens read, %d written", "%s：%d 次请求，%d 次重试，缓存命中 %d，读入 %d 个 token，写出 %d 个", e.Model, u.Requests, u.Retries, u.CacheHits, u.PromptTokens, u.CompletionTokens)
}

// Asked says what a user can do about a model that could not be asked.
func (a *App) Asked(err error) error {
	switch {
	case errors.Is(err, openai.ErrBudget):
		return ExitWith(ExitPartial, fmt.Errorf(a.Lang.T("%w\n(the same command with a larger --token-budget goes on)", "%w\n（提高 --token-budget 后运行同一命令即可继续）"), err))
	case errors.Is(err, openai.ErrSetup):
		return fmt.Errorf(a.Lang.T("%w\n(check --endpoint, --endpoint-model and OPENAI_API_KEY)", "%w\n（请检查 --endpoint、--endpoint-model 与 OPENAI_API_KEY）"), err)
	}
	return err
}
