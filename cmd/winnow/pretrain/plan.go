package pretrain

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"path/filepath"

	"github.com/spf13/cobra"

	"winnow/cmd/winnow/cli"
	"winnow/report"
	"winnow/train"
	"winnow/train/llm"
	"winnow/train/scaling"
)

// planTrainFlags say what is planned, and by which own runs.
type planTrainFlags struct {
	minutes float64
	vocab   int
	family  string
	machine cli.MachineFlags
}

// stepShare of the minutes goes to training steps, as in train base: evaluation, samples and saving take the rest.
const stepShare = .9

// guess is the size that is measured first, in parameters; the proposal is measured after it.
const guess = 3e5

func (a *app) planTrain() *cobra.Command {
	var f planTrainFlags
	cmd := &cobra.Command{
		Use: "train --minutes M", Args: cli.ExactArgs(0, 0),
		Short: a.Lang.T("which model and how many tokens suit a time on this machine; nothing is written", "给定时间在本机适合训练多大的模型、多少 token；不写任何东西"),
		Long: a.Lang.T(`Measure this machine by short training steps, and propose a depth, a number of tokens and, where runs of `+"`winnow train scaling`"+`
are there, a loss. N counts the parameters of matrix products with the head; a token costs 6N + 6LdT floating-point operations.

Published laws were fitted to runs of more than 1e18 FLOP. What they say of a small machine is extrapolation over several powers
of ten, in nats per token of other tokenizers and data: it does not compare with bits per byte.`,
			`以短暂的训练步测量本机，给出建议的深度与 token 数；若已有 `+"`winnow train scaling`"+` 的结果，也给出损失预测。
N 为含输出头的矩阵乘参数；每个 token 需 6N + 6LdT 次浮点运算。

已发表的定律由 1e18 FLOP 以上的训练拟合而得，用在小机器上是跨数个数量级的外推，单位为其分词器与数据上的 nat/token，
不可与比特/字节比较。`) + cli.ExitCodes,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.planTraining(cmd.Context(), f) },
	}
	fl := cmd.Flags()
	fl.Float64Var(&f.minutes, "minutes", 60, a.Lang.T("time for training", "训练时间（分钟）"))
	fl.IntVar(&f.vocab, "vocab", 2048, a.Lang.T("ids of the tokenizer", "词表大小"))
	fl.StringVar(&f.family, "scaling", filepath.Join("scaling", FamilyName), a.Lang.T("own runs, as train scaling writes them", "train scaling 写出的自有结果"))
	f.machine.Add(a.App, cmd)
	return cmd
}

// TrainPlan is the answer with what was measured, as --json prints it.
type TrainPlan struct {
	*scaling.Plan
	Kernel  string  `json:"kernel"`
	Threads int     `json:"threads"`
	Peak    float64 `json:"peak_gflops_per_thread"`
	Vocab   int     `json:"vocab"`
	Depth   int     `json:"depth"`
	Config  any     `json:"config"`
}

func (a *app) planTraining(ctx context.Context, f planTrainFlags) error {
	if !(f.minutes > 0) || f.vocab < 257 {
		return cli.Usage(a.Lang.T("--minutes %g, --vocab %d: minutes above 0, at least 257 ids", "--minutes %g、--vocab %d：分钟数须大于 0，词表至少 257"), f.minutes, f.vocab)
	}
	family, err := scaling.Read(f.family)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	pool, err := llm.NewPool(f.machine.Threads, f.machine.Kernel)
	if err != nil {
		return cli.ExitWith(cli.ExitUsage, err)
	}
	defer pool.Close()
	out := TrainPlan{Kernel: pool.Kernel(), Threads: pool.Threads(), Peak: pool.Peak(), Vocab: f.vocab}
	var shapes []scaling.Shape
	presets := map[string]train.Preset{}
	for _, depth := range train.Depths() {
		p, err := train.Depth(depth)
		if err != nil {
			return err
		}
		name := fmt.Sprintf("depth %d", depth)
		presets[name] = p
		shapes = append(shapes, shapeOf(name, p.Config(f.vocab)))
	}
	measure := func(s scaling.Shape) (scaling.Speed, error) {
		a.Say("measuring %s: %.3g parameters", "测量 %s：%.3g 个参数", s.Name, s.N)
		p := presets[s.Name]
		return measured(ctx, pool, s, train.Setup{Model: p.Config(f.vocab), Rows: noise{uint64(f.vocab), p.Context}, Len: p.Context, Batch: p.Rows, Pool: pool}, out.Peak, min(3, f.minutes*3))
	}
	if out.Plan, err = scaling.Make(f.minutes*stepShare, shapes, guess, family, measure); err != nil {
		return err
	}
	preset := presets[out.Shape.Name]
	out.Depth, out.Config, out.Minutes = preset.Depth, preset.Config(f.vocab), f.minutes
	if a.JSON {
		enc := json.NewEncoder(a.Out)
		enc.SetIndent("", "  ")
		return enc.Encode(out)
	}
	return a.printTrainPlan(out, f)
}

// shapeOf counts a model's parameters and operations on full rows.
func shapeOf(name string, c llm.Config) scaling.Shape {
	return scaling.Shape{Name: name, N: float64(c.MatmulParams()), FLOPs: c.FLOPsPerToken(c.Context)}
}

// measured trains for so many seconds on noise.
func measured(ctx context.Context, pool *llm.Pool, s scaling.Shape, setup train.Setup, peak, seconds float64) (scaling.Speed, error) {
	tokens, err := train.Speed(ctx, setup, seconds)
	if err != nil {
		return scaling.Speed{}, err
	}
	out := scaling.Speed{Shape: s.Name, Tokens: tokens, FLOPs: tokens * s.FLOPs, Seconds: seconds}
	out.Share = out.FLOPs / (peak * 1e9 * float64(pool.Threads()))
	return out, nil
}

// noise is rows of random ids below vocab, one document a row of length positions.
type noise struct {
	vocab  uint64
	length int
}

// Fill writes rows first, first+1, ...; which they are does not matter to a measurement.
func (n noise) Fill(first int64, ids, targets, pos []int32) error {
	r := rand.New(rand.NewPCG(uint64(first), n.vocab))
	for i := range ids {
		ids[i], targets[i], pos[i] = int32(r.Uint64N(n.vocab)), int32(r.Uint64N(n.vocab)), int32(i%n.length)
	}
	return nil
}

func (a *app) printTrainPlan(p TrainPlan, f planTrainFlags) error {
	l := a.Lang
	line := func(k, format string, args ...any) {
		fmt.Fprintf(a.Out, "%-10s "+format+"\n", append([]any{k}, args...)...)
	}
	line("machine", l.T("%d threads, %s, peak %.0f GFLOP/s a thread; %s trains %.0f tokens/s = %.1f GFLOP/s, %.0f %% of the peak",
		"%d 线程，%s，每线程峰值 %.0f GFLOP/s；%s 训练 %.0f token/秒 = %.1f GFLOP/s，为峰值的 %.0f %%"),
		p.Threads, p.Kernel, p.Peak, p.Speed.Shape, p.Speed.Tokens, p.Speed.FLOPs/1e9, 100*p.Speed.Share)
	line("budget", l.T("%g minutes, %.0f %% of them in steps: %.3g FLOP", "%g 分钟，其中 %.0f %% 用于训练步：%.3g FLOP"), p.Minutes, 100*stepShare, p.FLOPs)
	line("proposal", l.T("--depth %d: N = %.3g parameters, D = %.3g tokens (%.0f a parameter)", "--depth %d：N = %.3g 参数，D = %.3g token（每参数 %.0f 个）"),
		p.Depth, p.Shape.N, p.Tokens, p.Tokens/p.Shape.N)
	line("", "winnow train base --data RUN --out DIR --vocab %d --depth %d --minutes %g", p.Vocab, p.Depth, p.Minutes)
	switch {
	case p.Own == nil:
		line("forecast", "%s", l.T("none: there are no own runs; winnow train scaling makes some. The size is by Epoch's law, extrapolated",
			"无：没有自有结果，可用 winnow train scaling 生成。规模由 Epoch 定律外推而得"))
	case p.Own.Loss == 0:
		line("forecast", l.T("none: %s", "无：%s"), p.Own.Error)
	default:
		line("forecast", l.T("%.3f %s (%.3f to %.3f with any one run left out), on data like %s; %d budgets, %.1f decades from the nearest",
			"%.3f %s（任去一个结果为 %.3f 至 %.3f），数据同 %s；%d 个预算，距最近者 %.1f 个数量级"),
			p.Own.Loss, p.Own.Unit, p.Own.Low, p.Own.High, p.Own.Data, p.Own.Budgets, p.Own.Decades)
	}
	if p.Own != nil && p.Own.N > 0 {
		line("", l.T("the optimum of own runs lies at N = %.3g", "自有结果的最优点在 N = %.3g"), p.Own.N)
	}
	t := report.Table{Head: []string{l.T("published law", "已发表的定律"), ">N", ">D", ">D/N", l.T(">nats/token of its data", ">其数据上的 nat/token"), l.T(">decades extrapolated", ">外推数量级")}}
	for _, e := range p.Extern {
		t.Add(e.Name, fmt.Sprintf("%.3g", e.N), fmt.Sprintf("%.3g", e.D), fmt.Sprintf("%.1f", e.D/e.N), fmt.Sprintf("%.2f", e.Loss), fmt.Sprintf("%.1f", e.Decades))
	}
	fmt.Fprint(a.Out, "\n"+t.Text())
	_, err := fmt.Fprintln(a.Out, l.T("Published laws are extrapolated so far down; their losses do not compare with bits per byte.", "已发表的定律在此为大幅外推；其损失不可与比特/字节比较。"))
	return err
}
