package pretrain

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"winnow/cmd/winnow/cli"
	"winnow/train"
	"winnow/train/checkpoint"
	"winnow/train/llm"
)

// baseFlags are the flags of train base that are not plain fields of train.Options.
type baseFlags struct {
	data               []string
	tokenizer, config  string
	vocab              string
	tokens, flops      string
	threads            int
	kernel             string
	depth              int
	options            train.Options
	depthGiven, listed bool
}

func (a *app) trainBase() *cobra.Command {
	var f baseFlags
	cmd := &cobra.Command{
		Use: "base --data RUN --out DIR", Args: cli.ExactArgs(0, 0),
		Short: a.Lang.T("train a language model from nothing", "从零训练语言模型"),
		Long: a.Lang.T(`Train a language model on the kept texts of runs, from nothing. Without --tokenizer a tokenizer is trained first.

--depth decides width, heads, length of rows, batch and learning rate; --depths lists what. --minutes, --tokens or --flops
become a number of steps before the first; without them, training sees about 20 tokens for each parameter.

The same command again goes on where it stopped, to the same bytes. DIR becomes a model folder that transformers loads.`,
			`用运行保留的文本从零训练语言模型。不给 --tokenizer 时先训练分词器。

--depth 决定宽度、头数、行长、批大小与学习率；--depths 列出对应表。--minutes、--tokens 或 --flops 在第一步之前换算为步数；
都不给时，每个参数约训练 20 个 token。

中断后重新运行同一命令即可继续，结果逐字节相同。DIR 即为 transformers 可加载的模型文件夹。`) + cli.ExitCodes,
		RunE: func(cmd *cobra.Command, _ []string) error {
			f.depthGiven = cmd.Flags().Changed("depth")
			if f.listed {
				return a.depths()
			}
			return a.base(cmd.Context(), f)
		},
	}
	f.add(a, cmd)
	return cmd
}

func (f *baseFlags) add(a *app, cmd *cobra.Command) {
	t, fl, o := a.Lang.T, cmd.Flags(), &f.options
	fl.StringArrayVar(&f.data, "data", []string{"latest"}, t("runs to train on, RUN or RUN=WEIGHT; may be given more than once", "训练所用的运行，RUN 或 RUN=权重；可多次给出"))
	fl.StringVar(&o.Out, "out", "", t("folder for the model", "模型文件夹"))
	fl.StringVar(&f.tokenizer, "tokenizer", "", t("tokenizer.json, or a folder with one", "tokenizer.json 或含有它的文件夹"))
	fl.StringVar(&f.vocab, "vocab", "auto", t("ids of the tokenizer that is trained; auto: by bytes of text", "所训练分词器的词表大小；auto：按文本字节数"))
	fl.IntVar(&f.depth, "depth", 2, t("layers; decides the rest (see --depths)", "层数；其余由它决定（见 --depths）"))
	fl.BoolVar(&f.listed, "depths", false, t("print what each depth decides", "列出各深度对应的设置"))
	fl.StringVar(&f.config, "config", "", t("JSON file of the model's shape, in place of --depth", "模型结构的 JSON 文件，代替 --depth"))
	fl.Float64Var(&o.Minutes, "minutes", 0, t("train for about so long on this machine", "在本机训练约这么多分钟"))
	fl.StringVar(&f.tokens, "tokens", "", t("train on so many tokens: 20M, 1e9", "训练这么多 token：20M、1e9"))
	fl.StringVar(&f.flops, "flops", "", t("train with so many floating-point operations: 1e14", "训练这么多浮点运算：1e14"))
	fl.Float64Var(&o.Epochs, "epochs", 16, t("pass over no run more often than this; 0: no limit", "每个运行最多读这么多遍；0 为不限"))
	fl.Uint64Var(&o.Seed, "seed", 1, t("of weights, order and samples", "权重、次序与样例的种子"))
	fl.IntVar(&f.threads, "threads", 0, t("0: one for each core; results do not depend on it", "0 为核数；结果与之无关"))
	fl.StringVar(&f.kernel, "kernel", "", t("instruction set: avx512, avx2, portable; default: the best", "指令集：avx512、avx2、portable；默认最快者"))
	fl.IntVar(&o.Batch, "batch", 0, t("rows of a micro-batch; 0: by depth", "微批的行数；0 由深度决定"))
	fl.IntVar(&o.Accumulate, "accumulate", 1, t("micro-batches of a step", "每步的微批数"))
	fl.Float64Var(&o.Rate, "lr", 0, t("peak learning rate; 0: by depth", "最高学习率；0 由深度决定"))
	fl.StringVar(&o.Shape, "schedule", "cosine", t("of the learning rate: ", "学习率曲线：")+strings.Join(train.Shapes(), ", "))
	fl.IntVar(&o.Warmup, "warmup", -1, t("steps; below 0: a twentieth of all", "预热步数；负数为总数的二十分之一"))
	fl.Float64Var(&o.Clip, "clip", 1, t("clip gradients to this norm; 0: never", "梯度裁剪的范数；0 为不裁剪"))
	fl.Float64Var(&o.Decay, "weight-decay", .1, t("of matrices", "矩阵的权重衰减"))
	fl.Float64Var(&o.Spike, "spike", 8, t("standard deviations above the last 128 steps from which loss or gradient is a spike; 0: never", "损失或梯度高出最近 128 步多少个标准差算尖峰；0 为从不"))
	fl.BoolVar(&o.Skip, "skip-spikes", false, t("leave out the update of a spike", "跳过尖峰步的更新"))
	fl.Float64Var(&o.Holdout, "holdout", .05, t("share of duplicate clusters that are only evaluated on", "仅用于评估的重复簇比例"))
	fl.IntVar(&o.Eval, "eval-every", 0, t("steps; 0: a tenth of all", "评估间隔步数；0 为总数的十分之一"))
	fl.IntVar(&o.Sample, "sample-every", 0, t("steps; 0: a quarter of all", "采样间隔步数；0 为总数的四分之一"))
	fl.IntVar(&o.Save, "save-every", 0, t("steps; 0: a tenth of all, and at least every five minutes", "保存间隔步数；0 为总数的十分之一，且至少每五分钟一次"))
	fl.BoolVar(&o.Fresh, "fresh", false, t("begin anew: what an earlier run left in DIR is removed", "从头开始：删除 DIR 中先前训练的结果"))
}

// base trains.
func (a *app) base(ctx context.Context, f baseFlags) error {
	o, err := a.baseOptions(f)
	if err != nil {
		return err
	}
	defer o.Pool.Close()
	show := a.newTrainProgress(o.Out)
	o.Tell = show.event
	result, err := train.Base(ctx, o)
	show.Close()
	if err := a.Refused(err); err != nil {
		return err
	}
	if err := errors.Join(a.Stopped(err), a.lossPage(o.Out)); err != nil {
		return err
	}
	return a.trained(result)
}

// baseOptions turns flags into options: opened runs, a tokenizer, workers.
func (a *app) baseOptions(f baseFlags) (o train.Options, err error) {
	o = f.options
	if o.Out == "" {
		return o, cli.Usage("%s", a.Lang.T("give --out, the folder for the model", "请给出 --out，即模型文件夹"))
	}
	if o.Vocab, err = a.vocab(f.vocab); err != nil {
		return o, err
	}
	tokens, err := quantity("tokens", f.tokens)
	if err != nil {
		return o, err
	}
	o.Asked.Tokens = int64(tokens)
	if o.FLOPs, err = quantity("flops", f.flops); err != nil {
		return o, err
	}
	if o.Depth = f.depth; f.config != "" {
		if f.depthGiven {
			return o, cli.Usage("%s", a.Lang.T("--depth and --config: give one of them", "--depth 与 --config 只能给一个"))
		}
		o.Depth = 0
		if o.Config, err = modelShape(f.config); err != nil {
			return o, cli.ExitWith(cli.ExitUsage, err)
		}
	}
	if err := o.Check(); err != nil {
		return o, cli.ExitWith(cli.ExitUsage, err)
	}
	for _, name := range f.data {
		s, err := a.Source(name)
		if err != nil {
			return o, err
		}
		o.Sources = append(o.Sources, s)
	}
	if f.tokenizer != "" {
		if o.Tokenizer, err = cli.ReadTokenizer(f.tokenizer); err != nil {
			return o, cli.ExitWith(cli.ExitUsage, err)
		}
		if o.TokenizerInfo, err = checkpoint.ReadTokenizerInfo(f.tokenizer, o.Tokenizer.Hash()); err != nil {
			return o, err
		}
	}
	if o.Pool, err = llm.NewPool(f.threads, f.kernel); err != nil {
		return o, cli.ExitWith(cli.ExitUsage, err)
	}
	o.Program = cli.Version()
	return o, nil
}

func (a *app) vocab(s string) (int, error) {
	if s == "auto" {
		return 0, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 {
		return 0, cli.Usage("--vocab %s: %s", s, a.Lang.T("write auto or a number", "请写 auto 或数字"))
	}
	return n, nil
}

// quantity reads 20M, 1.5G or 1e9; empty is 0.
func quantity(flag, s string) (float64, error) {
	if s == "" {
		return 0, nil
	}
	scale, digits := 1.0, s
	for suffix, by := range map[string]float64{"k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12} {
		if cut, ok := strings.CutSuffix(s, suffix); ok {
			scale, digits = by, cut
		}
	}
	v, err := strconv.ParseFloat(digits, 64)
	if err != nil || !(v > 0) {
		return 0, cli.Usage("--%s %s: write a number such as 20M or 1e9", flag, s)
	}
	return v * scale, nil
}

// modelShape reads a model's shape; its vocabulary is the tokenizer's.
func modelShape(path string) (*llm.Config, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	c := &llm.Config{NormEps: 1e-5, RopeTheta: 10000}
	d := json.NewDecoder(strings.NewReader(string(b)))
	d.DisallowUnknownFields()
	if err := d.Decode(c); err != nil {
		shape, _ := json.Marshal(llm.Config{})
		return nil, fmt.Errorf("%s: %w\n(the fields of a shape are %s)", path, err, shape)
	}
	probe := *c
	probe.Vocab = max(c.Vocab, 1)
	if err := probe.Validate(); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return c, nil
}
