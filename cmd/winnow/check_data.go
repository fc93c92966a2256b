package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"winnow/cmd/winnow/cli"
	"winnow/cmd/winnow/pretrain"
	"winnow/report"
	"winnow/train/chat"
	"winnow/train/chat/source"
	"winnow/train/rows"
)

// tokenFlags say how conversations become rows.
type tokenFlags struct {
	tokenizer, template, cut string
	length                   int
	row                      int64
	dropped, shortened       float64
}

func (f *tokenFlags) add(a *app, cmd *cobra.Command) {
	fl, t := cmd.Flags(), a.Lang.T
	fl.StringVar(&f.tokenizer, "tokenizer", "", t("with --as chat: a tokenizer.json or model folder; shows what becomes of the tokens, and one row", "配合 --as chat：tokenizer.json 或模型文件夹；显示 token 的去向与一行样例"))
	fl.StringVar(&f.template, "template", "chatml", t("how conversations are written: ", "对话的写法：")+strings.Join(chat.Names(), ", "))
	fl.StringVar(&f.cut, "cut", string(chat.CutTurns), t("what becomes of long conversations: turns leaves off turns at the end; prompt, answer also shorten those", "过长对话的处理：turns 去掉末尾轮次；prompt、answer 还会缩短提示或回答"))
	fl.IntVar(&f.length, "length", 512, t("positions of a row", "每行位置数"))
	fl.Int64Var(&f.row, "row", 0, t("which row to show", "显示哪一行"))
	fl.Float64Var(&f.shortened, "most-cut", 0.01, t("share of rows that may be cut", "允许被截短的行的比例"))
	fl.Float64Var(&f.dropped, "most-dropped", 0.05, t("share of rows that may be dropped", "允许被丢弃的行的比例"))
}

// checkTokens makes rows of conversations as training does, says where their tokens go, and shows one row.
func (a *app) checkTokens(files []string, rowOptions source.Options, f *tokenFlags) error {
	tok, err := cli.ReadTokenizer(f.tokenizer)
	if err != nil {
		return err
	}
	template, err := chat.New(f.template, tok)
	if err != nil {
		return cli.ExitWith(cli.ExitUsage, err)
	}
	sequences, account, err := chat.Prepare(template, source.Conversations(files, rowOptions), chat.PrepareOptions{Len: f.length, Cut: chat.Cut(f.cut), MostCut: f.shortened, MostDropped: f.dropped})
	if account != nil {
		if e := a.PrintAccount(account); e != nil {
			return e
		}
	}
	if err != nil {
		return err
	}
	masked, err := rows.NewMasked(sequences, nil, rows.Options{Len: f.length, PAD: tok.PAD()})
	if err != nil {
		return err
	}
	tokens, err := pretrain.ShownTokens(masked, f.row, tok)
	if err != nil {
		return err
	}
	if !a.JSON {
		return pretrain.PrintTokens(a.App, tokens)
	}
	for _, t := range tokens {
		if err := a.Line(t); err != nil {
			return err
		}
	}
	return nil
}

// checked is what was found in files of rows.
type checked struct {
	As      string         `json:"as"`
	Used    int            `json:"used"` // conversations, preferences or answers that can be learnt from
	Shapes  map[string]int `json:"shapes"`
	Refused int            `json:"refused"`
	Reasons map[string]int `json:"reasons"`
	First   []string       `json:"first"` // messages of the first that were refused
}

// checkRows reads files to their end and says what can be learnt from. A row that cannot be used makes the code 3; none that can, 1.
func (a *app) checkRows(files []string, as string, first int, f *cli.RowFlags, t *tokenFlags) error {
	if err := f.Settle(); err != nil {
		return err
	}
	switch {
	case t.tokenizer != "" && as == "chat":
		return a.checkTokens(files, f.Options, t)
	case t.tokenizer != "":
		return cli.Usage("%s", a.Lang.T("--tokenizer needs --as chat", "--tokenizer 需与 --as chat 同用"))
	}
	var c *checked
	var err error
	switch as {
	case "chat":
		c, err = countRows(source.Conversations(files, f.Options), func(v *chat.Conversation) string { return v.Shape }, first)
	case "preference":
		c, err = countRows(source.Pairs(files, f.Options), func(v *chat.Pair) string { return v.Shape }, first)
	case "feedback":
		c, err = countRows(source.Feedback(files, f.Options), func(v *chat.Judged) string { return v.Shape + " " + fmt.Sprint(v.Good) }, first)
	default:
		return cli.Usage(a.Lang.T("--as %s: write chat, preference or feedback", "--as %s：应写 chat、preference 或 feedback"), as)
	}
	if err != nil {
		return err
	}
	c.As = as
	if a.JSON {
		b, err := json.Marshal(c)
		if err != nil {
			return err
		}
		fmt.Fprintln(a.Out, string(b))
	} else {
		a.printChecked(c)
	}
	switch {
	case c.Used == 0:
		return fmt.Errorf(a.Lang.T("no row can be used as %s", "没有可用作 %s 的行"), as)
	case c.Refused > 0:
		return cli.ExitWith(cli.ExitPartial, fmt.Errorf(a.Lang.T("%d of %d rows cannot be used", "%[2]d 行中有 %[1]d 行不能使用"), c.Refused, c.Refused+c.Used))
	}
	return nil
}

func countRows[T any](rows iter.Seq2[*T, error], shape func(*T) string, first int) (*checked, error) {
	c := &checked{Shapes: map[string]int{}, Reasons: map[string]int{}, First: []string{}}
	for v, err := range rows {
		var row *source.RowError
		switch {
		case errors.As(err, &row):
			c.Refused++
			c.Reasons[row.Reason]++
			if len(c.First) < first {
				c.First = append(c.First, row.Error())
			}
		case err != nil:
			return nil, err
		default:
			c.Used++
			c.Shapes[shape(v)]++
		}
	}
	return c, nil
}

// reasonNames says in words why rows are refused.
func reasonNames(lang report.Lang) map[string]string {
	return map[string]string{
		source.Broken: lang.T("broken JSON", "JSON 损坏"), source.NoShape: lang.T("no known shape", "格式未知"), source.BadField: lang.T("a field is wrong", "字段有误"),
		source.Empty: lang.T("nothing to learn from", "无可学内容"), source.Placeholder: lang.T("a placeholder is not filled", "占位符未填"),
		source.Differ: lang.T("answers to different prompts", "回答的提示不同"), source.Same: lang.T("both answers are the same", "两个回答相同"),
	}
}

func (a *app) printChecked(c *checked) {
	fmt.Fprintf(a.Out, a.Lang.T("%8d can be used as %s\n", "%8d 行可用作 %s\n"), c.Used, c.As)
	for _, s := range slices.Sorted(maps.Keys(c.Shapes)) {
		fmt.Fprintf(a.Out, "%8d   %s\n", c.Shapes[s], s)
	}
	if c.Refused == 0 {
		return
	}
	fmt.Fprintf(a.Out, a.Lang.T("%8d refused\n", "%8d 行被拒绝\n"), c.Refused)
	names := reasonNames(a.Lang)
	for _, r := range slices.Sorted(maps.Keys(c.Reasons)) {
		fmt.Fprintf(a.Out, "%8d   %s\n", c.Reasons[r], names[r])
	}
	for _, e := range c.First {
		fmt.Fprintln(a.Out, e)
	}
	if more := c.Refused - len(c.First); more > 0 && len(c.First) > 0 {
		fmt.Fprintf(a.Out, a.Lang.T("... and %d more: --first %d shows them\n", "……另有 %d 行：--first %d 可显示\n"), more, c.Refused)
	}
}
