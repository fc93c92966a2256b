package engine

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"winnow"
	"winnow/shard"
)

// describe makes the run.json of a run that begins.
func (r *run) describe() *shard.Run {
	sum := sha256.Sum256(r.Recipe)
	info := &shard.Run{
		ID: r.id, Name: r.Name, Program: r.Program, Recipe: hex.EncodeToString(sum[:]), State: shard.Running,
		Started: time.Now().UTC().Format(time.RFC3339), Seed: r.Seed, Shards: r.Shards, Dropped: string(r.Dropped), Dedup: r.Params,
		Bounds: map[string]map[string]shard.Bound{},
	}
	inputs := map[string]*shard.Input{}
	for _, s := range r.Shards {
		for _, part := range s.Parts {
			in := inputs[part.File]
			if in == nil {
				in = &shard.Input{File: part.File, Fingerprint: s.Fingerprint}
				inputs[part.File] = in
			}
			in.Bytes += part.End - part.Start
		}
	}
	for _, file := range slices.Sorted(maps.Keys(inputs)) {
		info.Inputs = append(info.Inputs, *inputs[file])
	}
	for i, s := range r.Steps {
		info.Stages = append(info.Stages, stageInfo(s, r.SignalsOf(i), r.cols[i]))
	}
	for p, ps := range r.passes {
		for _, i := range append(slices.Clone(ps.local), ps.corpora...) {
			info.Stages[i].Pass = p + 1
		}
	}
	for _, w := range Waves(r.Plan) {
		info.Waves = append(info.Waves, shard.WaveInfo{Stage: w.Stage, Tasks: w.Tasks})
	}
	for rule, byLang := range r.Bounds {
		info.Bounds[rule] = map[string]shard.Bound{}
		for lang, b := range byLang {
			info.Bounds[rule][lang] = shard.Bound(b)
		}
	}
	return info
}

func stageInfo(s Step, signals []winnow.Signal, first int) shard.StageInfo {
	info := shard.StageInfo{Label: s.Label, Name: s.Stage.Name(), Kind: "each", Version: s.Stage.Version(), Signals: signals, First: first}
	switch st := s.Stage.(type) {
	case winnow.Judged:
		info.Kind, info.Bounds = "judged", st.Bounds()
	case winnow.Batch:
		info.Kind = "batch"
	case winnow.Corpus:
		info.Kind, info.Sketches, info.Cuts = "corpus", st.Layout().Records, st.Layout().Cuts
	}
	return info
}

// conclude sums up the manifests in run.json, and marks the run as done.
func (r *run) conclude(info *shard.Run) error {
	files, err := r.packs()
	if err != nil {
		return err
	}
	info.Totals, info.Records, info.Lost, info.Outputs, info.Error = shard.Totals{}, map[string]int64{}, nil, nil, ""
	info.Edits = map[string]shard.EditCount{}
	for n := range r.Shards {
		m, err := r.finished(mapName(0, n), r.mapKey(0, n))
		if err != nil {
			return err
		}
		for kind, count := range m.Records {
			info.Records[kind] += count
		}
		info.Lost = append(info.Lost, m.Lost...)
	}
	if err := r.sumSpent(info); err != nil {
		return err
	}
	t := &info.Totals
	for n := range files {
		m, err := r.finished(packName(n), r.packKey(files, n))
		if err != nil {
			return err
		}
		t.Documents += m.Counts["documents"]
		t.Kept += m.Counts["kept"]
		t.RawBytes += m.Counts["raw_bytes"]
		t.Bytes += m.Counts["kept_bytes"]
		t.Chars += m.Counts["kept_chars"]
		t.TokensIn += m.Counts["tokens"]
		t.TokensOut += m.Counts["kept_tokens"]
		addEdits(info, m.Counts)
		info.Outputs = append(info.Outputs, m.Outputs...)
	}
	info.State, info.Finished = shard.Done, time.Now().UTC().Format(time.RFC3339)
	return shard.WriteRun(r.Store, r.dir, info)
}

// addEdits adds what tallyEdits counted.
func addEdits(info *shard.Run, counts map[string]int64) {
	for name, n := range counts {
		what, ok := strings.CutPrefix(name, "edit.")
		if !ok {
			continue
		}
		what, rule, _ := strings.Cut(what, ".")
		e := info.Edits[rule]
		switch what {
		case "documents":
			e.Documents += n
		case "edits":
			e.Edits += n
		case "removed":
			e.Removed += n
		case "added":
			e.Added += n
		}
		info.Edits[rule] = e
	}
}

// sumSpent adds up the seconds of all tasks, by stage.
func (r *run) sumSpent(info *shard.Run) error {
	info.Spent = map[string]float64{}
	for _, w := range r.waves() {
		for n := range w.Tasks {
			m, err := r.finished(w.name(n), w.key(n))
			if err != nil {
				return err
			}
			if w.step != "" {
				info.Spent[w.step] += m.Seconds
			}
			for part, s := range m.Spent {
				info.Spent[part] += s
			}
		}
	}
	for i := range info.Stages {
		s := &info.Stages[i]
		s.Seconds = info.Spent[s.Label]
		delete(info.Spent, s.Label)
	}
	return nil
}

func (r *run) shares() (map[string]float64, error) {
	info, err := shard.ReadRun(r.Store, r.dir)
	if err != nil {
		return nil, err
	}
	sum := map[string]int64{}
	files := slices.DeleteFunc(slices.Clone(info.Outputs), func(o shard.Output) bool { return !strings.HasPrefix(o.Name, "data/") })
	for n := range files { // their manifests stay when those of earlier tasks are gone
		m, err := shard.ReadManifest(r.Store, r.manifest(packName(n)))
		if err != nil {
			return nil, fmt.Errorf("task %s: %w", packName(n), err)
		}
		for k, v := range m.Counts {
			sum[k] += v
		}
	}
	out := map[string]float64{}
	if sum["documents"] > 0 {
		out["retained"] = float64(sum["kept"]) / float64(sum["documents"])
	}
	reach := sum["documents"] - sum["drop.read"]
	for _, s := range r.Steps {
		if reach > 0 {
			out[s.Label] = float64(reach-sum["drop."+s.Label]) / float64(reach)
		}
		reach -= sum["drop."+s.Label]
	}
	return out, nil
}

// Shares gives the share of documents that each stage of a finished run kept of those reaching it, by label, and under
// "retained" the share of all.
func Shares(p *Plan) (map[string]float64, error) {
	r, err := p.open(Options{})
	if err != nil {
		return nil, err
	}
	return r.shares()
}
