package align

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"winnow/train/chat"
	"winnow/train/demo"
)

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
