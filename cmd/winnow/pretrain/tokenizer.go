package pretrain

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"winnow/cmd/winnow/cli"
	"winnow/report"
	"winnow/shard"
	"winnow/train"
	"winnow/train/bpe"
	"winnow/train/checkpoint"
)

// tokenizerFlags are the flags of train tokenizer.
type tokenizerFlags struct {
	data       []string
	vocab, out string
	options    bpe.TrainOptions
}

func (a *app) trainTokenizer() *cobra.Command {
	var f tokenizerFlags
	t := a.Lang.T
	cmd := &cobra.Command{
		Use: "tokenizer --data RUN", Args: cli.ExactArgs(0, 0),
		Short: t("train a tokenizer on the kept texts of runs", "用运行保留的文本训练分词器"),
		Long: t(`Train a byte-level BPE tokenizer on the kept texts of runs and write it as a tokenizer.json, which Hugging Face's tokenizers
reads, or, where --out ends in .tiktoken, as tiktoken's ranks. The same texts and flags give the same bytes.

Prints how many bytes of text a token stands for, by language, on texts of the runs themselves.`,
			`用运行保留的文本训练字节级 BPE 分词器，写成 Hugging Face tokenizers 可读的 tokenizer.json；--out 以 .tiktoken 结尾时写成
tiktoken 的 ranks。相同文本与参数得到逐字节相同的文件。

并按语言列出每个 token 平均代表多少字节（在这些运行自身的文本上统计）。`) + cli.ExitCodes,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.tokenizer(cmd.Context(), f) },
	}
	fl, o := cmd.Flags(), &f.options
	fl.StringArrayVar(&f.data, "data", []string{"latest"}, t("runs to train on; may be given more than once", "训练所用的运行；可多次给出"))
	fl.StringVar(&f.vocab, "vocab", "auto", t("ids, bytes and special tokens included; auto: by bytes of text", "词表大小，含字节与特殊 token；auto：按文本字节数"))
	fl.StringVar(&o.Splitter, "splitter", bpe.DefaultSplitter, t("what cuts text before merging: ", "合并前切分文本的方法：")+strings.Join(bpe.Splitters(), ", "))
	fl.StringVar(&o.Tie, "tie", bpe.SmallestID, t("which of equally frequent pairs is merged first: ", "频次相同时先合并哪一对：")+bpe.SmallestID+", "+bpe.GreatestBytes)
	fl.Int64Var(&o.MinCount, "min-count", 2, t("pairs seen less often are not merged", "出现次数更少的对不合并"))
	fl.IntVar(&o.Threads, "threads", 0, t("0: one for each core; results do not depend on it", "0 为核数；结果与之无关"))
	fl.StringVar(&f.out, "out", "tokenizer.json", t("file for the tokenizer", "分词器文件"))
	return cmd
}

// tokenizer trains one, writes it and says how well it packs.
func (a *app) tokenizer(ctx context.Context, f tokenizerFlags) error {
	var folders []*shard.Folder
	var size int64
	for _, name := range f.data {
		folder, err := a.Find(name)
		if err != nil {
			return err
		}
		folders = append(folders, folder)
		size += folder.Run.Totals.Bytes
	}
	o := f.options
	if o.Vocab = bpe.AutoVocab(size); f.vocab != "auto" {
		var err error
		if o.Vocab, err = strconv.Atoi(f.vocab); err != nil {
			return cli.Usage(a.Lang.T("--vocab %s: a number, or auto", "--vocab %s：应为数字或 auto"), f.vocab)
		}
	}
	if o.Vocab < bpe.MinVocab {
		return cli.Usage(a.Lang.T("--vocab %d: at least %d, for 256 bytes and the special tokens", "--vocab %d：至少为 %d，容纳 256 个字节与特殊 token"), o.Vocab, bpe.MinVocab)
	}
	if !slices.Contains(bpe.Splitters(), o.Splitter) {
		return cli.Usage(a.Lang.T("--splitter %s: known are %s", "--splitter %s：可选 %s"), o.Splitter, strings.Join(bpe.Splitters(), ", "))
	}
	if o.Tie != bpe.SmallestID && o.Tie != bpe.GreatestBytes {
		return cli.Usage(a.Lang.T("--tie %s: known are %s, %s", "--tie %s：可选 %s、%s"), o.Tie, bpe.SmallestID, bpe.GreatestBytes)
	}
	var failed error
	tok, err := bpe.Train(train.Texts(ctx, folders, &failed), o)
	if err = errors.Join(failed, err); err != nil {
		return err
	}
	if err := writeTokenizer(f.out, tok); err != nil {
		return err
	}
	info := checkpoint.Info{Kind: checkpoint.KindTokenizer, Hash: tok.Hash(), Program: cli.Version()}
	for _, folder := range folders {
		info.Data = append(info.Data, checkpoint.DataOf(folder.Run))
	}
	if err := checkpoint.WriteTokenizerInfo(f.out, &info); err != nil {
		return err
	}
	return a.packing(ctx, f.out, tok, folders)
}

func writeTokenizer(path string, tok *bpe.Tokenizer) error {
	t, err := shard.Create(nil, path)
	if err != nil {
		return err
	}
	write := tok.WriteJSON
	if strings.HasSuffix(path, ".tiktoken") {
		write = tok.WriteTiktoken
	}
	if err := write(t); err != nil {
		t.Abort()
		return err
	}
	return t.Commit()
}

// packed is what a language's texts become.
type packed struct {
	Language string  `json:"language"`
	Docs     int64   `json:"documents"`
	Bytes    int64   `json:"bytes"`
	Tokens   int64   `json:"tokens"`
	Ratio    float64 `json:"bytes_per_token"`
}

// packing encodes up to 20 MB of the runs and prints bytes for each token.
func (a *app) packing(ctx context.Context, path string, tok *bpe.Tokenizer, folders []*shard.Folder) error {
	byLanguage := map[string]*packed{}
	var ids []int32
	left := 20_000_000 / len(folders)
	for _, f := range folders {
		seen := 0
		for d, err := range f.Documents() {
			if err = errors.Join(err, ctx.Err()); err != nil {
				return err
			}
			p := byLanguage[d.Language]
			if p == nil {
				p = &packed{Language: d.Language}
				byLanguage[d.Language] = p
			}
			ids = tok.Encode(ids[:0], d.Text)
			p.Docs, p.Bytes, p.Tokens = p.Docs+1, p.Bytes+int64(len(d.Text)), p.Tokens+int64(len(ids))
			if seen += len(d.Text); seen >= left {
				break
			}
		}
	}
	var list []packed
	for _, p := range byLanguage {
		p.Ratio = float64(p.Bytes) / float64(max(p.Tokens, 1))
		list = append(list, *p)
	}
	slices.SortFunc(list, func(x, y packed) int {
		return cmp.Or(cmp.Compare(y.Bytes, x.Bytes), cmp.Compare(x.Language, y.Language))
	})
	if a.JSON {
		return json.NewEncoder(a.Out).Encode(map[string]any{"tokenizer": path, "hash": tok.Hash(), "vocab": tok.Size(), "merges": len(tok.Merges()), "splitter": tok.Splitter(), "tie": tok.Tie(), "languages": list})
	}
	t := report.Table{Head: []string{a.Lang.T("language", "语言"), a.Lang.T(">documents", ">文档"), a.Lang.T(">bytes", ">字节"), ">tokens", a.Lang.T(">bytes/token", ">字节/token")}}
	for _, p := range list {
		t.Add(cmp.Or(p.Language, "-"), report.Count(p.Docs), report.Count(p.Bytes), report.Count(p.Tokens), fmt.Sprintf("%.3f", p.Ratio))
	}
	if _, err := fmt.Fprint(a.Out, t.Text()); err != nil {
		return err
	}
	a.Say("%s: %d ids, %d merges, splitter %s", "%s：%d 个 id，%d 条合并，切分器 %s", path, tok.Size(), len(tok.Merges()), tok.Splitter())
	return nil
}
