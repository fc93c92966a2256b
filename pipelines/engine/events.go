package engine

import (
	"encoding/json"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"winnow/shard"
	"winnow/shard/store"
)

// Event is one message about a run in progress. Its JSON form is what --json prints and log.jsonl stores.
type Event struct {
	Type    string           `json:"type"` // start, status, task, done
	Time    string           `json:"time,omitempty"`
	Run     string           `json:"run,omitempty"`
	Dir     string           `json:"dir,omitempty"`
	Resumed bool             `json:"resumed,omitempty"`
	Shards  int              `json:"shards,omitempty"`
	Stage   string           `json:"stage,omitempty"`   // status: what is being worked on, as "extract+language+filter"
	Pass    int              `json:"pass,omitempty"`    // status: from 1
	Passes  int              `json:"passes,omitempty"`  // status
	Task    string           `json:"task,omitempty"`    // task: its name
	Seconds float64          `json:"seconds,omitempty"` // task: wall time; status: since the start
	Docs    int64            `json:"docs,omitempty"`    // status: documents worked on in this pass
	Alive   int64            `json:"alive,omitempty"`   // status: of them, those that go on
	Bytes   int64            `json:"bytes,omitempty"`   // status: input of this pass read so far; on disk in the first pass, text later
	Total   int64            `json:"total,omitempty"`   // status: all input of this pass
	Counts  map[string]int64 `json:"counts,omitempty"`
	Steps   []StepCount      `json:"steps,omitempty"` // status: what each stage has done so far
}

// StepCount counts documents at one stage.
type StepCount struct {
	Label   string `json:"label"`
	Name    string `json:"name"`
	Reached int64  `json:"reached"`
	Dropped int64  `json:"dropped"`
	Errors  int64  `json:"errors"` // of the dropped, those by a rule error.*
}

// progress counts what the tasks do, and tells whoever listens.
type progress struct {
	run     *run
	listen  func(Event)
	resumed bool
	begun   time.Time

	mu    sync.Mutex // guards what follows, and calls of listen
	pass  int
	stage string
	total int64
	log   io.WriteCloser // nil: none is kept

	docs, alive, bytes atomic.Int64 // of the pass
	steps              []stepCounter
}

type stepCounter struct{ reached, dropped, errors atomic.Int64 }

func newProgress(r *run, listen func(Event)) *progress {
	return &progress{run: r, listen: listen, steps: make([]stepCounter, len(r.Steps))}
}

// start opens the log and tells the status five times a second until the returned function is called.
func (p *progress) start() (stop func()) {
	p.begun = time.Now()
	p.log, _ = p.run.Store.Append(store.Join(p.run.dir, "log.jsonl"))
	p.run.emit(Event{Type: "start", Run: p.run.id, Dir: p.run.dir, Resumed: p.resumed, Shards: len(p.run.Shards)})
	tick, quit := time.NewTicker(200*time.Millisecond), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			select {
			case <-tick.C:
				p.run.emit(p.status())
			case <-quit:
				return
			}
		}
	})
	return func() {
		tick.Stop()
		close(quit)
		wg.Wait()
		p.run.emit(p.status())
	}
}

// end closes the log.
func (p *progress) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.log != nil {
		p.log.Close() // a log that is not whole stops no run
		p.log = nil
	}
}

func (p *progress) status() Event {
	p.mu.Lock()
	defer p.mu.Unlock()
	return Event{
		Type: "status", Pass: p.pass + 1, Passes: len(p.run.passes), Stage: p.stage, Seconds: time.Since(p.begun).Seconds(),
		Docs: p.docs.Load(), Alive: p.alive.Load(), Bytes: min(p.bytes.Load(), p.total), Total: p.total, Steps: p.counts(),
	}
}

func (p *progress) counts() (out []StepCount) {
	for i, s := range p.run.Steps {
		c := &p.steps[i]
		out = append(out, StepCount{s.Label, s.Stage.Name(), c.reached.Load(), c.dropped.Load(), c.errors.Load()})
	}
	return out
}

// enter begins to count a pass.
func (p *progress) enter(n int) {
	var total int64
	for i := range p.run.Shards {
		if n == 0 {
			total += p.run.Shards[i].Bytes()
		} else if m, err := p.run.done(mapName(n-1, i), p.run.mapKey(n-1, i)); err == nil && m != nil {
			total += m.Counts["alive_bytes"]
		}
	}
	stage := ""
	for _, i := range p.run.passes[n].local {
		if stage != "" {
			stage += "+"
		}
		stage += p.run.Steps[i].Label
	}
	if stage == "" {
		stage = "join"
	}
	p.docs.Store(0)
	p.alive.Store(0)
	p.bytes.Store(0)
	p.mu.Lock()
	p.pass, p.stage, p.total = n, stage, total
	p.mu.Unlock()
}

// label names what follows a pass: a Corpus stage, or pack.
func (p *progress) label(stage string) {
	p.mu.Lock()
	p.stage = stage
	p.mu.Unlock()
}

// add counts rows that have gone through a pass: at its own steps, and at the Corpus steps that ended the one before.
func (p *progress) add(n int, items []*item) {
	steps := p.run.passes[n].local
	if n > 0 {
		steps = append(slices.Clone(p.run.passes[n-1].corpora), steps...)
	}
	for _, it := range items {
		for _, row := range it.rows {
			p.docs.Add(1)
			if row.DropStage == shard.Alive {
				p.alive.Add(1)
			}
			for _, i := range steps {
				if row.DropStage == shard.AtRead || row.DropStage >= 0 && row.DropStage < i {
					break
				}
				p.steps[i].reached.Add(1)
				if row.DropStage == i {
					p.steps[i].dropped.Add(1)
					if isError(row.Verdict.Rule, true) {
						p.steps[i].errors.Add(1)
					}
				}
			}
		}
	}
}

// emit tells the listener, and logs all but the status.
func (r *run) emit(e Event) {
	p := r.progress
	p.mu.Lock()
	defer p.mu.Unlock()
	if e.Type != "status" && p.log != nil {
		e.Time = time.Now().UTC().Format(time.RFC3339)
		if b, err := json.Marshal(e); err == nil {
			p.log.Write(append(b, '\n'))
		}
	}
	if p.listen != nil {
		p.listen(e)
	}
}

// spent adds up the time that workers give to each part of a task. The clock is read twice a batch and stage, not a document.
type spent struct {
	mu      sync.Mutex
	seconds map[string]float64
}

func (s *spent) add(part string, begin time.Time) {
	d := time.Since(begin).Seconds()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.seconds == nil {
		s.seconds = map[string]float64{}
	}
	s.seconds[part] += d
}
