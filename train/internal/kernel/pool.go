package kernel

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// Pool runs tasks on a fixed number of threads, the caller's among them. It may be used from several goroutines; their calls
// take turns. Close ends its goroutines.
type Pool struct {
	table   *table
	workers []*Worker
	turn    sync.Mutex          // one Run at a time; guards workers[0] and panels
	job     atomic.Pointer[job] // the newest; helpers that wait look here
	panels  []float32           // packed right-hand side, shared by the tiles of one product
	closed  atomic.Bool
	busy    atomic.Int64 // nanoseconds inside run
}

// Worker is one thread's scratch and the serial forms of the pool's functions.
type Worker struct {
	table  *table
	id     int
	panels []float32 // packed right-hand side of a serial product
	strips []float32 // packed left-hand side
	serial product
	wake   chan struct{}
	parked atomic.Bool
}

// job is one Run: tasks are taken by counting up next, and whoever finishes the last closes the run.
type job struct {
	task    func(w *Worker, i int)
	count   int64
	next    atomic.Int64
	left    atomic.Int64
	done    chan struct{}
	waiting atomic.Bool
}

// spins is how often a thread without work looks again before it parks: about ten microseconds, so that the gaps inside a
// training step cost no wake-up, and a busy machine no more than that.
const spins = 200

func newPool(threads int, t *table) *Pool {
	p := &Pool{table: t}
	for i := range threads {
		p.workers = append(p.workers, &Worker{table: t, id: i, wake: make(chan struct{}, 1)})
	}
	for _, w := range p.workers[1:] {
		go p.help(w)
	}
	return p
}

// Kernel is the name of the pool's instruction set.
func (p *Pool) Kernel() string { return p.table.name }

// Threads is the number of threads, the caller's included.
func (p *Pool) Threads() int { return len(p.workers) }

// Close ends the pool's goroutines; the pool must not be used after it.
func (p *Pool) Close() {
	if p.closed.Swap(true) {
		return
	}
	for _, w := range p.workers[1:] {
		close(w.wake)
	}
}

// ID is the worker's number, from 0 to the pool's threads less one: an index for scratch of the caller's own. Results must
// not depend on it.
func (w *Worker) ID() int { return w.id }

// Run calls task for each i below n once, on any worker in any order, and returns when all are done. Tasks must not call the
// pool's methods (the worker's they may), and what they compute must not depend on the worker.
func (p *Pool) Run(n int, task func(w *Worker, i int)) {
	p.turn.Lock()
	defer p.turn.Unlock()
	p.run(n, task)
}

// Range is Run over [0,n) in spans of at most grain.
func (p *Pool) Range(n, grain int, task func(w *Worker, low, high int)) {
	p.Run((n+grain-1)/grain, func(w *Worker, i int) { task(w, i*grain, min(n, (i+1)*grain)) })
}

// Busy is how long callers have been inside Run and the products: with one thread, what can be divided. It counts wall time.
func (p *Pool) Busy() time.Duration { return time.Duration(p.busy.Load()) }

func (p *Pool) run(n int, task func(w *Worker, i int)) {
	start := time.Now()
	defer func() { p.busy.Add(int64(time.Since(start))) }()
	if n <= 1 || len(p.workers) == 1 {
		for i := range n {
			task(p.workers[0], i)
		}
		return
	}
	j := &job{task: task, count: int64(n), done: make(chan struct{}, 1)}
	j.left.Store(j.count)
	p.job.Store(j)
	for _, w := range p.workers[1:min(n, len(p.workers))] {
		if w.parked.Load() && w.parked.CompareAndSwap(true, false) {
			w.wake <- struct{}{}
		}
	}
	j.work(p.workers[0])
	for i := 0; j.left.Load() > 0; i++ {
		if i < spins {
			pause()
			continue
		}
		j.waiting.Store(true)
		if j.left.Load() > 0 {
			<-j.done
		}
		break
	}
	p.job.CompareAndSwap(j, nil)
}

// work takes tasks until none is left.
func (j *job) work(w *Worker) {
	for {
		i := j.next.Add(1) - 1
		if i >= j.count {
			return
		}
		j.task(w, int(i))
		if j.left.Add(-1) == 0 && j.waiting.Load() {
			j.done <- struct{}{}
		}
	}
}

// help is a pool goroutine's life: work, look for more for a short while, park.
func (p *Pool) help(w *Worker) {
	var last *job
	for {
		found := false
		for i := range spins {
			if j := p.job.Load(); j != nil && j != last {
				last, found = j, true
				j.work(w)
				break
			}
			if i%32 == 31 {
				runtime.Gosched()
			}
			pause()
		}
		if found {
			continue
		}
		w.parked.Store(true)
		if j := p.job.Load(); j != nil && j != last && w.parked.CompareAndSwap(true, false) {
			continue
		}
		last = nil
		if _, open := <-w.wake; !open {
			return
		}
	}
}
