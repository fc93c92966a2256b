package tuning

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"winnow/cmd/winnow/cli"
	"winnow/report"
	"winnow/train/chat"
	"winnow/train/chat/source"
	"winnow/train/checkpoint"
	"winnow/train/judge"
	"winnow/train/llm"
)

// judgeFlags say who judges what, and how.
type judgeFlags struct {
	cli.EndpointFlags
	cli.MachineFlags
	rows            cli.RowFlags
	data            []string
	out, model      string
	scale, question string
	least           float64
}

func (a *app) trainJudge() *cobra.Command {
	var f judgeFlags
	cmd := &cobra.Command{
		Use: "judge --data FILE... {--endpoint URL | --judge MODEL} --out FILE", Args: cli.ExactArgs(0, 0),
		Short: a.Lang.T("let a model say which answers are better: preferences by AI feedback", "由模型评判哪个回答更好：AI 反馈生成的偏好数据"),
		Long: a.Lang.T(`Let a model say which of two answers is better (learning from AI feedback). FILE holds preferences, whose own verdict is then only
compared with, or lines {"prompt": ..., "answers": [..., ...]}. OUT is data for train dpo and train reward.

Each pair is asked about in both orders. Where the judge tells log-probabilities, as winnow serve does, the verdict is the mean
likelihood, in which a preference for the first place cancels; else it is what the judge says, read as text. Rows and report say which
of both it was. With --scores each answer is scored by itself, and the best of an item is paired with the worst.`,
			`由模型判断两个回答中哪个更好（AI 反馈）。FILE 为偏好数据（其原有结论仅用于比较），或形如 {"prompt": ..., "answers": [..., ...]} 的行。
OUT 可直接用于 train dpo 与 train reward。

每对回答以两种次序各问一次。评判模型给出对数概率时（如 winnow serve），取两种次序的平均似然，位置偏好由此抵消；否则按其文字回答解析。
输出行与报告都注明是哪一种。加 --scores 时逐个回答打分，取每组最高与最低者配对。`) + cli.ExitCodes,
		RunE: func(cmd *cobra.Command, args []string) error { return a.judge(cmd.Context(), &f) },
	}
	f.EndpointFlags.Add(a.App, cmd)
	f.MachineFlags.Add(a.App, cmd)
	f.rows.Add(a.App, cmd)
	t, fl := a.Lang.T, cmd.Flags()
	fl.StringArrayVar(&f.data, "data", nil, t("file of answers; may be given more than once", "回答数据文件；可多次给出"))
	fl.StringVar(&f.out, "out", "", t("file of preferences", "输出的偏好文件"))
	fl.StringVar(&f.model, "judge", "", t("a model folder or .gguf file that judges, in place of --endpoint", "由该模型文件夹或 .gguf 文件评判，代替 --endpoint"))
	fl.StringVar(&f.scale, "scores", "", t("score answers one by one: grades (1 to 10) or points (0 to 5)", "逐个打分：grades（1 至 10）或 points（0 至 5）"))
	fl.StringVar(&f.question, "question", "", t("language in which the judge is asked, en or zh; default: that of the prompt", "提问语言 en 或 zh；默认随提示"))
	fl.Float64Var(&f.least, "least", -1, t("least probability that the chosen answer is better, default 0.5; with --scores, points between both, default 0", "胜出所需的最低概率，默认 0.5；配合 --scores 为最低分差，默认 0"))
	return cmd
}

func (f *judgeFlags) check(a *app) error {
	switch {
	case f.out == "":
		return cli.Usage("%s", a.Lang.T("give --out, the file of preferences", "请给出 --out，即偏好文件"))
	case len(f.data) == 0:
		return cli.Usage("%s", a.Lang.T("give --data, the answers to judge", "请给出 --data，即待评判的回答"))
	case (f.model == "") == (f.BaseURL == ""):
		return cli.Usage("%s", a.Lang.T("give --endpoint or --judge", "请给出 --endpoint 或 --judge 之一"))
	case f.scale != "" && f.scale != string(judge.Grades) && f.scale != string(judge.Points):
		return cli.Usage(a.Lang.T("--scores %s: write grades or points", "--scores %s：应写 grades 或 points"), f.scale)
	case f.question != "" && f.question != "en" && f.question != "zh":
		return cli.Usage(a.Lang.T("--question %s: write en or zh", "--question %s：应写 en 或 zh"), f.question)
	case f.least < 0 && f.scale == "":
		f.least = .5
	}
	f.least = max(f.least, 0)
	return f.rows.Settle()
}

func (a *app) judge(ctx context.Context, f *judgeFlags) error {
	if err := f.check(a); err != nil {
		return err
	}
	items, refused, err := a.judgeItems(f)
	if err != nil {
		return err
	}
	j := &judge.Judge{Lang: f.question, Parallel: f.InFlight}
	if f.model == "" {
		e, err := f.EndpointFlags.Open(a.App, ctx, f.out)
		if err != nil {
			return err
		}
		defer e.Client.Close()
		defer e.Spent(a.App)
		j.Client, j.Model = e, e.Model
	} else {
		local, name, pool, err := LocalJudge(a.App, f.model, f.MachineFlags)
		if err != nil {
			return err
		}
		defer pool.Close()
		j.Client, j.Model = local, name
	}
	var rows []judge.Row
	var r *judge.Report
	if f.scale == "" {
		rows, r, err = j.Pairs(ctx, items, f.least)
	} else {
		rows, _, r, err = j.Rank(ctx, judge.Scale(f.scale), items, f.least)
	}
	if err != nil {
		return a.Asked(err)
	}
	if err := judge.WriteRows(f.out, rows); err != nil {
		return err
	}
	if err := a.printJudged(f.out, r); err != nil {
		return err
	}
	switch {
	case len(rows) == 0 && r.Unanswered > 0:
		return fmt.Errorf(a.Lang.T("%d of %d items were not judged; the first: %s", "%[2]d 组中有 %[1]d 组未能评判；第一个原因：%[3]s"), r.Unanswered, r.Items, r.Why)
	case len(rows) == 0:
		return fmt.Errorf("%s", a.Lang.T("the judge preferred no answer", "评判模型没有偏好任何回答"))
	case refused+r.Unanswered > 0:
		return cli.ExitWith(cli.ExitPartial, fmt.Errorf(a.Lang.T("%d rows could not be read, %d not judged %s", "%d 行无法读取，%d 组未能评判 %s"), refused, r.Unanswered, r.Why))
	}
	return nil
}

// LocalJudge loads a model that judges in this process; its name in rows has its hash.
func LocalJudge(a *cli.App, path string, m cli.MachineFlags) (*judge.Local, string, *llm.Pool, error) {
	model, tok, info, err := checkpoint.LoadModel(path)
	if err != nil {
		return nil, "", nil, err
	}
	template, err := chat.Of(info, tok)
	if err == nil && template == nil {
		err = errors.New(a.Lang.T("it has no chat template, so it cannot be asked", "没有对话模板，无法提问"))
	}
	if err != nil {
		return nil, "", nil, cli.ExitWith(cli.ExitUsage, fmt.Errorf("%s: %w", path, err))
	}
	pool, err := llm.NewPool(m.Threads, m.Kernel)
	if err != nil {
		return nil, "", nil, cli.ExitWith(cli.ExitUsage, err)
	}
	local, err := judge.NewLocal(model, tok, template, pool)
	if err != nil {
		pool.Close()
		return nil, "", nil, err
	}
	return local, fmt.Sprintf("%s@%.12s", filepath.Base(filepath.Clean(path)), info.Hash), pool, nil
}

// judgeItems reads answers in either form, which the first line of each file tells.
func (a *app) judgeItems(f *judgeFlags) (items []judge.Item, refused int, err error) {
	for _, name := range f.data {
		b, err := os.ReadFile(name)
		if err != nil {
			return nil, 0, cli.Usage("%v", err)
		}
		var first map[string]json.RawMessage
		if json.NewDecoder(bytes.NewReader(b)).Decode(&first) == nil && first["answers"] != nil {
			for it, err := range judge.Items(bytes.NewReader(b)) {
				if err != nil {
					return nil, 0, cli.Usage("%s: %v", name, err)
				}
				items = append(items, it)
			}
			continue
		}
		var pairs []*chat.Pair
		for p, err := range source.Pairs([]string{name}, f.rows.Options) {
			var row *source.RowError
			switch {
			case errors.As(err, &row):
				refused++
				a.Say("%v", "%v", row)
			case err != nil:
				return nil, 0, err
			default:
				pairs = append(pairs, p)
			}
		}
		more := judge.OfPairs(pairs)
		refused += len(pairs) - len(more)
		items = append(items, more...)
	}
	if len(items) == 0 {
		return nil, 0, cli.Usage("%s", a.Lang.T("there is nothing to judge", "没有可评判的内容"))
	}
	return items, refused, nil
}

func (a *app) printJudged(out string, r *judge.Report) error {
	if a.JSON {
		return a.Line(r)
	}
	t := a.Lang.T
	how := fmt.Sprintf(t("%d by likelihood, %d by what the judge said", "按似然 %d 次，按文字 %d 次"), r.Likelihood, r.Text)
	table := report.Table{Head: []string{t("judge", "评判模型"), r.Model}}
	table.Add(t("rows in ", "写入 ")+out, fmt.Sprintf(t("%d of %d items", "%d 行，共 %d 组"), r.Rows, r.Items))
	table.Add(t("verdicts", "评判"), how)
	table.Add(t("no better answer", "不分高下"), fmt.Sprint(r.Ties))
	table.Add(t("label probability", "标签概率"), fmt.Sprintf(t("%.3f; near 0 the judge did not understand", "%.3f；接近 0 表示没有理解提问"), r.Mass))
	if r.Failed > 0 {
		table.Add(t("named no label", "未给出标签"), fmt.Sprint(r.Failed))
	}
	if r.Unanswered > 0 {
		table.Add(t("not answered", "未回答"), fmt.Sprint(r.Unanswered))
	}
	if r.Score == 0 {
		table.Add(t("position bias", "位置偏好"), fmt.Sprintf(t("%+.3f for the first place (cancels); %d verdicts contradict themselves", "首位 %+.3f（已抵消）；%d 次前后矛盾"), r.Bias, r.Unsteady))
	} else {
		table.Add(t("score", "得分"), fmt.Sprintf(t("%.2f; chosen over rejected %.2f", "%.2f；胜者高出 %.2f"), r.Score, r.Gap))
	}
	if r.Known > 0 {
		table.Add(t("agrees with the given labels", "与原有标签一致"), fmt.Sprintf("%d / %d (%s)", r.Agrees, r.Known, report.Percent(int64(r.Agrees), int64(r.Known))))
	}
	table.Add(t("longer one chosen", "选中较长者"), fmt.Sprintf(t("%.0f %%; %.0f characters against %.0f", "%.0f%%；%.0f 字符对 %.0f"), 100*r.Longer, r.Chosen, r.Other))
	_, err := fmt.Fprint(a.Out, table.Text())
	return err
}
