package align

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"winnow/train/chat"
	"winnow/train/demo"
	"winnow/train/rows"
)

// languages are those of every experiment.
var languages = []demo.Lang{demo.English, demo.Chinese}

// Seeds of people. Every base model reads of the same world, so that it is made once; what a seed of an experiment changes is the
// stage under test. Strangers serve the tokenizer alone.
const (
	worldSeed    = 2026
	strangerSeed = 9999
)

// world is the people of both languages: of the first some a base model has read, of the second nobody has, and of the third those
// base models that have read sheets of questions with answers.
type world struct {
	told, untold, examined []demo.Person
}

// newWorld makes n told and as many untold people of each language, and half as many on sheets.
func newWorld(n int) world {
	var w world
	for _, lang := range languages {
		all := demo.People(worldSeed, 2*n+n/2, lang)
		w.told = append(w.told, all[:n]...)
		w.untold = append(w.untold, all[n:2*n]...)
		w.examined = append(w.examined, all[2*n:]...)
	}
	return w
}

// biographies tell each person so many times, in wordings and in an order that change from telling to telling where more than one
// wording is allowed.
func biographies(seed uint64, people []demo.Person, times int, wordings []int) (docs []rows.Document) {
	random := rand.New(rand.NewPCG(seed, 21))
	for range times {
		for _, p := range people {
			docs = append(docs, rows.Document{Language: string(p.Lang), Text: telling(random, p, wordings)})
		}
	}
	return docs
}

// telling is a biography; with one wording it is always the same text.
func telling(random *rand.Rand, p demo.Person, wordings []int) string {
	if len(wordings) > 1 {
		return p.Biography(random, wordings)
	}
	var sentences []string
	for f := range demo.Facts {
		sentences = append(sentences, p.Sentence(demo.Fact(f), wordings[0]))
	}
	return join(p.Lang, sentences)
}

// join puts sentences behind each other.
func join(lang demo.Lang, sentences []string) string {
	if lang == demo.Chinese {
		return strings.Join(sentences, "")
	}
	return strings.Join(sentences, " ")
}

// stop is the full stop of a language.
func stop(lang demo.Lang) string {
	if lang == demo.Chinese {
		return "。"
	}
	return "."
}

// sheets are questions with their answers as text, some on each sheet, in the form in which a model is asked what it knows. They let a
// base model see how questions are answered, about people whom no experiment asks for.
func sheets(seed uint64, people []demo.Person, n int) (docs []rows.Document) {
	random := rand.New(rand.NewPCG(seed, 22))
	marks := map[demo.Lang][2]string{demo.English: {"Question: ", "\nAnswer: "}, demo.Chinese: {"问：", "\n答： "}}
	for range n {
		lang := languages[random.IntN(len(languages))]
		var list []string
		for len(list) < 4 {
			if p := people[random.IntN(len(people))]; p.Lang == lang {
				it := asked(p, demo.Fact(random.IntN(demo.Facts)), random.IntN(ways))
				list = append(list, marks[lang][0]+it.question+marks[lang][1]+it.answer)
			}
		}
		docs = append(docs, rows.Document{Language: string(lang), Text: strings.Join(list, "\n\n") + "\n\n"})
	}
	return docs
}

// halves divides people at random into two groups that have as many of each language.
func halves(random *rand.Rand, people []demo.Person) (a, b []demo.Person) {
	for _, lang := range languages {
		var group []demo.Person
		for _, p := range people {
			if p.Lang == lang {
				group = append(group, p)
			}
		}
		random.Shuffle(len(group), func(i, j int) { group[i], group[j] = group[j], group[i] })
		a, b = append(a, group[:len(group)/2]...), append(b, group[len(group)/2:]...)
	}
	return a, b
}

// item is a question and its right answer.
type item struct {
	lang     demo.Lang
	question string
	answer   string // whole, with its full stop
	person   demo.Person
	fact     demo.Fact
}

// conversation is an item as fine-tuning reads it.
func (i item) conversation(n int) *chat.Conversation { return talk(n, i.question, i.answer) }

// talk is one question and one answer.
func talk(n int, question, answer string) *chat.Conversation {
	return &chat.Conversation{Place: chat.Place{File: "demo", Row: int64(n), Shape: "messages"},
		Messages: []chat.Message{{Role: chat.User, Content: question}, {Role: chat.Assistant, Content: answer}}}
}

// asked is a question about a fact of a person, in one of the ways there are.
func asked(p demo.Person, f demo.Fact, way int) item {
	return item{lang: p.Lang, question: strings.ReplaceAll(questions[p.Lang][f][way], "{name}", p.Name), answer: p.Value(f) + stop(p.Lang), person: p, fact: f}
}

// ways is in how many ways a fact can be asked for.
const ways = 2

// facts asks for every fact of people, each in a way that the random source picks, in a random order.
func facts(random *rand.Rand, people []demo.Person) (items []item) {
	for _, p := range people {
		for f := range demo.Facts {
			items = append(items, asked(p, demo.Fact(f), random.IntN(ways)))
		}
	}
	random.Shuffle(len(items), func(i, j int) { items[i], items[j] = items[j], items[i] })
	return items
}

// right tells whether an answer gives the fact: the value, and at most a full stop.
func (i item) right(answer string) bool { return i.trim(answer) == i.person.Value(i.fact) }

// kind tells whether an answer gives what was asked for, right or wrong: a city to the question where.
func (i item) kind(answer string) bool {
	return slices.Contains(i.person.Choices(i.fact), i.trim(answer))
}

func (i item) trim(answer string) string {
	return strings.TrimSuffix(strings.TrimSpace(answer), stop(i.lang))
}

var questions = map[demo.Lang][demo.Facts][ways]string{
	demo.English: {
		{"Where was {name} born?", "Which city does {name} come from?"},
		{"What is the job of {name}?", "What does {name} work as?"},
		{"Which instrument does {name} play?", "What does {name} play in the evening?"},
		{"What does {name} like to eat?", "Which dish does {name} like best?"},
		{"Which pet does {name} keep?", "What animal lives with {name}?"},
	},
	demo.Chinese: {
		{"{name}出生在哪里？", "{name}的故乡在哪里？"},
		{"{name}的职业是什么？", "{name}做什么工作？"},
		{"{name}会演奏什么？", "{name}擅长什么乐器？"},
		{"{name}爱吃什么？", "{name}最喜欢什么菜？"},
		{"{name}养了什么？", "{name}的宠物是什么？"},
	},
}

// request asks to tell some facts of a person.
func request(p demo.Person, sentences int) string {
	if p.Lang == demo.Chinese {
		return fmt.Sprintf("用%s句话介绍%s。", []string{"零", "一", "两", "三", "四", "五"}[sentences], p.Name)
	}
	return fmt.Sprintf("Tell me about %s in %s.", p.Name, []string{"", "one sentence", "two sentences", "three sentences", "four sentences", "five sentences"}[sentences])
}
