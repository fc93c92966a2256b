package tune

import (
	"context"
	"slices"
	"sort"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"winnow"
	"winnow/filter"
	"winnow/shard"
)

type statsKey struct {
	rule  int
	slice Slice
}

// cache keeps what requests have sorted, up to a few entries.
type cache struct {
	mu    sync.Mutex
	stats map[statsKey]*Stats
}

func (c *cache) get(k statsKey, work func() *Stats) *Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	if st, ok := c.stats[k]; ok {
		return st
	}
	if c.stats == nil || len(c.stats) > 512 {
		c.stats = map[statsKey]*Stats{}
	}
	st := work()
	c.stats[k] = st
	return st
}

// texts reads single stored texts. Files are cut at row groups, of which one is read for one text.
type texts struct {
	table *Table
	mu    sync.Mutex
	parts map[string][]part // by file

	stages map[[2]string]*filter.Stage // by rule and language: whose bound is out of reach
}

// part is a row group.
type part struct {
	winnow.Shard
	first int64 // row of the file that it begins with; -1 while not known
}

// text gives the text of a document; ok is false where the run did not store it.
func (x *texts) text(doc int) (text string, ok bool, err error) {
	where := x.table.text[doc]
	if where.row < 0 {
		return "", false, nil
	}
	path := ""
	if where.file >= 0 {
		path = x.table.dataFiles[where.file]
	} else {
		path = x.table.dropped[-1-where.file]
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	source := shard.Source([]string{path}, shard.SourceOptions{ShardBytes: 1, Files: x.table.folder.Store.Files()})
	if x.parts[path] == nil {
		if err := x.cut(path, source); err != nil {
			return "", false, err
		}
	}
	parts := x.parts[path]
	var failed error
	i := sort.Search(len(parts), func(i int) bool {
		if parts[i].first < 0 {
			first, err := firstRow(source, parts[i].Shard)
			if err != nil {
				failed = err
			}
			parts[i].first = first
		}
		return parts[i].first > int64(where.row)
	}) - 1
	if failed != nil || i < 0 {
		return "", false, failed
	}
	for d, err := range source.Read(context.Background(), parts[i].Shard, &winnow.Tally{}) {
		if err != nil {
			return "", false, err
		}
		if d.Offset == int64(where.row) {
			return d.Text, true, nil
		}
	}
	return "", false, nil
}

func (x *texts) cut(path string, source winnow.Source) error {
	shards, err := source.Shards(context.Background())
	if err != nil {
		return err
	}
	if x.parts == nil {
		x.parts = map[string][]part{}
	}
	for i, s := range shards {
		for j := range s.Parts {
			s.Parts[j].Whole = false // whole files are hashed
		}
		p := part{s, -1}
		if i == 0 {
			p.first = 0
		}
		x.parts[path] = append(x.parts[path], p)
	}
	return nil
}

func firstRow(source winnow.Source, s winnow.Shard) (int64, error) {
	for d, err := range source.Read(context.Background(), s, &winnow.Tally{}) {
		if err != nil {
			return 0, err
		}
		return d.Offset, nil
	}
	return 0, nil
}

// evidence shows what in a text made a rule's value: what the filter stage would say of it, were the bound out of reach.
func (x *texts) evidence(rule, language, text string) string {
	x.mu.Lock()
	defer x.mu.Unlock()
	key := [2]string{rule, language}
	stage, made := x.stages[key]
	if !made {
		far, beyond := 1e38, 2e38
		unreachable := map[string]filter.BoundSpec{"": {Min: &far, Max: &beyond}}
		if language != "" {
			unreachable[language] = unreachable[""]
		}
		stage, _ = filter.New(filter.Options{Use: []string{rule}, Set: map[string]map[string]filter.BoundSpec{rule: unreachable}})
		if x.stages == nil {
			x.stages = map[[2]string]*filter.Stage{}
		}
		x.stages[key] = stage // nil for what is no rule of a family
	}
	if stage == nil {
		return ""
	}
	v, _, err := stage.Apply(context.Background(), &winnow.Document{Text: text, Language: language})
	if err != nil || v.Rule != rule {
		return ""
	}
	return v.Detail
}

// Span is a piece of a text.
type Span struct {
	Text string
	Mark bool
}

// marked cuts a text at the places that evidence quotes.
func marked(text, evidence string) []Span {
	out := []Span{}
	from := 0
	for _, m := range places(text, evidence) {
		if m[0] < from {
			continue
		}
		out = append(out, Span{text[from:m[0]], false}, Span{text[m[0]:m[1]], true})
		from = m[1]
	}
	return append(out, Span{text[from:], false})
}

// places finds up to 50 places of what evidence quotes; quotes are Go strings.
func places(text, evidence string) (out [][2]int) {
	const most = 50
	for rest := evidence; ; {
		i := strings.IndexByte(rest, '"')
		if i < 0 {
			break
		}
		q, err := strconv.QuotedPrefix(rest[i:])
		if err != nil {
			break
		}
		rest = rest[i+len(q):]
		s, _ := strconv.Unquote(q)
		if strings.TrimSpace(s) == "" {
			continue
		}
		for at := 0; len(out) < most; {
			k := strings.Index(text[at:], s)
			if k < 0 {
				break
			}
			out = append(out, [2]int{at + k, at + k + len(s)})
			at += k + len(s)
		}
	}
	slices.SortFunc(out, func(a, b [2]int) int { return a[0] - b[0] })
	return out
}

// excerpt is the beginning of a text with its spans, or the neighbourhood of the first mark, in about n characters and on
// one line.
func excerpt(text, evidence string, n int) (out []Span) {
	if p := places(text, evidence); len(p) > 0 {
		if from := back(text, p[0][0], n/3); from > 0 {
			text = text[from:]
			out = append(out, Span{"… ", false})
		}
	}
	left := n
	for _, s := range marked(text, evidence) {
		runes := []rune(s.Text)
		cut := min(left, len(runes))
		if out = append(out, Span{oneLine.Replace(string(runes[:cut])), s.Mark}); cut < len(runes) {
			return append(out, Span{" …", false})
		}
		left -= cut
	}
	return out
}

var oneLine = strings.NewReplacer("\n", " ", "\r", " ", "\t", " ")

// back goes n characters back from a place in a text.
func back(text string, at, n int) int {
	for ; n > 0 && at > 0; n-- {
		_, size := utf8.DecodeLastRuneInString(text[:at])
		at -= size
	}
	return at
}
