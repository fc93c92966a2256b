package engine

import (
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/zeebo/xxh3"

	"winnow"
	"winnow/pipelines/engine/compare"
	"winnow/shard"
	"winnow/shard/store"
)

// known is an earlier run that a Corpus stage compares with: by its stored sketches and its ledger, never by its texts.
type known struct {
	store  *store.Store
	dir    string
	info   *shard.Run
	stage  int // of that run, whose sketches hold the same
	layout winnow.Layout
	found  []compare.Shard
	key    string

	once sync.Once
	err  error
}

// openKnown opens the earlier runs that the plan's Corpus stages name.
func (r *run) openKnown() error {
	for i, s := range r.Steps {
		for _, dir := range s.Against {
			k, err := openKnown(r.Store, dir, s.Stage.(winnow.Corpus).Layout())
			if err != nil {
				return fmt.Errorf("stage %s: against %s: %w", s.Label, dir, err)
			}
			r.known[i] = append(r.known[i], k)
			r.againstKeys[i] = append(r.againstKeys[i], k.key)
		}
	}
	return nil
}

func openKnown(s *store.Store, dir string, l winnow.Layout) (*known, error) {
	info, err := shard.ReadRun(s, dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errors.New("there is no such run; if it was removed, take it out of the recipe")
	}
	if err != nil {
		return nil, err
	}
	if info.State != shard.Done {
		return nil, fmt.Errorf("the run is not finished: %s", info.State)
	}
	k := &known{store: s, dir: dir, info: info, layout: l, stage: -1}
	var have []string
	pass, place, at := 0, 0, 0 // of each stage: its pass, and its place among the pass's Corpus stages
	for i, s := range info.Stages {
		if s.Kind != "corpus" {
			continue
		}
		if place++; s.Pass != pass {
			pass, place = s.Pass, 0
		}
		have = append(have, s.Sketches)
		if s.Sketches == l.Records && k.stage < 0 {
			k.stage, at = i, place
		}
	}
	if k.stage < 0 {
		return nil, fmt.Errorf("no stage of it left sketches of the kind %q; there are: %s", l.Records, strings.Join(have, ", "))
	}
	return k, k.manifests(info.Stages[k.stage].Pass-1, at)
}

// manifests finds the sketch files.
func (k *known) manifests(pass, place int) error {
	var keys []string
	for n := range k.info.Shards {
		m, err := shard.ReadManifest(k.store, store.Join(k.dir, "tasks", mapName(pass, n)+".json"))
		if err != nil {
			return err
		}
		if 1+place >= len(m.Outputs) {
			return fmt.Errorf("task %s left no sketches", m.Task)
		}
		path := store.Join(k.dir, m.Outputs[1+place].Name)
		if !k.store.Exists(path) {
			return fmt.Errorf("its sketches are gone: %s", path)
		}
		k.found = append(k.found, compare.Shard{Sketch: path, Rows: int(m.Counts["rows"]), Run: k.info.ID})
		keys = append(keys, m.Key)
	}
	var outputs []string
	for _, o := range k.info.Outputs {
		outputs = append(outputs, o.SHA256)
	}
	k.key = key("known", k.info.ID, keys, outputs)
	return nil
}

// shards gives the sketch files with the rows that count: those that the run kept, and those that it dropped at this very stage
// for one that it kept.
func (k *known) shards() ([]compare.Shard, error) {
	k.once.Do(func() { k.err = k.mark() })
	return k.found, k.err
}

func (k *known) mark() error {
	f, err := shard.Open(k.store, k.dir)
	if err != nil {
		return err
	}
	index := map[string]int{}
	for i, s := range k.info.Stages {
		index[s.Label] = i
	}
	survivors := map[uint64]bool{}
	for l, err := range ledgerLines(f) {
		if err != nil {
			return err
		}
		if l.kept && l.size > 1 && l.cluster == l.id {
			survivors[xxh3.HashString(l.id)] = true
		}
	}
	first := k.stage // of the Corpus stages that share the sketches' pass
	for first > 0 && k.info.Stages[first-1].Kind == "corpus" && k.info.Stages[first-1].Pass == k.info.Stages[first].Pass {
		first--
	}
	// The ledger has the documents in the order of the sketches; what was dropped before those, or derived after, is passed over.
	next, stop := iter.Pull2(ledgerLines(f))
	defer stop()
	for n := range k.found {
		sh := &k.found[n]
		for row := range sh.Rows {
			sh.Out.Set(row) // until it is found
		}
		for row, id := range compare.IDs(k.store, sh.Sketch, k.layout, &err) {
			l, err := lineOf(next, id, func(l ledgerLine) bool { i, ok := index[l.stage]; return l.kept || ok && i >= first })
			if err != nil {
				return err
			}
			if l.kept || index[l.stage] == k.stage && survivors[xxh3.HashString(l.cluster)] {
				sh.Out.Clear(row)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// ledgerLine is what matters here of one row of a ledger.
type ledgerLine struct {
	id, stage, cluster string
	kept               bool
	size               float64 // of the cluster
}

func ledgerLines(f *shard.Folder) iter.Seq2[ledgerLine, error] {
	return func(yield func(ledgerLine, error) bool) {
		for _, path := range f.Ledger {
			for c, err := range shard.ReadColumns(f.Store, path, []string{"id", "stage", "cluster"}, []string{"kept", "cluster_size"}) {
				if err != nil {
					yield(ledgerLine{}, err)
					return
				}
				for i := range c.Rows {
					if !yield(ledgerLine{c.Text[0][i], c.Text[1][i], c.Text[2][i], c.Numbers[0][i] == 1, c.Numbers[1][i]}, nil) {
						return
					}
				}
			}
		}
	}
}

// lineOf goes on to the next line of that id which reached the sketches.
func lineOf(next func() (ledgerLine, error, bool), id string, reached func(ledgerLine) bool) (ledgerLine, error) {
	for {
		l, err, ok := next()
		if err != nil || !ok {
			return l, errors.Join(err, fmt.Errorf("the ledger has no line for document %s", id))
		}
		if l.id == id && reached(l) {
			return l, nil
		}
	}
}

// Sketched is a document of a finished run as it was sketched.
type Sketched struct {
	Rank  winnow.Rank
	Bands []uint64 // first words of its records' keys
}

// Sketches streams what the first stage of a run whose records are of that layout left of each document.
func Sketches(s *store.Store, dir string, l winnow.Layout) iter.Seq2[*Sketched, error] {
	return func(yield func(*Sketched, error) bool) {
		k, err := openKnown(s, dir, l)
		if err != nil {
			yield(nil, err)
			return
		}
		for _, sh := range k.found {
			rows, err := compare.Load(s, sh.Sketch, l)
			if err != nil {
				yield(nil, err)
				return
			}
			for _, row := range slices.Sorted(maps.Keys(rows)) {
				d := &Sketched{Rank: rows[row].Rank}
				for _, r := range rows[row].Records {
					d.Bands = append(d.Bands, r.Key[0])
				}
				if !yield(d, nil) {
					return
				}
			}
		}
	}
}
