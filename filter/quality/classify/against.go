package classify

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// evidence is what one n-gram does to a text's score.
type evidence struct {
	gram  string // in lower case
	count int
	sum   int // in steps of the model's scale
}

// Against names the n-grams that lower the score of s the most, at most n of them, the worst first: each with how often it
// occurs and what it adds to the log-odds before calibration. Only a linear model of two classes can say so; others give "".
func (m *Model) Against(s string, n int) string {
	if len(m.spec.Bias) != 1 || m.spec.Head != nil {
		return ""
	}
	x := m.scratch.Get().(*scratch)
	defer m.scratch.Put(x)
	f := &x.features
	buckets := f.of(s, &m.spec.Features)
	at := map[string]int{} // n-gram to its place in all
	var all []evidence
	f.name(&m.spec.Features, func(i int, gram func() string) {
		w := int(m.table[buckets[i]])
		if w >= 0 {
			return
		}
		name := gram()
		place, ok := at[name]
		if !ok {
			place = len(all)
			at[name] = place
			all = append(all, evidence{gram: name})
		}
		all[place].count++
		all[place].sum += w
	})
	slices.SortFunc(all, func(a, b evidence) int {
		return cmp.Or(cmp.Compare(a.sum, b.sum), strings.Compare(a.gram, b.gram))
	})
	parts := make([]string, 0, n)
	for _, e := range all[:min(n, len(all))] {
		logit := float64(e.sum) * float64(m.spec.Scale[0]) / float64(len(buckets))
		parts = append(parts, fmt.Sprintf("%q %d× %.3f", e.gram, e.count, logit))
	}
	return strings.Join(parts, ", ")
}

// name goes through the n-grams of the text that of has seen last, in its order.
func (f *features) name(o *Features, visit func(i int, gram func() string)) {
	next := 0
	for i := range f.words {
		for length := 1; length <= int(f.longest[i]); length++ {
			visit(next, func() string { return join(f.words[i+1-length : i+1]) })
			next++
		}
		if o.Longest == 0 || isCharacter(f.words[i]) {
			continue
		}
		spelt := f.spell(f.words[i])
		for start := range spelt {
			for n := range min(o.Longest, len(spelt)-start) {
				if n+1 >= o.Shortest && (n > 0 || start > 0 && start < len(spelt)-1) {
					visit(next, func() string { return string(spelt[start : start+n+1]) })
					next++
				}
			}
		}
	}
}

// join writes an n-gram in lower case, cut to 24 characters, with spaces but between single Han or Kana characters.
func join(words []string) string {
	sep := " "
	if !slices.ContainsFunc(words, func(w string) bool { return !isCharacter(w) }) {
		sep = ""
	}
	gram := []rune(strings.ToLower(strings.Join(words, sep)))
	if len(gram) > 24 {
		gram = append(gram[:23], '…')
	}
	return string(gram)
}
