package tuning

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"winnow/cmd/winnow/cli"
	"winnow/train/chat/source"
	"winnow/train/checkpoint"
	"winnow/train/loss"
	"winnow/train/monitor"
	"winnow/train/policy"
	"winnow/train/tune"
)

// policyFlags are those of the methods that learn from rewards of a model's own answers.
type policyFlags struct {
	stage     stageFlags
	read      cli.RowFlags
	rewards   rewardFlags
	settings  policy.Settings
	prompts   []string
	rounds    int
	advantage string
	estimator string
	fromModel bool
}

// trainPolicy is the command of one method.
func (a *app) trainPolicy(m monitor.Method) *cobra.Command {
	f := policyFlags{settings: policy.Usual(m)}
	f.stage.Settings = tune.Defaults()
	f.stage.Share = .5
	if m == monitor.PPO {
		f.stage.Share = .2
	}
	t := a.Lang.T
	short := map[monitor.Method]string{
		monitor.Reinforce: t("tune a model by rewards of its answers: REINFORCE with a running baseline", "用回答的奖励调整模型：带滑动基线的 REINFORCE"),
		monitor.RLOO:      t("tune a model by rewards: each answer against the others to its prompt (RLOO)", "用奖励调整模型：每个回答与同一提示的其余回答比较（RLOO）"),
		monitor.GRPO:      t("tune a model by rewards: answers compared within groups (GRPO, Dr. GRPO, DAPO)", "用奖励调整模型：组内比较（GRPO、Dr. GRPO、DAPO）"),
		monitor.PPO:       t("tune a model by rewards with a value head (PPO)", "用奖励与价值头调整模型（PPO）"),
	}[m]
	cmd := &cobra.Command{
		Use: string(m) + " --model SFT --prompts FILE... --reward-... --out DIR", Args: cli.ExactArgs(0, 1<<20), Short: short,
		Long: short + "\n\n" + t(`The model answers prompts, a reward scores the answers, and what earns more becomes more likely. One reward is given:
--reward-expr, a rule: a number, or a condition (1 or 0), over answer, prompt, tokens, length (characters), ended, and the fields of
the prompt's row, as 'ended && answer contains gold ? 1 : 0'; --reward-model, a model of winnow train reward; --reward-url, an HTTP
endpoint that gets {"prompts", "completions", "ended", "messages", "columns"} and gives {"rewards"}; --judge or --endpoint, a model
that grades each answer, here or behind an OpenAI-compatible address (AI feedback). A rule is no AI feedback.

FILE has rows of prompts in any of the shapes of conversations; an answer at the end is left off, and all fields can be named in
--reward-expr. The reference is --model itself. A round is --batch prompts times --samples answers; KL, reward, length, ends, entropy
and more are told for each, with alarms that name the cause: winnow train measures DIR explains them. The run stops before the
policy is further than --kl-budget nats a response from the reference; the best model by held-out prompts is kept.`,
			`模型回答提示，奖励为回答打分，得分高的回答概率随之提高。奖励须给出一种：--reward-expr 为规则：数值，或条件（成立为 1，否则为 0），
可用 answer、prompt、tokens、length（字符数）、ended 及提示所在行的字段，如 'ended && answer contains gold ? 1 : 0'；
--reward-model 为 winnow train reward 的模型；--reward-url 为 HTTP 地址，收到 {"prompts", "completions", "ended", "messages",
"columns"}，返回 {"rewards"}；--judge 或 --endpoint 为给每个回答打分的模型，在本机或 OpenAI 兼容地址之后（AI 反馈）。规则不是
AI 反馈。

FILE 为提示数据，接受对话的任意格式；末尾的回答会被去掉，所有字段都可在 --reward-expr 中使用。参考模型即 --model 本身。一轮为
--batch 个提示各 --samples 个回答；每轮报告 KL、奖励、长度、结束率、熵等，并给出指明原因的警报：winnow train measures DIR
可查看解释。策略偏离参考模型超过每回答 --kl-budget nat 之前即停止；按留出提示保留最佳模型。`) + cli.ExitCodes,
		RunE: func(cmd *cobra.Command, files []string) error { return a.policy(cmd.Context(), &f, files) },
	}
	f.add(a, cmd)
	return cmd
}

func (f *policyFlags) add(a *app, cmd *cobra.Command) {
	f.stage.add(a, cmd)
	f.stage.addLoRA(a, cmd)
	f.read.Add(a.App, cmd)
	f.rewards.add(a, cmd)
	t, fl, s := a.Lang.T, cmd.Flags(), &f.settings
	fl.Lookup("best-by").Usage = t("the validated number by which the best is kept: reward, true_reward, kl; default: reward", "按哪个验证指标保留最佳：reward、true_reward、kl；默认 reward")
	fl.StringArrayVar(&f.prompts, "prompts", nil, t("file of prompts; may be given more than once", "提示数据文件；可多次给出"))
	fl.IntVar(&f.rounds, "rounds", 50, t("of answering and learning; --steps counts updates, of which a round has passes times minibatches", "回答与学习的轮数；--steps 为更新数，一轮有 passes 乘 minibatches 次更新"))
	fl.IntVar(&s.Prompts, "batch", s.Prompts, t("prompts a round", "每轮的提示数"))
	fl.IntVar(&s.Samples, "samples", s.Samples, t("answers a prompt", "每个提示的回答数"))
	fl.IntVar(&s.MaxTokens, "max-tokens", s.MaxTokens, t("of an answer", "回答的 token 数上限"))
	fl.IntVar(&s.Passes, "passes", s.Passes, t("over the answers of a round", "对一轮回答的遍数"))
	fl.IntVar(&s.Minibatches, "minibatches", s.Minibatches, t("updates of a pass", "每遍的更新数"))
	fl.Float64Var(&s.ClipLow, "ratio-low", s.ClipLow, t("ratios of probabilities below 1 less this have no gradient", "概率比低于 1 减此值时无梯度"))
	fl.Float64Var(&s.ClipHigh, "ratio-high", s.ClipHigh, t("ratios above 1 plus this have no gradient", "概率比高于 1 加此值时无梯度"))
	fl.StringVar(&s.Aggregation, "aggregation", s.Aggregation, t("of tokens into a loss: dapo by all tokens, grpo by answers, dr_grpo by answers times --max-tokens", "token 损失的汇总：dapo 按全部 token，grpo 按回答，dr_grpo 按回答数乘 --max-tokens"))
	fl.BoolVar(&s.Whiten, "whiten", s.Whiten, t("scale a round's advantages to variance 1", "把一轮的优势缩放到方差 1"))
	fl.Float64Var(&s.Beta, "kl", s.Beta, t("what a nat away from the reference costs", "偏离参考模型每 nat 的代价"))
	fl.StringVar(&f.estimator, "kl-estimator", string(s.Estimator), t("of the KL that is paid for: k1, k2, k3", "计入代价的 KL 估计量：k1、k2、k3"))
	fl.BoolVar(&s.InLoss, "kl-in-loss", s.InLoss, t("KL is paid for in the loss, not out of the reward", "KL 代价计入损失，而非从奖励中扣除"))
	fl.Float64Var(&s.Budget, "kl-budget", s.Budget, t("nats a response at which the run stops; 0: none", "每回答的 KL 达到此 nat 数即停止；0 为不限"))
	fl.Float64Var(&s.Missing, "missing-end-penalty", s.Missing, t("taken off the reward of an answer that does not end", "未自行结束的回答扣除的奖励"))
	fl.Float64Var(&s.Limit, "reward-limit", s.Limit, t("rewards are held to plus or minus this; 0: not", "奖励限制在正负此值之内；0 为不限"))
	fl.Float64Var(&s.Entropy, "entropy-bonus", s.Entropy, t("what a nat of entropy a token earns", "每 token 每 nat 熵的奖励"))
	fl.IntVar(&s.Held, "held-prompts", s.Held, t("prompts to validate on; below 0: a tenth, where there are 40 or more", "用于验证的提示数；负数为十分之一（提示不少于 40 个时）"))
	fl.IntVar(&s.Slots, "slots", s.Slots, t("answers written at a time; makes no difference to what comes of it", "同时生成的回答数；不影响结果"))
	if s.Method == monitor.PPO {
		fl.Float64Var(&s.Gamma, "gamma", s.Gamma, t("discount a token", "每 token 的折扣"))
		fl.Float64Var(&s.Lambda, "lambda", s.Lambda, t("of generalised advantage estimates", "广义优势估计的 λ"))
		fl.Float64Var(&s.ValueClip, "value-clip", s.ValueClip, t("values are held to so much of what they were; 0: not", "价值的变化限制在此范围内；0 为不限"))
		fl.Float64Var(&s.ValueCost, "value-coefficient", s.ValueCost, t("weight of the value head's loss", "价值头损失的权重"))
		fl.BoolVar(&f.fromModel, "value-from-reward", false, t("begin the value head from that of --reward-model", "由 --reward-model 初始化价值头"))
		fl.Float64Var(&s.Target, "kl-target", s.Target, t("nats a response that --kl is adapted to; 0: it is fixed", "据此调节 --kl 的每回答 nat 数；0 为固定"))
		fl.Float64Var(&s.Horizon, "kl-horizon", s.Horizon, t("answers over which --kl is adapted", "调节 --kl 的回答数尺度"))
		return
	}
	f.advantage = string(s.Advantage)
	if s.Method == monitor.GRPO {
		fl.StringVar(&f.advantage, "advantage", f.advantage, t("of an answer: grpo divides by the group's standard deviation, dr_grpo does not", "回答的优势：grpo 除以组内标准差，dr_grpo 不除"))
	}
}

// policy runs a method.
func (a *app) policy(ctx context.Context, f *policyFlags, files []string) error {
	if files = append(slices.Clip(f.prompts), files...); len(files) == 0 {
		return cli.Usage("%s", a.Lang.T("give --prompts, a file of prompts", "请给出 --prompts，即提示数据文件"))
	}
	if err := errors.Join(f.read.Settle(), a.filesAt("--prompts", files...)); err != nil {
		return err
	}
	if f.stage.Steps == 0 && f.stage.Epochs == 0 {
		f.stage.Steps = f.rounds * f.settings.Updates()
	}
	s := f.settings
	s.Advantage, s.Estimator = loss.Baseline(f.advantage), loss.KL(f.estimator)
	if err := s.Check(); err != nil {
		return cli.ExitWith(cli.ExitUsage, err)
	}
	work, err := a.promptsOf(files, f.read.Options)
	if err != nil {
		return err
	}
	show := a.newStageProgress(a.policyEvent)
	if err := f.stage.ready(a, show); err != nil {
		return err
	}
	defer f.stage.Pool.Close()
	done, err := f.rewards.open(ctx, a, work, &s, &f.stage)
	if err != nil {
		return err
	}
	defer done()
	if f.fromModel {
		model, ok := work.Reward.(*policy.RewardModel)
		if !ok {
			return cli.Usage("%s", a.Lang.T("--value-from-reward needs --reward-model", "--value-from-reward 需要 --reward-model"))
		}
		if _, work.Head, _, _, err = checkpoint.LoadReward(model.Folder); err != nil {
			return err
		}
		s.Value = model.Info.Hash
	}
	a.Say("%s: %d prompts; reward: %s", "%s：%d 个提示；奖励：%s", s.Method, len(work.Prompts), s.Reward)
	run := policy.Free
	if s.Method == monitor.PPO {
		run = policy.PPO
	}
	r, err := run(ctx, f.stage.Options, s, *work)
	var long *policy.LongError
	if errors.As(err, &long) {
		err = cli.ExitWith(cli.ExitUsage, fmt.Errorf(a.Lang.T("%w\n(a smaller --max-tokens leaves more room for prompts)", "%w\n（提示过长；减小 --max-tokens 可为提示留出更多空间）"), err))
	}
	var over *policy.BudgetError
	if errors.As(err, &over) {
		err = cli.ExitWith(cli.ExitFailed, fmt.Errorf(a.Lang.T("%w", "%w\n（在验证到预算之内的模型之前 KL 已超出预算：请降低学习率，或更频繁地验证）"), err))
	}
	return a.tuned(show, r, a.Asked(err))
}

// promptsOf reads prompts. A row that cannot be used is told; more than a twentieth of such rows is an error.
func (a *app) promptsOf(files []string, o source.Options) (*policy.Work, error) {
	w, refused, first := &policy.Work{Files: files, Rows: map[string]int64{}}, 0, []string{}
	for p, err := range source.Prompts(files, o) {
		var row *source.RowError
		if errors.As(err, &row) {
			if refused++; len(first) < 3 {
				first = append(first, row.Error())
			}
			continue
		}
		if err != nil {
			return nil, err
		}
		w.Rows[p.File]++
		w.Prompts = append(w.Prompts, policy.Prompt{Name: p.Place.String(), Messages: p.Messages, Tools: p.Tools, Columns: p.Columns})
	}
	all := refused + len(w.Prompts)
	if all == 0 {
		return nil, cli.Usage("--prompts %s: %s", strings.Join(files, ", "), a.Lang.T("there is no row in it", "没有任何数据行"))
	}
	if refused*20 > all {
		return nil, cli.ExitWith(cli.ExitUsage, fmt.Errorf(a.Lang.T("%d of %d rows have no prompt:\n%s", "%[2]d 行中有 %[1]d 行没有提示：\n%[3]s"), refused, all, strings.Join(first, "\n")))
	}
	for _, why := range first {
		a.Say("  not used: %s", "  未使用：%s", why)
	}
	return w, nil
}

// policyEvent shows alarms.
func (a *app) policyEvent(e tune.Event) {
	if x, ok := e.More.(monitor.Alarm); ok {
		a.printAlarm(x)
	}
}

func (a *app) printAlarm(x monitor.Alarm) {
	mark := map[monitor.Level]string{monitor.Note: "i", monitor.Warn: "!", monitor.Stop: "!!"}[x.Level]
	fmt.Fprintf(a.Err, a.Lang.T("%s step %d: %s\n", "%s 第 %d 步：%s\n"), mark, x.Step, a.Lang.T(x.EN, x.ZH))
}
