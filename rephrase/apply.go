package rephrase

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"winnow"
	"winnow/rephrase/openai"
)

// Keys of Document.Meta that a derived document has, and, for the last, an original with rejected segments.
const (
	MetaStyle      = "rephrase_style"             // name of the style
	MetaModel      = "rephrase_model"             // Options.Model
	MetaPrompt     = "rephrase_prompt"            // sha256 of the templates that asked, hex
	MetaPromptCost = "rephrase_prompt_tokens"     // read by the model for this document
	MetaAnswerCost = "rephrase_completion_tokens" // written by the model for this document, answers that were rejected included
	MetaDollars    = "rephrase_usd"               // where Options.Price says
	MetaMessages   = "messages"                   // JSON, of styles that make rows of training data
	MetaRejected   = "rephrase_rejected"          // guards and counts: rephrase.refused=1 rephrase.copied=2
)

// minSegment is the length in tokens below which a segment, a heading alone for instance, is not worth a request.
const minSegment = 10

// rewrite is one pass of one style over a document.
type rewrite struct {
	doc      *winnow.Document
	style    *Style
	copy     int
	segments []segment
	readings []*reading // of the segments, shared by all rewrites of the document; nil before one is needed
	asked    []int      // index of each segment's request; -1 where it has none
	prompt   string
}

// plan makes the requests of a document.
func (s *Stage) plan(d *winnow.Document, reqs []openai.Request) ([]rewrite, []openai.Request, error) {
	if openai.EstimateTokens(d.Text) < s.o.MinTokens {
		return nil, reqs, nil
	}
	var out []rewrite
	segments := split(d.Text, s.o.Segment)
	readings := make([]*reading, len(segments))
	for _, style := range s.o.Styles {
		for k := range s.o.Copies {
			w := rewrite{doc: d, style: style, copy: k, segments: segments, readings: readings}
			for _, seg := range segments {
				if openai.EstimateTokens(seg.text) < minSegment {
					w.asked = append(w.asked, -1)
					continue
				}
				messages, hash, err := style.ask(w.scene(seg))
				if err != nil {
					return nil, nil, err
				}
				w.prompt = hash
				w.asked = append(w.asked, len(reqs))
				reqs = append(reqs, openai.Request{
					Model: s.o.Model, Template: hash, Temperature: s.o.Temperature, TopP: s.o.TopP,
					Seed: s.o.Seed + int64(k), MaxTokens: s.o.MaxTokens, Messages: messages,
				})
			}
			out = append(out, w)
		}
	}
	return out, reqs, nil
}

func (w *rewrite) scene(seg segment) scene {
	return newScene(w.doc.Language, w.doc.LanguageScript, seg.text)
}

// answered is the scene of segment i, read for judging.
func (w *rewrite) answered(i int) scene {
	sc := w.scene(w.segments[i])
	if w.readings[i] == nil {
		w.readings[i] = read(sc.Text)
	}
	sc.source = w.readings[i]
	return sc
}

// ApplyBatch rephrases the documents. Requests of the whole batch are under way together; the results depend on the
// answers alone.
func (s *Stage) ApplyBatch(ctx context.Context, docs []*winnow.Document) ([]winnow.Result, error) {
	return s.ApplyGranted(ctx, docs, nil)
}

// ApplyGranted rephrases those documents that have a share of the budget; nil: all.
func (s *Stage) ApplyGranted(ctx context.Context, docs []*winnow.Document, granted []bool) ([]winnow.Result, error) {
	tried := make([][]rewrite, len(docs))
	unfunded := make([]int, len(docs))
	var reqs []openai.Request
	for i, d := range docs {
		w, with, err := s.plan(d, reqs)
		if err != nil {
			return nil, err
		}
		if granted != nil && !granted[i] {
			unfunded[i] = len(with) - len(reqs)
			continue
		}
		tried[i], reqs = w, with
	}
	answers, err := s.c.CompleteAll(ctx, reqs)
	if err != nil {
		return nil, fmt.Errorf("rephrase: %w", err)
	}
	results := make([]winnow.Result, len(docs))
	for i, d := range docs {
		if results[i], err = s.finish(d, tried[i], answers, unfunded[i]); err != nil {
			return nil, err
		}
	}
	return results, nil
}

// draft is a derived document before it is judged.
type draft struct {
	text, said         string // said is of it what the model wrote and was accepted
	messages           string
	bounds             bounds
	values             values
	asked, accepted    int
	prompt, completion int64 // tokens
	broken             int   // guard that rejects it; -1: none
	value              float32
	where              string // what the guard is about, for people
}

// finish makes the Result of one document from all that was tried with it, and appends its signals.
func (s *Stage) finish(d *winnow.Document, tried []rewrite, answers []openai.Answer, unfunded int) (winnow.Result, error) {
	var res winnow.Result
	before := slices.Clone(d.Signals)
	var accepted earlier
	asked, taken := 0, 0
	var rejected [guardCount]int
	next := map[string]int{} // number of the next document of a style
	for _, w := range tried {
		drafts, err := s.drafts(w, answers, &rejected)
		if err != nil {
			return res, err
		}
		for _, t := range drafts {
			asked, taken = asked+t.asked, taken+t.accepted
			id := fmt.Sprintf("%s#%s#%d", d.ID, w.style.name, next[w.style.name])
			next[w.style.name]++
			if t.broken < 0 {
				if t.values[nearest] = accepted.near(t.said); !t.bounds[nearest].Holds(t.values[nearest]) {
					t.broken, t.value = nearest, t.values[nearest]
					rejected[nearest]++
				} else {
					accepted.add(t.said)
				}
			}
			out := s.derive(d, w, t, id)
			out.Signals = append(slices.Clip(before), signals(t.asked, t.accepted, 0, t.values)...)
			res.Derived = append(res.Derived, out)
			res.Judged = append(res.Judged, t.verdict())
		}
	}
	d.Signals = append(slices.Clip(before), signals(asked, taken, unfunded, unmeasured())...)
	s.tell(d, rejected, unfunded)
	s.choose(d, &res)
	return res, nil
}

// signals are the columns of a document.
func signals(asked, accepted, unfunded int, v values) []float32 {
	out := []float32{float32(asked), winnow.NotMeasured, float32(unfunded), winnow.NotMeasured}
	if asked > 0 {
		out[columnAccepted] = float32(accepted) / float32(asked)
	}
	return append(out, v[:]...)
}

// tell notes in Meta what was rejected, and that there was no budget.
func (s *Stage) tell(d *winnow.Document, rejected [guardCount]int, unfunded int) {
	var told []string
	if unfunded > 0 {
		told = append(told, fmt.Sprintf("rephrase.unfunded=%d", unfunded))
	}
	for i, n := range rejected {
		if n > 0 {
			told = append(told, fmt.Sprintf("%s=%d", guards[i].id, n))
		}
	}
	if told != nil {
		d.SetMeta(MetaRejected, strings.Join(told, " "))
	}
}

func (t *draft) verdict() winnow.Verdict {
	if t.broken < 0 {
		return winnow.Verdict{}
	}
	return winnow.Verdict{Drop: true, Rule: guards[t.broken].id, Value: t.value, Bound: t.bounds[t.broken], Detail: t.where}
}

// drafts makes the documents of one rewrite: one of all segments, or one for each piece of each answer.
func (s *Stage) drafts(w rewrite, answers []openai.Answer, rejected *[guardCount]int) ([]draft, error) {
	if w.style.output.many() {
		return s.scattered(w, answers, rejected)
	}
	t := draft{bounds: s.bounds[w.style.name], values: unmeasured(), broken: -1}
	first, failing := -1, unmeasured() // the first rejected segment
	var kept, raw strings.Builder      // with the original where an answer was rejected; with the answer nevertheless
	where := ""
	for i, seg := range w.segments {
		out, wrote := seg.text, seg.text
		if at := w.asked[i]; at >= 0 {
			t.asked++
			t.spend(answers[at])
			sc := w.answered(i)
			p, v, broken, err := s.judge(w, sc, answers[at])
			if err != nil {
				return nil, err
			}
			if broken < 0 {
				t.accepted++
				t.values = t.bounds.join(t.values, v)
				out, wrote = p[0].text, p[0].text
				t.said += p[0].judged + "\n"
			} else {
				rejected[broken]++
				if wrote = p[0].text; first < 0 {
					first, failing, where = broken, v, fmt.Sprintf("segment %d of %d", i+1, len(w.segments))
				}
			}
		}
		kept.WriteString(out + seg.gap)
		raw.WriteString(wrote + seg.gap)
	}
	switch {
	case t.asked == 0:
		return nil, nil
	case first >= 0 && (s.o.Reject == Drop || t.accepted == 0 || float64(t.accepted) < s.o.MinAccepted*float64(t.asked)):
		t.text, t.broken, t.value, t.where = raw.String(), first, failing[first], where
		t.values = t.bounds.join(t.values, failing)
		t.values[first] = failing[first]
	default:
		t.text = kept.String()
	}
	return []draft{t}, nil
}

// judge takes an answer apart and measures it. Where it is rejected as a whole there is one piece, what the model wrote.
func (s *Stage) judge(w rewrite, sc scene, a openai.Answer) (p []piece, v values, broken int, err error) {
	if sc.source == nil {
		sc.source = read(sc.Text)
	}
	b := s.bounds[w.style.name]
	answer, v := received(sc.Text, a)
	whole := []piece{{text: answer, judged: answer}}
	if broken = b.broken(v); broken >= 0 {
		return whole, v, broken, nil
	}
	if p, err = w.style.pieces(answer, sc); err != nil {
		return nil, v, 0, err
	}
	v[malformed] = flag(len(p) == 0 || !w.style.matches(answer))
	if broken = b.broken(v); broken >= 0 {
		return whole, v, broken, nil
	}
	if len(p) == 0 { // the recipe does not mind the form
		p = whole
	}
	if !w.style.output.many() {
		v = measure(read(p[0].judged), sc.source, v)
		broken = b.broken(v)
		if broken >= 0 {
			return whole, v, broken, nil
		}
	}
	return p, v, broken, nil
}

// scattered makes a document of each piece of each answer. One that is rejected has nothing to fall back on.
func (s *Stage) scattered(w rewrite, answers []openai.Answer, rejected *[guardCount]int) (out []draft, err error) {
	for i, at := range w.asked {
		if at < 0 {
			continue
		}
		sc := w.answered(i)
		p, v, broken, err := s.judge(w, sc, answers[at])
		if err != nil {
			return nil, err
		}
		for k, piece := range p {
			t := draft{text: piece.text, said: piece.judged, messages: piece.messages, bounds: s.bounds[w.style.name], values: v, broken: broken}
			if k == 0 { // what the answer cost stands on its first piece
				t.asked = 1
				t.spend(answers[at])
			}
			if broken < 0 {
				t.values = measure(read(piece.judged), sc.source, v)
				t.broken = t.bounds.broken(t.values)
			}
			if t.broken >= 0 {
				rejected[t.broken]++
				t.value, t.where = t.values[t.broken], fmt.Sprintf("segment %d of %d, piece %d of %d", i+1, len(w.segments), k+1, len(p))
			} else if k == 0 {
				t.accepted = 1
			}
			out = append(out, t)
		}
	}
	return out, nil
}

func (t *draft) spend(a openai.Answer) {
	if a.Err == nil {
		t.prompt += a.Response.PromptTokens
		t.completion += a.Response.CompletionTokens
	}
}

// derive makes the document that a rewrite ends in. Its tokens are estimated at the rate of its origin.
func (s *Stage) derive(d *winnow.Document, w rewrite, t draft, id string) *winnow.Document {
	tokens := float64(openai.EstimateTokens(t.text))
	if d.TokenCount > 0 {
		tokens *= float64(d.TokenCount) / float64(openai.EstimateTokens(d.Text))
	}
	out := &winnow.Document{
		Text: t.text, ID: id, Origin: d.ID,
		Dump: d.Dump, URL: d.URL, Date: d.Date, File: d.File, Offset: d.Offset, Title: d.Title,
		Language: d.Language, LangScore: d.LangScore, LanguageScript: d.LanguageScript,
		TokenCount: int64(tokens + 0.5), TokensEstimated: true,
	}
	out.SetMeta(MetaStyle, w.style.name)
	out.SetMeta(MetaModel, s.o.Model)
	out.SetMeta(MetaPrompt, w.prompt)
	out.SetMeta(MetaPromptCost, strconv.FormatInt(t.prompt, 10))
	out.SetMeta(MetaAnswerCost, strconv.FormatInt(t.completion, 10))
	if s.o.Price != (openai.Price{}) {
		out.SetMeta(MetaDollars, strconv.FormatFloat(s.o.Price.Dollars(t.prompt, t.completion), 'f', 9, 64))
	}
	if t.messages != "" {
		out.SetMeta(MetaMessages, t.messages)
	}
	if t.broken < 0 && t.accepted < t.asked {
		out.SetMeta(MetaRejected, fmt.Sprintf("%d of %d segments are the original's", t.asked-t.accepted, t.asked))
	}
	return out
}
