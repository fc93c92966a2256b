package quality

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"winnow"
	"winnow/filter/quality/classify"
	"winnow/text"
)

// TopicOptions name a classifier of several classes, and which of them stay.
type TopicOptions struct {
	Model    string
	Only     []string // topics to keep; none: all
	Drop     []string // topics to drop
	MinScore float64  // a topic less probable than this is not known, and its document stays; 0: none
}

// MetaTopic is the key of Document.Meta that holds the likeliest class.
const MetaTopic = "topic"

// Topics is the quality stage with a classifier of topics, domains or kinds of page. Its signals are the number of the likeliest class
// and its probability; the class's name goes into Meta. It is a winnow.Judged, and safe for concurrent use.
type Topics struct {
	model *classify.Model
	o     TopicOptions
	out   []bool // by class: is dropped
}

var _ winnow.Judged = (*Topics)(nil)

// NewTopics reads the model.
func NewTopics(o TopicOptions) (*Topics, error) {
	if !(o.MinScore >= 0 && o.MinScore <= 1) {
		return nil, fmt.Errorf("quality: min_topic %g: want 0 to 1", o.MinScore)
	}
	if len(o.Only) > 0 && len(o.Drop) > 0 {
		return nil, errors.New("quality: only and drop: give one of them")
	}
	m, err := OpenModel(o.Model)
	if err != nil {
		return nil, err
	}
	for _, name := range slices.Concat(o.Only, o.Drop) {
		if !slices.Contains(m.Labels(), name) {
			hint := ""
			if near := text.Nearest(name, m.Labels()); near != "" {
				hint = "; did you mean " + near + "?"
			}
			return nil, fmt.Errorf("quality: %s: there is no topic %s%s", o.Model, name, hint)
		}
	}
	t := &Topics{model: m, o: o}
	for _, label := range m.Labels() {
		t.out = append(t.out, slices.Contains(o.Drop, label) || len(o.Only) > 0 && !slices.Contains(o.Only, label))
	}
	return t, nil
}

// Name is "quality".
func (t *Topics) Name() string { return "quality" }

// Version identifies the code and the model.
func (t *Topics) Version() string { return "topics/1 " + t.model.Hash() }

// Bounds identifies which topics stay.
func (t *Topics) Bounds() string {
	return fmt.Sprintf("quality.topic %q %q %g", t.o.Only, t.o.Drop, t.o.MinScore)
}

// Signals are the topic's number and its probability.
func (t *Topics) Signals() []winnow.Signal {
	labels := numbered(t.model.Labels())
	return []winnow.Signal{
		{ID: "quality.topic", EN: "topic: " + labels, ZH: "主题：" + labels, Default: winnow.Any},
		{ID: "quality.topic_score", EN: "probability of the topic (0 to 1)", ZH: "主题概率（0 到 1）", Default: winnow.Any},
	}
}

// numbered writes names with their numbers, from 0; report reads them again.
func numbered(names []string) string {
	var parts []string
	for i, name := range names {
		parts = append(parts, fmt.Sprintf("%d %s", i, name))
	}
	return strings.Join(parts, "; ")
}

// Apply finds d's topic.
func (t *Topics) Apply(_ context.Context, d *winnow.Document) (winnow.Verdict, []winnow.Edit, error) {
	class, p := t.model.Class(d.Text)
	d.SetMeta(MetaTopic, t.model.Labels()[class])
	d.Signals = append(d.Signals, float32(class), p)
	v := t.Judge(d.Language, d.Signals[len(d.Signals)-2:])
	if v.Drop {
		v.Detail = t.model.Labels()[class]
	}
	return v, nil, nil
}

// Judge drops topics that do not stay, where they are sure enough.
func (t *Topics) Judge(_ string, own []float32) winnow.Verdict {
	if !t.out[int(own[0])] || own[1] < float32(t.o.MinScore) {
		return winnow.Verdict{}
	}
	return winnow.Verdict{Drop: true, Stage: t.Name(), Rule: "quality.topic", Value: own[0], Bound: winnow.Any}
}
