// Package engine runs stages over shards. A Plan goes in; a run folder comes out (package shard says what lies in it).
//
// Everything runs as a task, and a task can run alone: Map works off one shard within one pass, Group compares the records
// of one hash partition, Resolve settles one Corpus stage, Pack writes one data file with its ledger and dropped texts. A
// task's outputs carry attempt names; its manifest, created last and only if absent, names them. A manifest with another
// key means "not done". What a task gives depends on its key alone.
package engine

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"

	"winnow"
	"winnow/shard/store"
)

// Plan is all that a run depends on.
type Plan struct {
	Name    string // of the recipe
	Recipe  []byte // its exact bytes
	Program string // version, for run.json
	Source  winnow.Source
	Shards  []winnow.Shard
	Steps   []Step
	Bounds  map[string]map[string]winnow.Bound // rule -> language ("" any other) -> bound, for the report
	Params  map[string]string                  // facts of stages worth keeping with the run, as bands and rows of a dedup

	Close func() error // releases what the stages hold: connections, cache files

	Root     string       // folder of all runs: of the disk, or a URL that Store takes
	Store    *store.Store // nil: the disk alone
	Dropped  Dropped
	FileSize int64 // bytes of text in one data file
	Seed     uint64
	Tokens   func(text string) (int64, error) // counts the GPT-2 tokens of kept documents
}

// Step is one stage of the recipe under the label that verdicts and reports use.
type Step struct {
	Label   string
	Stage   winnow.Stage
	Against []string // folders of earlier runs that a Corpus stage compares with
}

// Dropped says which texts of dropped documents are stored.
type Dropped string

const (
	DroppedAll    Dropped = "all"
	DroppedSample Dropped = "sample" // the bottom 1000 of each rule by hash of seed and id
	DroppedNone   Dropped = "none"
)

// pass is a run of Each and Batch stages, and the Corpus stages that end it.
type pass struct {
	local, corpora []int // indexes into Plan.Steps
}

// passes cuts the steps after each run of Corpus stages, and behind each one that cuts texts, so that the next sees what is
// left; and in front of each Batch, so that what asks a network is a wave of its own, with as few workers as the network takes.
// There is always a last pass without Corpus stages.
func passes(steps []Step) []pass {
	out, cuts := []pass{{}}, false
	for i, s := range steps {
		p := &out[len(out)-1]
		if c, ok := s.Stage.(winnow.Corpus); ok {
			if cuts && len(p.corpora) > 0 {
				out = append(out, pass{})
				p = &out[len(out)-1]
			}
			p.corpora, cuts = append(p.corpora, i), c.Layout().Cuts
			continue
		}
		if _, batch := s.Stage.(winnow.Batch); len(p.corpora) > 0 || batch && len(p.local) > 0 {
			out = append(out, pass{})
			p = &out[len(out)-1]
		}
		p.local = append(p.local, i)
	}
	if len(out[len(out)-1].corpora) > 0 {
		out = append(out, pass{})
	}
	return out
}

// Signals lists the ledger's signal columns.
func (p *Plan) Signals() (all []winnow.Signal) {
	for i := range p.Steps {
		all = append(all, p.SignalsOf(i)...)
	}
	return all
}

// SignalsOf lists the columns of step i. What an earlier step measures already has its step's label behind it:
// gopher.words@filter-2. Verdicts name rules the same way.
func (p *Plan) SignalsOf(i int) []winnow.Signal {
	own := slices.Clone(p.Steps[i].Stage.Signals())
	for k := range own {
		own[k].ID = p.Column(i, own[k].ID)
	}
	return own
}

// Column is the name under which the ledger has a signal, or a rule, of step i.
func (p *Plan) Column(i int, id string) string {
	for _, s := range p.Steps[:i] {
		if slices.ContainsFunc(s.Stage.Signals(), func(sig winnow.Signal) bool { return sig.ID == id }) {
			return id + "@" + p.Steps[i].Label
		}
	}
	return id
}

// first gives the index of the first signal column of each step, and one more for the end.
func (p *Plan) first() []int {
	out := make([]int, len(p.Steps)+1)
	for i, s := range p.Steps {
		out[i+1] = out[i] + len(s.Stage.Signals())
	}
	return out
}

// RunID names the run: the recipe's name and 6 hex digits over recipe, inputs' names and sizes, and stage versions.
func (p *Plan) RunID() string {
	type input struct {
		File       string
		Start, End int64
	}
	var inputs []input
	for _, s := range p.Shards {
		for _, r := range s.Parts {
			inputs = append(inputs, input{r.File, r.Start, r.End})
		}
	}
	return p.Name + "-" + key("run", string(p.Recipe), inputs, p.versions(len(p.Steps), true), p.Dropped, p.FileSize)[:6]
}

// versions identifies the first n steps; with bounds also what only judges.
func (p *Plan) versions(n int, bounds bool) []string {
	var out []string
	for _, s := range p.Steps[:n] {
		out = append(out, s.Label, s.Stage.Version())
		if j, ok := s.Stage.(winnow.Judged); ok && bounds {
			out = append(out, j.Bounds())
		}
	}
	return out
}

// format is part of every key: the version of the files that tasks leave for one another.
const format = "winnow/1"

// key hashes what a task's result depends on.
func key(parts ...any) string {
	b, err := json.Marshal(append([]any{format}, parts...))
	if err != nil {
		panic(fmt.Sprintf("engine: key: %v", err)) // only plain values are ever passed
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:16])
}

func (r *run) mapKey(p, n int) string {
	var before []string
	for q := range p {
		for _, c := range r.passes[q].corpora {
			before = append(before, r.resolveKey(q, c))
		}
	}
	end := 0
	for q := 0; q <= p; q++ {
		for _, i := range r.passes[q].local {
			end = max(end, i+1)
		}
	}
	return key("map", p, r.Shards[n].Fingerprint, r.versions(end, true), r.sketchVersions(p), before, p == len(r.passes)-1, r.Dropped == DroppedNone)
}

func (r *run) sketchVersions(p int) (out []string) {
	for _, c := range r.passes[p].corpora {
		out = append(out, r.Steps[c].Stage.Version())
	}
	return out
}

func (r *run) groupKey(p, i, part int) string { return key("group", part, r.resolveKey(p, i)) }

func (r *run) resolveKey(p, c int) string {
	if k, ok := r.resolveKeys[c]; ok {
		return k
	}
	maps := make([]string, len(r.Shards))
	for n := range maps {
		maps[n] = r.mapKey(p, n)
	}
	k := key("resolve", c, maps, r.againstKeys[c])
	r.resolveKeys[c] = k
	return k
}
