package classify

import (
	"bytes"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/nlpodyssey/spago/ag"
	"github.com/nlpodyssey/spago/mat"
	"github.com/nlpodyssey/spago/nn"
)

func trained(t testing.TB) *Model {
	t.Helper()
	good, bad := trainingTexts()
	return fitted(t, good, bad, Options{})
}

func fitted(t testing.TB, good, bad []string, o Options) *Model {
	t.Helper()
	m, _, err := Train(Binary(good, bad), o)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestTrainIsDeterministic(t *testing.T) {
	a, b := trained(t), trained(t)
	if !bytes.Equal(a.encode(), b.encode()) {
		t.Error("the same texts gave another model")
	}
	good, bad := trainingTexts()
	c := fitted(t, good, bad, Options{Seed: 1})
	if a.Hash() == c.Hash() || a.Origin() == c.Origin() {
		t.Error("another seed gave the same model")
	}
}

func TestTrainRefuses(t *testing.T) {
	three := ByName([]string{"a", "b", "c"}, []string{"x", "y", "z"})
	for _, c := range []struct {
		name string
		set  Set
		o    Options
		want string
	}{
		{"no good texts", Binary(nil, []string{"bad"}), Options{}, "class good"},
		{"no bad texts", Binary([]string{"good"}, nil), Options{}, "class bad"},
		{"no words", Binary([]string{"good"}, []string{"...", ""}), Options{}, "class bad"},
		{"bits", three, Options{Features: Features{Bits: 25}}, "buckets"},
		{"words", three, Options{Features: Features{Words: 6}}, "6 words"},
		{"characters", three, Options{Features: Features{Shortest: 4, Longest: 3}}, "4 to 3 characters"},
		{"chinese", three, Options{Features: Features{Chinese: "x"}}, "characters or words"},
		{"epochs", three, Options{Epochs: -1}, "epochs"},
		{"rate", three, Options{Rate: math.NaN()}, "rate"},
		{"hidden", three, Options{Hidden: 257}, "hidden"},
		{"held out", three, Options{HeldOut: .6}, "held out"},
		{"calibrate", three, Options{Calibrate: "x"}, "isotonic or none"},
		{"isotonic", three, Options{Calibrate: "isotonic"}, "two classes"},
		{"keep", Binary([]string{"a"}, []string{"b"}), Options{Keep: .1}, "nothing is held out"},
		{"too many weights", three, Options{Features: Features{Bits: 24}, Hidden: 65}, "65 columns"},
		{"an empty label", ByName([]string{"a", "b"}, []string{"", "y"}), Options{}, "without a name"},
		{"a list as label", ByName([]string{"a", "b"}, []string{"x; 1 y", "z"}), Options{}, "semicolon"},
		{"a rate beyond all", Binary([]string{"a good text"}, []string{"a bad one"}), Options{Rate: 1e12}, "smaller rate"},
		{"one class", ByName([]string{"a"}, []string{"x"}), Options{}, "1 classes"},
	} {
		if _, _, err := Train(c.set, c.o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

// The class that one language fills alone must not teach the language.
func TestWeigh(t *testing.T) {
	examples := []example{{class: 1}, {class: 1}, {class: 1}, {}, {class: 1, han: true}}
	weigh(examples, 2)
	for i, want := range []float32{4. / 6, 4. / 6, 4. / 6, 2, 1} {
		if examples[i].weight != want {
			t.Errorf("example %d: weight %g, want %g", i, examples[i].weight, want)
		}
	}
}

// kinds are the shapes of network: two classes or four, linear or not.
var kinds = []struct {
	name            string
	classes, hidden int
}{{"linear", 2, 0}, {"hidden", 2, 5}, {"linear of four", 4, 0}, {"hidden of four", 4, 5}}

// spago's gradient of the loss by every weight is that by differences.
func TestGradient(t *testing.T) {
	for _, k := range kinds {
		o := Options{Features: Features{Bits: 10}, Hidden: k.hidden, Seed: 3}.withDefaults()
		outputs := k.classes
		if outputs == 2 {
			outputs = 1
		}
		for class := range k.classes {
			n := newNetwork(outputs, &o)
			for i := range n.table {
				n.table[i] += float32(i%7)/7 - .4
			}
			e, _ := new(features).example("some words and some more words, 春眠不觉晓", &o.Features)
			e.class, e.weight = class, 1.7
			rows := n.gather(nil, n.table, &e)
			p := parameter(rows, len(e.index), n.columns)
			lossOf := func() mat.Tensor {
				return ag.NewOperator(&crossEntropy{outputs: n.output(p, &e), class: class, weight: e.weight}).Run()
			}
			if err := ag.Backward(lossOf()); err != nil {
				t.Fatal(err)
			}
			parts := map[string]*nn.Param{"table": p, "bias": n.bias}
			if k.hidden > 0 {
				parts["head"], parts["head bias"] = n.head, n.headBias
			}
			for name, part := range parts {
				values, gradient := mat.Data[float32](part.Matrix), mat.Data[float32](part.Grad().(mat.Matrix))
				for i := range values {
					const step = 1.0 / 64
					at := func(v float32) float64 {
						old := values[i]
						values[i] = v
						defer func() { values[i] = old }()
						return lossOf().Value().Item().F64()
					}
					numeric := (at(values[i]+step) - at(values[i]-step)) / (2 * step)
					if d := math.Abs(numeric - float64(gradient[i])); d > 2e-3 {
						t.Errorf("%s, class %d: %s %d: gradient %g, by differences %g", k.name, class, name, i, gradient[i], numeric)
					}
				}
			}
		}
	}
}

// The fast loop over integers must give what spago's graph gives, and rounding must cost little, on texts not seen.
func TestScoreIsSpagos(t *testing.T) {
	good, bad := trainingTexts()
	held, heldBad := heldOutTexts()
	for _, k := range kinds {
		o := Options{Hidden: k.hidden, Features: Features{Longest: 3}}.withDefaults()
		set := Binary(good, bad)
		if k.classes == 4 {
			set = fourKinds(0, 4)
		}
		examples := set.list(&o.Features)
		weigh(examples, k.classes)
		n, _, err := fit(examples, k.classes, &o)
		if err != nil {
			t.Fatal(err)
		}
		m := newModel(n, set.Labels, &o, [32]byte{})
		rounded := *n
		rounded.table = make([]float32, len(n.table))
		for i, w := range m.table {
			rounded.table[i] = float32(w) * m.spec.Scale[i%n.columns]
		}
		for _, s := range append(held, heldBad...) {
			e, _ := new(features).example(s, &o.Features)
			p := func(n *network) []float64 {
				z := n.output(parameter(n.gather(nil, n.table, &e), len(e.index), n.columns), &e)
				p := make([]float64, k.classes)
				softmax(p, mat.Data[float32](z.Value().(mat.Matrix)))
				return p
			}
			exact, same := p(n), p(&rounded)
			for class := range k.classes {
				got := float64(m.Probability(s, class))
				if math.Abs(got-same[class]) > 1e-5 {
					t.Errorf("%s: %.20q: %g, spago has %g", k.name, s, got, same[class])
				}
				if math.Abs(got-exact[class]) > .02 {
					t.Errorf("%s: %.20q: %g, before rounding %g", k.name, s, got, exact[class])
				}
			}
		}
	}
}

// fourKinds is texts of four classes.
func fourKinds(from, to int) Set {
	var texts, names []string
	for i, list := range [][]string{goodEnglish, badEnglish, goodChinese, badChinese} {
		for _, s := range list[from:to] {
			texts, names = append(texts, s), append(names, []string{"article", "spam", "文章", "广告"}[i])
		}
	}
	return ByName(texts, names)
}

func TestFourClasses(t *testing.T) {
	for _, hidden := range []int{0, 8} {
		m, _, err := Train(fourKinds(0, 4), Options{Hidden: hidden, Epochs: 20})
		if err != nil {
			t.Fatal(err)
		}
		held := fourKinds(4, 6)
		e, err := EvaluateClasses(m, &held)
		if err != nil || e.Classes.Accuracy < .8 || e.Classes.MacroF1 < .8 { // of 8 texts
			t.Errorf("hidden %d: %+v, %v", hidden, e.Classes, err)
		}
		if _, err := m.Find("articl"); err == nil || !strings.Contains(err.Error(), "article, spam") {
			t.Errorf("%v", err)
		}
	}
}

// Every shape of model tells texts apart that it has not seen.
func TestUnseenTexts(t *testing.T) {
	good, bad := trainingTexts()
	set := Binary(heldOutTexts())
	for _, o := range []Options{{}, {Hidden: 8}, {Features: Features{Longest: 4}}, {Features: Features{Chinese: "words"}}, {Hidden: 4, Features: Features{Longest: 4, Words: 1}}} {
		e := Evaluate(fitted(t, good, bad, o), &set, .5)
		if e.Binary.AUC != 1 || e.Binary.Good != e.Binary.Bad {
			t.Errorf("%+v: %+v: want an AUC of 1", o, e.Binary)
		}
	}
}

func TestReadWrite(t *testing.T) {
	m := trained(t)
	var b bytes.Buffer
	if err := m.Write(&b); err != nil {
		t.Fatal(err)
	}
	if b.Len() > 300_000 {
		t.Errorf("%d bytes", b.Len())
	}
	back, err := Read(bytes.NewReader(b.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	if back.Hash() != m.Hash() || back.Origin() != m.Origin() || back.Score(goodChinese[0]) != m.Score(goodChinese[0]) {
		t.Error("another model came back")
	}
	file := b.String()
	for _, c := range []struct{ name, file, want string }{
		{"empty", "", "header"},
		{"cut header", file[:20], "header"},
		{"older", Older + file[8:], "train it again"},
		{"no JSON", file[:12] + "x" + file[13:], "invalid"},
		{"cut weights", file[:len(file)-1], "weights"},
		{"too long", file + "x", "more than"},
		{"other file", "GIF89a.." + file[8:], "begins with"},
		{"many buckets", strings.Replace(file, `"bits":16`, `"bits":66`, 1), "buckets"},
		{"one label", strings.Replace(file, `["bad","good"]`, `["bad"]       `, 1), "1 labels"},
		{"three labels", strings.Replace(file, `["bad","good"]`, `["a","bd","g"]`, 1), "columns"},
	} {
		if _, err := Read(strings.NewReader(c.file)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte{})
	for _, o := range []Options{{Features: Features{Bits: 8}}, {Features: Features{Bits: 8, Longest: 3}, Hidden: 2}} {
		good, bad := trainingTexts()
		m, _, err := Train(Binary(good, bad), o)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(m.encode())
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		m, err := Read(bytes.NewReader(file))
		if err != nil {
			return
		}
		again, err := Read(bytes.NewReader(m.encode()))
		if err != nil || again.Hash() != m.Hash() {
			t.Fatalf("%v: written otherwise than read", err)
		}
		sum := 0.0
		for class := range m.Labels() {
			p := m.Probability("some text 春眠不觉晓", class)
			if !(p >= 0 && p <= 1) {
				t.Fatalf("probability %g", p)
			}
			sum += float64(p)
		}
		if math.Abs(sum-1) > 1e-3 {
			t.Fatalf("probabilities add up to %g", sum)
		}
		m.Against("some text 春眠不觉晓", 3)
	})
}

func BenchmarkScore(b *testing.B) {
	good, bad := trainingTexts()
	for _, k := range []struct {
		name string
		o    Options
	}{{"linear", Options{}}, {"hidden16", Options{Hidden: 16}}, {"characters", Options{Features: Features{Longest: 4}}}, {"dictionary", Options{Features: Features{Chinese: "words"}}}} {
		m := fitted(b, good, bad, k.o)
		for _, c := range []struct {
			name string
			text string
		}{{"en", strings.Repeat(goodEnglish[0]+"\n", 30)}, {"zh", strings.Repeat(goodChinese[0]+"\n", 30)}} {
			b.Run(k.name+"/"+c.name, func(b *testing.B) {
				b.SetBytes(int64(len(c.text)))
				b.ReportAllocs()
				for b.Loop() {
					m.Score(c.text)
				}
			})
		}
	}
}

// BenchmarkStep is one text of some 2,700 bytes learnt once.
func BenchmarkStep(b *testing.B) {
	for _, hidden := range []int{0, 16} {
		b.Run(fmt.Sprintf("hidden%d", hidden), func(b *testing.B) {
			o := Options{Hidden: hidden}.withDefaults()
			e, _ := new(features).example(strings.Join(append(append([]string{}, goodEnglish...), badEnglish...), " "), &o.Features)
			n := newNetwork(1, &o)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := n.step(&e); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
