package pipelines

import (
	"winnow"
	"winnow/filter/quality"
)

// newQuality makes the stage that a QualitySpec describes.
func newQuality(s *QualitySpec) (winnow.Stage, error) {
	return quality.New(quality.Options{
		Source:   quality.Source{Model: s.Model, Label: s.Label, Normalise: s.Normalise},
		MinScore: orZero(s.MinScore),
	})
}
