package quality

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"winnow"
	"winnow/filter/quality/rank"
)

// EnsembleOptions name several classifiers and the bucket that a document needs.
type EnsembleOptions struct {
	Models    []Source
	Ranks     string // file of `winnow quality ranks`, with the cutoffs of every model
	Buckets   int    // 20 where it is 0, as Nemotron-CC; a divisor of 1000
	MinBucket int    // 0 to Buckets-1; 0 keeps all
}

// Ensemble is the quality stage with several classifiers (Nemotron-CC, Su et al. 2024): each turns a text's score into its rank in a
// sample, and the highest rank counts. Its signals are the score of each, the highest rank, and its bucket. It is a
// winnow.Judged, and safe for concurrent use.
type Ensemble struct {
	members []member
	buckets int
	bound   winnow.Bound
}

type member struct {
	name    string
	model   Scorer
	cutoffs rank.Cutoffs
}

var _ winnow.Judged = (*Ensemble)(nil)

// NewEnsemble reads the models and the cutoffs.
func NewEnsemble(o EnsembleOptions) (*Ensemble, error) {
	if o.Buckets == 0 {
		o.Buckets = 20
	}
	if err := rank.Buckets(o.Buckets); err != nil {
		return nil, fmt.Errorf("quality: %w", err)
	}
	switch {
	case o.MinBucket < 0 || o.MinBucket >= o.Buckets:
		return nil, fmt.Errorf("quality: min_bucket %d: want 0 to %d", o.MinBucket, o.Buckets-1)
	case len(o.Models) == 0:
		return nil, errors.New("quality: ensemble: no models")
	case o.Ranks == "":
		return nil, errors.New("quality: ensemble needs `ranks:`, a file that `winnow quality ranks` makes")
	}
	f, err := rank.Open(o.Ranks)
	if err != nil {
		return nil, fmt.Errorf("quality: %w", err)
	}
	e := &Ensemble{buckets: o.Buckets, bound: winnow.AtLeast(float64(o.MinBucket))}
	for i, name := range Names(o.Models) {
		m := member{name: name}
		if m.model, err = Open(o.Models[i]); err != nil {
			return nil, err
		}
		if m.cutoffs, err = f.Find(m.model.Hash(), o.Models[i].Model); err != nil {
			return nil, fmt.Errorf("quality: %w", err)
		}
		e.members = append(e.members, m)
	}
	return e, nil
}

// Names gives classifiers names for signals: those of their files without folder and ending, in lower snake case, numbered where they
// are the same.
func Names(models []Source) []string {
	names := make([]string, len(models))
	for i, m := range models {
		base := filepath.Base(m.Model)
		base = strings.TrimSuffix(base, filepath.Ext(base))
		name := strings.Trim(strings.Map(func(r rune) rune {
			switch {
			case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
				return r
			}
			return '_'
		}, strings.ToLower(base)), "_")
		if name == "" {
			name = "model"
		}
		names[i] = name
		for n := 2; slices.Contains(names[:i], names[i]); n++ {
			names[i] = fmt.Sprintf("%s_%d", name, n)
		}
	}
	return names
}

// Name is "quality".
func (e *Ensemble) Name() string { return "quality" }

// Version identifies the code, the models, their cutoffs and the number of buckets.
func (e *Ensemble) Version() string {
	v := fmt.Sprintf("ensemble/1 %d", e.buckets)
	for _, m := range e.members {
		v += " " + m.model.Hash() + identity(m.cutoffs)
	}
	return v
}

// identity is a hash of cutoffs; nothing where there are none.
func identity(c rank.Cutoffs) string {
	if c == nil {
		return ""
	}
	return fmt.Sprintf(" %.16x", sha256.Sum256(fmt.Append(nil, c)))
}

// Bounds identifies the least bucket.
func (e *Ensemble) Bounds() string { return "quality.bucket " + e.bound.String() }

// Signals are the scores of the models, the highest rank and the bucket.
func (e *Ensemble) Signals() []winnow.Signal {
	var all []winnow.Signal
	for _, m := range e.members {
		all = append(all, winnow.Signal{ID: "quality.score_" + m.name, EN: "score by " + m.name + " (0 to 1)", ZH: m.name + " 评分（0 到 1）", Default: winnow.Any})
	}
	return append(all, Rank, winnow.Signal{ID: "quality.bucket",
		EN:      fmt.Sprintf("quality bucket, the best of %d classifiers' (0 to %d)", len(e.members), e.buckets-1),
		ZH:      fmt.Sprintf("质量分桶，取 %d 个分类器中最高者（0 到 %d）", len(e.members), e.buckets-1),
		Default: e.bound})
}

// Apply scores d's text by every model.
func (e *Ensemble) Apply(_ context.Context, d *winnow.Document) (winnow.Verdict, []winnow.Edit, error) {
	best := 0
	for _, m := range e.members {
		score := m.model.Score(d.Text)
		d.Signals = append(d.Signals, score)
		best = max(best, m.cutoffs.Rank(score))
	}
	d.Signals = append(d.Signals, percentile(best), float32(best*e.buckets/rank.Steps))
	return e.Judge(d.Language, d.Signals[len(d.Signals)-len(e.members)-2:]), nil, nil
}

// Judge gives the verdict on a stored bucket.
func (e *Ensemble) Judge(_ string, own []float32) winnow.Verdict {
	bucket := own[len(own)-1]
	if e.bound.Holds(bucket) {
		return winnow.Verdict{}
	}
	return winnow.Verdict{Drop: true, Stage: e.Name(), Rule: "quality.bucket", Value: bucket, Bound: e.bound}
}
