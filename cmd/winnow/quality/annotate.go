package quality

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"

	"github.com/spf13/cobra"

	"winnow/cmd/winnow/cli"
	"winnow/filter/quality/annotate"
	"winnow/rephrase/openai"
	"winnow/report"
)

// annotation is a line of labels. Score is 0 to 5.
type annotation struct {
	ID       string `json:"id"`
	Text     string `json:"text"`
	Language string `json:"language,omitempty"`
	Score    int    `json:"score"`

	Model            string  `json:"model,omitempty"`
	Prompt           string  `json:"prompt,omitempty"` // annotate.Revision
	Pass             int     `json:"pass,omitempty"`
	Reason           string  `json:"reason,omitempty"`
	PromptTokens     int64   `json:"prompt_tokens,omitempty"`
	CompletionTokens int64   `json:"completion_tokens,omitempty"`
	Dollars          float64 `json:"usd,omitempty"` // at the price given; asked again from the cache it costs nothing
}

type annotateFlags struct {
	cli.EndpointFlags
	data             []string
	out, model       string
	sample, limit    int
	seed             uint64
	characters, pass int
	forecast         bool
}

func (a *app) qualityAnnotate() *cobra.Command {
	var f annotateFlags
	cmd := &cobra.Command{
		Use: "annotate --data RUN|FILE --endpoint URL --model M --out LABELS", Args: cli.ExactArgs(0, 0),
		Short: a.Lang.T("ask a language model how much texts teach, 0 to 5", "请语言模型按 0 到 5 分评定文本的教育价值"),
		Long: a.Lang.T(`Ask a language model how much texts teach, 0 to 5, and write a line of JSON for each text that got a score. What got none is
written to LABELS.failed.jsonl with the reason. Answers are kept: the same command again pays for none twice.

What it will cost is told before the first request; --forecast stops there. --budget and --token-budget end the labels at a text,
the same one each time: what is before it has been paid for at the answers' true cost, and the next may cost more than is left.

--pass 2 is another reading of the same texts, at a temperature of its own; quality agree tells how far two readings, or two
models, agree.`,
			`请语言模型按 0 到 5 分评定文本的教育价值，每篇得分写成一行 JSON；没有得分的连同原因写入 LABELS.failed.jsonl。答案都会保存，
重新运行同一命令不会重复付费。

开始之前先给出费用估计；--forecast 只估计、不请求。--budget 与 --token-budget 使标注止于某一篇，每次都是同一篇：其前各篇按
实际费用计，下一篇可能超出余额。

--pass 2 表示对同一批文本另评一次（采用另外的温度与种子）；用 quality agree 比较两次或两个模型的一致程度。`) + cli.ExitCodes,
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case len(f.data) == 0:
				return cli.Usage("%s", a.Lang.T("give --data", "请给出 --data"))
			case f.sample < 0 || f.limit < 0 || f.characters < 1 || f.pass < 1:
				return cli.Usage("%s", a.Lang.T("--sample and --limit may not be negative, --characters and --pass must be at least 1", "--sample 与 --limit 不可为负，--characters 与 --pass 至少为 1"))
			case f.DollarBudget > 0 && f.Price == (openai.Price{}):
				return cli.Usage("%s", a.Lang.T("--budget needs --price-in and --price-out, US dollars for a million tokens", "--budget 须配 --price-in 与 --price-out（每百万 token 的美元价格）"))
			}
			f.Name = f.model
			e, err := f.Open(a.App, cmd.Context(), f.out)
			if err != nil {
				return err
			}
			return errors.Join(a.unlabelled(a.annotate(cmd.Context(), &f, e)), e.Client.Close())
		},
	}
	f.Add(a.App, cmd)
	t, fl := a.Lang.T, cmd.Flags()
	fl.StringArrayVar(&f.data, "data", nil, t("runs (their kept texts), or files of texts (JSONL, parquet); may be given more than once", "运行（取其保留的文本）或文本文件（JSONL、parquet）；可多次给出"))
	fl.StringVar(&f.model, "model", "", t("model to ask; default: the only one served", "所问的模型；默认为唯一提供的模型"))
	fl.StringVar(&f.out, "out", "labels.jsonl", t("file for the labels", "标注文件"))
	fl.IntVar(&f.sample, "sample", 0, t("texts to draw, by a hash of id and --seed: a larger sample holds the smaller; 0: all", "抽取的篇数，按 id 与 --seed 的散列：大样本包含小样本；0 为全部"))
	fl.Uint64Var(&f.seed, "seed", 1, t("of --sample", "--sample 的种子"))
	fl.IntVar(&f.limit, "limit", 0, t("first texts to annotate; 0: all", "只标注前若干篇；0 为全部"))
	fl.IntVar(&f.characters, "characters", 3000, t("of a text that are shown", "每篇给出的字符数"))
	fl.IntVar(&f.pass, "pass", 1, t("which reading of the texts this is", "第几次评定"))
	fl.Float64Var(&f.Price.Prompt, "price-in", 0, t("US dollars for a million tokens of prompts", "每百万提示 token 的美元价格"))
	fl.Float64Var(&f.Price.Completion, "price-out", 0, t("US dollars for a million tokens of answers", "每百万回答 token 的美元价格"))
	fl.Float64Var(&f.DollarBudget, "budget", 0, t("US dollars that the labels may cost; 0: no limit", "标注费用上限（美元）；0 为不限"))
	fl.BoolVar(&f.forecast, "forecast", false, t("tell what it would cost, and ask nothing", "只估计费用，不发请求"))
	return cmd
}

// question is what is asked about a text.
func (f *annotateFlags) question(model, text string) openai.Request {
	r := openai.Request{Model: model, TopP: 1, MaxTokens: 300, Messages: []openai.Message{{Role: "user", Content: annotate.Prompt(text, f.characters)}}}
	if f.pass > 1 {
		r.Temperature, r.Seed = .7, int64(f.pass)
	}
	return r
}

// annotate asks about all texts, in batches, so that a budget can be held to what earlier answers cost.
func (a *app) annotate(ctx context.Context, f *annotateFlags, e *cli.Endpoint) error {
	rows, err := a.annotated(ctx, f)
	if err != nil {
		return err
	}
	if err := a.foretold(f, e, rows); err != nil || f.forecast {
		return err
	}
	out, err := newLabels(f.out)
	if err != nil {
		return err
	}
	defer out.discard()
	l := &labeller{flags: f, endpoint: e, out: out}
	for row, err := range rows {
		if err == nil {
			err = l.add(ctx, row)
		}
		if err != nil {
			return err
		}
		if l.ended {
			break
		}
	}
	if err := errors.Join(l.ask(ctx), out.commit()); err != nil {
		return err
	}
	return a.toldLabels(f, l)
}

// labelBatch is how many texts are asked about before their answers are written.
const labelBatch = 256

// labeller asks about texts and writes what it is told.
type labeller struct {
	flags    *annotateFlags
	endpoint *cli.Endpoint
	out      *labels

	rows     []annotation // the batch
	asked    []openai.Request
	reserved [2]int64 // tokens of the batch at most: prompts, answers
	ended    bool     // the budget did not reach further
	sum      labelSum
}

// labelSum is what came out.
type labelSum struct {
	Labels           string               `json:"labels"`
	Model            string               `json:"model"`
	Prompt           string               `json:"prompt"`
	Labelled         int                  `json:"labelled"`
	Scores           [annotate.Levels]int `json:"scores"`
	Unclear          int                  `json:"unclear"`    // the last line was no verdict
	Cut              int                  `json:"cut"`        // the answer was cut off
	Withheld         int                  `json:"withheld"`   // by the endpoint's filter
	Unanswered       int                  `json:"unanswered"` // for good
	Ended            bool                 `json:"ended"`      // by the budget
	Requests         int64                `json:"requests"`
	Retries          int64                `json:"retries"`
	Cached           int64                `json:"cached"`
	PromptTokens     int64                `json:"prompt_tokens"` // of all answers, cached ones too
	CompletionTokens int64                `json:"completion_tokens"`
	Dollars          float64              `json:"usd"`      // of all answers
	Paid             float64              `json:"usd_paid"` // by this command
}

// fits tells whether the budget bears so many tokens more.
func (l *labeller) fits(prompt, completion int64) bool {
	prompt, completion = l.sum.PromptTokens+l.reserved[0]+prompt, l.sum.CompletionTokens+l.reserved[1]+completion
	o := &l.flags.Options
	return (o.TokenBudget == 0 || prompt+completion <= o.TokenBudget) &&
		(o.DollarBudget == 0 || o.Price.Dollars(prompt, completion) <= o.DollarBudget*(1+1e-9))
}

// add puts a text into the batch, where the budget reaches: what is under way counts at its upper bound, what was answered at
// its true cost. Cached answers count as others do, so that the same command ends at the same text.
func (l *labeller) add(ctx context.Context, row annotation) error {
	r := l.flags.question(l.endpoint.Model, row.Text)
	prompt, completion := r.Bound()
	if len(l.rows) >= labelBatch || len(l.rows) > 0 && !l.fits(prompt, completion) {
		if err := l.ask(ctx); err != nil {
			return err
		}
	}
	if l.ended = !l.fits(prompt, completion); l.ended {
		return nil
	}
	l.rows, l.asked = append(l.rows, row), append(l.asked, r)
	l.reserved[0] += prompt
	l.reserved[1] += completion
	return nil
}

// ask answers the batch and writes it.
func (l *labeller) ask(ctx context.Context) error {
	answers, err := l.endpoint.Client.CompleteAll(ctx, l.asked)
	if err != nil {
		return err
	}
	for i, answer := range answers {
		if err := l.write(&l.rows[i], answer); err != nil {
			return err
		}
	}
	l.rows, l.asked, l.reserved = l.rows[:0], l.asked[:0], [2]int64{}
	return nil
}

// write takes an answer in the form asked for, and no other.
func (l *labeller) write(row *annotation, answer openai.Answer) error {
	s, r := &l.sum, answer.Response
	if answer.Err != nil {
		s.Unanswered++
		return l.out.fail(row.ID, "unanswered", answer.Err.Error())
	}
	dollars := l.flags.Price.Dollars(r.PromptTokens, r.CompletionTokens)
	s.PromptTokens += r.PromptTokens
	s.CompletionTokens += r.CompletionTokens
	s.Dollars += dollars
	score, ok := annotate.ParseVerdict(r.Text)
	switch {
	case r.Finish == openai.FinishLength:
		s.Cut++
		return l.out.fail(row.ID, "cut", r.Text)
	case r.Finish == openai.FinishFilter:
		s.Withheld++
		return l.out.fail(row.ID, "withheld", r.Text)
	case !ok:
		s.Unclear++
		return l.out.fail(row.ID, "unclear", r.Text)
	}
	s.Labelled++
	s.Scores[score]++
	row.Score, row.Model, row.Prompt, row.Pass = score, l.endpoint.Model, annotate.Revision(), l.flags.pass
	row.Reason, row.PromptTokens, row.CompletionTokens, row.Dollars = annotate.Reason(r.Text), r.PromptTokens, r.CompletionTokens, dollars
	return l.out.good.enc.Encode(row)
}

// toldLabels tells what came of it.
func (a *app) toldLabels(f *annotateFlags, l *labeller) error {
	s, u := &l.sum, l.endpoint.Client.Usage()
	s.Labels, s.Model, s.Prompt, s.Ended = f.out, l.endpoint.Model, annotate.Revision(), l.ended
	s.Requests, s.Retries, s.Cached, s.Paid = u.Requests, u.Retries, u.CacheHits, f.Price.Dollars(u.PromptTokens, u.CompletionTokens)
	if a.JSON {
		return a.Line(s)
	}
	a.Say("%s: %d texts labelled (0 to 5: %v), %d without a verdict, %d cut off, %d withheld, %d unanswered", "%s：标注 %d 篇（0 到 5 分：%v），%d 篇无有效评分，%d 篇回答被截断，%d 篇被拒答，%d 篇无应答",
		f.out, s.Labelled, s.Scores, s.Unclear, s.Cut, s.Withheld, s.Unanswered)
	a.Say("%d requests, %d of them retries, %d from the cache; %d + %d tokens", "%d 次请求（其中重试 %d 次），%d 次取自缓存；%d + %d 个 token", s.Requests, s.Retries, s.Cached, s.PromptTokens, s.CompletionTokens)
	if f.Price != (openai.Price{}) {
		a.Say("the labels cost %.4f US dollars, %.4f of them now", "标注共计 %.4f 美元，其中本次 %.4f 美元", s.Dollars, s.Paid)
	}
	if l.ended {
		a.Say("the budget ended the labels: with a larger one the same command goes on", "预算已尽，标注到此为止；提高预算后运行同一命令即可继续")
	}
	return nil
}

// foretold tells before the first request what all may cost.
func (a *app) foretold(f *annotateFlags, e *cli.Endpoint, rows iter.Seq2[annotation, error]) error {
	var all, cached, prompts, answers int64
	for row, err := range rows {
		if err != nil {
			return err
		}
		r := f.question(e.Model, row.Text)
		all++
		if e.Client.Cached(r) {
			cached++
			continue
		}
		prompt, completion := r.Bound()
		prompts += prompt
		answers += completion
	}
	dollars := f.Price.Dollars(prompts, answers)
	if a.JSON && f.forecast {
		return a.Line(map[string]any{"requests": all, "cached": cached, "prompt_tokens": prompts, "completion_tokens": answers, "usd": dollars})
	}
	a.Say("%s texts (%s of them answered already): about %s prompt tokens, at most %s answer tokens", "%s 篇（其中 %s 篇已有答案）：提示约 %s 个 token，回答至多 %s 个",
		report.Count(all), report.Count(cached), report.Count(prompts), report.Count(answers))
	if f.Price != (openai.Price{}) {
		a.Say("at most about %.4f US dollars", "至多约 %.4f 美元", dollars)
	}
	return nil
}

// unlabelled says what a user can do about labels that the endpoint ended.
func (a *app) unlabelled(err error) error {
	if errors.Is(err, openai.ErrBudget) {
		return cli.ExitWith(cli.ExitPartial, fmt.Errorf(a.Lang.T("%w\n(attempts without an answer used the budget up; answers are kept, and the same command goes on)", "%w\n（未得到回答的请求耗尽了预算；已得的回答都已保存，重新运行同一命令即可继续）"), err))
	}
	if errors.Is(err, openai.ErrFailing) {
		return cli.ExitWith(cli.ExitPartial, fmt.Errorf(a.Lang.T("%w\n(answers are kept: when the endpoint is well again, the same command goes on)", "%w\n（已得的回答都已保存；接口恢复后重新运行同一命令即可继续）"), err))
	}
	return a.Asked(err)
}

// readLabels reads what annotate wrote.
func readLabels(path string) (rows []annotation, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	dec := json.NewDecoder(bufio.NewReader(f))
	for {
		var r annotation
		if err := dec.Decode(&r); err == io.EOF {
			return rows, nil
		} else if err != nil || r.Score < 0 || r.Score >= annotate.Levels {
			return nil, errors.Join(fmt.Errorf("%s: label %d: score %d", path, len(rows)+1, r.Score), err)
		}
		rows = append(rows, r)
	}
}
