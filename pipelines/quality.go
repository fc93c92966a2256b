package pipelines

import (
	"winnow"
	"winnow/filter/quality"
)

// newQuality makes the stage that a QualitySpec describes.
func newQuality(s *QualitySpec) (winnow.Stage, error) {
	if s.Perplexity != "" {
		return quality.NewPerplexity(quality.PerplexityOptions{
			Model: s.Perplexity, Tokens: s.Tokens, CCNet: s.CCNet, Max: orZero(s.MaxPerplexity), Cutoffs: s.Cutoffs, Keep: s.Keep,
		})
	}
	return quality.New(quality.Options{
		Source:   quality.Source{Model: s.Model, Label: s.Label, Normalise: s.Normalise},
		MinScore: orZero(s.MinScore),
	})
}
