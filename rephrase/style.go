package rephrase

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/template"
	"unicode/utf8"

	"winnow/rephrase/openai"
	"winnow/text"
)

//go:embed styles/*.tmpl
var embedded embed.FS

// Style is one way of rewriting, as a file of text/template definitions says:
//
//	en, zh                 what the model is asked, for texts in Chinese and for all others; one of the two is enough
//	en.system, zh.system   the system message that goes before; may be missing
//	output                 text, pairs, items, chat or reply: what is made of the answer; missing: text
//	match                  a regular expression that an answer must match; may be missing
//	result                 what takes the segment's place; missing: the answer; for text and pairs
//	user, zh.user          what the row of training data asks; for reply
//	guards                 lines of a guard and its bound, as "length_ratio 0.05..1" or "kept_numbers any"; may be missing
//
// The templates see .Text, the segment; .First and .Rest, its halves, cut between sentences; .Language, an ISO 639 code;
// .Traditional, whether it is Chinese in traditional characters; .Pairs, how many question-answer pairs of about 40 tokens it
// can bear, 1 to 8; in result also .Answer.
type Style struct {
	name    string
	hash    string            // of the file
	prompts map[string]string // en and zh: hash of what is asked in it, so that a new match or result asks nothing again
	tmpl    *template.Template
	match   *regexp.Regexp // nil: anything
	output  output
	guards  Guards
}

// scene is what the templates see.
type scene struct {
	Text, Language string
	Traditional    bool
	Answer         string

	source *reading // of Text; nil where it was not read yet
}

func newScene(language, script string, segment string) scene {
	return scene{Text: segment, Language: language, Traditional: strings.HasSuffix(script, "_Hant")}
}

// First is the segment's first half, cut between sentences.
func (sc scene) First() string { first, _ := halves(sc.Text); return first }

// Rest is the other half.
func (sc scene) Rest() string { _, rest := halves(sc.Text); return rest }

// Pairs is how many question-answer pairs the segment can bear: 40 tokens each keep the answer below the segment.
func (sc scene) Pairs() int { return min(max(openai.EstimateTokens(sc.Text)/60, 1), 8) }

// chinese tells whether the Chinese templates of a style are the ones for this text.
func (sc scene) chinese(s *Style) bool { return sc.Language == "zh" && s.has("zh") || !s.has("en") }

// StyleError is a mistake in a style's file.
type StyleError struct {
	File         string // or the built-in style's name
	Line, Column int    // from 1; 0 where unknown
	Msg          string
}

func (e *StyleError) Error() string {
	if e.Line == 0 {
		return fmt.Sprintf("rephrase: style %s: %s", e.File, e.Msg)
	}
	return fmt.Sprintf("rephrase: style %s:%d:%d: %s", e.File, e.Line, e.Column, e.Msg)
}

// UnknownStyleError names a built-in style that is not there.
type UnknownStyleError struct{ Name, Nearest string }

func (e *UnknownStyleError) Error() string {
	return fmt.Sprintf("rephrase: no style %q; built in are %s; a file of your own ends in .tmpl", e.Name, strings.Join(StyleNames(), ", "))
}

var styleName = regexp.MustCompile(`^[a-z0-9_]+$`)

// StyleNames lists the built-in styles.
func StyleNames() (names []string) {
	entries, _ := embedded.ReadDir("styles") // it is part of the program
	for _, e := range entries {
		names = append(names, strings.TrimSuffix(e.Name(), ".tmpl"))
	}
	return names
}

// LoadStyle reads a style: a built-in one by its name, or a user's from a file NAME.tmpl.
func LoadStyle(nameOrFile string) (*Style, error) {
	if !strings.HasSuffix(nameOrFile, ".tmpl") {
		b, err := embedded.ReadFile("styles/" + nameOrFile + ".tmpl")
		if err != nil {
			return nil, &UnknownStyleError{nameOrFile, text.Nearest(nameOrFile, StyleNames())}
		}
		return parseStyle(nameOrFile, nameOrFile, string(b))
	}
	b, err := os.ReadFile(nameOrFile)
	if err != nil {
		return nil, fmt.Errorf("rephrase: style: %w", err)
	}
	return parseStyle(strings.TrimSuffix(filepath.Base(nameOrFile), ".tmpl"), nameOrFile, string(b))
}

// ParseStyle reads a style from the text of its file, and tries every template once. The name becomes part of document
// ids: lower-case letters, digits and '_'. Mistakes are a *StyleError.
func ParseStyle(name, src string) (*Style, error) { return parseStyle(name, name, src) }

func parseStyle(name, file, src string) (*Style, error) {
	if !styleName.MatchString(name) {
		return nil, &StyleError{File: file, Msg: fmt.Sprintf("%q: a name has lower-case letters, digits and '_' only", name)}
	}
	tmpl, err := template.New(name).Parse(src)
	if err != nil {
		return nil, located(file, name, src, err)
	}
	s := &Style{name: name, hash: hashOf(src), prompts: make(map[string]string), tmpl: tmpl}
	if !s.has("en") && !s.has("zh") {
		return nil, &StyleError{file, 1, 1, `neither "en" nor "zh" is defined`}
	}
	for _, t := range tmpl.Templates() {
		if !slices.Contains(parts[:], t.Name()) && t.Name() != name {
			return nil, &StyleError{file, s.line(src, t.Name()), 1, fmt.Sprintf("%q means nothing here; known are %s", t.Name(), strings.Join(parts[:], ", "))}
		}
	}
	for _, part := range parts {
		if _, err := s.run(part, scene{Text: "x"}); err != nil {
			return nil, located(file, name, src, err)
		}
	}
	for _, lang := range []string{"en", "zh"} {
		s.prompts[lang] = hashOf(s.source(lang+".system") + "\n" + s.source(lang))
	}
	return s, s.settle(file, src)
}

var parts = [...]string{"en", "zh", "en.system", "zh.system", "output", "match", "result", "user", "zh.user", "guards"}

// settle reads what a style says of answers.
func (s *Style) settle(file, src string) (err error) {
	fixed := func(part string) string { said, _ := s.run(part, scene{}); return said } // each has run before
	if said := fixed("match"); said != "" {
		if s.match, err = regexp.Compile(said); err != nil {
			return &StyleError{file, s.line(src, "match"), 1, "match: " + err.Error()}
		}
	}
	s.output = asText
	if s.has("output") {
		s.output = output(strings.TrimSpace(fixed("output")))
	}
	if !slices.Contains(outputs[:], s.output) {
		return &StyleError{file, s.line(src, "output"), 1, fmt.Sprintf("output %q: write text, pairs, items, chat or reply", s.output)}
	}
	if s.output == asReply && !s.has("user") {
		return &StyleError{file, s.line(src, "output"), 1, "output reply needs a template user, what the row of training data asks"}
	}
	var at int
	if s.guards, at, err = parseGuards(fixed("guards")); err != nil {
		return &StyleError{file, s.line(src, "guards") + at, 1, "guards: " + err.Error()}
	}
	return nil
}

// line is where a template is defined, from 1.
func (s *Style) line(src, part string) int {
	at := regexp.MustCompile(`\{\{-?\s*define\s+["` + "`" + `]` + regexp.QuoteMeta(part) + `["` + "`" + `]`).FindStringIndex(src)
	if at == nil {
		return 1
	}
	return 1 + strings.Count(src[:at[0]], "\n")
}

// located finds line and column in what text/template says of a mistake: "template: name:LINE: ..." or "template: name:LINE:COLUMN: ...",
// the column being the byte before.
func located(file, name, src string, err error) error {
	msg := strings.TrimPrefix(err.Error(), "template: ")
	rest, ok := strings.CutPrefix(msg, name+":")
	if !ok {
		return &StyleError{File: file, Msg: msg}
	}
	e := &StyleError{File: file}
	number := func() (n int, ok bool) {
		digits, after, found := strings.Cut(rest, ":")
		if n, err := strconv.Atoi(digits); found && err == nil {
			rest = after
			return n, true
		}
		return 0, false
	}
	e.Line, _ = number()
	at, known := number()
	e.Msg = strings.TrimSpace(rest)
	lines := strings.Split(src, "\n")
	if e.Line < 1 || e.Line > len(lines) {
		e.Line = len(lines)
	}
	l := lines[e.Line-1]
	if !known { // the word that the message quotes, else the first action of the line
		at = max(0, strings.Index(l, "{{"))
		if _, after, ok := strings.Cut(e.Msg, `"`); ok {
			word, _, _ := strings.Cut(after, `"`)
			if i := strings.Index(l, word); i >= 0 && word != "" {
				at = i
			}
		}
	}
	e.Column = utf8.RuneCountInString(l[:min(at, len(l))]) + 1
	return e
}

func hashOf(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

func (s *Style) has(part string) bool { return s.tmpl.Lookup(part) != nil }

// source is one template as it was written, empty where it is not defined.
func (s *Style) source(part string) string {
	if !s.has(part) {
		return ""
	}
	return s.tmpl.Lookup(part).Root.String()
}

// run gives the text of one template, empty where it is not defined.
func (s *Style) run(part string, sc scene) (string, error) {
	if !s.has(part) {
		return "", nil
	}
	var b strings.Builder
	err := s.tmpl.ExecuteTemplate(&b, part, sc)
	return b.String(), err
}

// ask makes the messages for one segment, and gives the hash of the templates they are made with.
func (s *Style) ask(sc scene) (messages []openai.Message, hash string, err error) {
	lang := "en"
	if sc.chinese(s) {
		lang = "zh"
	}
	for _, part := range [][2]string{{"system", lang + ".system"}, {"user", lang}} {
		content, err := s.run(part[1], sc)
		if err != nil {
			return nil, "", fmt.Errorf("rephrase: style %s: %w", s.name, err)
		}
		if content = strings.TrimSpace(content); content != "" {
			messages = append(messages, openai.Message{Role: part[0], Content: content})
		}
	}
	return messages, s.prompts[lang], nil
}

// matches tells whether an answer has the form that the style asks for.
func (s *Style) matches(answer string) bool { return s.match == nil || s.match.MatchString(answer) }

// result puts an accepted answer into its place.
func (s *Style) result(sc scene) (string, error) {
	if !s.has("result") {
		return sc.Answer, nil
	}
	out, err := s.run("result", sc)
	if err != nil {
		return "", fmt.Errorf("rephrase: style %s: %w", s.name, err)
	}
	return strings.TrimSpace(out), nil
}
