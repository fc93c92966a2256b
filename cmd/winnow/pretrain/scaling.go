package pretrain

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"winnow/cmd/winnow/cli"
	"winnow/report"
	"winnow/report/page"
	"winnow/shard"
	"winnow/train"
	"winnow/train/bpe"
	"winnow/train/checkpoint"
	"winnow/train/llm"
	"winnow/train/scaling"
)

const (
	FamilyName     = "scaling.json"
	FamilyPage     = "scaling.html"
	familyContext  = 128 // T of all arms: held-out losses compare on equal context alone
	familyArmsName = "arms"
)

// scalingFlags say which family is trained, and on what.
type scalingFlags struct {
	data, out, tokenizer, vocab string
	flops                       []string
	width, extra                int
	seed                        uint64
	machine                     cli.MachineFlags
}

func (a *app) trainScaling() *cobra.Command {
	var f scalingFlags
	t := a.Lang.T
	cmd := &cobra.Command{
		Use: "scaling --data RUN --flops F --out DIR", Args: cli.ExactArgs(0, 0),
		Short: t("train a small isoFLOP family and find the best size for a compute", "训练一组等算力小模型，找出给定算力的最优规模"),
		Long: t(`Train models of different size with the same compute each, and find the size at which held-out bits per byte are least, by a
parabola in ln N. Where the best model is the smallest or the largest of the grid, up to --extra more are tried on that side; if
that does not bracket the minimum, nothing is fitted. Minima at two budgets give an exponent, at three its error; with 7 models
the law E + A/N^alpha + B/D^beta is fitted. winnow plan train reads DIR/scaling.json.

The same command again goes on with the models that are missing.`,
			`以相同算力训练不同规模的模型，用 ln N 的抛物线找出留出文本比特/字节最低的规模。若最优者位于网格边缘，则在该侧最多再试
--extra 个；仍未夹住极小值则不拟合。两个预算给出指数，三个给出其误差；满 7 个模型时拟合 E + A/N^alpha + B/D^beta。
winnow plan train 读取 DIR/scaling.json。

重新运行同一命令即继续训练缺少的模型。`) + cli.ExitCodes,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.scaling(cmd.Context(), f) },
	}
	fl := cmd.Flags()
	fl.StringVar(&f.data, "data", "latest", t("run to train on", "训练所用的运行"))
	fl.StringSliceVar(&f.flops, "flops", []string{"2e12"}, t("compute of each model; may be given more than once, or with commas", "每个模型的算力；可多次给出或用逗号分隔"))
	fl.StringVar(&f.out, "out", "scaling", t("folder for the family", "结果文件夹"))
	fl.StringVar(&f.tokenizer, "tokenizer", "", t("tokenizer.json, or a folder with one; default: one is trained", "tokenizer.json 或含有它的文件夹；默认自行训练"))
	fl.StringVar(&f.vocab, "vocab", "auto", t("ids of the tokenizer that is trained; auto: by bytes of text", "所训练分词器的词表大小；auto：按文本字节数"))
	fl.IntVar(&f.width, "models", 5, t("models of each budget", "每个预算的模型数"))
	fl.IntVar(&f.extra, "extra", 2, t("more models on the side where the minimum is open", "极小值开口一侧最多再试的模型数"))
	fl.Uint64Var(&f.seed, "seed", 1, t("of weights and order", "权重与次序的种子"))
	f.machine.Add(a.App, cmd)
	return cmd
}

// familyShapes are models with about 1.3 to 2 times the parameters of the one before. Blocks have about 12 Layers·Dim² parameters.
func familyShapes(vocab int) (map[string]llm.Config, []scaling.Shape) {
	configs := map[string]llm.Config{}
	var shapes []scaling.Shape
	for _, s := range [][2]int{{16, 1}, {32, 1}, {48, 1}, {64, 1}, {64, 2}, {80, 2}, {96, 3}, {128, 3}, {128, 4}, {160, 5}, {192, 6}, {256, 8}, {320, 8}, {384, 10}} {
		dim, layers := s[0], s[1]
		head := 32
		if dim%32 != 0 || dim < 64 {
			head = 16
		}
		c := llm.Config{Vocab: vocab, Context: familyContext, Dim: dim, FFN: (8*dim/3 + 15) / 16 * 16, Layers: layers, Heads: dim / head, KVHeads: dim / head,
			HeadDim: head, NormEps: 1e-5, RopeTheta: 10000, Tied: true}
		name := fmt.Sprintf("d%d-l%d", dim, layers)
		configs[name] = c
		shapes = append(shapes, shapeOf(name, c))
	}
	return configs, shapes
}

func (a *app) scaling(ctx context.Context, f scalingFlags) error {
	var budgets []float64
	for _, s := range f.flops {
		c, err := quantity("flops", s)
		if err != nil {
			return err
		}
		budgets = append(budgets, c)
	}
	if len(budgets) == 0 || slices.Min(budgets) <= 0 || f.width < 3 || f.extra < 0 {
		return cli.Usage(a.Lang.T("--flops, --models %d, --extra %d: at least one budget and 3 models", "--flops、--models %d、--extra %d：至少一个预算、3 个模型"), f.width, f.extra)
	}
	slices.Sort(budgets)
	folder, err := a.Find(f.data)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(f.out, 0o777); err != nil {
		return err
	}
	pool, err := llm.NewPool(f.machine.Threads, f.machine.Kernel)
	if err != nil {
		return cli.ExitWith(cli.ExitUsage, err)
	}
	defer pool.Close()
	tok, err := a.familyTokenizer(ctx, f, folder, pool.Threads())
	if err != nil {
		return err
	}
	path := filepath.Join(f.out, FamilyName)
	data := fmt.Sprintf("%s %.12s, tokenizer %.12s, context %d", folder.Run.ID, checkpoint.DataOf(folder.Run).Hash, tok.Hash(), familyContext)
	family, err := scaling.Open(path, data)
	if err != nil {
		return cli.ExitWith(cli.ExitUsage, err)
	}
	configs, shapes := familyShapes(tok.Size())
	arm := func(ctx context.Context, t scaling.Task) (scaling.Outcome, error) {
		return a.arm(ctx, f, t, configs[t.Shape.Name], train.Source{Folder: folder}, tok, pool)
	}
	err = family.Run(ctx, scaling.Search{Budgets: budgets, Shapes: shapes, Width: f.width, Extra: f.extra, Seed: f.seed, Train: arm,
		Save: func(f *scaling.Family) error { return f.Write(path) }})
	if err != nil {
		return err
	}
	if err := page.WriteCurvesFile(filepath.Join(f.out, FamilyPage), a.familyCurves(family), a.Lang); err != nil {
		return err
	}
	return a.printFamily(family, f.out)
}

// arm trains one model in a folder of its own, where it goes on if it was stopped.
func (a *app) arm(ctx context.Context, f scalingFlags, t scaling.Task, c llm.Config, s train.Source, tok *bpe.Tokenizer, pool *llm.Pool) (scaling.Outcome, error) {
	a.Say("%.3g FLOP, %s: %.3g parameters, %.3g tokens", "%.3g FLOP，%s：%.3g 参数，%.3g token", t.Budget, t.Shape.Name, t.Shape.N, float64(t.Tokens))
	o := train.Options{Sources: []train.Source{s}, Tokenizer: tok, Pool: pool, Program: cli.Version(),
		Out: filepath.Join(f.out, familyArmsName, fmt.Sprintf("%.3g-%s-%d", t.Budget, t.Shape.Name, t.Seed))}
	o.Config, o.FLOPs, o.Seed, o.Shape, o.Warmup, o.Clip, o.Decay, o.Holdout = &c, t.Budget, t.Seed, "cosine", -1, 1, .1, .05
	o.Eval, o.Sample = math.MaxInt32, math.MaxInt32 // the last step is evaluated always
	begin := time.Now()
	r, err := train.Base(ctx, o)
	if err != nil {
		return scaling.Outcome{}, err
	}
	out := scaling.Outcome{Tokens: r.Tokens, Loss: r.Held["all"], Seconds: time.Since(begin).Seconds()}
	a.Say("  held out %.4f bits per byte, %.0f s", "  留出文本 %.4f 比特/字节，%.0f 秒", out.Loss, out.Seconds)
	return out, nil
}

// familyTokenizer is the one that is given, or that lies in the folder already, or one that is trained.
func (a *app) familyTokenizer(ctx context.Context, f scalingFlags, folder *shard.Folder, threads int) (*bpe.Tokenizer, error) {
	path := filepath.Join(f.out, "tokenizer.json")
	if t, err := cli.ReadTokenizer(cmp.Or(f.tokenizer, path)); err == nil || f.tokenizer != "" || !errors.Is(err, fs.ErrNotExist) {
		return t, err
	}
	vocab, err := a.vocab(f.vocab)
	if err != nil {
		return nil, err
	}
	if vocab == 0 {
		vocab = bpe.AutoVocab(folder.Run.Totals.Bytes)
	}
	var failed error
	texts := func(yield func(string) bool) {
		for d, err := range folder.Documents() {
			if failed = errors.Join(err, ctx.Err()); failed != nil || !yield(d.Text) {
				return
			}
		}
	}
	t, err := bpe.Train(texts, bpe.TrainOptions{Vocab: vocab, Threads: threads})
	if err := errors.Join(failed, err); err != nil {
		return nil, fmt.Errorf("tokenizer: %w", err)
	}
	var b strings.Builder
	if err := t.WriteJSON(&b); err != nil {
		return nil, err
	}
	return t, os.WriteFile(path, []byte(b.String()), 0o666)
}

// sorted are the arms by budget and size.
func sorted(f *scaling.Family) []scaling.Arm {
	return slices.SortedFunc(slices.Values(f.Arms), func(x, y scaling.Arm) int {
		return cmp.Or(cmp.Compare(x.Budget, y.Budget), cmp.Compare(x.Shape.N, y.Shape.N), cmp.Compare(x.Seed, y.Seed))
	})
}

func (a *app) printFamily(f *scaling.Family, out string) error {
	if a.JSON {
		enc := json.NewEncoder(a.Out)
		enc.SetIndent("", "  ")
		return enc.Encode(f)
	}
	l := a.Lang
	t := report.Table{Head: []string{">FLOP", l.T("model", "模型"), ">N", ">D", ">D/N", l.T(">bits/byte", ">比特/字节"), l.T(">seconds", ">秒")}}
	for _, x := range sorted(f) {
		t.Add(fmt.Sprintf("%.3g", x.Budget), x.Shape.Name, fmt.Sprintf("%.4g", x.Shape.N), fmt.Sprintf("%.3g", float64(x.Tokens)),
			fmt.Sprintf("%.1f", float64(x.Tokens)/x.Shape.N), fmt.Sprintf("%.4f", x.Loss), fmt.Sprintf("%.0f", x.Seconds))
	}
	_, err := fmt.Fprintln(a.Out, t.Text()+strings.Join(a.findings(f), "\n"))
	a.Say("%s and %s written", "已写 %s 与 %s", filepath.Join(out, FamilyName), filepath.Join(out, FamilyPage))
	return err
}

// findings are sentences about what was fitted, and what was not.
func (a *app) findings(f *scaling.Family) (out []string) {
	add := func(en, zh string, args ...any) { out = append(out, fmt.Sprintf(a.Lang.T(en, zh), args...)) }
	for _, b := range f.Budgets {
		if b.Minimum == nil {
			add("%.3g FLOP: %s", "%.3g FLOP：%s", b.FLOPs, b.Problem)
			continue
		}
		m := b.Minimum
		add("%.3g FLOP: least at N = %.3g (%.3g to %.3g with any one model left out), %.4f bits per byte; models lie %.4f from the parabola",
			"%.3g FLOP：N = %.3g 时最低（任去一个模型为 %.3g 至 %.3g），%.4f 比特/字节；各模型与抛物线相差 %.4f", b.FLOPs, m.N, m.NLow, m.NHigh, m.Loss, m.RMS)
	}
	switch {
	case f.Size == nil:
		add("an exponent needs bracketed minima at two budgets", "指数需要两个已夹住极小值的预算")
	case f.Size.Budgets == 2:
		add("N grows as C^%.2f: two budgets give a line without an error", "N 随 C^%.2f 增长：两个预算给出的直线没有误差估计", f.Size.Slope)
	default:
		add("N grows as C^%.2f ± %.2f, by %d budgets", "N 随 C^%.2f ± %.2f 增长，据 %d 个预算", f.Size.Slope, f.Size.Error, f.Size.Budgets)
	}
	if f.Law != nil {
		w := f.Law.Law
		add("law: E %.3f, A %.4g, B %.4g, alpha %.3f, beta %.3f, a %.3f, of %d models (bits per byte, this data alone)",
			"定律：E %.3f，A %.4g，B %.4g，alpha %.3f，beta %.3f，a %.3f，据 %d 个模型（比特/字节，仅限此数据）", w.E, w.A, w.B, w.Alpha, w.Beta, w.Exponent(), f.Law.Points)
	}
	return out
}

// familyCurves draws losses by size, a line for each budget.
func (a *app) familyCurves(f *scaling.Family) page.Curves {
	t := a.Lang.T
	var lines []page.Line
	for _, x := range sorted(f) {
		name := fmt.Sprintf("%.3g FLOP", x.Budget)
		if n := len(lines); n == 0 || lines[n-1].Name != name {
			lines = append(lines, page.Line{Name: name})
		}
		last := &lines[len(lines)-1]
		last.X, last.Y = append(last.X, x.Shape.N), append(last.Y, x.Loss)
	}
	return page.Curves{Title: t("Equal compute, different size", "等算力，不同规模"), Lead: t("Held-out bits per byte of models that had the same compute", "相同算力的模型在留出文本上的比特/字节"),
		Facts: [][2]string{{t("data", "数据"), f.Data}, {t("models", "模型数"), fmt.Sprint(len(f.Arms))}},
		Graphs: []page.Graph{{ID: "isoflop", Title: t("held out, bits per byte, by N", "留出文本比特/字节，按 N"), Axis: "N", Log: true, Lines: lines,
			Note: strings.Join(a.findings(f), ". ")}}}
}
