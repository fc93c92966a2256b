package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"winnow/cmd/winnow/cli"
	"winnow/pipelines"
	"winnow/train/chat/source"
)

func (a *app) checkCmd() *cobra.Command {
	var as string
	var first int
	var rows cli.RowFlags
	var tokens tokenFlags
	cmd := &cobra.Command{
		Use: "check RECIPE | check FILE... --as chat|preference|feedback", Args: cli.ExactArgs(1, 1<<20),
		Short: a.Lang.T("check a recipe and run its own tests, or check data for fine-tuning; nothing is written", "检查配方并运行其自带测试，或检查微调数据；不写任何东西"),
		Long: a.Lang.T(`Check a recipe and run its own tests. With --as, check files of conversations, preferences or feedback: JSON lines, JSON arrays
or parquet, plain or under gzip or zstd. It counts rows by shape and names file, line, field and the right shape of what is wrong.`,
			`检查配方并运行其自带测试。用 --as 则检查对话、偏好或反馈数据文件：JSON 行、JSON 数组或 parquet，可经 gzip 或 zstd 压缩。
按格式统计行数，并对有误之处指出文件、行号、字段与正确的写法。`) + shapesHelp() + cli.ExitCodes,
		RunE: func(cmd *cobra.Command, args []string) error {
			if as != "" {
				return a.checkRows(args, as, first, &rows, &tokens)
			}
			if len(args) > 1 {
				return cli.Usage("%s", a.Lang.T("check: one recipe; files of rows need --as chat, preference or feedback", "check：只能给一个配方；数据行文件须加 --as chat、preference 或 feedback"))
			}
			r, raw, err := pipelines.Load(args[0])
			if err != nil {
				return cli.ExitWith(cli.ExitUsage, err)
			}
			p, err := pipelines.Build(r, raw, cli.Version())
			if err != nil {
				return cli.ExitWith(cli.ExitUsage, err)
			}
			if err := r.CheckTrain(trainer{a}); err != nil {
				return cli.ExitWith(cli.ExitUsage, err)
			}
			results, err := pipelines.RunTests(cmd.Context(), r, p)
			if err != nil {
				return err
			}
			return a.tested(args[0], results, len(r.Train))
		},
	}
	cmd.Flags().StringVar(&as, "as", "", a.Lang.T("what the rows are: chat, preference, feedback", "行的用途：chat、preference、feedback"))
	cmd.Flags().IntVar(&first, "first", 5, a.Lang.T("how many refused rows to show", "显示多少条被拒绝的行"))
	rows.Add(a.App, cmd)
	tokens.add(a, cmd)
	return cmd
}

// shapesHelp lists the shapes of rows.
func shapesHelp() string {
	var b strings.Builder
	chats, pairs, judged := source.Shapes()
	for i, list := range [][][2]string{chats, pairs, judged} {
		fmt.Fprintf(&b, "\n\n--as %s", []string{"chat", "preference", "feedback"}[i])
		for _, s := range list {
			fmt.Fprintf(&b, "\n  %-24s %s", s[0], s[1])
		}
	}
	return b.String() + "\n"
}

func (a *app) tested(recipe string, results []pipelines.TestResult, steps int) error {
	failed := 0
	for _, t := range results {
		got := "keep"
		if t.Verdict.Drop {
			got = t.Verdict.Rule
		}
		if !t.OK {
			failed++
		}
		if a.JSON {
			b, err := json.Marshal(map[string]any{"test": t.Test.Name, "ok": t.OK, "got": got, "want": t.Test.Want.String()})
			if err != nil {
				return err
			}
			fmt.Fprintln(a.Out, string(b))
		} else if !t.OK {
			fmt.Fprintf(a.Out, a.Lang.T("FAIL %s: got %s, want %s\n", "失败 %s：得到 %s，应为 %s\n"), t.Test.Name, got, t.Test.Want)
		}
	}
	if failed > 0 {
		return fmt.Errorf(a.Lang.T("%s: %d of %d tests failed", "%s：%[3]d 个测试中有 %[2]d 个失败"), recipe, failed, len(results))
	}
	a.Say("%s is a valid recipe; %d tests passed", "%s 是有效配方；%d 个测试通过", recipe, len(results))
	if steps > 0 {
		a.Say("%d steps of training: data, templates, losses and rewards are in order; `winnow plan %s` shows their commands", "%d 个训练步骤：数据、模板、损失与奖励均无误；`winnow plan %s` 列出各步命令", steps, recipe)
	}
	return nil
}
