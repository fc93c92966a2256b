package rephrase

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"winnow"
	"winnow/rephrase/openai"
	"winnow/text"
)

// guard is one measure of an answer against its segment, and how far it may go.
type guard struct {
	id     string // of signal and rule, rephrase.NAME
	en, zh string
	bound  winnow.Bound // where neither style nor recipe says another
}

// Indexes of guards, in the order in which they judge and in which the ledger lists them.
const (
	unanswered = iota
	refused
	truncated
	malformed
	preambled
	lengthRatio
	scriptOverlap
	repetition
	copied
	copiedBack
	newNumbers
	newURLs
	keptNumbers
	keptDates
	keptURLs
	keptNames
	nearest
	guardCount
)

// guards lists all. The bounds of length_ratio are the literature's (curation: 0.3 to 1.5); the others are this program's own
// choice, wide enough for a good rewriting at about the same length.
var guards = [guardCount]guard{
	unanswered:    {"rephrase.unanswered", "no answer (0 or 1)", "未得到回答（0 或 1）", winnow.AtMost(0)},
	refused:       {"rephrase.refused", "refused by model or endpoint (0 or 1)", "模型或接口拒绝（0 或 1）", winnow.AtMost(0)},
	truncated:     {"rephrase.truncated_answer", "answer ran into its limit of tokens (0 or 1)", "回答触及 token 上限而截断（0 或 1）", winnow.AtMost(0)},
	malformed:     {"rephrase.malformed", "not the form that the style asks for (0 or 1)", "不符合风格要求的格式（0 或 1）", winnow.AtMost(0)},
	preambled:     {"rephrase.preamble", "talk around the answer that could not be taken off (0 or 1)", "无法剥除的开场白或结语（0 或 1）", winnow.AtMost(0)},
	lengthRatio:   {"rephrase.length_ratio", "length over the segment's, in tokens", "与原段的长度比（token）", winnow.Between(.3, 1.5)},
	scriptOverlap: {"rephrase.script_overlap", "agreement of scripts with the segment", "与原段文字种类的一致度", winnow.AtLeast(.7)},
	repetition:    {"rephrase.repetition", "share of 8-word runs that repeat earlier ones, above the segment's own", "重复的 8 词片段占比（减去原段自身的）", winnow.AtMost(.2)},
	copied:        {"rephrase.copied", "share of the answer's 8-word runs found in the segment", "回答的 8 词片段照抄原段的占比", winnow.AtMost(.9)},
	copiedBack:    {"rephrase.copied_back", "share of the segment's 8-word runs found in the answer", "原段的 8 词片段见于回答的占比", winnow.AtMost(.9)},
	newNumbers:    {"rephrase.new_numbers", "share of the answer's numbers that the segment lacks", "回答中原段没有的数字占比", winnow.AtMost(.1)},
	newURLs:       {"rephrase.new_urls", "addresses that the segment lacks", "原段没有的网址数", winnow.AtMost(0)},
	keptNumbers:   {"rephrase.kept_numbers", "share of the segment's numbers that the answer keeps", "原段数字的保留占比", winnow.AtLeast(.5)},
	keptDates:     {"rephrase.kept_dates", "share of the segment's dates that the answer keeps", "原段日期的保留占比", winnow.AtLeast(.5)},
	keptURLs:      {"rephrase.kept_urls", "share of the segment's addresses that the answer keeps", "原段网址的保留占比", winnow.Any},
	keptNames:     {"rephrase.kept_names", "share of the segment's names that the answer keeps", "原段名称的保留占比", winnow.AtLeast(.5)},
	nearest:       {"rephrase.near_duplicate", "similarity to an earlier rewriting of the same text", "与同一原文先前改写的相似度", winnow.AtMost(.8)},
}

// Guards are bounds by a guard's name without "rephrase.": they take the place of those of styles and of this package.
type Guards map[string]winnow.Bound

// GuardNames lists the names that Guards knows.
func GuardNames() (names []string) {
	for _, g := range guards {
		names = append(names, strings.TrimPrefix(g.id, "rephrase."))
	}
	return names
}

// UnknownGuardError names a guard that is not there.
type UnknownGuardError struct{ Name, Nearest string }

func (e *UnknownGuardError) Error() string {
	return fmt.Sprintf("rephrase: unknown guard %q, perhaps %s", e.Name, e.Nearest)
}

// over lays bounds over others.
func (g Guards) over(base bounds) (bounds, error) {
	for name, b := range g {
		i := slices.Index(GuardNames(), name)
		if i < 0 {
			return base, &UnknownGuardError{name, text.Nearest(name, GuardNames())}
		}
		if !(b.Min <= b.Max) {
			return base, fmt.Errorf("rephrase: guard %s: %v: the lower bound is above the upper", name, b)
		}
		base[i] = b
	}
	return base, nil
}

type (
	bounds [guardCount]winnow.Bound
	values [guardCount]float32
)

func defaultBounds() (b bounds) {
	for i, g := range guards {
		b[i] = g.bound
	}
	return b
}

// parseGuards reads lines of a style's guards: length_ratio 0.05..1, kept_numbers any, copied 0... line is where it stops.
func parseGuards(src string) (g Guards, line int, err error) {
	g = Guards{}
	for i, l := range strings.Split(src, "\n") {
		f := strings.Fields(l)
		if len(f) == 0 {
			continue
		}
		if len(f) != 2 {
			return nil, i, fmt.Errorf("%q: write a guard and its bound: length_ratio 0.3..1.5", l)
		}
		b := winnow.Any
		if low, high, ok := strings.Cut(f[1], ".."); ok {
			for _, side := range []struct {
				text string
				to   *float32
			}{{low, &b.Min}, {high, &b.Max}} {
				if side.text == "" {
					continue
				}
				v, err := strconv.ParseFloat(side.text, 32)
				if err != nil || math.IsNaN(v) {
					return nil, i, fmt.Errorf("%q is no bound: write 0.3..1.5, 0.3.., ..1.5 or any", f[1])
				}
				*side.to = float32(v)
			}
		} else if f[1] != "any" {
			return nil, i, fmt.Errorf("%q is no bound: write 0.3..1.5, 0.3.., ..1.5 or any", f[1])
		}
		g[f[0]] = b
		if _, err := (Guards{f[0]: b}).over(bounds{}); err != nil {
			return nil, i, err
		}
	}
	return g, 0, nil
}

func unmeasured() (v values) {
	for i := range v {
		v[i] = winnow.NotMeasured
	}
	return v
}

// broken is the first guard whose value lies outside its bound; -1 where all hold.
func (b bounds) broken(v values) int {
	for i := range b {
		if !b[i].Holds(v[i]) {
			return i
		}
	}
	return -1
}

// room is how far a value lies within a bound; negative outside.
func room(v float32, b winnow.Bound) float32 { return min(v-b.Min, b.Max-v) }

// join keeps of two measures of each guard the one that is nearer to breaking it, or breaks it more.
func (b bounds) join(v, w values) values {
	for i := range v {
		if !winnow.Measured(v[i]) || winnow.Measured(w[i]) && room(w[i], b[i]) < room(v[i], b[i]) {
			v[i] = w[i]
		}
	}
	return v
}

func flag(is bool) float32 {
	if is {
		return 1
	}
	return 0
}

// received cleans an answer and measures what can be told before its form is known.
func received(source string, a openai.Answer) (string, values) {
	v := unmeasured()
	v[unanswered] = flag(a.Err != nil)
	if a.Err != nil {
		return "", v
	}
	answer := clean(a.Response.Text, source)
	v[refused] = flag(a.Response.Finish == openai.FinishFilter || refuses(answer, source))
	v[truncated] = flag(a.Response.Finish == openai.FinishLength)
	return answer, v
}

// measure fills in what an answer, cleaned and in form, is against its segment.
func measure(answer, source *reading, v values) values {
	v[preambled] = flag(introduces(answer.text) && !introduces(source.text))
	v[lengthRatio] = float32(answer.tokens) / float32(max(1, source.tokens))
	v[scriptOverlap] = float32(scripted(answer, source))
	v[repetition] = max(0, repeated(answer.runs)-repeated(source.runs))
	v[copied], v[copiedBack] = share(answer.runs, source.runs), share(source.runs, answer.runs)
	v[newNumbers] = float32(alienNumbers(answer, source))
	faith(answer, source, &v)
	return v
}
