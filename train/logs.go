package train

import (
	"context"
	"errors"
	"path/filepath"
	"time"

	"winnow/train/bpe"
	"winnow/train/journal"
	"winnow/train/llm"
)

// Names of the journals in OUT. TensorBoard looks for "tfevents".
const (
	metricsName = "metrics.jsonl"
	samplesName = "samples.jsonl"
	eventsName  = "events.out.tfevents.winnow"
)

// logs are the journals of a run.
type logs struct {
	metrics, samples *journal.File
	events           *journal.Events
}

// openLogs opens the journals behind step.
func openLogs(out string, step int) (l logs, err error) {
	if l.metrics, err = journal.Open(filepath.Join(out, metricsName), step); err != nil {
		return l, err
	}
	if l.samples, err = journal.Open(filepath.Join(out, samplesName), step); err != nil {
		return l, err
	}
	l.events, err = journal.OpenEvents(filepath.Join(out, eventsName), step)
	return l, err
}

func (l logs) sync() error { return errors.Join(l.metrics.Sync(), l.samples.Sync(), l.events.Sync()) }

func (l logs) close() error {
	return errors.Join(l.metrics.Close(), l.samples.Close(), l.events.Close())
}

// ReadMetrics reads the metrics.jsonl of a model folder.
func ReadMetrics(out string) ([]Metric, error) {
	return journal.Read[Metric](filepath.Join(out, metricsName))
}

// Sample is a text that the model wrote while it was trained.
type Sample struct {
	Step   int    `json:"step"`
	Prompt string `json:"prompt"`
	Text   string `json:"text"`
}

// prompts are the beginnings that samples go on from, the same in every run.
var prompts = [...]string{"The ", "There are many ", "我们", "今天的"}

const sampleTokens = 48

// sample lets the model go on from each prompt, with one seed for the whole run.
func (b *base) sample() error {
	for _, prompt := range prompts {
		text, err := b.loop.Generate(context.Background(), b.tok, prompt, sampleTokens, llm.Sampling{Temperature: .8, TopK: 40, Seed: b.Seed + 1})
		if err != nil {
			return err
		}
		s := Sample{Step: b.loop.Step, Prompt: prompt, Text: text}
		if err := b.logs.samples.Write(s); err != nil {
			return err
		}
		b.tell(Event{Type: "sample", Sample: &s})
	}
	return nil
}

// Generate lets the model as it stands go on from a prompt, to the end of the document or most tokens.
func (l *Loop) Generate(ctx context.Context, tok *bpe.Tokenizer, prompt string, most int, s llm.Sampling) (text string, err error) {
	d, err := llm.NewDecoder(l.Params, l.Pool, 1, l.Len)
	if err != nil {
		return "", err
	}
	ids := tok.Encode([]int32{max(tok.BOS(), 0)}, prompt)
	err = d.Generate(ctx, 0, llm.Request{Prompt: ids, MaxTokens: most, Sampling: s, StopIDs: []int32{tok.EOS()}}, tok.NewStream(), func(t llm.Token) bool {
		text += t.Text
		return true
	})
	return text, err
}

// clock knows how fast steps are done, and when a checkpoint is due. Nothing that it knows has a part in a run's results.
type clock struct {
	every, steps int
	positions    float64
	flops, peak  float64 // of a step; a second, of all threads
	seconds      float64 // a step, the mean with more weight on the last
	last         time.Time
}

const (
	saveAtLeast = 5 * time.Minute
	clockWeight = .05
)

func newClock(b *base) *clock {
	c := &clock{every: b.Save, positions: float64(b.plan.Positions()), flops: b.plan.FLOPs(), last: time.Now()}
	if c.every == 0 {
		c.every = max(b.plan.Schedule.Steps/10, 1)
	}
	c.peak = b.Pool.Peak() * 1e9 * float64(b.Pool.Threads())
	return c
}

func (c *clock) step(begin time.Time) {
	took := time.Since(begin).Seconds()
	if c.steps++; c.steps == 1 {
		c.seconds = took
	}
	c.seconds += max(clockWeight, 1/float64(c.steps)) * (took - c.seconds)
}

func (c *clock) due(step int) bool { return step%c.every == 0 || time.Since(c.last) >= saveAtLeast }
func (c *clock) saved()            { c.last = time.Now() }

// speed is positions a second.
func (c *clock) speed() float64 {
	if c.seconds == 0 {
		return 0
	}
	return c.positions / c.seconds
}

func (c *clock) mfu() float64 {
	if c.seconds == 0 || c.peak == 0 {
		return 0
	}
	return c.flops / c.seconds / c.peak
}

func (c *clock) left(steps int) float64 { return float64(steps) * c.seconds }
