// Package annotate is what asking a language model how much texts teach needs, but for the asking. Texts flow in and questions out,
// answers flow in and scores out, and scores of the same texts by two raters become numbers of how far they agree.
package annotate

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"
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

// Reason is what an answer says before its verdict, on one line.
func Reason(answer string) string {
	answer = strings.TrimSpace(answer)
	return strings.Join(strings.Fields(answer[:strings.LastIndexByte(answer, '\n')+1]), " ")
}

// Revision identifies the wording of the questions: labels of different revisions are different labels.
func Revision() string {
	sum := sha256.Sum256([]byte(Prompt("", 0) + "\x00" + Prompt("文", 1)))
	return hex.EncodeToString(sum[:8])
}
