package quality

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"winnow/bench/meter"
	"winnow/filter/quality/kenlm"
)

// measureGrams measures a KenLM model of three words on the lines it was counted from: as many n-grams are found as can be,
// which costs the most.
func measureGrams(ctx context.Context, o *meter.Options, lines []string) ([]meter.Figure, error) {
	arpa := countGrams(lines)
	m, err := kenlm.Read(strings.NewReader(arpa), int64(len(arpa)))
	if err != nil {
		return nil, err
	}
	tokens := 0
	for _, l := range lines {
		_, n := m.Score(l)
		tokens += n
	}
	seconds, err := o.PerPass(ctx, func() error {
		for _, l := range lines {
			m.Score(l)
		}
		return nil
	})
	return []meter.Figure{
		{Name: "KenLM's, 3 words: n-grams", Unit: "millions", Value: float64(strings.Count(arpa, "\n")) / 1e6},
		{Name: "KenLM's, 3 words: scored", Unit: "million tokens/s per core", Value: meter.Rate(int64(tokens), seconds)},
	}, err
}

// countGrams makes an ARPA file of all n-grams, with shares in place of smoothed probabilities.
func countGrams(lines []string) string {
	counts := [3]map[string]int{{}, {}, {}}
	for _, l := range lines {
		words := append(append([]string{"<s>"}, strings.Fields(l)...), "</s>")
		for i := range words {
			for n := range min(3, len(words)-i) {
				counts[n][strings.Join(words[i:i+n+1], " ")]++
			}
		}
	}
	var b strings.Builder
	b.WriteString("\\data\\\n")
	for n, c := range counts {
		fmt.Fprintf(&b, "ngram %d=%d\n", n+1, len(c))
	}
	for n, c := range counts {
		fmt.Fprintf(&b, "\n\\%d-grams:\n", n+1)
		grams := make([]string, 0, len(c))
		total := 0
		for g, k := range c {
			grams = append(grams, g)
			total += k
		}
		slices.Sort(grams)
		for _, g := range grams {
			fmt.Fprintf(&b, "%.5f\t%s", math.Log10(float64(c[g])/float64(total+1)), g)
			if n < 2 {
				b.WriteString("\t-0.3")
			}
			b.WriteByte('\n')
		}
	}
	return b.String() + "\n\\end\\\n"
}
