package monitor

import "fmt"

// preferRules are about learning from pairs, labels and answers that are given.
func preferRules() []rule {
	pairs := []Method{DPO, KTO}
	return []rule{
		{"chosen_falls", Note, []Method{DPO}, func(s sight) bool {
			return s.past() && s.has(Chosen, Margin) && s.late(Chosen) < -.05 && s.late(Chosen) < s.first(Chosen) && s.late(Margin) > s.first(Margin)
		},
			func(s sight) Text {
				return Text{fmt.Sprintf("the chosen reward falls (%.3f) while the margin grows (%.3f): DPO's loss sees their difference alone, and pushing the rejected answer down takes what is like it along. It is no error while rejected falls faster; if answers get worse, add the likelihood of the chosen answer, raise β or lower the rate", s.late(Chosen), s.late(Margin)),
					fmt.Sprintf("优选奖励下降（%.3f）而间隔增大（%.3f）：DPO 的损失只看两者之差，压低劣选会连带压低相似的优选。只要劣选降得更快就不是错误；若回答变差，请加入优选的似然项、增大 β 或降低学习率", s.late(Chosen), s.late(Margin))}
			}},
		{"both_fall_far", Warn, []Method{DPO}, func(s sight) bool {
			return s.past() && s.has(ChosenLogP) && s.first(ChosenLogP)-s.late(ChosenLogP) > 20
		},
			func(s sight) Text {
				return Text{fmt.Sprintf("the better answers lost %.0f nats of log-probability: the policy leaves the language of its data, repeated tokens come next. Raise β, lower the rate, or add the likelihood of the chosen answer", s.first(ChosenLogP)-s.late(ChosenLogP)),
					fmt.Sprintf("较好回答的对数概率降了 %.0f nat：策略正偏离数据的语言，接着会出现重复 token。请增大 β、降低学习率，或加入优选的似然项", s.first(ChosenLogP)-s.late(ChosenLogP))}
			}},
		{"starts_apart", Warn, pairs, func(s sight) bool { return s.step == 1 && s.has(Margin) && s.now[Margin] != 0 },
			func(s sight) Text {
				return Text{fmt.Sprintf("the margin is %g at the first step, where policy and reference are the same: the reference's log-probabilities come from another model, template or truncation", s.now[Margin]),
					fmt.Sprintf("第一步策略与参考模型相同，间隔却为 %g：参考对数概率来自其他模型、模板或截断方式", s.now[Margin])}
			}},
		{"pairs_not_learnt", Warn, []Method{RewardFit, DPO}, func(s sight) bool {
			return s.step > 20 && s.all(10, Accuracy, func(v float64) bool { return v < .5 })
		},
			func(s sight) Text {
				return Text{fmt.Sprintf("accuracy is %.0f%% after %d steps: chosen and rejected may be swapped in the data, or the rate is too low", 100*s.late(Accuracy), s.step),
					fmt.Sprintf("第 %[2]d 步后准确率为 %.0[1]f%%：数据中优选与劣选可能颠倒，或学习率过低", 100*s.late(Accuracy), s.step)}
			}},
		{"pairs_trivial", Note, []Method{RewardFit, DPO}, func(s sight) bool {
			return s.all(10, Accuracy, func(v float64) bool { return v == 1 })
		},
			func(s sight) Text {
				return Text{"accuracy has been 100% for ten steps: the pairs are told apart by something simple (length, a fixed phrase) or are known by heart. Look at held-out pairs of equal length",
					"准确率连续十步为 100%：这些对可由简单特征（长度、固定短语）区分，或已被背下。请看长度相近的留出数据"}
			}},
		{"rewards_drift", Warn, []Method{RewardFit}, func(s sight) bool {
			return s.has(Chosen, Rejected) && abs(s.late(Chosen)+s.late(Rejected))/2 > 10
		},
			func(s sight) Text {
				return Text{fmt.Sprintf("rewards drift to a mean of %.1f: the loss sees differences alone. A centring term keeps them near 0", (s.late(Chosen)+s.late(Rejected))/2),
					fmt.Sprintf("奖励整体漂移至均值 %.1f：损失只看差值。加入居中项可使其保持在 0 附近", (s.late(Chosen)+s.late(Rejected))/2)}
			}},
		{"baseline_is_zero", Note, []Method{KTO}, func(s sight) bool {
			return s.step > 10 && s.all(10, Baseline, func(v float64) bool { return v == 0 })
		},
			func(s sight) Text {
				return Text{"the KTO baseline has been 0 for ten steps: the policy makes mismatched answers less likely than the reference does, and the estimate is cut off at 0. That is the method's rule, not an error",
					"KTO 基线连续十步为 0：策略使错配回答的概率低于参考模型，而估计值在 0 处截断。这是方法的规则，不是错误"}
			}},
	}
}

// fitRules are about learning rows by heart.
func fitRules() []rule {
	return []rule{
		{"overfits", Warn, []Method{SFT, RewardFit, DPO, KTO}, func(s sight) bool {
			low, rising := 0., 0
			for i, v := range s.Recent {
				x, ok := v[HeldLoss]
				if !ok {
					continue
				}
				if i == 0 || low == 0 || x < low {
					low, rising = x, 0
				} else {
					rising++
				}
			}
			return rising >= 3 && s.has(HeldLoss, Loss) && s.late(Loss) < s.first(Loss)
		},
			func(s sight) Text {
				return Text{fmt.Sprintf("the held-out loss is %.4f and has risen since its lowest, the loss on the data goes on falling: the rows are learnt by heart. The best model is kept; fewer epochs or more data", s.now[HeldLoss]),
					fmt.Sprintf("留出损失为 %.4f，自最低点起一直上升，而训练损失仍在下降：模型在背诵数据。最佳模型已保留；请减少轮数或增加数据", s.now[HeldLoss])}
			}},
	}
}
