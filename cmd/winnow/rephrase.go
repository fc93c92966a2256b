package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"winnow/cmd/winnow/cli"
	"winnow/pipelines"
	"winnow/pipelines/engine"
	"winnow/rephrase/openai"
	"winnow/report"
)

// forecast tells what the rephrase stages may ask of their endpoints.
func (a *app) forecast(w io.Writer, e *pipelines.Estimates) {
	line := func(f pipelines.Forecast, en, zh string, args ...any) {
		fmt.Fprintf(w, "%-11s "+a.Lang.T(en, zh)+"\n", append([]any{f.Stage}, args...)...)
	}
	for _, f := range e.Rephrase {
		line(f, "about %s requests (%s of them answered already), %s prompt tokens, at most %s answer tokens", "约 %s 次请求（其中 %s 次已有答案），提示 %s 个 token，回答至多 %s 个",
			report.Count(f.Requests), report.Count(f.Cached), report.Count(f.Prompt), report.Count(f.Completion))
		if f.Dollars > 0 {
			line(f, "at most about %.2f US dollars", "至多约 %.2f 美元", f.Dollars)
		}
		if f.Share < 1 {
			line(f, "the budget is enough for about %.0f%% of it; documents behind stay as they are", "预算约够其中的 %.0f%%；其后的文档保持原样", 100*f.Share)
		}
	}
}

// foretell measures a sample before a run that asks a model.
func (a *app) foretell(ctx context.Context, r *pipelines.Recipe, p *engine.Plan) error {
	asks := false
	for _, s := range r.Stages {
		asks = asks || s.Rephrase != nil
	}
	if !asks || a.JSON || a.Quiet {
		return nil
	}
	e, err := pipelines.Estimate(ctx, p, 200)
	if err == nil {
		a.forecast(a.Err, e)
	}
	return err
}

// unasked says what a user can do about a run that its endpoint ended.
func (a *app) unasked(err error) error {
	switch {
	case errors.Is(err, openai.ErrBudget):
		return cli.ExitWith(cli.ExitPartial, fmt.Errorf(a.Lang.T("%w\n(attempts without an answer used the budget up; answers are kept, and the same command goes on)", "%w\n（未得到回答的请求耗尽了预算；已得的回答都已保存，重新运行同一命令即可继续）"), err))
	case errors.Is(err, openai.ErrFailing):
		return cli.ExitWith(cli.ExitPartial, fmt.Errorf(a.Lang.T("%w\n(answers are kept: when the endpoint is well again, the same command goes on)", "%w\n（已得的回答都已保存；接口恢复后重新运行同一命令即可继续）"), err))
	case errors.Is(err, openai.ErrSetup):
		return fmt.Errorf(a.Lang.T("%w\n(check endpoint and model in the recipe, and OPENAI_API_KEY)", "%w\n（请检查配方中的 endpoint、model 与环境变量 OPENAI_API_KEY）"), err)
	}
	return err
}
