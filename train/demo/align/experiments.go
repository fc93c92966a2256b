package align

import (
	"context"
	"fmt"
	"os"

	"winnow/train/demo"
)

// Experiment is one claim and how it is put to the test.
type Experiment struct {
	Name   string
	EN, ZH string // the claim
	run    func(ctx context.Context, l *Lab, seed uint64) ([]demo.Measure, error)
}

// Experiments lists all of them, in the order of the stages.
func Experiments() []Experiment {
	return []Experiment{
		{"answers", "a base model does not answer, a fine-tuned one does", "基座模型不会回答，微调后会回答", answering},
		{"parameters", "fine-tuning needs pretrained parameters: random ones overfit before they generalise", "微调依赖预训练参数：随机参数先过拟合而不泛化", parameters},
		{"curated", "at equal steps few curated examples beat many noisy ones", "同等步数下，少量精选样本优于大量含噪样本", curated},
		{"longest", "the longest answers are as good a choice as a random one, or a better one", "选最长回答不逊于随机选取", longestFirst},
		{"unknown", "learning facts that the base does not know harms those it knows", "学习基座不知道的事实会损害已知事实", unknown},
		{"extraction", "a fact that was read in several wordings can be asked for after fine-tuning, one read in one wording cannot", "以多种说法读过的事实微调后可被问出，只读过一种说法的不能", extraction},
		{"response", "answers alone teach the form of answering", "只学回答也能学会回答的形式", responseOnly},
		{"distillation", "a small model learns more from a teacher's answers and distributions than from few right examples", "小模型从教师的回答与分布中学到的多于少量正确样本", distilled},
		{"reward", "a reward model says which of two answers is better, about people it has not learnt of", "奖励模型能判断两个回答孰优，即使人物未曾学过", rewarding},
		{"dpo", "pairs of answers raise the true score by DPO", "成对偏好经 DPO 提高真实得分", dpo},
		{"kto", "thumbs, noisy and uneven, raise the true score by KTO", "含噪且不均衡的赞与踩经 KTO 提高真实得分", kto},
		{"grpo", "a programmatic reward raises the true score by GRPO", "程序化奖励经 GRPO 提高真实得分", grpo},
		{"ppo", "the same by PPO", "经 PPO 亦然", ppo},
		{"judge", "a model that judges takes the place of given labels", "评判模型可代替给定标签", judging},
		{"self", "a model that judges its own answers learns from its judgement; the audit shows how far", "模型按自评学习；审计显示其可信程度", selfRewarding},
	}
}

// Run does an experiment once for each seed, 1 to seeds.
func (e Experiment) Run(ctx context.Context, l *Lab, seeds int) (*demo.Outcome, error) {
	var measured [][]demo.Measure
	for seed := range seeds {
		m, err := e.run(ctx, l, uint64(seed+1))
		if err != nil {
			return nil, fmt.Errorf("%s, seed %d: %w", e.Name, seed+1, err)
		}
		measured = append(measured, m)
		if err := l.sweep(); err != nil {
			return nil, err
		}
	}
	return demo.Gather(e.Name, measured)
}

// sweep removes what the stages of an experiment left behind.
func (l *Lab) sweep() error {
	for _, dir := range l.made {
		if err := os.RemoveAll(dir); err != nil {
			return err
		}
	}
	l.made = nil
	return nil
}
