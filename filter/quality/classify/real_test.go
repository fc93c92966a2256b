package classify

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"winnow/filter/quality/measure"
)

// rows reads one text and its class from each line of a file in the folder that WINNOW_DATA names.
func rows(t testing.TB, name, text, class string) (texts, classes []string) {
	dir := os.Getenv("WINNOW_DATA")
	if dir == "" {
		t.Skip("WINNOW_DATA is not set: no real data to test with")
	}
	f, err := os.Open(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var in io.Reader = f
	if strings.HasSuffix(name, ".gz") {
		if in, err = gzip.NewReader(f); err != nil {
			t.Fatal(err)
		}
	}
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		row := map[string]any{}
		if err := json.Unmarshal(lines.Bytes(), &row); err != nil {
			t.Fatal(err)
		}
		value := row[class]
		if n, ok := value.(float64); ok {
			value = map[float64]string{0: Bad, 1: Good}[n]
		}
		body, known := row[text].(string)
		if label, ok := value.(string); ok && known {
			texts, classes = append(texts, body), append(classes, label)
		}
	}
	return texts, classes
}

// Few pages and a subtle question: people told good from bad among pages that all look like text. The options are the defaults,
// which were not chosen on these pages; every page is scored by a model that has not seen it. `winnow bench quality` has the
// baselines.
func TestHumanLabels(t *testing.T) {
	texts, classes := rows(t, "quality/dclm_human_250.jsonl", "text", "label")
	set := ByName(texts, classes)
	var all []measure.Scored
	for fold := range 10 {
		train := Set{Labels: set.Labels}
		for i, s := range set.Texts {
			if i%10 != fold {
				train.Add(s, set.Class[i])
			}
		}
		m, _, err := Train(train, Options{})
		if err != nil {
			t.Fatal(err)
		}
		for i, s := range set.Texts {
			if i%10 == fold {
				all = append(all, measure.Scored{Score: m.Score(s), Good: set.Class[i] == 1})
			}
		}
	}
	m := measure.Of(all, .5)
	t.Logf("10-fold cross-validation, %d good, %d bad: AUC %.3f (%.3f to %.3f), F1 %.3f at 0.5", m.Good, m.Bad, m.AUC, m.Low, m.High, m.F1)
	if m.Low < .65 {
		t.Errorf("AUC %.3f, from %.3f: barely better than chance", m.AUC, m.Low)
	}
}

// Kinds of page and topics of questions, held out: far better than the commonest class, and calibrated.
func TestRealClasses(t *testing.T) {
	for _, c := range []struct {
		file, text, class string
		o                 Options
		least             float64 // accuracy
	}{
		{"html/wcxb_dev340/gt.jsonl.gz", "text", "page_type", Options{HeldOut: .35}, .62},
		{"html/wcxb_dev340/gt.jsonl.gz", "text", "page_type", Options{HeldOut: .35, Hidden: 16}, .6},
		{"facts/opentrivia.jsonl.gz", "q", "cat", Options{HeldOut: .2, Epochs: 1, Features: Features{Words: 1}}, .45},
	} {
		texts, classes := rows(t, c.file, c.text, c.class)
		_, card, err := Train(ByName(texts, classes), c.o)
		if err != nil {
			t.Fatal(err)
		}
		m := card.Held.Classes
		if m == nil {
			t.Fatalf("%s: nothing held out", c.file)
		}
		t.Logf("%s, %d of %d held out, %d classes, hidden %d: accuracy %.3f (commonest class %.3f), macro F1 %.3f, ECE %.3f", c.class, m.Texts, len(texts), len(m.Classes), c.o.Hidden, m.Accuracy, m.Majority, m.MacroF1, m.Calibration.ECE)
		if m.Accuracy < c.least || m.Accuracy < m.Majority+.2 || m.Calibration.ECE > .15 {
			t.Errorf("%s: %+v", c.class, m.Classes)
		}
	}
}
