package quality

import (
	"math"
	"regexp"
	"slices"
	"strings"

	"winnow/text"
)

// Prompt asks a language model how much a text teaches, from 0 to 5, on an additive scale after FineWeb-Edu's (Penedo et al.
// 2024, appendix F), in words of our own: in Chinese where the text is mostly Han. The text is cut to so many characters.
func Prompt(s string, characters int) string {
	runes := []rune(s)
	s = string(runes[:min(len(runes), characters)])
	if text.HanRatio(s) > .5 {
		return promptZH + "\n\n<<<\n" + s + "\n>>>\n\n" + "先用不超过五十字说明理由，最后单独一行写：分数：N（N 为 0 到 5 的整数）。"
	}
	return promptEN + "\n\n<<<\n" + s + "\n>>>\n\n" + "First give your reason in at most fifty words. Then, on a last line of its own, write: Score: N, where N is a whole number from 0 to 5."
}

const promptEN = `How useful is the page between the marks for teaching at school? Begin at 0 and add one point for each of these that holds:
1. It says something about a subject that one can learn, even if advertising or chat stands beside it.
2. It deals with parts of a school subject, though without order, or at the surface.
3. A pupil could follow it: it brings in the central ideas and hangs together, though it is not complete.
4. It is fit for a lesson: a clear course, little beside the point, perhaps with exercises.
5. It is outstanding for lessons: thorough, correct, explained step by step, and nothing distracts.`

const promptZH = `标记之间的网页对学校教学有多大用处？从 0 分起，以下各条每符合一条加一分：
1. 谈到了可以学习的知识，哪怕旁边有广告或闲聊。
2. 涉及某门学科的部分内容，但缺少条理或只停在表面。
3. 学生能够读懂：引入了核心概念，前后连贯，虽不完整。
4. 适合用于上课：层次清楚，少有无关内容，或附有练习。
5. 是出色的教材：透彻、正确、循序渐进，没有任何干扰。`

var (
	verdict = regexp.MustCompile(`(?i)^(?:score|分数)\s*[:：]\s*([0-5])\s*(?:/\s*5)?\s*[.。]?$`)
	about   = regexp.MustCompile(`(?i)(?:score|分数)\s*[:：]`)
)

// ParseVerdict reads the score of an answer to Prompt. It must stand alone on the last line, and no other line may give one:
// anything else is no verdict, and is not guessed at.
func ParseVerdict(answer string) (score int, ok bool) {
	answer = strings.TrimSpace(answer)
	if len(about.FindAllString(answer, 2)) != 1 {
		return 0, false
	}
	last := answer[strings.LastIndexByte(answer, '\n')+1:]
	m := verdict.FindStringSubmatch(strings.Trim(last, " *\r\t"))
	if m == nil {
		return 0, false
	}
	return int(m[1][0] - '0'), true
}

// Agreement tells how far two raters agree on the same texts.
type Agreement struct {
	Texts     int
	Exact     float64 // share of equal ratings
	Kappa     float64 // Cohen's, of equal or not
	Quadratic float64 // Cohen's, weighted by the squared distance
	Spearman  float64 // of ranks; ties have their mean rank
}

// Agree compares ratings of the same texts in the same order, 0 to levels-1. What cannot be told, because a rater never
// varies, is 0.
func Agree(a, b []int, levels int) Agreement {
	out := Agreement{Texts: len(a)}
	if len(a) == 0 {
		return out
	}
	n := float64(len(a))
	rows, columns := make([]float64, levels), make([]float64, levels)
	far := 0.0
	for i := range a {
		rows[a[i]]++
		columns[b[i]]++
		if a[i] == b[i] {
			out.Exact += 1 / n
		}
		far += float64((a[i]-b[i])*(a[i]-b[i])) / n
	}
	chance, chanceFar := 0.0, 0.0
	for i, r := range rows {
		chance += r * columns[i] / n / n
		for j, c := range columns {
			chanceFar += r * c / n / n * float64((i-j)*(i-j))
		}
	}
	if chance < 1 {
		out.Kappa = (out.Exact - chance) / (1 - chance)
	}
	if chanceFar > 0 {
		out.Quadratic = 1 - far/chanceFar
	}
	out.Spearman = correlation(ranks(a), ranks(b))
	return out
}

// ranks gives each value its place in order, equal ones their mean place.
func ranks(values []int) []float64 {
	sorted := slices.Sorted(slices.Values(values))
	out := make([]float64, len(values))
	for i, v := range values {
		first, _ := slices.BinarySearch(sorted, v)
		next, _ := slices.BinarySearch(sorted, v+1)
		out[i] = float64(first+next-1) / 2
	}
	return out
}

func correlation(a, b []float64) float64 {
	n, ma, mb := float64(len(a)), 0.0, 0.0
	for i := range a {
		ma += a[i] / n
		mb += b[i] / n
	}
	var ab, aa, bb float64
	for i := range a {
		ab += (a[i] - ma) * (b[i] - mb)
		aa += (a[i] - ma) * (a[i] - ma)
		bb += (b[i] - mb) * (b[i] - mb)
	}
	if aa == 0 || bb == 0 {
		return 0
	}
	return ab / math.Sqrt(aa*bb)
}
