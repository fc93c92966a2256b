package rephrase

import (
	"strings"

	"winnow"
	"winnow/text"
)

// copyRun is how many words in a row make a copy, shingle how many are compared between rewritings. A Han character is a
// word (text.Words).
const (
	copyRun = 8
	shingle = 5
)

// runs lists the runs of copyRun words of s in lower case.
func runs(s string) []string { return wordRuns(s, copyRun) }

func wordRuns(s string, n int) (out []string) {
	words := text.Words(nil, strings.ToLower(s))
	for i := n; i <= len(words); i++ {
		out = append(out, strings.Join(words[i-n:i], " "))
	}
	return out
}

// share is the share of a's runs that stand in b; 0 for a text too short to have one.
func share(a, b []string) float32 {
	have := make(map[string]bool, len(b))
	for _, run := range b {
		have[run] = true
	}
	same := 0
	for _, run := range a {
		if have[run] {
			same++
		}
	}
	return float32(same) / float32(max(len(a), 1))
}

// repeated is the share of runs that stood before.
func repeated(all []string) float32 {
	seen := make(map[string]bool, len(all))
	for _, run := range all {
		seen[run] = true
	}
	return float32(len(all)-len(seen)) / float32(max(len(all), 1))
}

// shingles is a text as the set of its runs of words; one too short for a run is its own.
type shingles map[string]struct{}

func shinglesOf(s string) shingles {
	out := make(shingles)
	for _, run := range wordRuns(s, shingle) {
		out[run] = struct{}{}
	}
	if len(out) == 0 {
		out[strings.Join(text.Words(nil, strings.ToLower(s)), " ")] = struct{}{}
	}
	return out
}

// jaccard is the share of shingles that two texts have in common, 0..1.
func jaccard(a, b shingles) float32 {
	same := 0
	for h := range a {
		if _, ok := b[h]; ok {
			same++
		}
	}
	return float32(same) / float32(max(len(a)+len(b)-same, 1))
}

// near is the greatest similarity to any of the earlier ones; not measured where there are none.
func near(s shingles, earlier []shingles) float32 {
	v := winnow.NotMeasured
	for _, e := range earlier {
		if j := jaccard(s, e); !winnow.Measured(v) || j > v {
			v = j
		}
	}
	return v
}
