package report

import (
	"cmp"
	"maps"
	"slices"

	"winnow"
	"winnow/shard"
)

// counter adds up rows.
type counter struct {
	run    *shard.Run
	judge  *Judge
	at     map[string]int // label of a stage -> its index; the first is reading
	ends   []Sizes        // documents by the stage that dropped them; last: kept
	rules  []*Rule        // first those with a bound, in the order of the ledger's columns
	index  map[string]int // id -> index in rules
	bound  int            // how many rules have a bound
	pairs  []int64        // documents that break rules i and j at i*bound+j, i < j
	checks map[string][]check
	broken []int
	by     map[string]map[string]*Group
	topics *topics // nil: no stage told any
}

// check is one rule as it stands for a language.
type check struct {
	column, rule, stage int
	bound               winnow.Bound
}

func newCounter(run *shard.Run) *counter {
	c := &counter{run: run, judge: NewJudge(run), at: map[string]int{"read": 0}, index: map[string]int{},
		checks: map[string][]check{}, by: map[string]map[string]*Group{}}
	for i, s := range run.Stages {
		c.at[s.Label] = i + 1
		for _, sig := range s.Signals {
			if c.judge.bounded(sig.ID) {
				c.rule(sig.ID, s.Label)
			}
		}
	}
	for _, id := range slices.Sorted(maps.Keys(run.Bounds)) { // a bound without a column is never evaluated
		if _, ok := c.index[id]; !ok && c.judge.bounded(id) {
			c.rule(id, "")
		}
	}
	c.ends = make([]Sizes, len(run.Stages)+2)
	c.bound = len(c.rules)
	c.pairs = make([]int64, c.bound*c.bound)
	for _, slice := range Slices {
		c.by[slice] = map[string]*Group{}
	}
	if c.topics = topicsOf(run); c.topics == nil {
		delete(c.by, "topic")
	}
	return c
}

// rule finds or begins the line of a rule.
func (c *counter) rule(id, stage string) *Rule {
	i, ok := c.index[id]
	if !ok {
		i = len(c.rules)
		sig := c.judge.signals[id]
		c.index[id], c.rules = i, append(c.rules, &Rule{ID: id, Stage: stage, EN: sig.EN, ZH: sig.ZH})
	}
	return c.rules[i]
}

func (c *counter) add(l *line) {
	end := len(c.ends) - 1
	if l.Verdict.Drop {
		end = c.at[l.Verdict.Stage]
	}
	c.ends[end].add(&l.Row)
	c.countRules(l)
	for _, slice := range Slices {
		var key string
		if slice != "topic" {
			key = l.key(slice)
		} else if c.topics != nil {
			key = c.topics.of(l)
		} else {
			continue
		}
		g := c.by[slice][key]
		if g == nil {
			g = &Group{Key: key}
			c.by[slice][key] = g
		}
		g.Read.add(&l.Row)
		if !l.Verdict.Drop {
			g.Kept.add(&l.Row)
		}
	}
}

func (l *line) key(slice string) string {
	switch slice {
	case "language":
		return cmp.Or(l.Doc.Language, "-")
	case "domain":
		return cmp.Or(l.domain, "-")
	case "source":
		return l.Doc.File
	case "length":
		return lengthKey(l.Chars)
	}
	return cmp.Or(l.Doc.Dump, "-")
}

// checksOf lists the rules that bind a language, in the order of the ledger's columns.
func (c *counter) checksOf(language string) []check {
	list, ok := c.checks[language]
	if ok {
		return list
	}
	for i, s := range c.run.Stages {
		for k, sig := range s.Signals {
			if b, ok := c.judge.Bound(sig.ID, language); ok && !b.Open() {
				list = append(list, check{s.First + k, c.index[sig.ID], i, b})
			}
		}
	}
	c.checks[language] = list
	return list
}

func (c *counter) countRules(l *line) {
	v := &l.Verdict
	c.broken = c.broken[:0]
	first, stage, judged := 0, -1, false
	solo := func() {
		if len(c.broken) == first+1 {
			c.rules[c.broken[first]].Solo++
		}
	}
	for _, k := range c.checksOf(l.Doc.Language) {
		x := l.Doc.Signals[k.column]
		if !winnow.Measured(x) {
			continue
		}
		c.rules[k.rule].Measured++
		if k.bound.Holds(x) {
			continue
		}
		if k.stage != stage {
			solo()
			first, stage = len(c.broken), k.stage
		}
		c.rules[k.rule].Any++
		for _, other := range c.broken {
			c.pairs[min(other, k.rule)*c.bound+max(other, k.rule)]++
		}
		c.broken = append(c.broken, k.rule)
		judged = judged || v.Drop && c.rules[k.rule].ID == v.Rule
	}
	solo()
	if !v.Drop {
		return
	}
	r := c.rule(v.Rule, v.Stage)
	r.First++
	if winnow.Measured(v.Value) {
		r.values = append(r.values, v.Value)
	}
	if !judged { // a reason that is no signal: nothing else was asked
		r.Any++
		r.Solo++
	}
}

// funnel adds up from the end: what a stage kept is what was dropped after it, or never.
func (c *counter) funnel() []Stage {
	stages := make([]Stage, len(c.ends)-1)
	stages[0] = Stage{Label: "read", name: "read", Seconds: c.run.Spent["read"]}
	for i, s := range c.run.Stages {
		stages[i+1] = Stage{Label: s.Label, name: s.Name, Seconds: s.Seconds}
	}
	left := c.ends[len(stages)]
	for i := len(stages) - 1; i >= 0; i-- {
		stages[i].Kept = left
		left.plus(c.ends[i])
		stages[i].In = left
	}
	return stages
}

// ruleLines gives the rules that did something, and those that have a bound and did nothing.
func (c *counter) ruleLines() (active, silent []Rule) {
	active, silent = []Rule{}, []Rule{}
	var languages []string // the most frequent first
	for _, g := range sorted(c.by["language"]) {
		languages = append(languages, g.Key)
	}
	for _, r := range c.rules {
		r.Bound = c.judge.bounds(r.ID, languages)
		if r.First == 0 && r.Any == 0 {
			silent = append(silent, *r)
			continue
		}
		if len(r.values) > 0 {
			slices.Sort(r.values)
			r.Median = r.values[len(r.values)/2]
		}
		active = append(active, *r)
	}
	slices.SortFunc(active, func(a, b Rule) int {
		return cmp.Or(cmp.Compare(b.First, a.First), cmp.Compare(b.Any, a.Any), cmp.Compare(a.ID, b.ID))
	})
	slices.SortStableFunc(silent, func(a, b Rule) int { return cmp.Compare(min(a.Measured, 1), min(b.Measured, 1)) })
	return active, silent
}

func (c *counter) overlap() []Pair {
	out := []Pair{}
	for i, a := range c.rules[:c.bound] {
		for j := i + 1; j < c.bound; j++ {
			if n := c.pairs[i*c.bound+j]; n > 0 {
				out = append(out, Pair{a.ID, c.rules[j].ID, n})
			}
		}
	}
	slices.SortStableFunc(out, func(x, y Pair) int { return cmp.Compare(y.Documents, x.Documents) })
	return out
}
