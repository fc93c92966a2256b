// Package tasks is a run's tasks as Beam's functions. Numbers of shards and partitions flow in, and between Map and Reduce blocks
// of at most 1 MiB, which hold hashes and numbers of documents alone; what tasks leave lies in the run's folder, under manifests.
// A function carries nothing but where the plan is: each process opens it once.
package tasks

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
)

// Spec is what a function needs to know. Its JSON travels with the graph.
type Spec struct {
	PlanURI string // the run's folder
	PlanSHA string // Sum of the plan that is in it
	Build   string // of the program that made the graph; another one refuses to work
	Stage   string // Map, Reduce: label of the Corpus stage; else the wave, as winnow task takes it
	Jobs    int    // documents that a worker works on at once; 0: one for each core
	Memory  int64  // bytes in which the tasks of a worker sort
}

// Map does Map tasks. A task that is done leaves its blocks again: whoever groups may have lost them.
type Map struct {
	Spec
	Parts string // partitions whose blocks are wanted, as Ranges writes them
	First int64  // shard that makes all of them known, for those that have no records at all
}

// Reduce does Group tasks, out of the blocks of one partition.
type Reduce struct{ Spec }

// Global does all missing tasks of a wave in one place.
type Global struct{ Spec }

// Join does tasks that read what others left in the run's folder: Map without a Corpus stage, Evidence, Verify, Pack.
type Join struct{ Spec }

// End takes the numbers of tasks that are done.
type End struct{}

// ProcessElement does nothing.
func (*End) ProcessElement(int64) {}

// Register makes the functions known to Beam. Call it before beam.Init, in the program that makes graphs and in that which
// works them off, which are one and the same build. The plain way suffices: what it costs for each element, by reflection, is
// nothing beside a shard.
func Register() {
	beam.RegisterDoFn(&Map{})
	beam.RegisterDoFn(&Reduce{})
	beam.RegisterDoFn(&Global{})
	beam.RegisterDoFn(&Join{})
	beam.RegisterDoFn(&End{})
}

// Counters of progress. They count twice what is done twice: reports come from manifests.
const (
	Namespace = "winnow"
	Tasks     = "tasks"
	Documents = "documents"
	Alive     = "alive"
	Bytes     = "bytes" // of input, where a task reads the source
)

func count(ctx context.Context, name string, n int64) { beam.NewCounter(Namespace, name).Inc(ctx, n) }

// ProcessElement does one Map task.
func (f *Map) ProcessElement(ctx context.Context, n int64, emit func(int64, []byte)) error {
	w, err := open(f.Spec)
	if err != nil {
		return err
	}
	parts, err := ParseRanges(f.Parts)
	if err != nil {
		return err
	}
	if n == f.First {
		for _, part := range parts {
			emit(int64(part), []byte{})
		}
	}
	counts, err := w.MapBlocks(ctx, f.Stage, int(n), parts, func(part int, block []byte) error {
		emit(int64(part), block)
		return nil
	})
	if err != nil {
		return f.name(err)
	}
	count(ctx, Tasks, 1)
	count(ctx, Documents, counts["rows"])
	count(ctx, Alive, counts["alive"])
	count(ctx, Bytes, w.sourceBytes(int(n)))
	return nil
}

// ProcessElement does one Group task, and gives its number.
func (f *Reduce) ProcessElement(ctx context.Context, part int64, blocks func(*[]byte) bool) (int64, error) {
	w, err := open(f.Spec)
	if err != nil {
		return 0, err
	}
	err = w.GroupBlocks(ctx, f.Stage, int(part), func(yield func([]byte, error) bool) {
		var block []byte
		for blocks(&block) {
			if !yield(block, nil) {
				return
			}
		}
	})
	count(ctx, Tasks, 1)
	return part, f.name(err)
}

// ProcessElement does what is missing of the wave, and gives how many tasks that was. The element is only what sets it off.
func (f *Global) ProcessElement(ctx context.Context, _ string) (int64, error) {
	w, err := open(f.Spec)
	if err != nil {
		return 0, err
	}
	missing, err := w.missing(f.Stage)
	if err == nil {
		err = w.DoAll(ctx, f.Stage, missing)
	}
	count(ctx, Tasks, int64(len(missing)))
	return int64(len(missing)), f.name(err)
}

// ProcessElement does one task of the wave, and gives its number.
func (f *Join) ProcessElement(ctx context.Context, n int64) (int64, error) {
	w, err := open(f.Spec)
	if err != nil {
		return 0, err
	}
	err = w.Do(ctx, f.Stage, int(n))
	count(ctx, Tasks, 1)
	return n, f.name(err)
}

func (s *Spec) name(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("stage %s: %w", s.Stage, err)
}

// Ranges writes ascending numbers short: 0-3,7.
func Ranges(numbers []int) string {
	var out []string
	for i := 0; i < len(numbers); {
		j := i
		for j+1 < len(numbers) && numbers[j+1] == numbers[j]+1 {
			j++
		}
		s := strconv.Itoa(numbers[i])
		if j > i {
			s += "-" + strconv.Itoa(numbers[j])
		}
		out, i = append(out, s), j+1
	}
	return strings.Join(out, ",")
}

// ParseRanges reads what Ranges wrote.
func ParseRanges(s string) (out []int, err error) {
	if s == "" {
		return nil, nil
	}
	for _, r := range strings.Split(s, ",") {
		from, to, ok := strings.Cut(r, "-")
		if !ok {
			to = from
		}
		a, errA := strconv.Atoi(from)
		b, errB := strconv.Atoi(to)
		if err := errors.Join(errA, errB); err != nil || a > b || a < 0 {
			return nil, fmt.Errorf("%q is no list of numbers", s)
		}
		for ; a <= b; a++ {
			out = append(out, a)
		}
	}
	return out, nil
}
