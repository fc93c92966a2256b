package tuning

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"winnow/cmd/winnow/cli"
	"winnow/train/chat"
	"winnow/train/chat/source"
	"winnow/train/checkpoint"
	"winnow/train/llm"
	"winnow/train/sft"
)

func (a *app) trainKnow() *cobra.Command {
	var k knowFlags
	var m cli.MachineFlags
	var rows cli.RowFlags
	var model string
	var data []string
	var seed uint64
	var list bool
	cmd := &cobra.Command{
		Use: "know --model MODEL --data FILE...", Args: cli.ExactArgs(0, 1<<20),
		Short: a.Lang.T("what a model, not yet tuned, knows of closed-book questions", "未微调的模型对闭卷问题知道多少"),
		Long: a.Lang.T(`Ask a model closed-book questions behind a few answered ones, in several prompts: once for its most likely answer, and by sampling.
An answer is right where it is the same text but for case, punctuation, articles and spaces. FILE has rows of one question and
one short answer, in any shape that winnow check --as chat knows.

Teaching a model answers that it does not know makes it worse at what it does know (arXiv 2405.05904): learn those that are maybe
known.`,
			`在若干示例问答之后向模型提闭卷问题，使用多种提示：取一次最可能的回答，并多次采样。除大小写、标点、冠词与空格外
与答案相同即为正确。FILE 每行含一个问题与一个简短答案，格式同 winnow check --as chat。

让模型学习其不知道的答案会损害它已有的知识（arXiv 2405.05904）：宜学习“可能知道”的部分。`) + cli.ExitCodes,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := rows.Settle(); err != nil {
				return err
			}
			data = append(data, args...)
			if model == "" || len(data) == 0 {
				return cli.Usage("%s", a.Lang.T("give --model and --data", "请给出 --model 与 --data"))
			}
			if err := errors.Join(a.modelAt("--model", model), a.filesAt("--data", data...)); err != nil {
				return err
			}
			return a.know(cmd.Context(), model, data, rows.Options, k.knowledge(a, seed), m, list)
		},
	}
	t, fl := a.Lang.T, cmd.Flags()
	fl.StringVar(&model, "model", "", t("model folder or .gguf file", "模型文件夹或 .gguf 文件"))
	fl.StringArrayVar(&data, "data", nil, t("file of questions and answers; may be given more than once", "问答数据文件；可多次给出"))
	fl.Uint64Var(&seed, "seed", 1, t("of examples and samples", "示例与采样的种子"))
	fl.BoolVar(&list, "list", false, t("print each question with its class and the model's answer", "逐题列出类别与模型的回答"))
	k.add(a, cmd)
	rows.Add(a.App, cmd)
	m.Add(a.App, cmd)
	return cmd
}

// know asks a model what it knows.
func (a *app) know(ctx context.Context, path string, files []string, options source.Options, k *sft.Knowledge, m cli.MachineFlags, list bool) error {
	model, tok, _, err := checkpoint.LoadModel(path)
	if err != nil {
		return err
	}
	if tok == nil {
		return fmt.Errorf("%s: the model has no tokenizer beside it", path)
	}
	var talks []*chat.Conversation
	refused := 0
	for c, err := range source.Conversations(files, options) {
		if refuse, ok := err.(chat.Refused); ok {
			if refused++; refused <= 5 {
				a.Say("  %s", "  %s", refuse.Error())
			}
			continue
		}
		if err != nil {
			return err
		}
		talks = append(talks, c)
	}
	pool, err := llm.NewPool(m.Threads, m.Kernel)
	if err != nil {
		return cli.ExitWith(cli.ExitUsage, err)
	}
	defer pool.Close()
	known, err := k.Ask(ctx, model, tok, pool, k.Some(k.Questions(talks, tok)))
	if err != nil {
		return err
	}
	found := &sft.Found{Asked: len(known), Of: len(talks) + refused, Shares: sft.Shares(known), List: known}
	if a.JSON {
		return a.Line(found)
	}
	a.printShares(found)
	if !list {
		return nil
	}
	for _, q := range known {
		fmt.Fprintf(a.Out, "%-12s %d/%d %d/%d  %s  %q → %q, %q\n", q.Class, q.Greedy.Hits, q.Greedy.N, q.Sampled.Hits, q.Sampled.N, q.ID, q.Question, q.Wrote, q.Answer)
	}
	return nil
}
