package report

import (
	"strconv"
	"strings"

	"winnow"
	"winnow/shard"
)

// topics are the names of the classes that a quality stage with topics sorted documents into, and the column of their number.
type topics struct {
	column int // of Document.Signals
	names  []string
}

// topicsOf finds the first such stage of a run; nil where there is none. Its signal's label holds the names: "topic: 0 food; 1 sport".
func topicsOf(run *shard.Run) *topics {
	column := 0
	for _, s := range run.Stages {
		for _, sig := range s.Signals {
			if list, ok := strings.CutPrefix(sig.EN, "topic: "); ok && sig.ID == "quality.topic" {
				t := &topics{column: column}
				for _, part := range strings.Split(list, "; ") {
					_, name, _ := strings.Cut(part, " ")
					t.names = append(t.names, name)
				}
				return t
			}
			column++
		}
	}
	return nil
}

// of is the name of a row's topic; "-" where it was not measured.
func (t *topics) of(l *line) string {
	v := l.Doc.Signals[t.column]
	if !winnow.Measured(v) {
		return "-"
	}
	if n := int(v); n >= 0 && n < len(t.names) {
		return t.names[n]
	}
	return strconv.Itoa(int(v))
}
