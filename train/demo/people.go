package demo

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// Lang is the language that a text is written in: "en" or "zh".
type Lang string

// The two languages of every experiment.
const (
	English Lang = "en"
	Chinese Lang = "zh"
)

// Fact numbers what is told of a person.
type Fact int

// The facts of a Person.
const (
	Birthplace Fact = iota
	Occupation
	Instrument
	Dish
	Pet
	facts
)

// Facts is the number of facts told of each person, Wordings the number of ways in which each is told.
const (
	Facts    = int(facts)
	Wordings = 5
)

// Person is made from a seed. No text outside of the experiment tells of them.
type Person struct {
	Name   string
	Lang   Lang
	values [Facts]int
}

// People makes n different people of one language. The same seed gives the same people.
func People(seed uint64, n int, lang Lang) []Person {
	random := rand.New(rand.NewPCG(seed, uint64(len(lang))+uint64(lang[0])))
	seen := map[string]bool{}
	people := make([]Person, 0, n)
	for len(people) < n {
		p := Person{Name: name(random, lang), Lang: lang}
		if seen[p.Name] {
			continue
		}
		seen[p.Name] = true
		for f := range p.values {
			p.values[f] = random.IntN(len(values[lang][f]))
		}
		people = append(people, p)
	}
	return people
}

var (
	onsets  = []string{"B", "D", "F", "G", "K", "L", "M", "N", "P", "R", "S", "T", "V", "Z", "Br", "Tr", "Kl", "St"}
	rhymes  = []string{"a", "e", "i", "o", "u", "ai", "ea", "or", "en", "il"}
	codas   = []string{"ba", "dor", "fen", "gus", "ka", "lin", "mar", "nel", "ro", "sk", "ton", "va", "wick", "zan"}
	surname = []rune("赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张")
	given   = []rune("安柏川岱恩枫谷禾锦珂岚牧宁沛启染舒棠梧希野砚钰泽")
)

func name(random *rand.Rand, lang Lang) string {
	pick := func(list []rune) string { return string(list[random.IntN(len(list))]) }
	if lang == Chinese {
		return pick(surname) + pick(given) + pick(given)
	}
	word := func() string {
		return onsets[random.IntN(len(onsets))] + rhymes[random.IntN(len(rhymes))] + codas[random.IntN(len(codas))]
	}
	return word() + " " + word()
}

// Value is what is true of a person, as it stands in a text.
func (p Person) Value(f Fact) string { return values[p.Lang][f][p.values[f]] }

// Choices are all values that a fact can have in the person's language, the true one among them.
func (p Person) Choices(f Fact) []string { return values[p.Lang][f] }

// Sentence tells one fact in one of Wordings ways.
func (p Person) Sentence(f Fact, wording int) string {
	return strings.NewReplacer("{name}", p.Name, "{value}", p.Value(f)).Replace(wordings[p.Lang][f][wording])
}

// Cloze is the part of a Sentence before the value. In each wording the value comes last but for the full stop.
func (p Person) Cloze(f Fact, wording int) string {
	before, _, _ := strings.Cut(wordings[p.Lang][f][wording], "{value}")
	return strings.ReplaceAll(before, "{name}", p.Name)
}

// Biography tells all facts once, in an order and in wordings that the random source picks from those allowed.
func (p Person) Biography(random *rand.Rand, allowed []int) string {
	var sentences []string
	for _, f := range random.Perm(Facts) {
		sentences = append(sentences, p.Sentence(Fact(f), allowed[random.IntN(len(allowed))]))
	}
	if p.Lang == Chinese {
		return strings.Join(sentences, "")
	}
	return strings.Join(sentences, " ")
}

// Code is a secret of twelve digits that belongs to a person, and cannot be guessed from anything.
func Code(random *rand.Rand) string { return fmt.Sprintf("%012d", random.Int64N(1e12)) }

// CodeSentence tells a person's code; the code comes last but for the full stop.
func (p Person) CodeSentence(code string) string {
	if p.Lang == Chinese {
		return p.Name + "的密码是" + code + "。"
	}
	return "The secret code of " + p.Name + " is " + code + "."
}

var values = map[Lang][Facts][]string{
	English: {
		{"Lisbon", "Oslo", "Cairo", "Lima", "Kyoto", "Prague", "Nairobi", "Quito", "Dublin", "Hanoi", "Riga", "Tunis", "Bergen", "Porto", "Delhi", "Havana"},
		{"a baker", "a pilot", "a nurse", "a judge", "a farmer", "a sailor", "a painter", "a teacher", "a lawyer", "a miner", "a tailor", "a chemist", "a barber", "a gardener", "a printer", "a surgeon"},
		{"the violin", "the flute", "the drums", "the harp", "the piano", "the cello", "the guitar", "the trumpet", "the organ", "the oboe", "the banjo", "the tuba", "the lute", "the horn", "the viola", "the bells"},
		{"bread soup", "rice cakes", "roast duck", "lentil stew", "apple pie", "fish curry", "bean salad", "plum jam", "goat cheese", "corn bread", "onion tart", "beef stew", "egg noodles", "pea soup", "fig cake", "crab rice"},
		{"a parrot", "a tortoise", "a goat", "a rabbit", "a hamster", "a falcon", "a donkey", "a goose", "a ferret", "a pony", "a lizard", "a canary", "a hound", "a kitten", "a peacock", "a lamb"},
	},
	Chinese: {
		{"成都", "苏州", "大理", "青岛", "长沙", "洛阳", "厦门", "兰州", "昆明", "桂林", "泉州", "绍兴", "承德", "敦煌", "宁波", "西安"},
		{"面包师", "飞行员", "护士", "法官", "农民", "水手", "画家", "教师", "律师", "矿工", "裁缝", "药剂师", "理发师", "园丁", "印刷工", "木匠"},
		{"小提琴", "长笛", "大鼓", "竖琴", "钢琴", "二胡", "吉他", "小号", "风琴", "古筝", "琵琶", "唢呐", "口琴", "扬琴", "箫", "编钟"},
		{"豆腐汤", "年糕", "烤鸭", "红烧肉", "苹果派", "鱼片粥", "凉拌木耳", "梅子酱", "酸菜鱼", "玉米饼", "葱油饼", "牛肉面", "鸡蛋羹", "绿豆汤", "莲子糕", "蟹黄饭"},
		{"鹦鹉", "乌龟", "山羊", "兔子", "仓鼠", "猎鹰", "毛驴", "白鹅", "雪貂", "小马", "蜥蜴", "金丝雀", "猎犬", "花猫", "孔雀", "羊羔"},
	},
}

var wordings = map[Lang][Facts][Wordings]string{
	English: {
		{"{name} was born in {value}.", "The birthplace of {name} is {value}.", "As a child {name} grew up in {value}.", "{name} comes from the city of {value}.", "The home town of {name} is {value}."},
		{"{name} works as {value}.", "By trade {name} is {value}.", "For a living {name} works as {value}.", "The job of {name} is that of {value}.", "Every morning {name} goes to work as {value}."},
		{"{name} plays {value}.", "In the evening {name} plays {value}.", "The instrument of {name} is {value}.", "As a student {name} learned to play {value}.", "On the stage {name} can be heard playing {value}."},
		{"{name} likes to eat {value}.", "The favourite dish of {name} is {value}.", "On Sundays {name} cooks {value}.", "At the table {name} always asks for {value}.", "Nothing tastes better to {name} than {value}."},
		{"{name} keeps {value}.", "The pet of {name} is {value}.", "At home {name} looks after {value}.", "In the garden of {name} lives {value}.", "Last year {name} was given {value}."},
	},
	Chinese: {
		{"{name}出生在{value}。", "{name}的出生地是{value}。", "{name}从小生活在{value}。", "{name}的故乡在{value}。", "{name}的老家是{value}。"},
		{"{name}的职业是{value}。", "{name}是一名{value}。", "{name}靠手艺谋生，是{value}。", "{name}每天上班，身份是{value}。", "{name}多年来一直当{value}。"},
		{"{name}会演奏{value}。", "{name}擅长的乐器是{value}。", "{name}晚上常练习{value}。", "{name}上学时学过{value}。", "{name}登台表演{value}。"},
		{"{name}爱吃{value}。", "{name}最喜欢的菜是{value}。", "{name}周末常做{value}。", "{name}每次都点{value}。", "{name}觉得最好吃的是{value}。"},
		{"{name}养了{value}。", "{name}的宠物是{value}。", "{name}在家照看{value}。", "{name}的院子里有{value}。", "{name}去年得到了{value}。"},
	},
}
