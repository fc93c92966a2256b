package report

import (
	"iter"
	"slices"
	"strconv"
	"strings"

	"winnow"
	"winnow/shard"
	"winnow/shard/store"
)

// line is one ledger row with the columns that counting needs, and where it stands.
type line struct {
	shard.Row
	domain string
	at     place
}

// place is a row of the ledger: the index of its file, and the row's number in it.
type place struct{ file, row int }

var (
	lineText    = []string{"domain", "dump", "file_path", "language", "stage", "rule", "cluster"}
	lineNumbers = []string{"raw_bytes", "bytes", "chars", "token_count", "kept", "value", "cluster_size"}
)

// lines streams the ledger by columns, leaving out what counts nothing: ids, URLs, titles, evidence, edits. It allocates a
// tenth of what whole rows do. The line holds
// until the next step. An error ends the stream.
func lines(f *shard.Folder) iter.Seq2[*line, error] {
	numbers := slices.Clone(lineNumbers)
	for _, s := range f.Run.Stages {
		for _, sig := range s.Signals {
			numbers = append(numbers, sig.ID)
		}
	}
	return func(yield func(*line, error) bool) {
		l := &line{}
		l.Doc.Signals = make([]float32, len(numbers)-len(lineNumbers))
		for i, file := range f.Ledger {
			l.at = place{i, -1}
			for c, err := range shard.ReadColumns(f.Store, file, lineText, numbers) {
				if err != nil {
					yield(nil, err)
					return
				}
				for k := range c.Rows {
					l.at.row++
					l.take(c, k)
					if !yield(l, nil) {
						return
					}
				}
			}
		}
	}
}

func (l *line) take(c *shard.Columns, k int) {
	for i, to := range []*string{&l.domain, &l.Doc.Dump, &l.Doc.File, &l.Doc.Language, &l.Verdict.Stage, &l.Verdict.Rule, &l.Cluster} {
		*to = c.Text[i][k]
	}
	for i, to := range []*int64{&l.Doc.RawBytes, &l.Bytes, &l.Chars, &l.Doc.TokenCount} {
		*to = int64(c.Numbers[i][k])
	}
	l.Verdict.Drop = c.Numbers[4][k] == 0
	l.Verdict.Value = float32(c.Numbers[5][k])
	l.ClusterSize = 0
	if size := c.Numbers[6][k]; size > 1 {
		l.ClusterSize = int32(size)
	} else {
		l.Cluster = "" // a document alone
	}
	for i := range l.Doc.Signals {
		l.Doc.Signals[i] = float32(c.Numbers[len(lineNumbers)+i][k])
	}
}

// Example is one document as evidence.
type Example struct {
	ID       string `json:"id"`
	URL      string `json:"url,omitempty"`
	Language string `json:"language,omitempty"`
	Kept     bool   `json:"kept"`
	Rule     string `json:"rule,omitempty"`   // that dropped it
	Value    string `json:"value,omitempty"`  // of the rule that it is a sample of
	Bound    string `json:"bound,omitempty"`  // of that rule, for its language
	Detail   string `json:"detail,omitempty"` // evidence of the verdict
	Text     string `json:"text,omitempty"`   // how it begins, on one line; empty where the run did not store it
	at       place
}

// excerptChars is how much of a text a sample shows, in code points.
const excerptChars = 280

// fetch fills in what the ledger and the stored texts know of samples, of which only their places, values and bounds are
// known. It reads the files that samples stand in, and of texts no more than it must.
func fetch(f *shard.Folder, samples []*Example) error {
	byFile := map[int]map[int][]*Example{}
	for _, s := range samples {
		if byFile[s.at.file] == nil {
			byFile[s.at.file] = map[int][]*Example{}
		}
		byFile[s.at.file][s.at.row] = append(byFile[s.at.file][s.at.row], s)
	}
	for i, file := range f.Ledger {
		if byFile[i] == nil {
			continue
		}
		if err := fetchRows(f, file, byFile[i]); err != nil {
			return err
		}
		kept, dropped := map[string][]*Example{}, map[string][]*Example{}
		for _, list := range byFile[i] {
			for _, s := range list {
				if s.Kept {
					kept[s.ID] = append(kept[s.ID], s)
				} else {
					dropped[s.ID] = append(dropped[s.ID], s)
				}
			}
		}
		if err := fetchTexts(f, sibling(f.Data, file), kept); err != nil {
			return err
		}
		if err := fetchTexts(f, sibling(f.Dropped, file), dropped); err != nil {
			return err
		}
	}
	return nil
}

// sibling is the file of the same number as a ledger file, or empty where there is none.
func sibling(files []string, ledger string) string {
	i := slices.IndexFunc(files, func(p string) bool { return store.Base(p) == store.Base(ledger) })
	if i < 0 {
		return ""
	}
	return files[i]
}

func fetchRows(f *shard.Folder, file string, byRow map[int][]*Example) error {
	row := 0
	for c, err := range shard.ReadColumns(f.Store, file, []string{"id", "url", "language", "rule", "detail"}, []string{"kept", "value"}) {
		if err != nil {
			return err
		}
		for k := range c.Rows {
			for _, s := range byRow[row] {
				s.ID, s.URL, s.Language, s.Rule, s.Detail = c.Text[0][k], c.Text[1][k], c.Text[2][k], c.Text[3][k], c.Text[4][k]
				s.Kept = c.Numbers[0][k] == 1
				if s.Value == "" {
					s.Value = number(float32(c.Numbers[1][k]))
				}
			}
			row++
		}
	}
	return nil
}

func fetchTexts(f *shard.Folder, file string, byID map[string][]*Example) error {
	if file == "" || len(byID) == 0 {
		return nil
	}
	left := len(byID)
	for c, err := range shard.ReadColumns(f.Store, file, []string{"id", "text"}, nil) {
		if err != nil {
			return err
		}
		for k, id := range c.Text[0] {
			for i, s := range byID[id] {
				if i == 0 {
					left--
				}
				s.Text = Excerpt(c.Text[1][k], excerptChars)
			}
		}
		if left <= 0 {
			return nil
		}
	}
	return nil
}

// topics are the names of the classes that a quality stage with topics sorted documents into, and the column of their number.
type topics struct {
	column int // of Document.Signals
	names  []string
}

// topicsOf finds the first such stage of a run; nil where there is none. Its signal's label holds the names: "topic: 0 food; 1 sport".
func topicsOf(run *shard.Run) *topics {
	column := 0
	for _, s := range run.Stages {
		for _, sig := range s.Signals {
			if list, ok := strings.CutPrefix(sig.EN, "topic: "); ok && sig.ID == "quality.topic" {
				t := &topics{column: column}
				for _, part := range strings.Split(list, "; ") {
					_, name, _ := strings.Cut(part, " ")
					t.names = append(t.names, name)
				}
				return t
			}
			column++
		}
	}
	return nil
}

// of is the name of a row's topic; "-" where it was not measured.
func (t *topics) of(l *line) string {
	v := l.Doc.Signals[t.column]
	if !winnow.Measured(v) {
		return "-"
	}
	if n := int(v); n >= 0 && n < len(t.names) {
		return t.names[n]
	}
	return strconv.Itoa(int(v))
}
