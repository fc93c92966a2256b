package quality

import (
	"context"
	"fmt"

	"winnow"
)

// code changes whenever a score can.
const code = "quality/1"

// Options name the model and the score that a document needs.
type Options struct {
	Source
	MinScore float64 // 0 to 1; 0 keeps all
}

// Stage is the quality stage: one signal, and one rule on it. It is a winnow.Judged, and safe for concurrent use.
type Stage struct {
	model Scorer
	bound winnow.Bound
}

var _ winnow.Judged = (*Stage)(nil)

// New reads the model and makes the stage.
func New(o Options) (*Stage, error) {
	if !(o.MinScore >= 0 && o.MinScore <= 1) {
		return nil, fmt.Errorf("quality: min_score %g: want 0 to 1", o.MinScore)
	}
	m, err := Open(o.Source)
	if err != nil {
		return nil, err
	}
	return &Stage{m, winnow.AtLeast(o.MinScore)}, nil
}

// Name is "quality".
func (s *Stage) Name() string { return "quality" }

// Version identifies the code and the model.
func (s *Stage) Version() string { return code + " " + s.model.Hash() }

// Bounds identifies the least score.
func (s *Stage) Bounds() string { return Score.ID + " " + s.bound.String() }

// Score is the stage's signal.
var Score = winnow.Signal{
	ID:      "quality.score",
	EN:      "quality score by the trained model (0 to 1)",
	ZH:      "质量模型评分（0 到 1）",
	Default: winnow.AtLeast(.5),
}

// Signals is the score alone.
func (s *Stage) Signals() []winnow.Signal {
	signal := Score
	signal.Default = s.bound
	return []winnow.Signal{signal}
}

// Apply appends the score of d's text and judges it. The evidence of a drop is the n-grams that count most against it, where
// the model is winnow's own.
func (s *Stage) Apply(_ context.Context, d *winnow.Document) (winnow.Verdict, []winnow.Edit, error) {
	score := s.model.Score(d.Text)
	d.Signals = append(d.Signals, score)
	v := s.judge(score)
	if own, ok := s.model.(*Model); ok && v.Drop {
		v.Detail = own.Against(d.Text, 5)
	}
	return v, nil, nil
}

// Judge gives the verdict on a stored score.
func (s *Stage) Judge(_ string, own []float32) winnow.Verdict { return s.judge(own[0]) }

func (s *Stage) judge(score float32) winnow.Verdict {
	if s.bound.Holds(score) {
		return winnow.Verdict{}
	}
	return winnow.Verdict{Drop: true, Stage: s.Name(), Rule: Score.ID, Value: score, Bound: s.bound}
}
