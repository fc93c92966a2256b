package monitor

import (
	"fmt"
	"slices"
)

// rule is one alarm: of which methods, when, and what it says.
type rule struct {
	id      string
	level   Level
	methods []Method // none: all
	when    func(sight) bool
	says    func(sight) Text
}

// rules lists all of them.
func rules() []rule { return slices.Concat(policyRules(), preferRules(), fitRules()) }

func policyRules() []rule {
	free, all := []Method{Reinforce, RLOO, GRPO}, []Method{Reinforce, RLOO, GRPO, PPO}
	return append([]rule{
		{"loss_is_zero", Note, free, func(s sight) bool { return s.has(Loss) && abs(s.now[Loss]) < .02 && s.now[Norm] > 0 },
			func(s sight) Text {
				return Text{"a loss near 0 is right here: advantages average to 0 over a group and the ratio is 1, so the loss is about 0 (plus coefficient times KL) while its gradient is not. Watch reward and KL, not the loss",
					"此处损失接近 0 是正确的：组内优势均值为 0、比率为 1，故损失约为 0（外加系数乘 KL），而梯度不为 0。请看奖励与 KL，而非损失"}
			}},
		{"all_groups_dead", Warn, all, func(s sight) bool { return s.has(Dead) && s.now[Dead] >= 1 },
			func(s sight) Text {
				return Text{fmt.Sprintf("all groups are dead: every answer to a prompt got the same reward (mean %.3g), so this step teaches nothing. The reward is too hard or too easy for this model, or does not depend on the answer, or the answers of a group are all the same (temperature, entropy %.2g)", s.now[Reward], s.now[Entropy]),
					fmt.Sprintf("所有组都无差别：同一提示的各回答奖励相同（均值 %.3g），这一步学不到东西。奖励对该模型太难或太易，或与回答无关，或组内回答全都相同（见温度、熵 %.2g）", s.now[Reward], s.now[Entropy])}
			}},
		{"many_groups_dead", Warn, all, func(s sight) bool {
			return s.Limits.Group > 1 && s.all(5, Dead, func(v float64) bool { return v > .7 && v < 1 })
		},
			func(s sight) Text {
				return Text{fmt.Sprintf("%.0f%% of groups are dead: with a success rate p and k = %d answers a share p^k + (1-p)^k of prompts teaches nothing. More answers a prompt, prompts of middling difficulty or a graded reward help", 100*s.late(Dead), s.Limits.Group),
					fmt.Sprintf("%.0f%% 的组无差别：成功率为 p、每提示 k = %d 个回答时，有 p^k + (1-p)^k 的提示学不到东西。可增加每提示的回答数、选难度适中的提示或用分级奖励", 100*s.late(Dead), s.Limits.Group)}
			}},
		{"never_ends", Warn, all, func(s sight) bool { return s.all(2, Ended, func(v float64) bool { return v == 0 }) },
			func(s sight) Text {
				return Text{fmt.Sprintf("no answer ends by itself: the end of turn was never sampled within %.0f tokens. The parent was not fine-tuned with this template, or --max-tokens is shorter than its answers", s.Limits.MaxTokens),
					fmt.Sprintf("没有回答自行结束：%.0f 个 token 内从未采到轮次结束符。父模型未以此模板微调，或 --max-tokens 短于其回答", s.Limits.MaxTokens)}
			}},
		{"length_runs_away", Warn, all, func(s sight) bool {
			return s.past() && s.first(Length) > 0 && s.late(Length) > 1.5*s.first(Length) && s.late(Length)-s.first(Length) > 4 && s.late(Reward) > s.first(Reward)
		},
			func(s sight) Text {
				return Text{fmt.Sprintf("answers grow with the reward: %.0f tokens, %.0f at first, %.0f%% end by themselves. The reward pays for length; penalise it, or answers that do not end", s.late(Length), s.first(Length), 100*s.late(Ended)),
					fmt.Sprintf("回答随奖励变长：%.0f 个 token，起初 %.0f，%.0f%% 自行结束。奖励鼓励了长度；请惩罚长度或未结束的回答", s.late(Length), s.first(Length), 100*s.late(Ended))}
			}},
		{"length_collapses", Warn, all, func(s sight) bool {
			return s.past() && s.first(Length) > 6 && s.late(Length) < .3*s.first(Length)
		},
			func(s sight) Text {
				return Text{fmt.Sprintf("answers shrink to %.0f tokens, %.0f at first: the reward pays for short answers, or every further token only costs KL", s.late(Length), s.first(Length)),
					fmt.Sprintf("回答缩短至 %.0f 个 token，起初 %.0f：奖励鼓励短回答，或多写只增加 KL 代价", s.late(Length), s.first(Length))}
			}},
		{"entropy_collapses", Warn, all, func(s sight) bool {
			return s.past() && s.first(Entropy) > .05 && s.late(Entropy) < .2*s.first(Entropy)
		},
			func(s sight) Text {
				return Text{fmt.Sprintf("entropy fell to %.3f nats a token, %.3f at first: the policy gives one answer to each prompt. Learning rate or number of epochs is too high, or the KL coefficient too low", s.late(Entropy), s.first(Entropy)),
					fmt.Sprintf("熵降至每 token %.3f nat，起初 %.3f：策略对每个提示只给一种回答。学习率或轮数过高，或 KL 系数过低", s.late(Entropy), s.first(Entropy))}
			}},
	}, append(stepRules(all), criticRules()...)...)
}

// stepRules are about the size of updates and the distance from the reference.
func stepRules(all []Method) []rule {
	return []rule{
		{"kl_budget", Stop, nil, func(s sight) bool { return s.Limits.KLBudget > 0 && s.has(KL) && s.now[KL] > s.Limits.KLBudget },
			func(s sight) Text {
				return Text{fmt.Sprintf("KL is %.2f nats a response, the budget is %.2f: the policy is as far from its reference as it may go", s.now[KL], s.Limits.KLBudget),
					fmt.Sprintf("KL 为每个回答 %.2f nat，预算为 %.2f：策略已达到允许偏离参考模型的极限", s.now[KL], s.Limits.KLBudget)}
			}},
		{"kl_jumps", Warn, nil, func(s sight) bool {
			before := s.lately(6)
			return len(before) == 6 && s.has(KL) && s.now[KL] > 1 && s.now[KL] > 3*mean(before[:5], KL)
		},
			func(s sight) Text {
				return Text{fmt.Sprintf("KL jumped to %.2f nats a response: the learning rate is too high or the KL coefficient too low", s.now[KL]),
					fmt.Sprintf("KL 跃至每个回答 %.2f nat：学习率过高或 KL 系数过低", s.now[KL])}
			}},
		{"kl_negative", Warn, all, func(s sight) bool { return s.all(5, KL, func(v float64) bool { return v < -.2 }) },
			func(s sight) Text {
				return Text{fmt.Sprintf("KL is %.2f nats a response, below 0 for five steps: answers are not drawn from the policy that is scored. Sampling with top-k, top-p or another temperature than scoring does that", s.late(KL)),
					fmt.Sprintf("KL 为每个回答 %.2f nat，连续五步小于 0：回答并非采自被计分的策略。采样用了 top-k、top-p 或与计分不同的温度时会如此", s.late(KL))}
			}},
		{"k3_negative", Warn, nil, func(s sight) bool { return s.has(K3) && s.now[K3] < 0 },
			func(s sight) Text {
				return Text{fmt.Sprintf("the k3 estimate of KL is %g, which cannot be: log-probabilities of policy and reference are not of the same tokens", s.now[K3]),
					fmt.Sprintf("KL 的 k3 估计为 %g，这不可能：策略与参考模型的对数概率不属于同样的 token", s.now[K3])}
			}},
		{"first_ratio", Warn, all, func(s sight) bool { return s.has(RatioGap) && s.now[RatioGap] != 0 },
			func(s sight) Text {
				return Text{fmt.Sprintf("the ratio of the first minibatch differs from 1 by %g: old log-probabilities come from elsewhere than the training forward on the same rows (the sampler, another temperature, other parameters)", s.now[RatioGap]),
					fmt.Sprintf("首个小批的比率与 1 相差 %g：旧对数概率并非来自同样行上的训练前向计算（而是采样器、其他温度或其他参数）", s.now[RatioGap])}
			}},
		{"much_is_clipped", Warn, all, func(s sight) bool { return s.all(3, ClipShare, func(v float64) bool { return v > .3 }) },
			func(s sight) Text {
				return Text{fmt.Sprintf("%.0f%% of tokens are clipped: updates go further than the clip allows. Fewer epochs over a batch or a lower learning rate", 100*s.late(ClipShare)),
					fmt.Sprintf("%.0f%% 的 token 被裁剪：更新超出裁剪范围。请减少每批轮数或降低学习率", 100*s.late(ClipShare))}
			}},
		{"update_too_large", Warn, all, func(s sight) bool { return s.has(ApproxKL) && s.now[ApproxKL] > .2 },
			func(s sight) Text {
				return Text{fmt.Sprintf("one step moved the policy by %.2f nats a token from the one that sampled: the learning rate is too high or there are too many epochs", s.now[ApproxKL]),
					fmt.Sprintf("一步使策略与采样策略相差每 token %.2f nat：学习率过高或轮数过多", s.now[ApproxKL])}
			}},
		{"no_gradient", Warn, nil, func(s sight) bool {
			return s.all(3, Norm, func(v float64) bool { return v == 0 }) && !(s.has(Dead) && s.now[Dead] >= 1)
		},
			func(s sight) Text {
				return Text{"the gradient has been 0 for three steps: nothing is learnt", "梯度连续三步为 0：没有在学习"}
			}},
		{"gradient_jumps", Warn, nil, func(s sight) bool {
			before := s.lately(11)
			return len(before) == 11 && s.has(Norm) && mean(before[:10], Norm) > 0 && s.now[Norm] > 10*mean(before[:10], Norm)
		},
			func(s sight) Text {
				return Text{fmt.Sprintf("the gradient's norm is %.3g, ten times that of the last steps: an odd batch, or the run begins to diverge", s.now[Norm]),
					fmt.Sprintf("梯度范数为 %.3g，为近几步的十倍：数据异常，或训练开始发散", s.now[Norm])}
			}},
	}
}

func criticRules() []rule {
	return []rule{
		{"reward_is_gamed", Warn, nil, func(s sight) bool {
			best, ok := s.Best[True]
			if !ok || !s.past() || !s.has(Reward, True) {
				return false
			}
			gain := best - s.first(True)
			return s.late(Reward) >= s.first(Reward) && s.late(True) < best-max(.1*abs(best), .25*gain, .02)
		},
			func(s sight) Text {
				return Text{fmt.Sprintf("the reward is %.3f (%.3f at first) but the true reward fell to %.3f from %.3f: the policy exploits the reward. Stop at the best true reward, raise the KL coefficient, or train the reward on such answers", s.late(Reward), s.first(Reward), s.late(True), s.Best[True]),
					fmt.Sprintf("奖励为 %.3f（起初 %.3f），真实奖励却由 %.3[4]f 降至 %.3[3]f：策略在钻奖励的空子。请停在真实奖励最高处、增大 KL 系数，或用此类回答训练奖励", s.late(Reward), s.first(Reward), s.late(True), s.Best[True])}
			}},
		{"values_explain_nothing", Warn, []Method{PPO}, func(s sight) bool {
			return s.step > 20 && s.all(5, Explained, func(v float64) bool { return v < 0 })
		},
			func(s sight) Text {
				return Text{fmt.Sprintf("explained variance is %.2f: the value head predicts returns worse than a constant, so advantages are noise. Raise its coefficient or learning rate, or begin it from the reward model", s.late(Explained)),
					fmt.Sprintf("解释方差为 %.2f：价值头对回报的预测不如常数，优势即为噪声。请增大其系数或学习率，或由奖励模型初始化", s.late(Explained))}
			}},
		{"kl_cost_at_bound", Warn, []Method{PPO}, func(s sight) bool {
			return s.past() && s.has(KLCost, KL) && s.first(KLCost) > 0 && s.late(KLCost) > 10*s.first(KLCost)
		},
			func(s sight) Text {
				return Text{fmt.Sprintf("the adaptive KL coefficient grew tenfold to %.3g and KL is still %.2f: the reward outweighs it; lower the learning rate", s.late(KLCost), s.late(KL)),
					fmt.Sprintf("自适应 KL 系数已增至十倍 %.3g，KL 仍为 %.2f：奖励压过了它；请降低学习率", s.late(KLCost), s.late(KL))}
			}},
	}
}

func abs(v float64) float64 { return max(v, -v) }
