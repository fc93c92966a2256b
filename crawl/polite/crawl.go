package polite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"winnow/crawl/polite/frontier"
	"winnow/crawl/polite/robots"
	"winnow/crawl/polite/wire"
	"winnow/crawl/warc"
)

// knownRobots is a robots.txt as the frontier keeps it.
type knownRobots struct {
	Fetched time.Time `json:"fetched"`
	Status  int       `json:"status"`
	Body    []byte    `json:"body,omitempty"`
	parsed  *robots.Robots
}

// crawl is one run. Workers fetch; all else happens in one goroutine, in which what came is written, then committed.
type crawl struct {
	o       Options
	seeds   []Address
	scope   *Scope
	store   *frontier.Store
	archive *archive
	hosts   *Schedule
	robots  map[string]*knownRobots // by origin
	sum     Summary
	flight  int
	paged   int64 // pages in flight
	begun   time.Time
	before  float64   // seconds of earlier runs
	last    time.Time // of a commit
	old     *previous
	resumed bool
	jobs    chan job
	results chan result
}

// Run crawls until nothing is left, a budget is used up, or ctx ends; then what was done is committed and err is nil. The same
// Options go on where a run stopped, however it stopped.
func Run(ctx context.Context, o Options) (Summary, error) {
	c := &crawl{o: o, robots: map[string]*knownRobots{}, begun: time.Now()}
	var err error
	if c.seeds, c.scope, err = c.o.prepare(); err != nil {
		return c.sum, err
	}
	if err := c.open(); err != nil {
		return c.sum, errors.Join(err, c.close())
	}
	if c.o.MaxTime > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, c.o.MaxTime, errMaxTime)
		defer cancel()
	}
	stop := c.work(ctx)
	err = c.loop(ctx)
	stop()
	c.sum.Aside = c.hosts.Aside()
	if err == nil {
		err = c.commit()
	}
	return c.sum, errors.Join(err, c.close())
}

var errMaxTime = errors.New("the time is used up")

// open takes up the frontier and the archive.
func (c *crawl) open() (err error) {
	path := c.o.Out + ".frontier"
	if c.o.Fresh {
		if err := c.removeAll(path); err != nil {
			return err
		}
	} else if _, err := os.Stat(path); err != nil {
		if _, err := os.Stat(c.o.Out); err == nil {
			return &OptionError{"out", c.o.Out + " exists, and has no frontier to go on from"}
		}
	}
	if c.store, err = frontier.Open(path); err != nil {
		return err
	}
	if c.resumed, err = c.o.samePlan(c.store); err != nil {
		return err
	}
	var at place
	_, err = c.store.Get("place", &at)
	if _, e := c.store.Get("summary", &c.sum); err != nil || e != nil {
		return errors.Join(err, e)
	}
	c.before, c.hosts = c.sum.Seconds, NewSchedule(c.o.Pace)
	if c.o.Previous != "" {
		if c.old, err = openPrevious(c.o.Previous); err != nil {
			return err
		}
	}
	if c.archive, err = openArchive(c.o.Out, at, c.o.Rotate, c.info()); err != nil {
		return err
	}
	if c.resumed {
		var names []string
		names, c.sum.Queue = c.store.Hosts()
		for _, name := range names {
			c.hosts.Add(name)
		}
		return nil
	}
	if c.old != nil {
		if _, err := c.old.load(c.store); err != nil {
			return err
		}
	}
	if err := c.plant(); err != nil {
		return err
	}
	return c.commit()
}

// plant queues seeds and sitemaps.
func (c *crawl) plant() error {
	for _, a := range c.seeds {
		if err := c.add(a, frontier.Entry{Kind: frontier.Page}); err != nil {
			return err
		}
	}
	for _, s := range c.o.Sitemaps {
		a, err := Normalise("", s)
		if err != nil {
			return &OptionError{"sitemap", err.Error()}
		}
		if err := c.add(a, frontier.Entry{Kind: frontier.Sitemap}); err != nil {
			return err
		}
	}
	return nil
}

// removeAll drops an earlier crawl, unless it is under way.
func (c *crawl) removeAll(path string) error {
	if _, err := os.Stat(path); err == nil {
		s, err := frontier.Open(path)
		if errors.Is(err, frontier.ErrLocked) {
			return err
		}
		if err == nil {
			_ = s.Close()
		}
		if err := os.Remove(path); err != nil {
			return fmt.Errorf("frontier: %w", err)
		}
	}
	for n := 0; ; n++ {
		if err := os.Remove(FileName(c.o.Out, n)); os.IsNotExist(err) {
			return nil
		} else if err != nil {
			return fmt.Errorf("archive: %w", err)
		}
	}
}

func (c *crawl) info() warc.Header {
	return warc.Header{{Name: "software", Value: "winnow " + c.o.Version}, {Name: "format", Value: "WARC File Format 1.1"},
		{Name: "conformsTo", Value: "http://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/"},
		{Name: "robots", Value: "obey"}, {Name: "operator", Value: c.o.Contact}, {Name: "http-header-user-agent", Value: c.o.userAgent()}}
}

func (c *crawl) close() error {
	var errs []error
	if c.archive != nil && c.archive.file != nil {
		errs = append(errs, c.archive.close())
	}
	if c.store != nil {
		errs = append(errs, c.store.Close())
	}
	if c.old != nil {
		errs = append(errs, c.old.file.Close())
	}
	return errors.Join(errs...)
}

// commit makes durable what was done: first the archive, then what the frontier says of it.
func (c *crawl) commit() error {
	at, err := c.archive.sync()
	if err != nil {
		return err
	}
	c.last = time.Now()
	c.sum.Files, c.sum.Seconds = at.File+1, c.before+time.Since(c.begun).Seconds()
	return errors.Join(c.store.Put("place", at), c.store.Put("summary", c.sum), c.store.Commit())
}

// work starts the workers; stop waits for them.
func (c *crawl) work(ctx context.Context) (stop func()) {
	c.jobs, c.results = make(chan job), make(chan result, c.o.Concurrency)
	d := &wire.Dialer{Resolver: c.o.Resolver, AllowPrivate: c.o.AllowPrivate, Timeout: min(30*time.Second, c.o.Timeout), Proxy: c.o.Proxy}
	t := wire.NewTransport(d, c.o.TLS)
	var all sync.WaitGroup
	for range c.o.Concurrency {
		w := newWorker(ctx, &c.o, c.scope, t, c.old)
		all.Go(func() {
			for j := range c.jobs {
				c.results <- w.do(j)
			}
		})
	}
	return func() {
		close(c.jobs)
		go func() { all.Wait(); close(c.results) }()
		for range c.results { // what was under way is fetched again
		}
		t.CloseIdleConnections()
	}
}

// loop hands out work and takes in what came of it.
func (c *crawl) loop(ctx context.Context) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		if ctx.Err() != nil {
			c.sum.Ended = EndedStopped
			if errors.Is(context.Cause(ctx), errMaxTime) {
				c.sum.Ended = EndedTime
			}
			return nil
		}
		wait, err := c.dispatch()
		if err != nil {
			return err
		}
		if c.flight == 0 && wait < 0 {
			return nil
		}
		if wait < 0 || wait > c.o.commitEvery {
			wait = c.o.commitEvery
		}
		timer.Reset(wait)
		select {
		case r := <-c.results:
			c.flight--
			if err := c.take(ctx, r); err != nil {
				return err
			}
		case <-timer.C:
		case <-ctx.Done():
		}
		if time.Since(c.last) >= c.o.commitEvery || c.store.Full() {
			if err := c.commit(); err != nil {
				return err
			}
		}
	}
}

// spent says which budget is used up, those in flight counted.
func (c *crawl) spent() string {
	switch {
	case c.o.MaxPages > 0 && c.sum.Pages+c.paged >= c.o.MaxPages:
		return EndedPages
	case c.o.MaxBytes > 0 && c.sum.Bytes >= c.o.MaxBytes:
		return EndedBytes
	}
	return ""
}

// dispatch gives work to free workers. It returns how long until a host may be asked; negative: none waits.
func (c *crawl) dispatch() (time.Duration, error) {
	for c.flight < c.o.Concurrency {
		if c.sum.Ended = c.spent(); c.sum.Ended != "" {
			return -1, nil
		}
		name, wait := c.hosts.Take(time.Now())
		if name == "" {
			if c.sum.Ended = EndedDone; c.sum.Queue > 0 {
				c.sum.Ended = EndedHosts
			}
			return wait, nil
		}
		j, ok, err := c.turn(name)
		if err != nil {
			return 0, err
		}
		if ok {
			c.flight++
			if !j.robots && j.entry.Kind == frontier.Page {
				c.paged++
			}
			c.jobs <- j
		}
	}
	return -1, nil
}
