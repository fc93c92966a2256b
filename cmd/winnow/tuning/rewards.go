package tuning

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"winnow/cmd/winnow/cli"
	"winnow/train/judge"
	"winnow/train/policy"
	"winnow/train/prefer"
	"winnow/train/reward"
)

// rewardFlags say what scores the answers.
type rewardFlags struct {
	cli.EndpointFlags                    // of a judge
	expression, url, model, judge, truth string
	key                                  string
}

func (f *rewardFlags) add(a *app, cmd *cobra.Command) {
	f.EndpointFlags.Add(a.App, cmd)
	t, fl := a.Lang.T, cmd.Flags()
	fl.StringVar(&f.expression, "reward-expr", "", t("a rule as the reward", "以规则为奖励"))
	fl.StringVar(&f.url, "reward-url", "", t("an HTTP endpoint as the reward", "以 HTTP 地址为奖励"))
	fl.StringVar(&f.key, "reward-key-env", "", t("environment variable whose value is sent to --reward-url as a bearer token", "其值作为 bearer 令牌发往 --reward-url 的环境变量"))
	fl.StringVar(&f.model, "reward-model", "", t("a folder of winnow train reward as the reward", "以 winnow train reward 的文件夹为奖励"))
	fl.StringVar(&f.judge, "judge", "", t("model folder that grades answers from 1 to 10, by likelihood: AI feedback as the reward", "按似然给回答打 1 至 10 分的模型文件夹：以 AI 反馈为奖励"))
	fl.StringVar(&f.truth, "true-reward-expr", "", t("a rule that is measured beside the reward and never learnt from", "另行测量、不用于学习的规则"))
}

// open makes the reward, and names it in the settings so that a run with another one is another run.
// What it gives is to be called in the end.
func (f *rewardFlags) open(ctx context.Context, a *app, w *policy.Work, s *policy.Settings, stage *stageFlags) (done func(), err error) {
	given := 0
	for _, v := range []string{f.expression, f.url, f.model, f.judge, f.BaseURL} {
		if v != "" {
			given++
		}
	}
	if given != 1 {
		return nil, cli.Usage("%s", a.Lang.T("give one of --reward-expr, --reward-url, --reward-model, --judge, --endpoint", "请在 --reward-expr、--reward-url、--reward-model、--judge、--endpoint 中给出一个"))
	}
	columns := map[string]bool{}
	for _, p := range w.Prompts {
		for name := range p.Columns {
			columns[name] = true
		}
	}
	names := slices.Sorted(maps.Keys(columns))
	switch {
	case f.expression != "":
		w.Reward, err = Expression(a.App, f.expression, names)
		s.Reward = "rule " + f.expression
	case f.url != "":
		var e *reward.Endpoint
		if e, err = reward.NewEndpoint(f.url); err == nil {
			e.Tries, e.Timeout = f.Retries+1, f.Timeout
		}
		if err == nil && f.key != "" {
			e.Header = http.Header{"Authorization": {"Bearer " + os.Getenv(f.key)}}
		}
		w.Reward, s.Reward = e, "endpoint "+f.url
	case f.model != "":
		var m *prefer.Scorer
		if m, err = prefer.OpenScorer(f.model, stage.Pool); err == nil {
			w.Reward, s.Reward = &policy.RewardModel{Scorer: m, Folder: f.model}, fmt.Sprintf("reward model %.12s", m.Info.Hash)
		}
	default:
		w.Reward, s.Reward, done, err = f.grading(ctx, a, stage.Out, stage.MachineFlags)
	}
	var own *cli.ExitError
	if err != nil && !errors.As(err, &own) {
		err = cli.ExitWith(cli.ExitUsage, err)
	}
	if done == nil {
		done = func() {}
	}
	if err != nil {
		return done, err
	}
	if f.truth != "" {
		if w.True, err = Expression(a.App, f.truth, names); err != nil {
			return done, err
		}
		s.True = "rule " + f.truth
	}
	return done, nil
}

// Expression is a reward that a text over an answer and the columns of its prompt gives.
func Expression(a *cli.App, text string, columns []string) (reward.Scorer, error) {
	x, err := reward.NewExpression(text, columns)
	var wrong *reward.ExpressionError
	if errors.As(err, &wrong) {
		return nil, cli.ExitWith(cli.ExitUsage, fmt.Errorf(a.Lang.T("%w", "表达式有误：%w"), err))
	}
	return x, err
}

// grading is a model that grades answers: in this process, or behind an endpoint. done is to be called in the end.
func (f *rewardFlags) grading(ctx context.Context, a *app, out string, m cli.MachineFlags) (r reward.Scorer, name string, done func(), err error) {
	j := &judge.Judge{Parallel: 1}
	if f.judge != "" {
		local, name, pool, err := LocalJudge(a.App, f.judge, m)
		if err != nil {
			return nil, "", nil, err
		}
		j.Client, j.Model = local, name
		return judge.Reward{Judge: j, Scale: judge.Grades}, "AI judge " + name, pool.Close, nil
	}
	e, err := f.EndpointFlags.Open(a.App, ctx, out)
	if err != nil {
		return nil, "", nil, err
	}
	j.Client, j.Model, j.Parallel = e, e.Model, f.InFlight
	done = func() {
		e.Spent(a.App)
		e.Client.Close()
	}
	return judge.Reward{Judge: j, Scale: judge.Grades}, "AI judge " + e.Model + " at " + f.BaseURL, done, nil
}
