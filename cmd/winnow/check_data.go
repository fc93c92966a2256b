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

	"winnow/report"
	"winnow/train/chat"
	"winnow/train/chat/source"
	"winnow/train/rows"
)

// rowFlags say how rows of fine-tuning data are read.
type rowFlags struct {
	source.Options
	set, fields []string
}

func (f *rowFlags) add(a *app, cmd *cobra.Command) {
	fl := cmd.Flags()
	fl.StringArrayVar(&f.set, "set", nil, a.lang.T("NAME=VALUE: fills {{NAME}} in texts; may be given more than once", "NAME=VALUE：填充文本中的 {{NAME}}；可多次给出"))
	fl.StringArrayVar(&f.fields, "field", nil, a.lang.T("OURS=THEIRS: which field of the file stands for ours, as prompt=question", "OURS=THEIRS：以文件中的哪个字段充当我们的字段，如 prompt=question"))
	fl.BoolVar(&f.Literal, "literal-braces", false, a.lang.T("{{NAME}} is text like any other", "{{NAME}} 视为普通文本"))
	fl.BoolVar(&f.GoOn, "go-on", false, a.lang.T("after broken JSON in an array go on at its next object", "数组中 JSON 损坏后从下一个对象继续"))
}

// settle reads the pairs of names and values.
func (f *rowFlags) settle() error {
	var err error
	if f.Set, err = assignments("--set", f.set); err == nil {
		f.Fields, err = assignments("--field", f.fields)
	}
	return err
}

func assignments(flag string, list []string) (map[string]string, error) {
	m := map[string]string{}
	for _, s := range list {
		name, value, ok := strings.Cut(s, "=")
		if !ok || name == "" {
			return nil, usage("%s %s: write NAME=VALUE", flag, s)
		}
		m[name] = value
	}
	return m, nil
}

// tokenFlags say how conversations become rows.
type tokenFlags struct {
	tokenizer, template, cut string
	length                   int
	row                      int64
	dropped, shortened       float64
}

func (f *tokenFlags) add(a *app, cmd *cobra.Command) {
	fl, t := cmd.Flags(), a.lang.T
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
	tok, err := readTokenizer(f.tokenizer)
	if err != nil {
		return err
	}
	template, err := chat.New(f.template, tok)
	if err != nil {
		return &exitError{exitUsage, err}
	}
	sequences, account, err := chat.Prepare(template, source.Conversations(files, rowOptions), chat.PrepareOptions{Len: f.length, Cut: chat.Cut(f.cut), MostCut: f.shortened, MostDropped: f.dropped})
	if account != nil {
		if e := a.printAccount(account); e != nil {
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
	tokens, err := shownTokens(masked, f.row, tok)
	if err != nil {
		return err
	}
	if !a.json {
		return a.printTokens(tokens)
	}
	for _, t := range tokens {
		if err := a.line(t); err != nil {
			return err
		}
	}
	return nil
}

func (a *app) printAccount(c *chat.Account) error {
	if a.json {
		return a.line(c)
	}
	t := report.Table{Head: []string{a.lang.T("what", "项目"), a.lang.T(">rows", ">行"), a.lang.T(">tokens", ">token 数")}}
	t.Add(a.lang.T("read", "读入"), report.Count(int64(c.Rows)), report.Count(c.Tokens))
	t.Add(a.lang.T("kept", "保留"), report.Count(int64(c.Kept)), report.Count(c.Learnt+c.Context))
	t.Add(a.lang.T("  of these learnt", "  其中学习"), "", report.Count(c.Learnt))
	t.Add(a.lang.T("  cut", "  截短"), report.Count(int64(c.Cut)), report.Count(c.Off))
	t.Add(a.lang.T("  behind the last answer", "  最后回答之后"), "", report.Count(c.Behind))
	t.Add(a.lang.T("dropped", "丢弃"), report.Count(int64(c.Dropped)), report.Count(c.Lost))
	_, err := fmt.Fprint(a.out, t.Text())
	return err
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
func (a *app) checkRows(files []string, as string, first int, f *rowFlags, t *tokenFlags) error {
	if err := f.settle(); err != nil {
		return err
	}
	switch {
	case t.tokenizer != "" && as == "chat":
		return a.checkTokens(files, f.Options, t)
	case t.tokenizer != "":
		return usage("--tokenizer needs --as chat")
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
		return usage("--as %s: write chat, preference or feedback", as)
	}
	if err != nil {
		return err
	}
	c.As = as
	if a.json {
		b, err := json.Marshal(c)
		if err != nil {
			return err
		}
		fmt.Fprintln(a.out, string(b))
	} else {
		a.printChecked(c)
	}
	switch {
	case c.Used == 0:
		return fmt.Errorf(a.lang.T("no row can be used as %s", "没有可用作 %s 的行"), as)
	case c.Refused > 0:
		return &exitError{exitPartial, fmt.Errorf(a.lang.T("%d of %d rows cannot be used", "%[2]d 行中有 %[1]d 行不能使用"), c.Refused, c.Refused+c.Used)}
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
	fmt.Fprintf(a.out, a.lang.T("%8d can be used as %s\n", "%8d 行可用作 %s\n"), c.Used, c.As)
	for _, s := range slices.Sorted(maps.Keys(c.Shapes)) {
		fmt.Fprintf(a.out, "%8d   %s\n", c.Shapes[s], s)
	}
	if c.Refused == 0 {
		return
	}
	fmt.Fprintf(a.out, a.lang.T("%8d refused\n", "%8d 行被拒绝\n"), c.Refused)
	names := reasonNames(a.lang)
	for _, r := range slices.Sorted(maps.Keys(c.Reasons)) {
		fmt.Fprintf(a.out, "%8d   %s\n", c.Reasons[r], names[r])
	}
	for _, e := range c.First {
		fmt.Fprintln(a.out, e)
	}
	if more := c.Refused - len(c.First); more > 0 && len(c.First) > 0 {
		fmt.Fprintf(a.out, a.lang.T("... and %d more: --first %d shows them\n", "……另有 %d 行：--first %d 可显示\n"), more, c.Refused)
	}
}
