package talk

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"winnow/cmd/winnow/cli"
	"winnow/report"
	"winnow/shard"
	"winnow/shard/store"
	"winnow/train/bpe"
	"winnow/train/checkpoint"
	"winnow/train/llm"
)

func (a *app) lineageCmd() *cobra.Command {
	var check bool
	cmd := &cobra.Command{
		Use: "lineage MODEL", Args: cli.ExactArgs(1, 1),
		Short: a.Lang.T("what a model was made from, back to the crawl", "模型由何而来，直至原始爬取数据"),
		Long: a.Lang.T(`Print what a model was made from: its parents by hash, its tokenizer, the files and the runs and shards of its data, and
what was crawled. MODEL is a folder of a model, of a reward model or of adapters, a .gguf file that this program wrote, or
a tokenizer's .json.

Weights and tokenizer are hashed and compared with the record, and the record of each run that is found in --runs;
--check reads the runs' shards and the data files as well. A difference ends with exit code 1.`,
			`打印模型的来历：各级父模型的散列值、分词器、数据文件、数据所属的运行与分片，以及爬取来源。MODEL 为模型、奖励模型
或适配器的文件夹、本程序写出的 .gguf 文件，或分词器的 .json 文件。

重新计算权重与分词器的散列值并与记录比对；在 --runs 中找到的运行亦与记录比对；--check 另外读取各分片与数据文件。有出入时退出码为 1。`) + cli.ExitCodes,
		RunE: func(_ *cobra.Command, args []string) error { return a.lineage(args[0], check) },
	}
	cmd.Flags().BoolVar(&check, "check", false, a.Lang.T("read shards and data files and compare their hashes", "读取各分片与数据文件并比对散列值"))
	return cmd
}

// finding is the outcome of one comparison with the record.
type finding struct {
	What  string `json:"what"` // weights, tokenizer, run:ID, or file:NAME
	OK    bool   `json:"ok"`
	Found bool   `json:"found"`           // false: there was nothing to compare with
	Error string `json:"error,omitempty"` // how it differs
}

func (a *app) lineage(path string, check bool) error {
	info, findings, err := artefact(path)
	if err != nil {
		return err
	}
	for _, d := range info.Runs() {
		findings = append(findings, a.compareRun(d, check))
	}
	if check {
		for _, f := range info.AllFiles() {
			findings = append(findings, compareFile(f))
		}
	}
	if a.JSON {
		if err := a.Line(map[string]any{"lineage": info, "findings": findings}); err != nil {
			return err
		}
	} else {
		a.printLineage(info, findings)
	}
	var bad []error
	for _, f := range findings {
		if f.Found && !f.OK {
			bad = append(bad, fmt.Errorf("%s: %s", f.What, f.Error))
		}
	}
	return errors.Join(bad...)
}

// artefact reads the lineage of a model or a tokenizer, and compares it with what lies beside it.
func artefact(path string) (*checkpoint.Info, []finding, error) {
	if filepath.Ext(path) == ".json" {
		tok, err := cli.ReadTokenizer(path)
		if err != nil {
			return nil, nil, err
		}
		info, err := checkpoint.ReadTokenizerInfo(path, tok.Hash())
		if err != nil {
			return nil, nil, err
		}
		recorded := info.Format != "" // else there is no record, or that of another tokenizer
		return info, []finding{{What: "tokenizer", OK: recorded, Found: recorded}}, nil
	}
	info, weights, tokenizer, err := stored(path)
	if err != nil {
		return nil, nil, err
	}
	findings := []finding{compareHash("weights", info.Hash, weights)}
	if tokenizer != "" {
		findings = append(findings, compareHash("tokenizer", info.Tokenizer, tokenizer))
	}
	return info, findings, nil
}

// stored is the recorded lineage of a model, a reward model or adapters, and the hashes of today; no tokenizer's where none lies
// there.
func stored(path string) (info *checkpoint.Info, weights, tokenizer string, err error) {
	if checkpoint.IsAdapter(path) {
		tensors, info, err := checkpoint.ReadAdapterWeights(path)
		return info, checkpoint.Hash(tensors), "", err
	}
	var tok *bpe.Tokenizer
	if checkpoint.IsReward(path) {
		var m *llm.Model
		var h *llm.Head
		if m, h, tok, info, err = checkpoint.LoadReward(path); err == nil {
			weights = checkpoint.Hash(checkpoint.RewardWeights(m, h))
		}
	} else {
		var m *llm.Model
		if m, tok, info, err = checkpoint.LoadModel(path); err == nil {
			weights = checkpoint.Hash(checkpoint.Weights(m))
		}
	}
	if tok != nil {
		tokenizer = tok.Hash()
	}
	return info, weights, tokenizer, err
}

// compareFile reads a file of data and compares it with what was trained on.
func compareFile(of checkpoint.File) finding {
	f := finding{What: "file:" + of.Name, Found: true}
	err := of.Check()
	if errors.Is(err, fs.ErrNotExist) {
		f.Found = false
		return f
	}
	if err != nil {
		f.Error = err.Error()
		return f
	}
	f.OK = true
	return f
}

func compareHash(what, recorded, now string) finding {
	if recorded == now {
		return finding{What: what, OK: true, Found: true}
	}
	return finding{What: what, Found: true, Error: fmt.Sprintf("hash %s, recorded is %s", short(now), short(recorded))}
}

// compareRun looks a run up by its id and compares its shards with those that were trained on.
func (a *app) compareRun(d checkpoint.Data, check bool) finding {
	f := finding{What: "run:" + d.Run}
	dir := store.Join(a.Runs, d.Run)
	r, err := shard.ReadRun(a.Store, dir)
	if errors.Is(err, fs.ErrNotExist) {
		return f
	}
	f.Found = true
	if err == nil {
		err = checkpoint.CheckData(d, r)
	}
	if err == nil && check {
		err = checkpoint.VerifyShards(dir, d)
	}
	if err != nil {
		f.Error = err.Error()
		return f
	}
	f.OK = true
	return f
}

func (a *app) printLineage(info *checkpoint.Info, findings []finding) {
	about := map[string]finding{}
	for _, f := range findings {
		about[f.What] = f
	}
	p := lineagePrinter{a, about}
	p.artefact(info, 0)
}

type lineagePrinter struct {
	*app
	about map[string]finding
}

// put writes one line, indented by its depth in the chain, with the outcome of the comparison of what it is about.
func (p lineagePrinter) put(depth int, what, line string) {
	if f, ok := p.about[what]; ok {
		switch {
		case !f.Found:
			line += "  " + p.Lang.T("not here", "不在此处")
		case f.OK:
			line += "  " + p.Lang.T("as recorded", "与记录一致")
		default:
			line += "  " + p.Lang.T("DIFFERS: ", "与记录不符：") + f.Error
		}
	}
	fmt.Fprintln(p.Out, strings.Repeat("  ", depth)+line)
}

func (p lineagePrinter) artefact(i *checkpoint.Info, depth int) {
	top := func(what string) string { // only the artefact at hand was compared
		if depth > 0 {
			return ""
		}
		return what
	}
	what := "weights"
	if i.Kind == checkpoint.KindTokenizer {
		what = "tokenizer"
	}
	kind := i.Kind
	if m := i.Method(); m != "" && m != kind {
		kind += " (" + m + ")"
	}
	p.put(depth, top(what), fmt.Sprintf("%s %s", kind, short(i.Hash)))
	if s := p.circumstances(i); s != "" {
		p.put(depth+1, "", s)
	}
	if i.Tokenizer != "" {
		p.put(depth+1, top("tokenizer"), fmt.Sprintf(p.Lang.T("tokenizer %s", "分词器 %s"), short(i.Tokenizer)))
	}
	for _, d := range i.Data {
		p.data(d, depth+1)
	}
	if i.Template != nil {
		p.put(depth+1, "", fmt.Sprintf(p.Lang.T("template %s %s", "模板 %s %s"), i.Template.Name, short(i.Template.Hash)))
	}
	for _, f := range i.Files {
		p.file(f, depth+1)
	}
	for k := range i.Parents {
		p.put(depth+1, "", p.Lang.T("made from", "源自"))
		p.artefact(&i.Parents[k], depth+2)
	}
}

// circumstances are seed, kernel and the like, where known.
func (p lineagePrinter) circumstances(i *checkpoint.Info) string {
	var parts []string
	if i.Source != "" {
		parts = append(parts, i.Source)
	}
	if i.Steps > 0 {
		parts = append(parts, fmt.Sprintf(p.Lang.T("%s steps, %s tokens", "%s 步，%s 个 token"), report.Count(i.Steps), report.Count(i.Tokens)))
	}
	if i.Kernel != "" {
		parts = append(parts, fmt.Sprintf(p.Lang.T("seed %d, kernel %s", "种子 %d，内核 %s"), i.Seed, i.Kernel))
	}
	if i.Program != "" {
		parts = append(parts, "winnow "+i.Program)
	}
	return strings.Join(parts, ", ")
}

func (p lineagePrinter) data(d checkpoint.Data, depth int) {
	p.put(depth, "run:"+d.Run, fmt.Sprintf(p.Lang.T("run %s, recipe %s, data %s", "运行 %s，配方 %s，数据 %s"), d.Run, short(d.Recipe), short(d.Hash)))
	for k, s := range d.Shards {
		if p.enough(k, len(d.Shards), depth+1) {
			break
		}
		p.put(depth+1, "", fmt.Sprintf(p.Lang.T("shard %s  %s bytes  %s", "分片 %s  %s 字节  %s"), s.Name, report.Count(s.Bytes), short(s.SHA256)))
	}
	for k, in := range d.Inputs {
		if p.enough(k, len(d.Inputs), depth+1) {
			break
		}
		p.put(depth+1, "", fmt.Sprintf(p.Lang.T("from %s  %s bytes", "来自 %s  %s 字节"), in.File, report.Count(in.Bytes)))
	}
}

func (p lineagePrinter) file(f checkpoint.File, depth int) {
	line := fmt.Sprintf(p.Lang.T("file %s  %s rows  %s", "文件 %s  %s 行  %s"), f.Name, report.Count(f.Rows), short(f.SHA256))
	if f.Used > 0 {
		line += fmt.Sprintf(p.Lang.T(", %s used", "，使用 %s 行"), report.Count(f.Used))
	}
	if f.Split != "" {
		line += " (" + f.Split + ")"
	}
	p.put(depth, "file:"+f.Name, line)
}

// enough ends a long list behind its tenth line; --json has all of it.
func (p lineagePrinter) enough(k, n, depth int) bool {
	if k < 10 || n <= 12 {
		return false
	}
	p.put(depth, "", fmt.Sprintf(p.Lang.T("and %s more (--json lists all)", "另有 %s 个（--json 列出全部）"), report.Count(int64(n-k))))
	return true
}
