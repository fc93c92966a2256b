package tuning

import (
	"bytes"
	"context"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"winnow/cmd/winnow/cli"
	"winnow/report"
	"winnow/shard"
	"winnow/train/judge/teach"
)

// teachFlags say what a teacher writes.
type teachFlags struct {
	cli.EndpointFlags
	teach.Options
	instructions []string
	run, out     string
	continues    bool
	most, least  int
}

func (a *app) trainTeach() *cobra.Command {
	f := teachFlags{}
	cmd := &cobra.Command{
		Use: "teach --endpoint URL --instructions FILE... --out FILE", Args: cli.ExactArgs(0, 0),
		Short: a.Lang.T("let a teacher write answers, or second halves of texts, to learn from", "由教师模型撰写回答或续写文本，供微调使用"),
		Long: a.Lang.T(`Let a model behind an OpenAI-compatible endpoint answer a list of instructions: one a line, as text or as JSON with prompt,
instruction and input, question or messages. With --continue it writes the second half of the texts that a run kept; the first half
is the prompt. OUT is data for train sft: prompt, completion, and who wrote it, asked what, with how many tokens.

Answers that were cut off at --max-tokens are left out, unless --keep-cut. The same command again goes on behind what OUT holds.`,
			`由 OpenAI 兼容地址上的模型回答一组指令：每行一条，可为纯文本，或含 prompt、instruction 与 input、question、messages 的 JSON。
加 --continue 时，为某次运行保留的文本续写后半部分，前半部分作为提示。OUT 可直接用于 train sft：提示、回答，以及由谁在何种提问下写成、用了多少 token。

达到 --max-tokens 而截断的回答不收录，除非加 --keep-cut。再次运行同一命令会接着 OUT 中已有的内容继续。`) + cli.ExitCodes,
		RunE: func(cmd *cobra.Command, args []string) error { return a.teach(cmd.Context(), &f) },
	}
	f.EndpointFlags.Add(a.App, cmd)
	t, fl := a.Lang.T, cmd.Flags()
	fl.StringArrayVar(&f.instructions, "instructions", nil, t("file of instructions; may be given more than once", "指令文件；可多次给出"))
	fl.BoolVar(&f.continues, "continue", false, t("continue kept texts in place of answering instructions", "续写保留的文本，而非回答指令"))
	fl.StringVar(&f.run, "data", "latest", t("with --continue: the run", "配合 --continue：哪次运行"))
	fl.StringVar(&f.out, "out", "", t("file of rows", "输出文件"))
	fl.IntVar(&f.most, "limit", 0, t("tasks; 0: all", "任务数；0 为全部"))
	fl.IntVar(&f.least, "least", 200, t("with --continue: characters that a text must have", "配合 --continue：文本至少的字符数"))
	fl.StringVar(&f.System, "system", "", t("first message to the teacher; it is not in the rows", "给教师模型的系统消息；不写入输出"))
	fl.Float64Var(&f.Sampling.Temperature, "temperature", .7, t("0: always the most likely token", "0 为总取最可能的 token"))
	fl.Float64Var(&f.Sampling.TopP, "top-p", 1, t("only the most likely tokens that together have this probability", "只取累计概率达到此值的最可能 token"))
	fl.Int64Var(&f.Sampling.Seed, "seed", 1, t("endpoints may ignore it", "端点可能忽略"))
	fl.IntVar(&f.Sampling.MaxTokens, "max-tokens", 1024, t("longest answer", "最长回答"))
	fl.BoolVar(&f.KeepCut, "keep-cut", false, t("also keep answers that were cut off", "也保留被截断的回答"))
	return cmd
}

func (a *app) teach(ctx context.Context, f *teachFlags) error {
	switch {
	case f.out == "":
		return cli.Usage("%s", a.Lang.T("give --out, the file of rows", "请给出 --out，即输出文件"))
	case f.continues == (len(f.instructions) > 0):
		return cli.Usage("%s", a.Lang.T("give --instructions or --continue", "请给出 --instructions 或 --continue 之一"))
	case f.Sampling.MaxTokens < 1:
		return cli.Usage(a.Lang.T("--max-tokens %d", "--max-tokens %d：至少为 1"), f.Sampling.MaxTokens)
	}
	tasks, err := a.teachTasks(f)
	if err != nil {
		return err
	}
	if len(tasks) == 0 {
		return cli.Usage("%s", a.Lang.T("there is nothing to write: no instruction, or no text that is long enough", "没有可写的内容：没有指令，或没有足够长的文本"))
	}
	e, err := f.EndpointFlags.Open(a.App, ctx, f.out)
	if err != nil {
		return err
	}
	defer e.Client.Close()
	f.Teacher, f.Options.Parallel = e.Model, f.InFlight
	f.Tell = func(done, all int) { a.Say("%d of %d", "%d / %d", done, all) }
	r, err := teach.Teach(ctx, f.out, e, tasks, f.Options)
	e.Spent(a.App)
	if r != nil {
		if err := a.printTaught(f.out, r); err != nil {
			return err
		}
	}
	if err != nil {
		return a.Asked(err)
	}
	switch {
	case r.Rows == 0 && r.Unanswered > 0:
		return fmt.Errorf(a.Lang.T("all %d requests failed; the first: %s", "%d 个请求全部失败；第一个原因：%s"), r.Unanswered, r.Why)
	case r.Rows == 0:
		return fmt.Errorf("%s", a.Lang.T("the teacher wrote nothing that can be learnt from", "教师模型没有写出可学的内容"))
	case r.Unanswered > 0:
		return cli.ExitWith(cli.ExitPartial, fmt.Errorf(a.Lang.T("%d requests failed, the first: %s; the same command asks them again", "%d 个请求失败，第一个原因：%s；再次运行同一命令会重试"), r.Unanswered, r.Why))
	}
	return nil
}

func (a *app) teachTasks(f *teachFlags) (tasks []teach.Task, err error) {
	full := func() bool { return f.most > 0 && len(tasks) >= f.most }
	for _, name := range f.instructions {
		b, err := os.ReadFile(name)
		if err != nil {
			return nil, cli.Usage("%v", err)
		}
		more, err := teach.Instructions(bytes.NewReader(b), name)
		if err != nil {
			return nil, cli.Usage("%v", err)
		}
		tasks = append(tasks, more...)
	}
	if !f.continues {
		if full() {
			tasks = tasks[:f.most]
		}
		return tasks, nil
	}
	folder, err := a.Find(f.run)
	if err != nil {
		return nil, err
	}
	for _, file := range folder.Data {
		for d, err := range shard.ReadData(folder.Store, file) {
			if err != nil {
				return nil, err
			}
			if t, ok := teach.Continuation(d.Text, folder.Run.ID+"/"+d.ID, d.Language, f.least); ok {
				tasks = append(tasks, t)
			}
			if full() {
				return tasks, nil
			}
		}
	}
	return tasks, nil
}

func (a *app) printTaught(out string, r *teach.Report) error {
	if a.JSON {
		return a.Line(r)
	}
	t := report.Table{Head: []string{a.Lang.T("what", "项目"), ">n"}}
	for _, x := range []struct {
		en, zh string
		n      int
	}{{"tasks", "任务", r.Tasks}, {"rows in " + out, out + " 中的行", r.Rows}, {"  there before", "  先前已有", r.Before}, {"repeated", "重复", r.Twice}, {"cut off at the most tokens", "达到上限而截断", r.Cut},
		{"withheld", "被拦截", r.Withheld}, {"empty", "空回答", r.Empty}, {"failed", "失败", r.Unanswered}} {
		if x.n > 0 {
			t.Add(a.Lang.T(x.en, x.zh), report.Count(int64(x.n)))
		}
	}
	_, err := fmt.Fprint(a.Out, t.Text())
	return err
}
