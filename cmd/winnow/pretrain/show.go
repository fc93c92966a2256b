package pretrain

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"winnow/cmd/winnow/cli"
	"winnow/report"
	"winnow/train/bpe"
	"winnow/train/rows"
)

// showFlags are the flags of train show.
type showFlags struct {
	data      []string
	tokenizer string
	row       int64
	length    int
	single    bool
	seed      uint64
	holdout   float64
	ledger    bool
}

func (a *app) trainShow() *cobra.Command {
	var f showFlags
	cmd := &cobra.Command{
		Use: "show --data RUN --tokenizer FILE", Args: cli.ExactArgs(0, 0),
		Short: a.Lang.T("print a training row token by token", "逐 token 打印一行训练数据"),
		Long: a.Lang.T(`Print a row as training sees it: each input token, its position within its document, and the token that is to be
predicted there, and whether it counts. With the seed, length and hold-out of a training run, row N is its row N.

--ledger prints instead where the tokens of one pass over the data go: used, continued, masked, padded.`,
			`按训练所见打印一行：每个输入 token、它在文档中的位置、该处要预测的 token，以及是否计入损失。
种子、行长与留出比例同训练时一致，则第 N 行即训练的第 N 行。

--ledger 改为打印一遍数据中 token 的去向：使用、续接、屏蔽、填充。`) + cli.ExitCodes,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.showRow(cmd.Context(), f) },
	}
	t, fl := a.Lang.T, cmd.Flags()
	fl.StringArrayVar(&f.data, "data", []string{"latest"}, t("runs, RUN or RUN=WEIGHT; may be given more than once", "运行，RUN 或 RUN=权重；可多次给出"))
	fl.StringVar(&f.tokenizer, "tokenizer", "", t("tokenizer.json, or a folder with one", "tokenizer.json 或含有它的文件夹"))
	fl.Int64Var(&f.row, "row", 0, t("number of the row, from 0", "行号，从 0 起"))
	fl.IntVar(&f.length, "len", 256, t("positions of a row", "行长（位置数）"))
	fl.BoolVar(&f.single, "single", false, t("one document a row, without packing", "每行一个文档，不打包"))
	fl.Uint64Var(&f.seed, "seed", 1, t("of the order", "次序的种子"))
	fl.Float64Var(&f.holdout, "holdout", .05, t("share of duplicate clusters that are only evaluated on", "仅用于评估的重复簇比例"))
	fl.BoolVar(&f.ledger, "ledger", false, t("print the token ledger of one pass", "打印一遍数据的 token 账本"))
	return cmd
}

// ShownToken is one position of a row.
type ShownToken struct {
	At         int    `json:"at"`
	ID         int32  `json:"id"`
	Text       string `json:"text"`
	Position   int32  `json:"position"` // within its piece
	Document   string `json:"document,omitempty"`
	Source     string `json:"source,omitempty"`
	Pair       int    `json:"pair"` // within its whole document
	Target     int32  `json:"target"`
	TargetText string `json:"target_text,omitempty"`
	Counted    bool   `json:"counted"`
}

func (a *app) showRow(ctx context.Context, f showFlags) error {
	if f.tokenizer == "" {
		return cli.Usage("%s", a.Lang.T("give --tokenizer", "请给出 --tokenizer"))
	}
	tok, err := cli.ReadTokenizer(f.tokenizer)
	if err != nil {
		return err
	}
	sources, err := a.rowSources(ctx, f, tok)
	if err != nil {
		return err
	}
	defer func() {
		for _, s := range sources {
			s.Tokens.Close()
		}
	}()
	stream, err := rows.NewStream(sources, rows.Options{Len: f.length, Single: f.single, Seed: f.seed, BOS: tok.BOS(), EOS: tok.EOS(), PAD: tok.PAD()})
	if err != nil {
		return err
	}
	if f.ledger {
		return a.showLedger(stream)
	}
	tokens, err := ShownTokens(stream, f.row, tok)
	if err != nil {
		return err
	}
	if a.JSON {
		for _, t := range tokens {
			if err := a.Line(t); err != nil {
				return err
			}
		}
		return nil
	}
	place, err := stream.Where(f.row)
	if err != nil {
		return err
	}
	a.Say("row %d: row %d of pass %d over %s", "第 %d 行：%[4]s 第 %[3]d 遍的第 %[2]d 行", f.row, place.Row, place.Epoch+1, sources[place.Source].Name)
	return PrintTokens(a.App, tokens)
}

// PrintTokens prints tokens of a row with their targets, or as JSON.
func PrintTokens(a *cli.App, tokens []ShownToken) error {
	l := a.Lang
	t := report.Table{Head: []string{">#", ">id", l.T("token", "token"), l.T(">position", ">位置"), l.T(">target", ">目标"), l.T("predicts", "要预测"), l.T("counted", "计入"), l.T("document", "文档")}}
	for _, x := range tokens {
		document := ""
		if x.Position == 0 {
			document = x.Document
			if x.Pair > 0 {
				document += l.T(fmt.Sprintf(" (continued from token %d)", x.Pair), fmt.Sprintf("（自第 %d 个 token 续）", x.Pair))
			}
		}
		t.Add(strconv.Itoa(x.At), strconv.Itoa(int(x.ID)), quoted(x.Text), strconv.Itoa(int(x.Position)), strconv.Itoa(int(x.Target)), quoted(x.TargetText),
			map[bool]string{true: l.T("yes", "是"), false: l.T("no", "否")}[x.Counted], document)
	}
	_, err := fmt.Fprint(a.Out, t.Text())
	return err
}

// shownRows are rows that can be shown: rows.Stream, rows.Masked.
type shownRows interface {
	Len() int
	Fill(first int64, ids, targets, pos []int32) error
	Parts(row int64) ([]rows.Part, error)
}

// ShownTokens are the tokens of one row, with what is learnt of each.
func ShownTokens(s shownRows, row int64, tok *bpe.Tokenizer) ([]ShownToken, error) {
	n := s.Len()
	ids, targets, pos := make([]int32, n), make([]int32, n), make([]int32, n)
	if err := s.Fill(row, ids, targets, pos); err != nil {
		return nil, err
	}
	parts, err := s.Parts(row)
	if err != nil {
		return nil, err
	}
	list := make([]ShownToken, n)
	at := 0
	for _, p := range parts {
		for i := range p.Len {
			list[at+i].Document, list[at+i].Source, list[at+i].Pair = p.Document, p.Source, p.From+i
		}
		at += p.Len
	}
	for i := range list {
		x := &list[i]
		x.At, x.ID, x.Text, x.Position, x.Target, x.Counted = i, ids[i], tokenName(tok, ids[i]), pos[i], targets[i], targets[i] >= 0
		if x.Counted {
			x.TargetText = tokenName(tok, targets[i])
		}
	}
	return list, nil
}

// tokenName is a token's text, with \x escapes where it is half a character; a special one's name.
func tokenName(tok *bpe.Tokenizer, id int32) string {
	b := tok.Token(id)
	if b == nil {
		return tok.Name(id)
	}
	if !utf8.Valid(b) {
		q := strconv.Quote(string(b))
		return q[1 : len(q)-1]
	}
	return string(b)
}

// quoted makes spaces and line ends visible.
func quoted(s string) string {
	if s == "" {
		return ""
	}
	q := strconv.Quote(s)
	return strings.ReplaceAll(q, `\\x`, `\x`)
}

// showLedger prints where the tokens of the first pass over the first source go, and of the others in the same rows.
func (a *app) showLedger(s *rows.Stream) error {
	end, err := s.Passed(0)
	if err != nil {
		return err
	}
	l, err := s.Ledger(end)
	if err != nil {
		return err
	}
	if a.JSON {
		return a.Line(l)
	}
	t := report.Table{Head: []string{a.Lang.T("what", "项目"), a.Lang.T(">tokens", ">token 数"), a.Lang.T("of", "占")}}
	add := func(en, zh string, n, whole int64, of string) {
		share := ""
		if whole > 0 {
			share = report.Percent(n, whole) + " " + of
		}
		t.Add(a.Lang.T(en, zh), report.Count(n), share)
	}
	positions, read := a.Lang.T("of positions", "位置"), a.Lang.T("of text read", "已读文本")
	add("text read", "已读文本", l.Read, 0, "")
	add("text used as targets", "作为目标的文本", l.Text, l.Read, read)
	add("text left", "尚余文本", l.Left, l.Read, read)
	add("ends of documents used as targets", "作为目标的文档结尾", l.Ends, 0, "")
	add("positions", "位置", l.Positions, 0, "")
	add("used", "使用", l.Used, l.Positions, positions)
	add("  of these continued from another row", "  其中续接自他行", l.Continued, l.Positions, positions)
	add("masked", "屏蔽", l.Masked, l.Positions, positions)
	add("padded", "填充", l.Padded, l.Positions, positions)
	a.Say("%d documents, %s of text, %d rows; the ledger balances", "%d 篇文档，%s 文本，%d 行；账本平衡", l.Documents, report.Bytes(l.Bytes), l.Rows)
	_, err = fmt.Fprint(a.Out, t.Text())
	return err
}

// rowSources opens the token files of runs, made where they are not there yet, without what is held out.
func (a *app) rowSources(ctx context.Context, f showFlags, tok *bpe.Tokenizer) (sources []rows.Source, err error) {
	for _, arg := range f.data {
		from, err := a.Source(arg)
		if err != nil {
			return nil, err
		}
		tokens, err := rows.Of(ctx, from.Folder, "", tok, rows.TokenizeOptions{})
		if err != nil {
			return nil, err
		}
		docs, _ := rows.Holdout(tokens, f.holdout, f.seed)
		sources = append(sources, rows.Source{Name: from.Folder.Run.ID, Tokens: tokens, Docs: docs, Weight: cmp.Or(from.Weight, 1)})
	}
	return sources, nil
}
