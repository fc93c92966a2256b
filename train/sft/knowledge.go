package sft

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"winnow/train"
	"winnow/train/bpe"
	"winnow/train/chat"
	"winnow/train/checkpoint"
	"winnow/train/eval"
	"winnow/train/llm"
	"winnow/train/tune"
)

// Class is how well a model knows the answer to a question (SliCK: Gekhman et al. 2024, arXiv 2405.05904, table 1).
type Class string

// The classes, from the best known.
const (
	Highly  Class = "highly_known" // every greedy answer is right
	Maybe   Class = "maybe_known"  // some greedy answer is
	Weakly  Class = "weakly_known" // no greedy answer, but some sampled one is
	Unknown Class = "unknown"      // none is
)

// Classes are in order.
func Classes() []Class { return []Class{Highly, Maybe, Weakly, Unknown} }

// Knowledge asks a model, not yet tuned, closed-book questions behind some answered ones, and compares what it writes with the answer.
// The zero value but for Shots, Prompts and Samples: Asking gives the usual ones.
type Knowledge struct {
	Shots       int                 `json:"shots"`   // answered questions before the one that is asked
	Prompts     int                 `json:"prompts"` // different choices of these
	Samples     int                 `json:"samples"` // beside a greedy answer to each prompt
	Temperature float64             `json:"temperature"`
	TopK        int                 `json:"top_k"`
	Most        int                 `json:"most_tokens"` // longest answer that is asked for; data with longer ones are no closed-book questions
	Limit       int                 `json:"limit"`       // questions that are asked, chosen by Seed; 0: all. To select maybe-known rows all are asked
	Seed        uint64              `json:"seed"`
	Slots       int                 `json:"-"`
	Progress    func(done, all int) `json:"-"` // may be nil

	known map[string]*Known
}

// Asking is as in the paper: four shots, ten prompts, a greedy answer and 16 samples at temperature 0.5 for each.
func Asking() *Knowledge {
	return &Knowledge{Shots: 4, Prompts: 10, Samples: 16, Temperature: .5, TopK: 40, Most: 16, Limit: 500, Seed: 1, Slots: 16}
}

// QA is a question and its answer.
type QA struct{ ID, Question, Answer string }

// Known is what came of one question.
type Known struct {
	ID       string    `json:"id"`
	Question string    `json:"question"`
	Answer   string    `json:"answer"`
	Class    Class     `json:"class"`
	Greedy   eval.Rate `json:"greedy"`  // answers that are right
	Sampled  eval.Rate `json:"sampled"` // likewise
	Wrote    string    `json:"wrote"`   // the first greedy answer
}

// Share is how many questions are of a class.
type Share struct {
	Class Class     `json:"class"`
	Rate  eval.Rate `json:"rate"` // with its Wilson interval
}

// Shares counts classes.
func Shares(list []Known) []Share {
	count := map[Class]int{}
	for _, k := range list {
		count[k.Class]++
	}
	var out []Share
	for _, c := range Classes() {
		out = append(out, Share{c, eval.NewRate(count[c], len(list))})
	}
	return out
}

// Questions are those conversations of one question and one answer whose answer has at most Most tokens: what can be asked closed-book.
func (k *Knowledge) Questions(talks []*chat.Conversation, tok *bpe.Tokenizer) (list []QA) {
	for _, c := range talks {
		var question, answer []string
		for _, m := range c.Messages {
			switch m.Role {
			case chat.User:
				question = append(question, m.Content)
			case chat.Assistant:
				answer = append(answer, m.Content)
			}
		}
		if len(question) != 1 || len(answer) != 1 || len(c.Tools) > 0 || strings.Contains(strings.TrimSpace(answer[0]), "\n") {
			continue
		}
		if n := len(tok.Encode(nil, answer[0])); n > 0 && n <= k.Most && normal(answer[0]) != "" {
			list = append(list, QA{c.Place.String(), question[0], answer[0]})
		}
	}
	return list
}

// Some are as many questions as Limit allows, those of the lowest hash of Seed.
func (k *Knowledge) Some(questions []QA) []QA {
	return eval.Sample(questions, k.Limit, k.Seed, func(q QA) string { return q.ID })
}

// Ask finds out what a model knows.
func (k *Knowledge) Ask(ctx context.Context, m *llm.Model, tok *bpe.Tokenizer, p *llm.Pool, questions []QA) ([]Known, error) {
	if k.Shots < 0 || k.Prompts < 1 || k.Samples < 0 || k.Most < 1 {
		return nil, fmt.Errorf("knowledge: %d shots, %d prompts, %d samples, %d tokens", k.Shots, k.Prompts, k.Samples, k.Most)
	}
	if len(questions) <= k.Shots {
		return nil, fmt.Errorf("knowledge: %d questions, more than %d are needed: the others are shown as examples", len(questions), k.Shots)
	}
	asks, owner := k.asks(questions, tok, m.Context)
	d, err := llm.NewDecoder(m, p, max(min(k.Slots, len(asks)), 1), 0)
	if err != nil {
		return nil, err
	}
	out := make([]Known, len(questions))
	greedy, sampled, tries := make([]int, len(questions)), make([]int, len(questions)), make([]int, len(questions))
	done := 0
	err = Write(ctx, d, tok, asks, func(ask, text int, t Text) error {
		i := owner[ask]
		right := normal(t.Text) == normal(questions[i].Answer)
		switch {
		case text == 0:
			tries[i]++
			if ask < len(questions) {
				out[i].Wrote = strings.TrimSpace(t.Text)
			}
			if right {
				greedy[i]++
			}
			if done++; k.Progress != nil {
				k.Progress(done, len(asks))
			}
		case right:
			sampled[i]++
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for i, q := range questions {
		out[i].ID, out[i].Question, out[i].Answer = q.ID, q.Question, q.Answer
		out[i].Greedy, out[i].Sampled = eval.NewRate(greedy[i], tries[i]), eval.NewRate(sampled[i], tries[i]*k.Samples)
		out[i].Class = classOf(greedy[i], tries[i], sampled[i])
	}
	return out, nil
}

func classOf(greedy, tries, sampled int) Class {
	switch {
	case tries > 0 && greedy == tries:
		return Highly
	case greedy > 0:
		return Maybe
	case sampled > 0:
		return Weakly
	}
	return Unknown
}

// asks are all prompts, those with the same examples together, and the question of each.
func (k *Knowledge) asks(questions []QA, tok *bpe.Tokenizer, room int) (asks []Ask, owner []int) {
	for p := range k.Prompts {
		rng := rand.New(rand.NewPCG(k.Seed, uint64(p)))
		order := map[bool][]int{} // by whether they are Chinese
		for _, i := range rng.Perm(len(questions)) {
			zh := chinese(questions[i].Question)
			order[zh] = append(order[zh], i)
		}
		for i, q := range questions {
			a := Ask{Prompt: k.prompt(questions, order[chinese(q.Question)], i, tok, room), Texts: []llm.Sampling{{}}, Most: k.Most + 2, Stops: []string{"\n"}}
			if eos := tok.EOS(); eos >= 0 {
				a.StopIDs = []int32{eos}
			}
			for s := range k.Samples {
				a.Texts = append(a.Texts, llm.Sampling{Temperature: k.Temperature, TopK: k.TopK, Seed: k.Seed<<20 + uint64(p*k.Samples+s) + 1})
			}
			asks, owner = append(asks, a), append(owner, i)
		}
	}
	return asks, owner
}

// prompt is some answered questions, and one that is not. Where the context is short there are fewer.
func (k *Knowledge) prompt(questions []QA, order []int, asked int, tok *bpe.Tokenizer, room int) []int32 {
	var shown []int
	for _, i := range order {
		if i != asked && len(shown) < k.Shots {
			shown = append(shown, i)
		}
	}
	for {
		var b strings.Builder
		for _, i := range shown {
			b.WriteString(written(questions[i].Question) + " " + strings.TrimSpace(questions[i].Answer) + "\n\n")
		}
		b.WriteString(written(questions[asked].Question))
		var begin []int32
		if adds, err := checkpoint.AddsBOS(tok); err == nil && adds {
			begin = []int32{tok.BOS()}
		}
		ids := tok.Encode(begin, b.String())
		if len(ids)+k.Most+2 <= room {
			return ids
		}
		if len(shown) == 0 { // what stands at the end is what is asked
			return ids[max(0, len(ids)-max(room-k.Most-2, 1)):]
		}
		shown = shown[:len(shown)-1]
	}
}

// written is a question as it is asked, in its language.
func written(question string) string {
	if chinese(question) {
		return "问：" + strings.TrimSpace(question) + "\n答："
	}
	return "Question: " + strings.TrimSpace(question) + "\nAnswer:"
}

func chinese(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return unicode.Is(unicode.Han, r) })
}

// normal is a text as answers are compared: compatibility forms made equal, lower case, letters and digits alone, without English
// articles; between Chinese characters spaces do not count.
func normal(s string) string {
	s = strings.ToLower(norm.NFKC.String(s))
	s = strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) {
			return r
		}
		return ' '
	}, s)
	var words []string
	for _, w := range strings.Fields(s) {
		if w != "a" && w != "an" && w != "the" {
			words = append(words, w)
		}
	}
	if chinese(s) {
		return strings.Join(words, "")
	}
	return strings.Join(words, " ")
}

// of is what is known of a conversation; unknown things that were not asked have no class.
func (k *Knowledge) of(id string) *Known {
	if found := k.known[id]; found != nil {
		return found
	}
	return &Known{}
}

const knowledgeName = "knowledge.json"

// Found is what a model knows of some questions. A run keeps it in OUT/knowledge.json: asking takes long, and a run that goes on needs it again.
type Found struct {
	Key    string  `json:"key,omitempty"`
	Asked  int     `json:"asked"`
	Of     int     `json:"conversations"`
	Shares []Share `json:"shares"`
	List   []Known `json:"questions"`
}

// unknownShare is the share of Unknown from which a run warns: in the paper, what is unknown is learnt last, and from then on costs what
// was known.
const unknownShare = .1

// learnWhatIsKnown asks the parent what it knows of the data, and warns where much is unknown.
func (o *Options) learnWhatIsKnown(ctx context.Context, r *tune.Run, all *set, which []int) (*Found, error) {
	if o.Know == nil {
		o.Know = Asking()
	}
	k := o.Know
	var talks []*chat.Conversation
	for _, i := range which {
		talks = append(talks, all.talks[i])
	}
	questions := k.Questions(talks, r.Tokenizer)
	if o.Select.How != MaybeKnown {
		questions = k.Some(questions)
	}
	f, err := k.remembered(ctx, r, questions, len(which))
	if err != nil {
		return nil, err
	}
	k.known = map[string]*Known{}
	for i := range f.List {
		k.known[f.List[i].ID] = &f.List[i]
	}
	r.Note("knowledge", f)
	if u := f.Shares[len(f.Shares)-1].Rate; u.Rate > unknownShare {
		r.Warn(fmt.Sprintf("the model does not know the answers to %.0f %% of %d closed-book questions in the data (95 %% interval %.0f to %.0f %%): learning them costs what it knows, and teaches it to make things up; stop early, or take --select maybe-known",
			100*u.Rate, u.N, 100*u.Low, 100*u.High),
			fmt.Sprintf("数据中 %d 个闭卷问题里，模型有 %.0f%% 不知道答案（95%% 区间 %.0f%% 至 %.0f%%）：学习它们会损害已有知识并助长编造；请提前停止，或用 --select maybe-known",
				u.N, 100*u.Rate, 100*u.Low, 100*u.High))
	}
	return f, nil
}

// remembered takes what an earlier start of the same run found out, or asks. Until the run has begun, what was found out lies in a hidden
// file: Out may hold another run, which is refused.
func (k *Knowledge) remembered(ctx context.Context, r *tune.Run, questions []QA, of int) (*Found, error) {
	wish, err := json.Marshal([]any{r.Info.Hash, k, questions, r.Pool.Kernel()})
	if err != nil {
		return nil, err
	}
	key := hashed(wish)
	hidden := filepath.Join(r.Out, ".knowledge-"+key[:12]+".json")
	for _, path := range []string{filepath.Join(r.Out, knowledgeName), hidden} {
		old := new(Found)
		b, err := os.ReadFile(path)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		if err == nil && json.Unmarshal(b, old) == nil && old.Key == key {
			return old, nil
		}
	}
	f := &Found{Key: key, Asked: len(questions), Of: of}
	if f.List, err = k.Ask(ctx, r.Model, r.Tokenizer, r.Pool, questions); err != nil {
		return nil, err
	}
	f.Shares = Shares(f.List)
	return f, f.write(hidden)
}

func (f *Found) write(path string) error {
	b, err := json.MarshalIndent(f, "", " ")
	if err != nil {
		return err
	}
	return train.WriteWhole(path, append(b, '\n'))
}
