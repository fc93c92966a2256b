package demo

import (
	"context"
	"fmt"
)

// Experiment is one claim and how it is put to the test.
type Experiment struct {
	Name   string
	EN, ZH string // the claim
	run    func(context.Context, *Lab, uint64) ([]Measure, error)
}

// Pretrain lists the experiments about pretraining.
func Pretrain() []Experiment {
	return []Experiment{
		{"ngrams", "a small network predicts held-out text better than counts of one and of two tokens", "小网络对未见文本的预测优于一元、二元计数", ngrams},
		{"filtered", "at equal compute, filtered text gives a better model than raw text", "同等算力下，过滤后的文本优于原始文本", filtered},
		{"poison", "pages of the letter M and of boilerplate cost bits per byte and unsettle training", "整页字母 M 与模板文字使每字节比特数变差、训练不稳", poison},
		{"epochs", "text that is read again teaches less than new text", "重复阅读的文本不如新文本", epochs},
		{"copies", "what stands there often is learned by the letter, the rest by its gist", "出现多次的内容逐字记住，其余只记大意", copies},
		{"knowledge", "language is learned early, facts go on being learned", "语言先饱和，事实仍在学习", knowledge},
		{"isoflop", "for a given compute there is a best size of the model", "给定算力下存在最优模型规模", isoflop},
	}
}

// Outcome is what an experiment gave.
type Outcome struct {
	Name  string `json:"experiment"`
	Seeds int    `json:"seeds"`
	Lines []Line `json:"lines"`
}

// Run does an experiment once for each seed, 1 to seeds.
func (e Experiment) Run(ctx context.Context, l *Lab, seeds int) (*Outcome, error) {
	var measured [][]Measure
	for seed := range seeds {
		m, err := e.run(ctx, l, uint64(seed+1))
		if err != nil {
			return nil, fmt.Errorf("%s, seed %d: %w", e.Name, seed+1, err)
		}
		measured = append(measured, m)
	}
	return Gather(e.Name, measured)
}

// Gather makes an outcome of the measures of all seeds, in the order of the first. Every seed must have the same measures.
func Gather(name string, seeds [][]Measure) (*Outcome, error) {
	out, err := lines(seeds)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return &Outcome{name, len(seeds), out}, nil
}
