// Package tune shows what every bound of a run's filter stage does, and what another would do. The judged columns of a
// ledger flow in and stay in memory; a local web page, and proposals of bounds for the command line, flow out. Each request
// judges every document anew: the numbers are those that a run with these bounds gives at that stage.
package tune

import (
	"fmt"
	"math"
	"slices"
	"sort"
	"strings"

	"winnow"
	"winnow/filter"
	"winnow/shard"
)

// Changes are bounds that differ from the run's: rule id, then language ("" is every language), then the sides that
// change. An infinite side is open.
type Changes = map[string]map[string]filter.BoundSpec

// Table holds the documents that reached one stage of a run: its signals, and by what documents are weighed and sliced.
type Table struct {
	Run     *shard.Run
	Stage   string          // label of the stage
	Rules   []winnow.Signal // of the stage, in the order in which they judge
	Bounds  filter.Bounds   // the run's, of these rules
	Docs    int
	Langs   []string // by number, most frequent first
	Domains []string // by number, most frequent first; "" is none

	values         [][]float32 // by rule, then document
	lang           []uint16
	domain         []uint32
	chars, tokens  []uint32
	fate           []uint8  // index of the stage that dropped the document; len(Run.Stages) where it was kept
	reached        []int64  // documents that reached each stage of the run
	text           []place  // where the text is stored
	ids, urls      packed   // by document
	base           *Outcome // under the run's own bounds
	folder         *shard.Folder
	dataFiles      []string
	dropped        []string
	quantilesCache cache
}

// place is the row of a stored text.
type place struct {
	file int32 // index in dataFiles, or in dropped as -1-index; 0 with row -1: not stored
	row  int32
}

// packed holds many strings in one piece of memory.
type packed struct {
	bytes []byte
	ends  []int
}

func (p *packed) add(s string) {
	p.bytes = append(p.bytes, s...)
	p.ends = append(p.ends, len(p.bytes))
}

func (p *packed) at(i int) string {
	from := 0
	if i > 0 {
		from = p.ends[i-1]
	}
	return string(p.bytes[from:p.ends[i]])
}

// Load reads the ledger of a run. stage is the label of a filter stage; empty is the first.
func Load(f *shard.Folder, stage string) (*Table, error) {
	t := &Table{Run: f.Run, folder: f, Bounds: filter.Bounds{}, dataFiles: f.Data, dropped: f.Dropped, reached: make([]int64, len(f.Run.Stages))}
	at := -1
	var labels []string
	for i, s := range f.Run.Stages {
		if s.Name != "filter" {
			continue
		}
		labels = append(labels, s.Label)
		if at < 0 && (stage == "" || stage == s.Label) {
			at = i
		}
	}
	if at < 0 {
		return nil, fmt.Errorf("run %s has no filter stage %s; it has: %s", f.Run.ID, stage, strings.Join(labels, ", "))
	}
	if len(f.Run.Stages) > math.MaxUint8 || len(f.Run.Stages[at].Signals) > math.MaxUint8 {
		return nil, fmt.Errorf("run %s: more than %d stages or rules", f.Run.ID, math.MaxUint8)
	}
	t.Stage, t.Rules = f.Run.Stages[at].Label, f.Run.Stages[at].Signals
	for _, r := range t.Rules {
		t.Bounds[r.ID] = map[string]winnow.Bound{"": winnow.Any}
		for lang, b := range f.Run.Bounds[r.ID] {
			t.Bounds[r.ID][lang] = winnow.Bound(b)
		}
	}
	t.values = make([][]float32, len(t.Rules))
	l := &loader{Table: t, at: at, langs: newNames(), domains: newNames()}
	for n := range f.Ledger {
		if err := l.file(f, n); err != nil {
			return nil, err
		}
	}
	t.Docs = len(t.lang)
	var err error
	if t.Langs, err = renumber(l.langs, t.lang); err != nil {
		return nil, fmt.Errorf("run %s: language: %w", f.Run.ID, err)
	}
	if t.Domains, err = renumber(l.domains, t.domain); err != nil {
		return nil, fmt.Errorf("run %s: domain: %w", f.Run.ID, err)
	}
	t.base = t.Judge(t.Bounds)
	return t, nil
}

// loader adds ledger files to a table.
type loader struct {
	*Table
	at             int // index of the stage
	langs, domains *names
}

// file reads one ledger file, and finds where each document's text is: data and dropped files of the same number hold the
// same documents in the same order.
func (l *loader) file(f *shard.Folder, n int) error {
	droppedIDs, err := column(f, f.Dropped, n, "id")
	if err != nil {
		return err
	}
	stages := map[string]int{"": len(f.Run.Stages)}
	for i, s := range f.Run.Stages {
		stages[s.Label] = i
	}
	numbers := []string{"kept", "chars", "token_count"}
	for _, r := range l.Rules {
		numbers = append(numbers, r.ID)
	}
	data, drop := 0, 0 // rows passed in the two files
	for c, err := range shard.ReadColumns(f.Store, f.Ledger[n], []string{"id", "url", "domain", "language", "stage"}, numbers) {
		if err != nil {
			return err
		}
		for i := range c.Rows {
			where := place{row: -1}
			if c.Numbers[0][i] == 1 {
				where = place{int32(n), int32(data)}
				data++
			} else if drop < len(droppedIDs) && droppedIDs[drop] == c.Text[0][i] {
				where = place{int32(-1 - n), int32(drop)}
				drop++
			}
			fate, known := stages[c.Text[4][i]]
			if !known { // damaged in the input
				continue
			}
			for s := range min(fate+1, len(l.reached)) {
				l.reached[s]++
			}
			if fate >= l.at {
				l.add(c, i, where, fate)
			}
		}
	}
	return nil
}

func (l *loader) add(c *shard.Columns, i int, where place, fate int) {
	l.text = append(l.text, where)
	l.fate = append(l.fate, uint8(fate))
	l.ids.add(c.Text[0][i])
	l.urls.add(c.Text[1][i])
	l.domain = append(l.domain, uint32(l.domains.number(c.Text[2][i])))
	l.lang = append(l.lang, uint16(l.langs.number(c.Text[3][i])))
	l.chars = append(l.chars, whole(c.Numbers[1][i]))
	l.tokens = append(l.tokens, whole(c.Numbers[2][i]))
	for r := range l.values {
		l.values[r] = append(l.values[r], float32(c.Numbers[3+r][i]))
	}
}

func whole(x float64) uint32 {
	if !(x > 0) {
		return 0
	}
	return uint32(min(x, math.MaxUint32))
}

// column reads one text column of the n-th file; none where there is no such file.
func column(f *shard.Folder, files []string, n int, name string) (out []string, err error) {
	if n >= len(files) {
		return nil, nil
	}
	for c, err := range shard.ReadColumns(f.Store, files[n], []string{name}, nil) {
		if err != nil {
			return nil, err
		}
		out = append(out, c.Text[0]...)
	}
	return out, nil
}

// names numbers strings in the order in which they come.
type names struct {
	at    map[string]int
	list  []string
	count []int
}

func newNames() *names { return &names{at: map[string]int{}} }

func (n *names) number(s string) int {
	i, ok := n.at[s]
	if !ok {
		i = len(n.list)
		n.at[s] = i
		n.list = append(n.list, s)
		n.count = append(n.count, 0)
	}
	n.count[i]++
	return i
}

// renumber puts the most frequent name first, and changes the numbers in place.
func renumber[N uint16 | uint32](n *names, numbers []N) ([]string, error) {
	if len(n.list) > int(^N(0)) {
		return nil, fmt.Errorf("%d different values are too many", len(n.list))
	}
	order := make([]int, len(n.list))
	for i := range order {
		order[i] = i
	}
	sort.SliceStable(order, func(a, b int) bool { return n.count[order[a]] > n.count[order[b]] })
	list, now := make([]string, len(order)), make([]N, len(order))
	for i, old := range order {
		list[i], now[old] = n.list[old], N(i)
	}
	for i, old := range numbers {
		numbers[i] = now[old]
	}
	return list, nil
}

// rule gives the index of a rule, or -1.
func (t *Table) rule(id string) int {
	return slices.IndexFunc(t.Rules, func(r winnow.Signal) bool { return r.ID == id })
}

// With gives the run's bounds with changes, as a recipe with these under set would: those for every language first, then
// those for one.
func (t *Table) With(ch Changes) filter.Bounds {
	out := make(filter.Bounds, len(t.Bounds))
	for id, byLang := range t.Bounds {
		all := ch[id][""]
		out[id] = make(map[string]winnow.Bound, len(byLang))
		for lang, b := range byLang {
			out[id][lang] = apply(all, b)
		}
		for lang, spec := range ch[id] {
			if lang != "" {
				out[id][lang] = apply(spec, out.Of(id, lang))
			}
		}
	}
	return out
}

func apply(s filter.BoundSpec, b winnow.Bound) winnow.Bound {
	if s.Min != nil {
		b.Min = float32(*s.Min)
	}
	if s.Max != nil {
		b.Max = float32(*s.Max)
	}
	return b
}
