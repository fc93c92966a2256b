package pipelines

import (
	"context"
	"errors"
	"math"
	"runtime"
	"time"

	"winnow"
	"winnow/pipelines/engine"
)

// Estimates is what a run would do, measured on a sample of its documents. Times are of one core.
type Estimates struct {
	Run       string          `json:"run"`
	Files     int             `json:"files"`
	Shards    int             `json:"shards"`
	Tasks     int             `json:"tasks"`
	Bytes     int64           `json:"bytes"` // of input on disk
	Sampled   int             `json:"sampled_documents"`
	Documents int64           `json:"documents"`
	Stages    []StageEstimate `json:"stages"`
	Jobs      int             `json:"jobs"`
	Seconds   float64         `json:"seconds"`
	Memory    int64           `json:"memory_bytes"`
	Sort      int64           `json:"sort_bytes"` // of it what comparisons sort in, see engine.Options.Memory
	Disk      int64           `json:"disk_bytes"`
	Sketches  int64           `json:"sketch_bytes"` // of it the sketches of deduplication
	Retained  float64         `json:"retained"`     // share of documents, before deduplication
	Error     float64         `json:"retained_error"`
	Rephrase  []Forecast      `json:"rephrase,omitempty"`

	perDoc  float64 // seconds of one core
	largest int64   // page of the sample, bytes
	named   int64   // bytes of memory for clusters, at most
}

// StageEstimate is one stage's part.
type StageEstimate struct {
	Label       string  `json:"label"`
	In          int64   `json:"in"` // of the sample
	Kept        int64   `json:"kept"`
	MilliPerDoc float64 `json:"ms_per_document"` // of those reaching it
	seconds     float64
}

// What a run takes. Disk was measured on 1,699 pages of documentation (15 MB of text): spools 0.43 of the text's bytes, data and
// dropped files 0.39, 181 bytes a ledger row; sketches are counted as they are. Memory is a rule of thumb from runs on
// small pages; what large ones take comes on top.
const (
	baseMemory    = 160 << 20
	memoryPerJob  = 48 << 20
	treePerByte   = 11 // a parse tree over its page
	ledgerPerDoc  = 180
	rankBytes     = 16   // of a document in a sketch file, beside its id and what the stage leaves
	textOnDisk    = 0.41 // zstd parquet or spool, per byte of text
	copiesOfTexts = 2    // spool and data, or spool and dropped
)

// Estimate sends up to n documents, taken from the beginning of evenly spread shards, through the plan's Each stages.
// Nothing is written.
func Estimate(ctx context.Context, p *engine.Plan, n int) (*Estimates, error) {
	e := &Estimates{Run: p.RunID(), Shards: len(p.Shards), Tasks: engine.CountTasks(p)}
	files := map[string]bool{}
	for _, s := range p.Shards {
		e.Bytes += s.Bytes()
		for _, part := range s.Parts {
			files[part.File] = true
		}
	}
	e.Files = len(files)
	for _, s := range p.Steps {
		e.Stages = append(e.Stages, StageEstimate{Label: s.Label})
		if r := rephraser(s.Stage); r != nil {
			e.Rephrase = append(e.Rephrase, Forecast{Stage: s.Label, stage: r})
		}
	}
	m := &measure{Estimates: e, plan: p}
	if err := m.sample(ctx, n); err != nil {
		return nil, err
	}
	m.conclude()
	e.Scale(0)
	return e, nil
}

// measure is an Estimate at work.
type measure struct {
	*Estimates
	plan      *engine.Plan
	read      time.Duration
	bytes     int64 // of input consumed
	textBytes int64
	sketch    int64 // bytes of sketches
	kept      int64
}

func (m *measure) sample(ctx context.Context, n int) error {
	few := min(8, len(m.plan.Shards))
	for k := range few {
		s := m.plan.Shards[k*len(m.plan.Shards)/few]
		want := (n - m.Sampled) / (few - k)
		var t winnow.Tally
		begin := time.Now()
		for d, err := range m.plan.Source.Read(ctx, s, &t) {
			m.read += time.Since(begin)
			var damage *winnow.ReadError
			if err != nil && !errors.As(err, &damage) {
				return err
			}
			if d != nil {
				m.Sampled++
				want--
				if damage == nil {
					if err := m.document(ctx, d); err != nil {
						return err
					}
				}
			}
			if want <= 0 {
				break
			}
			begin = time.Now()
		}
		m.bytes += t.Bytes.Load()
	}
	return ctx.Err()
}

func (m *measure) document(ctx context.Context, d *winnow.Document) error {
	keep := true
	m.largest = max(m.largest, int64(len(d.HTML)))
	for i, s := range m.plan.Steps {
		st := &m.Stages[i]
		st.In++
		begin := time.Now()
		switch stage := s.Stage.(type) {
		case winnow.Each:
			v, _, err := stage.Apply(ctx, d)
			if err != nil {
				return err
			}
			keep = !v.Drop
		case winnow.Corpus:
			rank, err := stage.Sketch(d, func(winnow.Record) { m.sketch += int64(stage.Layout().Bytes()) })
			if err != nil {
				return err
			}
			m.sketch += int64(rankBytes + len(rank.ID) + len(rank.Data))
		case winnow.Batch:
			for k := range m.Rephrase {
				if f := &m.Rephrase[k]; f.Stage == s.Label {
					if err := f.add(d); err != nil {
						return err
					}
				}
			}
		}
		st.seconds += time.Since(begin).Seconds()
		if !keep {
			break
		}
		st.Kept++
	}
	m.textBytes += int64(len(d.Text))
	if keep {
		m.kept++
	}
	return nil
}

func (m *measure) conclude() {
	e := m.Estimates
	if e.Sampled == 0 || m.bytes == 0 {
		return
	}
	e.Documents = int64(float64(e.Sampled) * float64(e.Bytes) / float64(m.bytes))
	total := m.read.Seconds()
	for i := range e.Stages {
		s := &e.Stages[i]
		total += s.seconds
		if s.In > 0 {
			s.MilliPerDoc = 1000 * s.seconds / float64(s.In)
		}
	}
	e.perDoc = total / float64(e.Sampled)
	for k := range e.Rephrase {
		e.Rephrase[k].scale(float64(e.Documents) / float64(e.Sampled))
	}
	e.Retained = float64(m.kept) / float64(e.Sampled)
	e.Error = 1.96 * math.Sqrt(e.Retained*(1-e.Retained)/float64(e.Sampled))
	text := float64(m.textBytes) / float64(e.Sampled) * float64(e.Documents)
	alive := int64(e.Retained * float64(e.Documents))
	e.Disk = int64(text*textOnDisk*copiesOfTexts) + e.Documents*ledgerPerDoc
	e.Sketches = int64(float64(m.sketch) / float64(e.Sampled) * float64(e.Documents))
	e.Disk += e.Sketches
	for _, s := range m.plan.Steps {
		if _, ok := s.Stage.(winnow.Corpus); ok {
			e.Sort = min(engine.DefaultMemory, e.Sketches)
			e.named = 5 * alive
		}
	}
}

// Scale fits the estimates to a number of cores; 0: all of this machine.
func (e *Estimates) Scale(jobs int) {
	if jobs <= 0 {
		jobs = runtime.GOMAXPROCS(0)
	}
	e.Jobs = jobs
	e.Seconds = e.perDoc * float64(e.Documents) / float64(jobs)
	e.Memory = baseMemory + int64(jobs)*(memoryPerJob+treePerByte*e.largest) + e.Sort + e.named
}

// Duration is Seconds in the form of 1h2m3s.
func (e *Estimates) Duration() time.Duration {
	d := time.Duration(e.Seconds * float64(time.Second))
	if d > 10*time.Second {
		return d.Round(time.Second)
	}
	return d.Round(10 * time.Millisecond)
}
