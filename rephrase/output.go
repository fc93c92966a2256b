package rephrase

import (
	"encoding/json"
	"regexp"
	"strings"
	"unicode"

	"winnow/rephrase/openai"
)

// output is what a style makes of an answer.
type output string

const (
	asText  output = "text"  // the answer, or what result makes of it, takes its segment's place; one document for each copy
	asPairs output = "pairs" // the same, of an answer that is questions and answers
	asItems output = "items" // each line or item of a list is a document
	asChat  output = "chat"  // each question and answer is a document, and a row of messages for training
	asReply output = "reply" // the whole answer is the reply to what the template user says: one document, and a row of messages
)

var outputs = [...]output{asText, asPairs, asItems, asChat, asReply}

// many tells whether answers become documents of their own, beside the segments.
func (o output) many() bool { return o == asItems || o == asChat || o == asReply }

// pair is a question, or an instruction, and its answer.
type pair struct{ question, answer string }

var (
	questionMark = regexp.MustCompile(`(?i)^(?:[#>*_\s]|\d{1,2}[.)、]\s?)*(?:question|instruction|q|问题|問題|问|問|指令|题目|題目)\s?\d{0,2}[*_]*\s?[:：]`)
	answerMark   = regexp.MustCompile(`(?i)^[#>*_\s]*(?:answer|response|a|回答|答案|答|回复|回覆)\s?\d{0,2}[*_]*\s?[:：]`)
	itemMark     = regexp.MustCompile(`^\s*(?:[-*•·–]\s+|\(?\d{1,3}[.)]\s+|[（(]?\d{1,3}[、）]\s*)`)
	separator    = regexp.MustCompile(`^\s*(?:[-*_=]\s*){3,}$`)
)

// behind is what a line says behind a mark, where it begins with one. Marks of bold type that were opened before the word and not
// closed behind it are closed behind the colon.
func behind(mark *regexp.Regexp, line string) (rest string, ok bool) {
	at := mark.FindStringIndex(line)
	if at == nil {
		return "", false
	}
	open, word := 0, false
	for _, r := range line[:at[1]] {
		switch {
		case r != '*' && r != '_':
			word = word || unicode.IsLetter(r)
		case word:
			open--
		default:
			open++
		}
	}
	rest = line[at[1]:]
	for ; open > 0 && rest != "" && (rest[0] == '*' || rest[0] == '_'); open-- {
		rest = rest[1:]
	}
	return rest, true
}

// parsePairs reads questions and answers, each of which may go on over several lines. Whatever stands before the first question is
// passed over; a question without an answer, and an answer without a question, are left out.
func parsePairs(s string) (out []pair) {
	var now pair
	field := (*string)(nil)
	done := func() {
		now.question, now.answer = strings.TrimSpace(now.question), strings.TrimSpace(now.answer)
		if now.question != "" && now.answer != "" {
			out = append(out, now)
		}
		now, field = pair{}, nil
	}
	for l := range strings.SplitSeq(s, "\n") {
		question, asks := behind(questionMark, l)
		answer, answers := behind(answerMark, l)
		switch {
		case asks:
			done()
			now.question, field = question, &now.question
		case answers && field == &now.question:
			now.answer, field = answer, &now.answer
		case separator.MatchString(l):
			done()
		case field != nil:
			*field += "\n" + l
		}
	}
	done()
	return out
}

// parseItems reads the items of a list; an answer without marks of a list is one item a line.
func parseItems(s string) (out []string) {
	marked := false
	lines := strings.Split(s, "\n")
	for _, l := range lines {
		marked = marked || itemMark.MatchString(l)
	}
	for _, l := range lines {
		at := itemMark.FindStringIndex(l)
		t := strings.TrimSpace(l)
		switch {
		case t == "" || separator.MatchString(l):
		case at != nil:
			if t = strings.TrimSpace(l[at[1]:]); t != "" {
				out = append(out, t)
			}
		case !marked:
			out = append(out, t)
		}
	}
	return out
}

// message is one turn of a row of training data.
type message struct {
	Role    string `json:"role"`
	Content string `json:"content"`
}

// row is a conversation as training data hold it.
func (p pair) row() string {
	b, _ := json.Marshal([]message{{"user", p.question}, {"assistant", p.answer}}) // strings always have a JSON
	return string(b)
}

func (p pair) text() string { return p.question + "\n\n" + p.answer }

// piece is a document that an answer gives.
type piece struct {
	text     string
	judged   string // the part that is measured against the segment
	messages string // JSON; empty for styles that make no rows
}

// pieces takes an answer apart; none where it has not the form that the style asks for.
func (s *Style) pieces(answer string, sc scene) (out []piece, err error) {
	switch s.output {
	case asItems:
		for _, item := range parseItems(answer) {
			out = append(out, piece{text: item, judged: item})
		}
	case asChat:
		for _, p := range parsePairs(answer) {
			out = append(out, piece{p.text(), p.text(), p.row()})
		}
	case asReply:
		part := "user"
		if sc.chinese(s) && s.has("zh.user") {
			part = "zh.user"
		}
		user, err := s.run(part, sc)
		if err != nil || answer == "" {
			return nil, err
		}
		p := pair{strings.TrimSpace(user), answer}
		out = append(out, piece{p.text(), answer, p.row()})
	case asPairs:
		if len(parsePairs(answer)) == 0 {
			return nil, nil
		}
		fallthrough
	default:
		sc.Answer = answer
		text, err := s.result(sc)
		if err != nil {
			return nil, err
		}
		if answer != "" {
			out = append(out, piece{text: text, judged: answer})
		}
	}
	return out, nil
}

// halves cuts a text at the end of a sentence near its middle; the second half is empty for a text of one sentence.
func halves(s string) (first, rest string) {
	half := openai.EstimateTokens(s) / 2
	at := 0
	for at < len(s) {
		n := sentence(s[at:])
		if at > 0 && openai.EstimateTokens(s[:at+n]) > half {
			break
		}
		at += n
	}
	return strings.TrimSpace(s[:at]), strings.TrimSpace(s[at:])
}
