package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"winnow/report"
	"winnow/train/chat"
	"winnow/train/chat/source"
)

// RowFlags say how rows of fine-tuning data are read.
type RowFlags struct {
	source.Options
	set, fields []string
}

func (f *RowFlags) Add(a *App, cmd *cobra.Command) {
	fl := cmd.Flags()
	fl.StringArrayVar(&f.set, "set", nil, a.Lang.T("NAME=VALUE: fills {{NAME}} in texts; may be given more than once", "NAME=VALUE：填充文本中的 {{NAME}}；可多次给出"))
	fl.StringArrayVar(&f.fields, "field", nil, a.Lang.T("OURS=THEIRS: which field of the file stands for ours, as prompt=question", "OURS=THEIRS：以文件中的哪个字段充当我们的字段，如 prompt=question"))
	fl.BoolVar(&f.Literal, "literal-braces", false, a.Lang.T("{{NAME}} is text like any other", "{{NAME}} 视为普通文本"))
	fl.BoolVar(&f.GoOn, "go-on", false, a.Lang.T("after broken JSON in an array go on at its next object", "数组中 JSON 损坏后从下一个对象继续"))
}

// Settle reads the pairs of names and values.
func (f *RowFlags) Settle() error {
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
			return nil, Usage("%s %s: write NAME=VALUE", flag, s)
		}
		m[name] = value
	}
	return m, nil
}

func (a *App) PrintAccount(c *chat.Account) error {
	if a.JSON {
		return a.Line(c)
	}
	t := report.Table{Head: []string{a.Lang.T("what", "项目"), a.Lang.T(">rows", ">行"), a.Lang.T(">tokens", ">token 数")}}
	t.Add(a.Lang.T("read", "读入"), report.Count(int64(c.Rows)), report.Count(c.Tokens))
	t.Add(a.Lang.T("kept", "保留"), report.Count(int64(c.Kept)), report.Count(c.Learnt+c.Context))
	t.Add(a.Lang.T("  of these learnt", "  其中学习"), "", report.Count(c.Learnt))
	t.Add(a.Lang.T("  cut", "  截短"), report.Count(int64(c.Cut)), report.Count(c.Off))
	t.Add(a.Lang.T("  behind the last answer", "  最后回答之后"), "", report.Count(c.Behind))
	t.Add(a.Lang.T("dropped", "丢弃"), report.Count(int64(c.Dropped)), report.Count(c.Lost))
	_, err := fmt.Fprint(a.Out, t.Text())
	return err
}
