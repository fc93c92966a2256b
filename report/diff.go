package report

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/zeebo/xxh3"

	"winnow"
	"winnow/shard"
)

// Diff is what changed from run A to run B.
type Diff struct {
	A      *Report  `json:"a"`
	B      *Report  `json:"b"`
	Bounds []Change `json:"bounds"` // rule and language -> bound
	Stages []Change `json:"stages"` // label -> version and parameters
	Rules  []Counts `json:"rules"`  // documents whose verdict a rule is, where that changed; by size of the change
	Both   int64    `json:"both"`   // documents that both runs read; by id, so an id must not stand twice in a run
	OnlyA  Sizes    `json:"only_a"` // read by A alone: documents, characters and tokens
	OnlyB  Sizes    `json:"only_b"`
	Gained Flips    `json:"gained"` // dropped in A, kept in B
	Lost   Flips    `json:"lost"`   // kept in A, dropped in B
	Moved  int64    `json:"moved"`  // dropped in both, for another reason
}

// Change is a setting of both runs; empty where a run does not have it.
type Change struct {
	Key string `json:"key"`
	A   string `json:"a"`
	B   string `json:"b"`
}

// Counts is a number of both runs.
type Counts struct {
	Key string `json:"key"`
	A   int64  `json:"a"`
	B   int64  `json:"b"`
}

// Flips are documents whose fate differs.
type Flips struct {
	Sizes   Sizes      `json:"sizes"` // as B's ledger has them
	Rules   []Counts   `json:"rules"` // the reasons in A of what was gained, in B of what was lost, most frequent first
	Samples []*Example `json:"samples"`
}

// fate is what became of a document in a run: an index of its reason, 0 for none, and its size.
type fate struct {
	reason int32
	tokens int32
	chars  int64
}

// NewDiff compares two runs, with n samples of what was gained and as many of what was lost. It holds some
// 50 bytes for every document of A.
func NewDiff(a, b *shard.Folder, n int) (*Diff, error) {
	d := &Diff{Stages: stageChanges(a.Run, b.Run)}
	var err error
	if d.A, err = New(a); err != nil {
		return nil, err
	}
	if d.B, err = New(b); err != nil {
		return nil, err
	}
	d.Bounds = boundChanges(d.A, d.B)
	first := map[string]Counts{}
	for _, r := range d.A.Rules {
		first[r.ID] = Counts{r.ID, r.First, 0}
	}
	for _, r := range d.B.Rules {
		first[r.ID] = Counts{r.ID, first[r.ID].A, r.First}
	}
	d.Rules = slices.DeleteFunc(slices.Collect(maps.Values(first)), func(c Counts) bool { return c.A == c.B })
	slices.SortFunc(d.Rules, func(x, y Counts) int {
		return cmp.Or(cmp.Compare(max(y.A-y.B, y.B-y.A), max(x.A-x.B, x.B-x.A)), strings.Compare(x.Key, y.Key))
	})
	return d, d.match(a, b, n)
}

// match walks both ledgers by id.
func (d *Diff) match(a, b *shard.Folder, n int) error {
	reasons := newNames()
	before := map[uint64]fate{}
	for l, err := range ids(a) {
		if err != nil {
			return err
		}
		before[l.key] = fate{reasons.of(l.rule), int32(l.sizes.Tokens), l.sizes.Chars}
	}
	gained, lost := map[string]int64{}, map[string]int64{}
	up, down := &nearest{n: n}, &nearest{n: n}
	for l, err := range ids(b) {
		if err != nil {
			return err
		}
		was, ok := before[l.key]
		if !ok {
			d.OnlyB.plus(l.sizes)
			continue
		}
		delete(before, l.key)
		d.Both++
		at := line{at: l.at}
		at.Verdict.Drop = l.rule != ""
		switch then := reasons.list[was.reason]; {
		case then != "" && l.rule == "":
			d.Gained.Sizes.plus(l.sizes)
			gained[then]++
			up.add(drawPlace(b.Run.Seed, l.at), &at, winnow.NotMeasured, winnow.Any)
		case then == "" && l.rule != "":
			d.Lost.Sizes.plus(l.sizes)
			lost[l.rule]++
			down.add(drawPlace(b.Run.Seed, l.at), &at, winnow.NotMeasured, winnow.Any)
		case then != l.rule:
			d.Moved++
		}
	}
	for _, left := range before {
		d.OnlyA.plus(Sizes{Documents: 1, Chars: left.chars, Tokens: int64(left.tokens)})
	}
	d.Gained.Rules, d.Lost.Rules = counted(gained, true), counted(lost, false)
	d.Gained.Samples, d.Lost.Samples = up.examples(), down.examples()
	if err := fetch(b, slices.Concat(d.Gained.Samples, d.Lost.Samples)); err != nil {
		return err
	}
	return fetchReasons(a, d.Gained.Samples)
}

// names numbers strings as they come; the empty one is 0.
type names struct {
	list  []string
	index map[string]int32
}

func newNames() *names { return &names{[]string{""}, map[string]int32{"": 0}} }

func (n *names) of(s string) int32 {
	i, ok := n.index[s]
	if !ok {
		i = int32(len(n.list))
		n.list, n.index[s] = append(n.list, s), i
	}
	return i
}

func counted(m map[string]int64, inA bool) []Counts {
	out := []Counts{}
	for rule, n := range m {
		c := Counts{Key: rule, B: n}
		if inA {
			c = Counts{Key: rule, A: n}
		}
		out = append(out, c)
	}
	slices.SortFunc(out, func(x, y Counts) int { return cmp.Or(cmp.Compare(y.A+y.B, x.A+x.B), strings.Compare(x.Key, y.Key)) })
	return out
}

// identified is a ledger row by the hash of its document's id.
type identified struct {
	key   uint64
	rule  string // empty: kept
	sizes Sizes
	at    place
}

func ids(f *shard.Folder) func(yield func(identified, error) bool) {
	return func(yield func(identified, error) bool) {
		for i, file := range f.Ledger {
			row := 0
			for c, err := range shard.ReadColumns(f.Store, file, []string{"id", "rule"}, []string{"raw_bytes", "bytes", "chars", "token_count"}) {
				if err != nil {
					yield(identified{}, err)
					return
				}
				for k, id := range c.Text[0] {
					number := func(i int) int64 { return int64(c.Numbers[i][k]) }
					l := identified{xxh3.HashString(id), c.Text[1][k], Sizes{1, number(0), number(1), number(2), number(3)}, place{i, row}}
					if row++; !yield(l, nil) {
						return
					}
				}
			}
		}
	}
}

// fetchReasons puts why a document was dropped in run A into samples of what was gained.
func fetchReasons(a *shard.Folder, samples []*Example) error {
	byID := map[string]*Example{}
	for _, s := range samples {
		byID[s.ID] = s
	}
	for _, file := range a.Ledger {
		if len(byID) == 0 {
			return nil
		}
		for c, err := range shard.ReadColumns(a.Store, file, []string{"id", "rule", "detail"}, []string{"value"}) {
			if err != nil {
				return err
			}
			for k, id := range c.Text[0] {
				if s := byID[id]; s != nil {
					s.Rule, s.Detail, s.Value = c.Text[1][k], c.Text[2][k], number(float32(c.Numbers[0][k]))
					delete(byID, id)
				}
			}
		}
	}
	return nil
}

// boundChanges sets side by side what binds each language that either run read. Languages that changed alike share a line;
// those that changed as all others did are not named,
// and those lines come first.
func boundChanges(a, b *Report) []Change {
	out := []Change{}
	languages := map[string]bool{"": true}
	for _, g := range slices.Concat(a.By["language"], b.By["language"]) {
		languages[g.Key] = true
	}
	x, y := NewJudge(a.Run), NewJudge(b.Run)
	both := maps.Clone(a.Run.Bounds)
	if both == nil {
		both = map[string]map[string]shard.Bound{}
	}
	maps.Copy(both, b.Run.Bounds)
	for _, rule := range slices.Sorted(maps.Keys(both)) {
		alike := map[Change][]string{} // languages by what changed
		var order []Change
		for _, lang := range slices.Sorted(maps.Keys(languages)) {
			c := Change{rule, x.boundText(rule, lang), y.boundText(rule, lang)}
			if c.A == c.B {
				continue
			}
			if alike[c] == nil {
				order = append(order, c)
			}
			alike[c] = append(alike[c], lang)
		}
		for _, c := range order {
			if list := alike[c]; list[0] != "" {
				c.Key += " " + strings.Join(list, " ")
			}
			out = append(out, c)
		}
	}
	named := func(c Change) int { return strings.Count(c.Key, " ") }
	slices.SortStableFunc(out, func(x, y Change) int { return cmp.Compare(min(named(x), 1), min(named(y), 1)) })
	return out
}

// boundText is the bound of a rule for a language; empty where there is none.
func (j *Judge) boundText(rule, language string) string {
	if b, ok := j.Bound(rule, language); ok {
		return b.String()
	}
	return ""
}

func stageChanges(a, b *shard.Run) []Change {
	flat := func(r *shard.Run) map[string]string {
		out := map[string]string{}
		for _, s := range r.Stages {
			out[s.Label] = s.Version
			if s.Kind == "corpus" || r.Dedup[s.Label] != "" {
				out[s.Label] = cmp.Or(r.Dedup[s.Label], s.Version)
			}
		}
		return out
	}
	out := changes(flat(a), flat(b))
	order := func(r *shard.Run) string {
		var labels []string
		for _, s := range r.Stages {
			labels = append(labels, s.Label)
		}
		return strings.Join(labels, " > ")
	}
	if x, y := order(a), order(b); x != y {
		out = append([]Change{{"order", x, y}}, out...)
	}
	return out
}

func changes(a, b map[string]string) []Change {
	out := []Change{}
	both := maps.Clone(a)
	maps.Copy(both, b)
	for _, k := range slices.Sorted(maps.Keys(both)) {
		if a[k] != b[k] {
			out = append(out, Change{k, a[k], b[k]})
		}
	}
	return out
}
