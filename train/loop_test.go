package train

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"winnow/train/llm"
)

// tiny is a model that trains in milliseconds.
var tiny = llm.Config{Vocab: 61, Context: 24, Dim: 32, FFN: 64, Layers: 2, Heads: 2, KVHeads: 1, HeadDim: 16, NormEps: 1e-5, RopeTheta: 10000, Tied: true}

// cyclic are rows of rising numbers from a random start; every third row has targets that do not count, more of them the
// higher its number is within a step.
type cyclic struct{ vocab, length int }

func (c cyclic) Fill(first int64, ids, targets, pos []int32) error {
	for i := range ids {
		row, at := first+int64(i/c.length), i%c.length
		start := rand.New(rand.NewPCG(uint64(row), 1)).IntN(c.vocab)
		ids[i], targets[i], pos[i] = int32((start+at)%c.vocab), int32((start+at+1)%c.vocab), int32(at)
		if row%3 == 0 && at > int(5+row%16) {
			targets[i] = -1
		}
	}
	return nil
}

func pool(t testing.TB, threads int) *llm.Pool {
	t.Helper()
	p, err := llm.NewPool(threads, "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

func setup(t testing.TB, threads, steps int) Setup {
	return Setup{Model: tiny, Seed: 3, Rows: cyclic{tiny.Vocab, 24}, Len: 24, Batch: 4, Accumulate: 4, Clip: 1, Decay: .1, Limit: 6, Pool: pool(t, threads),
		Schedule: Schedule{Shape: "cosine", Peak: 1e-2, Floor: .1, Warmup: 5, Steps: steps}}
}

// weights are the bits of all parameters.
func weights(m *llm.Model) (out []uint32) {
	for _, w := range m.Weights() {
		for _, v := range w.Data {
			out = append(out, math.Float32bits(v))
		}
	}
	return out
}

func TestLossBeginsAtChanceAndFalls(t *testing.T) {
	var losses []float64
	l, err := Run(context.Background(), setup(t, 2, 150), func(_ *Loop, m Metric) error {
		losses = append(losses, m.Loss)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if want := math.Log(float64(tiny.Vocab)); math.Abs(losses[0]-want) > .1 {
		t.Errorf("first loss %.3f, ln V is %.3f", losses[0], want)
	}
	if last := losses[len(losses)-1]; last > .1 {
		t.Errorf("loss %.3f after %d steps", last, l.Step)
	}
	if l.Step != 150 || l.Row != 150*16 {
		t.Errorf("step %d, row %d", l.Step, l.Row)
	}
}

// TestAccumulationIsTheSameGradient cuts a step of 16 rows, in some of which many targets do not count, into 1, 2, 4 and 16
// micro-batches.
func TestAccumulationIsTheSameGradient(t *testing.T) {
	var want []llm.Param
	for _, cut := range []int{1, 2, 4, 16} {
		s := setup(t, 1, 10)
		s.Batch, s.Accumulate = 16/cut, cut
		l, err := Begin(s)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := l.gradients(); err != nil {
			t.Fatal(err)
		}
		if cut == 1 {
			want = l.Params.Params()
			continue
		}
		for i, p := range l.Params.Params() {
			for k, g := range p.Grad {
				if math.Abs(float64(g-want[i].Grad[k])) > 1e-6 {
					t.Fatalf("%d micro-batches: %s[%d]: %g, want %g", cut, p.Name, k, g, want[i].Grad[k])
				}
			}
		}
	}
}

func TestThreadsDoNotChangeABit(t *testing.T) {
	var want []uint32
	for threads := 1; threads <= 3; threads++ {
		l, err := Run(context.Background(), setup(t, threads, 12), nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := weights(l.Params); want == nil {
			want = got
		} else if !slices.Equal(got, want) {
			t.Errorf("%d threads: other weights", threads)
		}
	}
}

func TestDivergedStepIsNotApplied(t *testing.T) {
	l, err := Begin(setup(t, 1, 10))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Next(); err != nil {
		t.Fatal(err)
	}
	l.Params.Weights()[1].Data[0] = float32(math.NaN())
	before, row := weights(l.Params), l.Row
	_, err = l.Next()
	var e *DivergedError
	if !errors.As(err, &e) || e.Step != 2 || e.First != row || e.Rows != 16 {
		t.Fatalf("%v", err)
	}
	if !slices.Equal(before, weights(l.Params)) || l.Step != 1 || l.Row != row {
		t.Error("the step was applied")
	}
}

type masked struct{ cyclic }

func (m masked) Fill(first int64, ids, targets, pos []int32) error {
	err := m.cyclic.Fill(first, ids, targets, pos)
	for i := range targets {
		targets[i] = -1
	}
	return err
}

func TestStepWithoutTargets(t *testing.T) {
	s := setup(t, 1, 10)
	s.Rows = masked{cyclic{tiny.Vocab, 24}}
	if _, err := Run(context.Background(), s, nil); err == nil || !strings.Contains(err.Error(), "no target counts") {
		t.Error(err)
	}
}

// spiked are rows of noise from one row on.
type spiked struct {
	cyclic
	from, to int64
}

func (s spiked) Fill(first int64, ids, targets, pos []int32) error {
	err := s.cyclic.Fill(first, ids, targets, pos)
	if first >= s.from && first < s.to {
		rng := rand.New(rand.NewPCG(uint64(first), 9))
		for i := range targets {
			targets[i] = int32(rng.IntN(s.vocab))
		}
	}
	return err
}

func TestSpikeIsSkipped(t *testing.T) {
	var after [2]float64
	for i, skip := range []bool{false, true} {
		s := setup(t, 2, 80)
		s.Skip = skip
		s.Rows = spiked{cyclic{tiny.Vocab, 24}, 60 * 16, 61 * 16}
		var spikes []int
		l, err := Run(context.Background(), s, func(l *Loop, m Metric) error {
			if m.Spike != "" {
				spikes = append(spikes, m.Step)
			}
			if m.Step == 62 {
				after[i] = m.Loss
			}
			if m.Skip != (skip && m.Step == 61) {
				t.Errorf("step %d: skip %v", m.Step, m.Skip)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(spikes, []int{61}) || l.Step != 80 {
			t.Errorf("spikes %v, %d steps", spikes, l.Step)
		}
	}
	if after[1] >= after[0] {
		t.Errorf("loss behind the spike %g, skipped %g", after[0], after[1])
	}
}

func TestRunStops(t *testing.T) {
	enough := errors.New("enough")
	l, err := Run(context.Background(), setup(t, 1, 50), func(_ *Loop, m Metric) error {
		if m.Step == 3 {
			return enough
		}
		return nil
	})
	if err != enough || l.Step != 3 {
		t.Errorf("%v, step %d", err, l.Step)
	}
	ctx, cancel := context.WithCancel(context.Background())
	l, err = Run(ctx, setup(t, 1, 50), func(_ *Loop, m Metric) error { cancel(); return nil })
	if !errors.Is(err, context.Canceled) || l.Step != 1 {
		t.Errorf("%v, step %d", err, l.Step)
	}
}

func TestDepths(t *testing.T) {
	last := int64(0)
	for _, d := range Depths() {
		p, err := Depth(d)
		if err != nil {
			t.Fatal(err)
		}
		c := p.Config(1024)
		if err := c.Validate(); err != nil {
			t.Errorf("depth %d: %v", d, err)
		}
		if n := c.MatmulParams(); n <= last || p.Heads*p.HeadDim != p.Dim || p.Rows*p.Context < 1024 {
			t.Errorf("depth %d: %d parameters, %+v", d, n, p)
		}
		last = c.MatmulParams()
	}
	if _, err := Depth(7); err == nil {
		t.Error("depth 7 is taken")
	}
}

// TestRatesAreThoseOfTheSweep holds the presets against testdata/sweep.json, as `winnow train sweep --json` left it.
func TestRatesAreThoseOfTheSweep(t *testing.T) {
	b, err := os.ReadFile("testdata/sweep.json")
	must(t, err)
	var arms []Arm
	must(t, json.Unmarshal(b, &arms))
	best := map[int]Arm{}
	for _, a := range arms {
		if old, ok := best[a.Depth]; !ok || a.Held[All] < old.Held[All] {
			best[a.Depth] = a
		}
	}
	for _, depth := range []int{2, 3, 4} {
		p, err := Depth(depth)
		must(t, err)
		if a := best[depth]; p.Rate < a.Rate/2 || p.Rate > a.Rate*2 || p.Rows != a.Rows {
			t.Errorf("depth %d: rate %g, %d rows; the sweep's best is %g with %d rows", depth, p.Rate, p.Rows, a.Rate, a.Rows)
		}
	}
}

func BenchmarkStep(b *testing.B) {
	p, err := Depth(3)
	if err != nil {
		b.Fatal(err)
	}
	s := Setup{Model: p.Config(1024), Rows: cyclic{1024, p.Context}, Len: p.Context, Batch: p.Rows, Clip: 1, Pool: pool(b, 0),
		Schedule: Schedule{Shape: "wsd", Peak: p.Rate, Steps: 1 << 30}}
	l, err := Begin(s)
	if err != nil {
		b.Fatal(err)
	}
	b.ResetTimer()
	for b.Loop() {
		if _, err := l.Next(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N*p.Rows*p.Context)/b.Elapsed().Seconds(), "tokens/s")
}
