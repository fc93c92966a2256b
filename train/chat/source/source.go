// Package source reads conversations, preferences and judged answers from files.
//
// Names of files flow in: JSON lines, arrays of JSON objects, parquet, plain or under gzip or zstd. Out flow values of package chat,
// each with its place, and errors that name the file, the line, the field and the shape that would be right. A row that cannot be
// used is a *RowError and the stream goes on; any other error ends the stream.
package source

import (
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"winnow/train/chat"
)

// Options are for all readers.
type Options struct {
	Fields  map[string]string // which field of the file stands for one of ours: {"prompt": "question"}
	Set     map[string]string // what {{name}} in a text is filled with
	Literal bool              // {{name}} is text like any other
	GoOn    bool              // a broken JSON array goes on at its next object
}

// RowError is a row that cannot be used.
type RowError struct {
	chat.Place
	Reason string // Broken, NoShape, ...: for counting
	Field  string // messages[2].role; empty: the whole row
	What   string
	Want   string // the right shape; may be empty
}

// Reasons of a RowError.
const (
	Broken      = "broken"       // no JSON
	NoShape     = "no_shape"     // none of the known shapes
	BadField    = "field"        // a field of another type or value than its shape has
	Empty       = "empty"        // nothing to learn from
	Placeholder = "placeholder"  // {{name}} that is not set
	Differ      = "prompts"      // chosen and rejected answer different prompts
	Same        = "same_answers" // chosen is rejected
)

func (e *RowError) Error() string {
	s := e.Place.String() + ": "
	if e.Field != "" {
		s += e.Field + ": "
	}
	s += e.What
	if e.Want != "" {
		s += ": " + e.Want
	}
	return s
}

// shape is one way to write a row. It applies where the row has all of its fields.
type shape[T any] struct {
	name   string
	fields []string
	like   string // an example for people
	read   func(r *record) ([]T, error)
}

// Shapes lists the names of the shapes of conversations, preferences and feedback with an example each, in the order in which
// they are tried.
func Shapes() (chats, pairs, judged [][2]string) {
	return list(chatShapes()), list(pairShapes()), list(judgedShapes())
}

func list[T any](shapes []shape[T]) (out [][2]string) {
	for _, s := range shapes {
		out = append(out, [2]string{s.name, s.like})
	}
	return out
}

// Conversations reads what fine-tuning learns from.
func Conversations(files []string, o Options) iter.Seq2[*chat.Conversation, error] {
	return read(files, o, chatShapes(), func(c *chat.Conversation) *chat.Place { return &c.Place })
}

// Pairs reads preferences.
func Pairs(files []string, o Options) iter.Seq2[*chat.Pair, error] {
	return read(files, o, pairShapes(), func(p *chat.Pair) *chat.Place { return &p.Place })
}

// Feedback reads judged answers. A preference is two of them.
func Feedback(files []string, o Options) iter.Seq2[*chat.Judged, error] {
	return read(files, o, judgedShapes(), func(j *chat.Judged) *chat.Place { return &j.Place })
}

// read gives each row of each file to the first shape whose fields it has.
func read[T any](files []string, o Options, shapes []shape[T], place func(*T) *chat.Place) iter.Seq2[*T, error] {
	return func(yield func(*T, error) bool) {
		for _, file := range files {
			for r, err := range records(file, o) {
				if err != nil {
					var row *RowError
					if !yield(nil, err) || !errors.As(err, &row) {
						return
					}
					continue
				}
				values, err := shaped(r, shapes)
				if err != nil {
					if !yield(nil, err) {
						return
					}
					continue
				}
				for i := range values {
					*place(&values[i]) = r.Place
					if !yield(&values[i], nil) {
						return
					}
				}
			}
		}
	}
}

func shaped[T any](r *record, shapes []shape[T]) ([]T, error) {
	for _, s := range shapes {
		if !slices.ContainsFunc(s.fields, func(f string) bool { return !r.has(f) }) {
			r.Shape = s.name
			return s.read(r)
		}
	}
	return nil, r.noShape(list(shapes))
}

// noShape says what the row has and which shape is nearest.
func (r *record) noShape(shapes [][2]string) error {
	have := slices.Sorted(maps.Keys(r.fields))
	what := "an object without fields"
	if len(have) > 0 {
		what = "fields " + strings.Join(have, ", ") + " are no known shape"
	}
	want := "write "
	for i, s := range shapes {
		if i > 0 {
			want += " or "
		}
		want += s[1]
	}
	for _, h := range have {
		for _, name := range fieldNames {
			if h != name && (strings.EqualFold(h, name) || strings.EqualFold(h+"s", name)) {
				want = fmt.Sprintf("did you mean %s for %s? else %s", name, h, want)
			}
		}
	}
	return &RowError{Place: r.Place, Reason: NoShape, What: what, Want: want}
}

var fieldNames = []string{"messages", "conversations", "prompt", "completion", "instruction", "output", "question", "answer", "chosen", "rejected", "label", "kto_tag"}

// Refused is the row's reason.
func (e *RowError) Refused() string { return e.Reason }
