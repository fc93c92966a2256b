package extraction

import (
	"strings"
	"unicode"

	"winnow/bench/meter"
	"winnow/crawl/extract"
)

// snippetSet has sentences for a truth.
const snippetSet = "trafilatura_eval150"

// qualityOf scores the text of pages as the benchmarks that they are from do, out of fold: each page is read by a model
// that has not learned from its site.
func qualityOf(kind string, pages []realPage) (out []meter.Figure) {
	var f1, precision, recall float64
	var found, wrong, sentences int
	for _, p := range pages {
		page, _ := extract.Extract(p.page, extract.Options{Scorer: p.unseen})
		if kind == snippetSet {
			text := strings.Join(strings.Fields(page.Text), " ")
			sentences += len(p.with)
			found += within(text, p.with)
			wrong += within(text, p.without)
			continue
		}
		f1 += wordF1(page.Text, p.truth)
		if kind == "scrapinghub" {
			a, b := gramOverlap(page.Text, p.truth)
			precision, recall = precision+a, recall+b
		}
	}
	if kind == snippetSet {
		return []meter.Figure{{Name: kind + ": F1 of snippets, out of fold", Unit: "%", Value: 200 * float64(found) / float64(found+wrong+sentences)}}
	}
	if kind == "scrapinghub" && precision+recall > 0 {
		out = append(out, meter.Figure{Name: kind + ": F1 of 4-grams, out of fold", Unit: "%",
			Value: 200 * precision * recall / (precision + recall) / float64(len(pages))})
	}
	return append(out, meter.Figure{Name: kind + ": F1 of words, out of fold", Unit: "%", Value: 100 * f1 / float64(len(pages))})
}

// within counts the sentences that text holds.
func within(text string, sentences []string) (n int) {
	for _, s := range sentences {
		if strings.Contains(text, strings.Join(strings.Fields(s), " ")) {
			n++
		}
	}
	return n
}

// gramOverlap is the share of the 4-grams of got that want has, and the reverse, each as often as it stands there.
func gramOverlap(got, want string) (precision, recall float64) {
	a, b := fourGrams(got), fourGrams(want)
	same, inGot, inWant := 0, 0, 0
	for gram, n := range a {
		same += min(n, b[gram])
		inGot += n
	}
	for _, n := range b {
		inWant += n
	}
	if inGot+inWant == 0 {
		return 1, 1
	}
	return float64(same) / float64(max(inGot, 1)), float64(same) / float64(max(inWant, 1))
}

// fourGrams counts the runs of four words; a shorter text is one.
func fourGrams(s string) map[string]int {
	words := strings.FieldsFunc(s, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '_' && !unicode.IsMark(r)
	})
	grams := map[string]int{}
	size := min(len(words), 4)
	for i := 0; size > 0 && i+size <= len(words); i++ {
		grams[strings.Join(words[i:i+size], " ")]++
	}
	return grams
}
