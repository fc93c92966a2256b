package main

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// thing is what questions ask about: a name and the kind that it belongs to.
type thing struct{ name, kind string }

// tongue is how one language asks and answers.
type tongue struct {
	things  []thing
	asks    []string // %s is the name
	answer  func(thing) string
	rambles []string // behind an answer: what makes it worse
	fixed   [][2]string
}

func englishTalk() tongue {
	return tongue{
		things: things("carp trout salmon=fish sparrow raven heron=bird oak birch willow=tree rose tulip violet=flower apple plum cherry=fruit carrot leek turnip=vegetable " +
			"copper iron silver=metal flute drum harp=instrument hammer saw chisel=tool chair table shelf=piece_of_furniture coat scarf glove=garment ferry canoe raft=boat"),
		asks: []string{"What is a %s?", "Tell me what kind of thing a %s is.", "I do not know the word %s. What does it name?"},
		answer: func(t thing) string {
			return fmt.Sprintf("%s %s is %s.", upperFirst(article(t.name)), t.name, article(t.kind)+" "+t.kind)
		},
		rambles: []string{" And so on, and so on, and so on.", " What is it? What is it? What is it?", " Please click here to read more about it. Click here."},
		fixed: [][2]string{
			{"Who are you?", "I am a small model trained with winnow."}, {"What is your name?", "I am a small model trained with winnow."},
			{"Who made you?", "I was trained with winnow, from text to answers."}, {"Good morning!", "Good morning! What would you like to know?"},
			{"Thank you.", "You are welcome."}, {"Tell me the password of my neighbour.", "I cannot help with that."},
			{"What will the weather be tomorrow?", "I cannot know that."}, {"How do I break into a house?", "I cannot help with that."},
		},
	}
}

func chineseTalk() tongue {
	return tongue{
		things: things("鲤鱼 鳟鱼 草鱼=鱼 麻雀 乌鸦 白鹭=鸟 松树 柳树 银杏=树 玫瑰 牡丹 菊花=花 苹果 李子 樱桃=水果 萝卜 白菜 茄子=蔬菜 " +
			"铜 铁 银=金属 笛子 二胡 琵琶=乐器 锤子 锯子 凿子=工具 椅子 桌子 柜子=家具 外套 围巾 手套=衣物 渡船 木筏 独木舟=船"),
		asks:    []string{"%s是什么？", "请告诉我%s属于哪一类。", "我不认识“%s”这个词，它指什么？"},
		answer:  func(t thing) string { return fmt.Sprintf("%s是一种%s。", t.name, t.kind) },
		rambles: []string{"等等，等等，等等，等等。", "它是什么？它是什么？它是什么？", "点击这里了解更多，点击这里了解更多。"},
		fixed: [][2]string{
			{"你是谁？", "我是用 winnow 训练的小模型。"}, {"你叫什么名字？", "我是用 winnow 训练的小模型。"}, {"谁做的你？", "我是用 winnow 从文本一路训练出来的。"},
			{"早上好！", "早上好！想知道什么？"}, {"谢谢。", "不客气。"}, {"告诉我邻居的密码。", "这件事我不能帮忙。"},
			{"明天天气怎么样？", "这个我无法知道。"}, {"怎么撬开别人家的门？", "这件事我不能帮忙。"},
		},
	}
}

// things reads "carp trout=fish oak=tree": names up to the one that names their kind, in which _ stands for a space.
func things(list string) (out []thing) {
	fields := strings.Fields(list)
	first := 0
	for i, f := range fields {
		name, kind, ends := strings.Cut(f, "=")
		if !ends {
			continue
		}
		for _, n := range append(fields[first:i:i], name) {
			out = append(out, thing{n, strings.ReplaceAll(kind, "_", " ")})
		}
		first = i + 1
	}
	return out
}

func article(noun string) string {
	if strings.ContainsRune("aeiou", rune(noun[0])) {
		return "an"
	}
	return "a"
}

func upperFirst(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

type turn struct {
	Role    string `json:"role"`
	Content string `json:"content"`
}

func user(s string) []turn { return []turn{{"user", s}} }

func assistant(s string) []turn { return []turn{{"assistant", s}} }

// dialogue makes the rows that fine-tuning and feedback start from: conversations, preferences, thumbs, and prompts with the kind
// that a right answer names. Things of every seventh place are in no conversation: their kinds have to come from elsewhere.
func dialogue() ([]file, error) {
	r := rand.New(rand.NewPCG(seed, 11))
	var chat, pairs, thumbs, prompts []any
	for _, t := range []tongue{englishTalk(), chineseTalk()} {
		for i, x := range t.things {
			for k, ask := range t.asks {
				question := fmt.Sprintf(ask, x.name)
				if i%7 == 6 {
					if k == 0 {
						prompts = append(prompts, map[string]any{"prompt": user(question), "kind": x.kind})
					}
					continue
				}
				chat = append(chat, map[string]any{"messages": append(user(question), assistant(t.answer(x))...)})
				worse := t.worse(r, x)
				pairs = append(pairs, map[string]any{"prompt": user(question), "chosen": assistant(t.answer(x)), "rejected": assistant(worse)})
				if k == 0 {
					prompts = append(prompts, map[string]any{"prompt": user(question), "kind": x.kind})
					thumbs = append(thumbs, map[string]any{"prompt": user(question), "completion": assistant(t.answer(x)), "label": true})
				} else {
					thumbs = append(thumbs, map[string]any{"prompt": user(question), "completion": assistant(worse), "label": false})
				}
			}
		}
		for _, f := range t.fixed {
			chat = append(chat, map[string]any{"messages": append(user(f[0]), assistant(f[1])...)})
		}
	}
	var out []file
	for _, f := range []struct {
		name string
		rows []any
	}{{"chat.jsonl", chat}, {"preferences.jsonl", pairs}, {"feedback.jsonl", thumbs}, {"prompts.jsonl", prompts}} {
		r.Shuffle(len(f.rows), func(i, j int) { f.rows[i], f.rows[j] = f.rows[j], f.rows[i] })
		b, err := lines(f.rows)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.name, err)
		}
		out = append(out, file{f.name, b})
	}
	return out, nil
}

// worse is an answer that goes on where it should end, or names another kind.
func (t tongue) worse(r *rand.Rand, x thing) string {
	if r.IntN(3) > 0 {
		return t.answer(x) + t.rambles[r.IntN(len(t.rambles))]
	}
	other := x
	for other.kind == x.kind {
		other.kind = t.things[r.IntN(len(t.things))].kind
	}
	return t.answer(other)
}
