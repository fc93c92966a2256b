// Package monitor says how a fine-tuning run is doing. The measures of a step flow in by their ids; out flow their names and healthy
// ranges in words, one line a step, and alarms that name the cause, in English and Chinese. It computes no losses and reads no
// files, and its whole state is exported, so that a checkpoint holds it.
package monitor

// Ids of measures, as metrics.jsonl has them. A loop reports those that it knows; one that is missing was not measured.
const (
	Loss       = "loss"
	Norm       = "norm"
	KL         = "kl"
	K3         = "k3"
	Reward     = "reward"
	RewardSD   = "reward_sd"
	True       = "true_reward"
	Length     = "length"
	Ended      = "ended"
	Entropy    = "entropy"
	Dead       = "dead_groups"
	ClipShare  = "clip_fraction"
	ApproxKL   = "approx_kl"
	RatioGap   = "first_ratio_gap"
	Chosen     = "chosen_reward"
	Rejected   = "rejected_reward"
	Margin     = "margin"
	Accuracy   = "accuracy"
	ChosenLogP = "chosen_logprob"
	Baseline   = "kto_baseline"
	Explained  = "explained_variance"
	ValueLoss  = "value_loss"
	ValueClip  = "value_clip_fraction"
	KLCost     = "kl_coefficient"
	HeldLoss   = "held_loss"
)

// Text is a sentence in both languages.
type Text struct {
	EN string `json:"en"`
	ZH string `json:"zh"`
}

// Measure is one number that a step reports.
type Measure struct {
	ID      string
	Name    Text
	Healthy Text   // what to expect of it, in words
	Format  string // of fmt, for the value
	Share   bool   // 0..1, shown as a percentage
}

// Measures lists all of them, in the order in which a line shows them.
func Measures() []Measure { return append(ownMeasures(), givenMeasures()...) }

// ownMeasures are those of a loss and of a model's own answers.
func ownMeasures() []Measure {
	return []Measure{
		{ID: Loss, Name: Text{"loss", "损失"}, Format: "%.4f", Healthy: Text{
			"falls for SFT, reward and preference training (a first DPO step is 0.6931, a first KTO step 0.5); says nothing for policy gradients, whose advantages average to 0",
			"SFT、奖励与偏好训练中应下降（DPO 第一步为 0.6931，KTO 第一步为 0.5）；策略梯度的优势均值为 0，其损失不说明任何问题"}},
		{ID: HeldLoss, Name: Text{"held out", "留出损失"}, Format: "%.4f", Healthy: Text{
			"falls with the loss; where it rises while the loss falls, the run learns the rows by heart",
			"随损失下降；若损失下降而它上升，则模型在背诵训练数据"}},
		{ID: Reward, Name: Text{"reward", "奖励"}, Format: "%.3f", Healthy: Text{
			"rises, fast at first and then slower; flat means that groups are dead or the rate too low",
			"先快后慢地上升；不动则说明各组奖励相同或学习率过低"}},
		{ID: RewardSD, Name: Text{"its sd", "奖励标准差"}, Format: "%.3f", Healthy: Text{
			"above 0: without a difference between answers there is nothing to learn",
			"大于 0：回答之间没有差别则无可学"}},
		{ID: True, Name: Text{"true reward", "真实奖励"}, Format: "%.3f", Healthy: Text{
			"rises with the reward; where it falls while the reward rises, the reward is being gamed",
			"随奖励上升；若奖励上升而它下降，则模型在钻奖励的空子"}},
		{ID: KL, Name: Text{"KL", "KL"}, Format: "%.3f", Healthy: Text{
			"nats a response away from the reference: 0 at step 1, grows slowly, stays below the budget (10); never clearly below 0",
			"每个回答偏离参考模型的 nat 数：第 1 步为 0，缓慢增长，低于预算（10）；不应明显小于 0"}},
		{ID: K3, Name: Text{"k3", "k3"}, Format: "%.4f", Healthy: Text{
			"nats a response by the estimator that is never negative; close to KL while the policy is close to the reference",
			"每个回答的 nat 数，用恒非负的估计量；策略接近参考模型时与 KL 接近"}},
		{ID: Length, Name: Text{"length", "长度"}, Format: "%.1f", Healthy: Text{
			"tokens an answer; moves little unless the task pays for length",
			"每个回答的 token 数；除非任务奖励长度，否则变化不大"}},
		{ID: Ended, Name: Text{"ended", "自行结束"}, Share: true, Healthy: Text{
			"share of answers that end by themselves: stays near that of the model one began with, above 90 % after good SFT",
			"自行结束的回答比例：保持在起始模型附近，良好的 SFT 之后高于 90 %"}},
		{ID: Entropy, Name: Text{"entropy", "熵"}, Format: "%.3f", Healthy: Text{
			"nats a token; falls slowly; near 0 every answer to a prompt is the same",
			"每 token 的 nat 数；缓慢下降；接近 0 时同一提示的回答全都相同"}},
		{ID: Dead, Name: Text{"dead groups", "无差别组"}, Share: true, Healthy: Text{
			"share of prompts whose answers all got the same reward and teach nothing; below 50 %",
			"所有回答奖励相同、因而学不到东西的提示比例；低于 50 %"}},
		{ID: RatioGap, Name: Text{"first ratio - 1", "首批比率 - 1"}, Format: "%g", Healthy: Text{
			"exactly 0: the first minibatch is computed by the parameters that its old log-probabilities come from",
			"恰为 0：首个小批所用参数与旧对数概率相同"}},
		{ID: ApproxKL, Name: Text{"approx KL", "近似 KL"}, Format: "%.5f", Healthy: Text{
			"nats a token between the policy and the one that sampled: 0 in the first minibatch, below 0.05 at the last",
			"策略与采样策略之间每 token 的 nat 数：首个小批为 0，末个小批低于 0.05"}},
		{ID: ClipShare, Name: Text{"clipped", "裁剪"}, Share: true, Healthy: Text{
			"share of tokens whose ratio was clipped: 0 to 20 %", "比率被裁剪的 token 比例：0 至 20 %"}},
		{ID: KLCost, Name: Text{"KL coefficient", "KL 系数"}, Format: "%.4f", Healthy: Text{
			"fixed, or grows while KL is above its target and falls while below", "固定，或在 KL 高于目标时增大、低于目标时减小"}},
		{ID: ValueLoss, Name: Text{"value loss", "价值损失"}, Format: "%.4f", Healthy: Text{"falls", "下降"}},
		{ID: ValueClip, Name: Text{"values clipped", "价值裁剪"}, Share: true, Healthy: Text{
			"share of values whose change was clipped: below 30 %", "变化被裁剪的价值比例：低于 30 %"}},
		{ID: Explained, Name: Text{"explained variance", "解释方差"}, Format: "%.2f", Healthy: Text{
			"of the returns by the value head: rises from about 0 towards 1; below 0 it does worse than a constant",
			"价值头对回报的解释方差：由约 0 升向 1；低于 0 则不如常数"}},
	}
}

// givenMeasures are those of learning from answers that are given, and what all methods have.
func givenMeasures() []Measure {
	return []Measure{
		{ID: Accuracy, Name: Text{"accuracy", "准确率"}, Share: true, Healthy: Text{
			"share of pairs with the better answer ahead: rises above 50 %, to 60 to 80 % on people's labels; 100 % is memorised or trivial",
			"较好回答得分更高的比例：升至 50 % 以上，人工标注上为 60 至 80 %；100 % 说明被背下或过于简单"}},
		{ID: Margin, Name: Text{"margin", "间隔"}, Format: "%.3f", Healthy: Text{
			"chosen reward less rejected: 0 at the first DPO or KTO step, then grows", "优选奖励减劣选奖励：DPO 与 KTO 第一步为 0，此后增长"}},
		{ID: Chosen, Name: Text{"chosen", "优选"}, Format: "%.3f", Healthy: Text{
			"β(log π - log π_ref) of the better answer: near 0; may fall, as long as the rejected one falls more", "较好回答的 β(log π - log π_ref)：接近 0；可以下降，只要劣选降得更多"}},
		{ID: Rejected, Name: Text{"rejected", "劣选"}, Format: "%.3f", Healthy: Text{"falls below 0", "降到 0 以下"}},
		{ID: ChosenLogP, Name: Text{"log p(chosen)", "log p(优选)"}, Format: "%.2f", Healthy: Text{
			"of the whole better answer: stays, or falls by a few nats", "较好回答整体的对数概率：不变或仅降数个 nat"}},
		{ID: Baseline, Name: Text{"KTO baseline", "KTO 基线"}, Format: "%.4f", Healthy: Text{
			"nats on mismatched pairs, never below 0: 0 at first, then grows with KL", "错配对上的 nat 数，不小于 0：起初为 0，随 KL 增长"}},
		{ID: Norm, Name: Text{"gradient norm", "梯度范数"}, Format: "%.3f", Healthy: Text{
			"steady within a factor of 3; 0 means that nothing is learnt", "在 3 倍之内稳定；为 0 则没有在学习"}},
	}
}

// Of is the measure with that id; false where there is none.
func Of(id string) (Measure, bool) {
	for _, m := range Measures() {
		if m.ID == id {
			return m, true
		}
	}
	return Measure{}, false
}
