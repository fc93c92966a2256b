package quality

import (
	"context"
	"errors"
	"fmt"

	"winnow"
	"winnow/filter/quality/classify"
	"winnow/filter/quality/rank"
)

// code changes whenever a score can.
const code = "quality/2"

// Options name the model and the score that a document needs.
type Options struct {
	Source
	MinScore float64 // 0 to 1; 0 keeps all, or what the model's own threshold keeps where Stored is set
	Keep     float64 // share to keep, above 0 and below 1, in place of MinScore; 0: none
	Ranks    string  // file of `winnow quality ranks`: the distribution that Keep goes by; none: that of the texts held out in training
	Stored   bool    // take the threshold that training stored
}

// Stage is the quality stage with one classifier: a score, and with a file of ranks its percentile. It is a winnow.Judged, and safe
// for concurrent use.
type Stage struct {
	model   Scorer
	bound   winnow.Bound
	cutoffs rank.Cutoffs // nil: no rank
}

var _ winnow.Judged = (*Stage)(nil)

// New reads the model and makes the stage.
func New(o Options) (*Stage, error) {
	switch {
	case !(o.MinScore >= 0 && o.MinScore <= 1):
		return nil, fmt.Errorf("quality: min_score %g: want 0 to 1", o.MinScore)
	case !(o.Keep >= 0 && o.Keep < 1):
		return nil, fmt.Errorf("quality: keep %g: want a share below 100%%", o.Keep)
	case o.Keep > 0 && (o.MinScore > 0 || o.Stored):
		return nil, errors.New("quality: keep and min_score: give one of them")
	}
	m, err := Open(o.Source)
	if err != nil {
		return nil, err
	}
	s := &Stage{model: m, bound: winnow.AtLeast(o.MinScore)}
	if o.Ranks != "" {
		f, err := rank.Open(o.Ranks)
		if err != nil {
			return nil, fmt.Errorf("quality: %w", err)
		}
		if s.cutoffs, err = f.Find(m.Hash(), o.Model); err != nil {
			return nil, fmt.Errorf("quality: %w", err)
		}
	}
	if o.Keep > 0 || o.Stored {
		s.bound, err = s.threshold(&o)
	}
	return s, err
}

// threshold finds the score for a share to keep, rounded up to float32, so that what is below it is below.
func (s *Stage) threshold(o *Options) (winnow.Bound, error) {
	own, isOwn := s.model.(*classify.Model)
	if o.Stored {
		if isOwn {
			if least, keep := own.Stored(); keep > 0 {
				return winnow.AtLeast(rank.Float32(least)), nil
			}
		}
		return winnow.Bound{}, fmt.Errorf("quality: %s: no threshold in the model: train it with --keep, or say min_score", o.Model)
	}
	if s.cutoffs != nil {
		return winnow.AtLeast(rank.Float32(s.cutoffs.Threshold(o.Keep))), nil
	}
	if isOwn {
		if least, ok := own.Threshold(o.Keep); ok {
			return winnow.AtLeast(rank.Float32(least)), nil
		}
	}
	return winnow.Bound{}, fmt.Errorf("quality: %s: keep needs scores of a sample: say `ranks:`, a file that `winnow quality ranks` makes", o.Model)
}

// Name is "quality".
func (s *Stage) Name() string { return "quality" }

// Version identifies the code, the model and the cutoffs of ranks.
func (s *Stage) Version() string { return code + " " + s.model.Hash() + identity(s.cutoffs) }

// Bounds identifies the least score.
func (s *Stage) Bounds() string { return Score.ID + " " + s.bound.String() }

// Score is the stage's first signal.
var Score = winnow.Signal{
	ID:      "quality.score",
	EN:      "quality score by the trained model (0 to 1)",
	ZH:      "质量模型评分（0 到 1）",
	Default: winnow.AtLeast(.5),
}

// Rank is the place of a score in a sample; of several classifiers the highest.
var Rank = winnow.Signal{
	ID:      "quality.rank",
	EN:      "percentile rank of the score in the sample (0 to 99.9)",
	ZH:      "评分在样本中的百分位（0 到 99.9）",
	Default: winnow.Any,
}

// Signals are the score and, with a file of ranks, the rank.
func (s *Stage) Signals() []winnow.Signal {
	signal := Score
	signal.Default = s.bound
	if s.cutoffs == nil {
		return []winnow.Signal{signal}
	}
	return []winnow.Signal{signal, Rank}
}

// Apply appends the score of d's text and judges it. The evidence of a drop is the n-grams that count most against it, where
// the model is winnow's own and linear.
func (s *Stage) Apply(_ context.Context, d *winnow.Document) (winnow.Verdict, []winnow.Edit, error) {
	score := s.model.Score(d.Text)
	d.Signals = append(d.Signals, score)
	if s.cutoffs != nil {
		d.Signals = append(d.Signals, percentile(s.cutoffs.Rank(score)))
	}
	v := s.judge(score)
	if own, ok := s.model.(*classify.Model); ok && v.Drop {
		v.Detail = own.Against(d.Text, 5)
	}
	return v, nil, nil
}

// percentile is a rank in hundredths.
func percentile(place int) float32 { return float32(place) * 100 / rank.Steps }

// Judge gives the verdict on a stored score.
func (s *Stage) Judge(_ string, own []float32) winnow.Verdict { return s.judge(own[0]) }

func (s *Stage) judge(score float32) winnow.Verdict {
	if s.bound.Holds(score) {
		return winnow.Verdict{}
	}
	return winnow.Verdict{Drop: true, Stage: s.Name(), Rule: Score.ID, Value: score, Bound: s.bound}
}
