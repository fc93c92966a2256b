package align

import (
	"math/rand/v2"
	"slices"
	"strings"

	"winnow/train/demo"
)

// task asks for some sentences about a person.
type task struct {
	demo.Person
	sentences int
}

// mostSentences is the most that a task asks for.
const mostSentences = 3

// tasks makes n tasks about people, each person about as often as the others.
func tasks(random *rand.Rand, people []demo.Person, n int) (out []task) {
	for len(out) < n {
		for _, i := range random.Perm(len(people)) {
			if len(out) < n {
				out = append(out, task{people[i], 1 + random.IntN(mostSentences)})
			}
		}
	}
	return out
}

func (t task) question() string { return request(t.Person, t.sentences) }

// flaw is what is wrong with an answer.
type flaw int

// The flaws that answers can have. Where the scorer cannot see one (another language of a right answer, say), it is no flaw.
const (
	flawless  flaw = iota
	stranger       // another person's sentences
	untrue         // other values
	miscount       // one sentence more or less
	repeating      // a sentence twice
	cutOff         // the end is missing
	flaws
)

// answer writes what a task asks for, with a flaw.
func (t task) answer(random *rand.Rand, others []demo.Person, f flaw) string {
	p, n := t.Person, t.sentences
	switch f {
	case stranger:
		for p.Name == t.Name || p.Lang != t.Lang {
			p = others[random.IntN(len(others))]
		}
	case miscount:
		if n++; n > mostSentences || n > 2 && random.IntN(2) == 0 {
			n = t.sentences - 1
		}
	}
	var sentences []string
	for _, k := range random.Perm(demo.Facts)[:n] {
		s := p.Sentence(demo.Fact(k), random.IntN(demo.Wordings))
		if f == untrue {
			s = lie(random, p, demo.Fact(k))
		}
		sentences = append(sentences, s)
	}
	if f == repeating {
		sentences = append(sentences, sentences[0])[:max(n, 2)]
		sentences[len(sentences)-1] = sentences[0]
	}
	text := join(t.Lang, sentences)
	if f == cutOff {
		letters := []rune(text)
		text = strings.TrimSpace(string(letters[:len(letters)/3+random.IntN(len(letters)/3)]))
	}
	return text
}

// lie tells a fact with another value.
func lie(random *rand.Rand, p demo.Person, f demo.Fact) string {
	value := p.Value(f)
	for value == p.Value(f) {
		value = p.Choices(f)[random.IntN(len(p.Choices(f)))]
	}
	return p.Cloze(f, random.IntN(demo.Wordings)) + value + stop(p.Lang)
}

// score is the true reward of an answer, 0 to 1: a quarter each for the number of sentences that was asked for, the share of them about
// the person, the share that is true, and for an end and nothing said twice.
func (t task) score(text string) float64 {
	sentences, whole := cut(t.Lang, text)
	if len(sentences) == 0 {
		return 0
	}
	n := float64(len(sentences))
	off := float64(len(sentences) - t.sentences)
	count := max(0, 1-max(off, -off)/float64(t.sentences))
	var about, correct, clean float64
	seen := map[string]bool{}
	for _, s := range sentences {
		if strings.Contains(s, t.Name) {
			about += 1 / n
		}
		if t.tells(s) {
			correct += 1 / n
		}
		seen[s] = true
	}
	if whole && len(seen) == len(sentences) {
		clean = 1
	}
	return (count + about + correct + clean) / 4
}

// tells says whether a sentence is one of those that are true of the person.
func (t task) tells(sentence string) bool {
	for f := range demo.Facts {
		for w := range demo.Wordings {
			if t.Sentence(demo.Fact(f), w) == sentence {
				return true
			}
		}
	}
	return false
}

// cut divides a text into sentences; whole tells that the last has its full stop.
func cut(lang demo.Lang, text string) (sentences []string, whole bool) {
	mark := stop(lang)
	parts := strings.SplitAfter(text, mark)
	for _, s := range parts {
		if s = strings.TrimSpace(s); s != "" {
			sentences = append(sentences, s)
		}
	}
	return sentences, len(sentences) > 0 && strings.HasSuffix(sentences[len(sentences)-1], mark)
}

// mixed answers tasks as people on the web might: a share of them, 0..1, has a flaw.
func mixed(random *rand.Rand, list []task, others []demo.Person, share float64) (answers []string) {
	for _, t := range list {
		f := flawless
		if random.Float64() < share {
			f = 1 + flaw(random.IntN(int(flaws)-1))
		}
		answers = append(answers, t.answer(random, others, f))
	}
	return answers
}

// choice is two answers to a task, and which of them is better.
type choice struct {
	task
	answers [2]string
	better  int
}

// choices makes n pairs of answers of which the score tells which is better; ties are not among them.
func choices(random *rand.Rand, list []task, others []demo.Person) (out []choice) {
	for _, t := range list {
		var c choice
		for {
			c = choice{task: t}
			for i := range c.answers {
				c.answers[i] = mixed(random, []task{t}, others, .7)[0]
			}
			a, b := t.score(c.answers[0]), t.score(c.answers[1])
			if c.better = 0; b > a {
				c.better = 1
			}
			if a != b && c.answers[0] != "" && c.answers[1] != "" {
				break
			}
		}
		out = append(out, c)
	}
	return out
}

// flipped gives the choices with a share of their labels the wrong way round.
func flipped(random *rand.Rand, list []choice, share float64) []choice {
	out := slices.Clone(list)
	for _, i := range random.Perm(len(out))[:int(share*float64(len(out))+.5)] {
		out[i].better = 1 - out[i].better
	}
	return out
}

func (c choice) chosen() string   { return c.answers[c.better] }
func (c choice) rejected() string { return c.answers[1-c.better] }
