package drive

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"winnow/beam/tasks"
	"winnow/pipelines/engine"
)

// envOverhead asks for the comparison of CPU seconds; its value is how many documents.
const envOverhead = "WINNOW_BEAM_OVERHEAD"

// spent is the CPU seconds of this process and of the workers that it started and that have ended.
func spent() float64 {
	var workers syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_CHILDREN, &workers); err != nil {
		return 0
	}
	return ownCPU() + float64(workers.Utime.Nano()+workers.Stime.Nano())/1e9
}

// TestOverhead measures what Beam on Prism costs beside the local engine: submitter, Prism and workers together, in turns.
//
//	WINNOW_BEAM_OVERHEAD=20000 go test ./drive -run Overhead -v
func TestOverhead(t *testing.T) {
	docs, err := strconv.Atoi(os.Getenv(envOverhead))
	if err != nil || docs < 1 {
		t.Skipf("SKIPPED: the overhead of Beam is not measured: set %s to a number of documents", envOverhead)
	}
	dir := t.TempDir()
	corpus(t, dir, 8, docs)
	s := service(t)
	inProcess, apart := loopback(t), process(t)
	sums := map[string][]float64{}
	measure := func(name string, f func(p *engine.Plan)) {
		begin := spent()
		f(planOf(t, light, dir, t.TempDir(), "4MB"))
		sums[name] = append(sums[name], spent()-begin)
	}
	for range 3 {
		measure("local", func(p *engine.Plan) { localOf(t, p) })
		measure("Prism, in process", func(p *engine.Plan) { run(t, p, s, inProcess); tasks.Close() })
		measure("Prism, worker process", func(p *engine.Plan) { run(t, p, s, apart) })
	}
	least := func(x []float64) float64 {
		m := x[0]
		for _, v := range x {
			m = min(m, v)
		}
		return m
	}
	for name, x := range sums {
		var all []string
		for _, v := range x {
			all = append(all, fmt.Sprintf("%.2f", v))
		}
		t.Logf("%-22s CPU s %s; least %.2f, %+.1f %%", name, strings.Join(all, " "), least(x), 100*(least(x)/least(sums["local"])-1))
	}
	t.Logf("largest worker: %d MiB at most; this process, with the local engine and Prism: %d MiB", peak(syscall.RUSAGE_CHILDREN), peak(syscall.RUSAGE_SELF))
}

// peak is the most memory that a process held at once, in MiB.
func peak(who int) int64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(who, &u); err != nil {
		return 0
	}
	return u.Maxrss >> 10
}
