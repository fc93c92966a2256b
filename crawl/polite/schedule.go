package polite

import (
	"container/heap"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// RetryAfter reads a Retry-After field: seconds or a date (RFC 9110, section 10.2.3). ok is false where it is neither.
func RetryAfter(value string, now time.Time) (wait time.Duration, ok bool) {
	value = strings.TrimSpace(value)
	if n, err := strconv.ParseUint(value, 10, 63); err == nil {
		return time.Duration(min(n, uint64(maxRetryAfter/time.Second))) * time.Second, true
	}
	at, err := http.ParseTime(value)
	if err != nil {
		return 0, false
	}
	return min(max(at.Sub(now), 0), maxRetryAfter), true
}

// maxRetryAfter is the longest that a server is believed: a year.
const maxRetryAfter = 365 * 24 * time.Hour

// Pace is how a crawl treats a host.
type Pace struct {
	Delay    time.Duration // between the end of a request and the next; a larger Crawl-delay counts instead
	Backoff  time.Duration // first wait after 429, 503 or no answer; it doubles up to MaxWait
	MaxWait  time.Duration // a host that asks for more, or needs more, is set aside
	Failures int           // answers of this kind in a row after which a host is set aside
}

// host is one host with work to do.
type host struct {
	name     string
	next     time.Time     // no request before it
	delay    time.Duration // Crawl-delay
	failures int           // in a row
	index    int           // in the heap; -1: not there
	busy     bool
	empty    bool // nothing known to do
	aside    bool // for the rest of this process
}

// Schedule says which host may be asked next. It knows no clock: times are given. Hosts that may be asked come out in the order
// in which they may, then by name, so that the same times give the same order.
type Schedule struct {
	pace  Pace
	hosts map[string]*host
	ready hostHeap
}

// NewSchedule returns a Schedule without hosts.
func NewSchedule(p Pace) *Schedule { return &Schedule{pace: p, hosts: map[string]*host{}} }

// Add says that a host has work.
func (s *Schedule) Add(name string) {
	h := s.hosts[name]
	if h == nil {
		h = &host{name: name, index: -1}
		s.hosts[name] = h
	}
	h.empty = false
	s.queue(h)
}

func (s *Schedule) queue(h *host) {
	if h.index < 0 && !h.busy && !h.empty && !h.aside {
		heap.Push(&s.ready, h)
	}
}

// Take gives a host that may be asked now; it is busy until Done, Wait or Empty. Else wait is how long until the next may be,
// and negative where no host waits.
func (s *Schedule) Take(now time.Time) (name string, wait time.Duration) {
	if len(s.ready) == 0 {
		return "", -1
	}
	if first := s.ready[0]; first.next.After(now) {
		return "", first.next.Sub(now)
	}
	h := heap.Pop(&s.ready).(*host)
	h.busy = true
	return h.name, 0
}

// Done says that a request to a host ended at now. It waits its delay from then on.
func (s *Schedule) Done(name string, now time.Time) {
	h := s.hosts[name]
	h.busy, h.failures, h.next = false, 0, now.Add(max(h.delay, s.pace.Delay))
	s.queue(h)
}

// Skip says that a host was not asked after all.
func (s *Schedule) Skip(name string) {
	h := s.hosts[name]
	h.busy = false
	s.queue(h)
}

// Failed says that a host asked for patience, or did not answer. after is what it asked for; 0 where it did not. It returns
// false where the host is set aside.
func (s *Schedule) Failed(name string, now time.Time, after time.Duration) bool {
	h := s.hosts[name]
	h.busy = false
	h.failures++
	wait := max(h.delay, s.pace.Delay, after)
	if after == 0 {
		wait = max(wait, min(s.pace.Backoff<<min(h.failures-1, 20), s.pace.MaxWait))
	}
	h.next = now.Add(wait)
	if h.failures >= s.pace.Failures || after > s.pace.MaxWait {
		h.aside = true
	}
	s.queue(h)
	return !h.aside
}

// Empty says that nothing is known to do at a host.
func (s *Schedule) Empty(name string) {
	h := s.hosts[name]
	h.busy, h.empty = false, true
	if h.index >= 0 {
		heap.Remove(&s.ready, h.index)
	}
}

// Slow sets a host's Crawl-delay.
func (s *Schedule) Slow(name string, delay time.Duration) { s.hosts[name].delay = delay }

// Aside lists how many hosts were set aside.
func (s *Schedule) Aside() (n int) {
	for _, h := range s.hosts {
		if h.aside {
			n++
		}
	}
	return n
}

type hostHeap []*host

func (h hostHeap) Len() int { return len(h) }
func (h hostHeap) Less(i, j int) bool {
	if !h[i].next.Equal(h[j].next) {
		return h[i].next.Before(h[j].next)
	}
	return h[i].name < h[j].name
}
func (h hostHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}
func (h *hostHeap) Push(x any) {
	v := x.(*host)
	v.index = len(*h)
	*h = append(*h, v)
}
func (h *hostHeap) Pop() any {
	old := *h
	v := old[len(old)-1]
	v.index = -1
	*h = old[:len(old)-1]
	return v
}
