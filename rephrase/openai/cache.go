package openai

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/gofrs/flock"
)

// cache keeps answers on disk by the hash of their request: JSON lines in segments, one segment for each process that
// wrote any, and an index in memory. Segments are only ever appended to. Processes, on one machine or on several that see the same
// folder, share it while they run: before anything is asked the segments of others are read on, and writing goes by a lock, under which
// an answer that another process was given meanwhile takes the place of one's own. So there is one answer to a request, and none is
// asked for once any process has it on disk. A disk that knows no locks is used without: then two processes that ask the same at the
// same time may each go by their own answer until they end. A nil cache is empty and keeps nothing.
type cache struct {
	dir  string
	lock *flock.Flock // held while writing

	mu     sync.Mutex
	index  map[key]place
	failed map[key]bool // requests that failed for good before; they are asked again
	own    *os.File     // this process's segment; nil before the first answer
	size   int64        // of own
	broken error        // of the first write that failed: what follows a torn line would be lost

	waiting *group // for the next sync; nil where none waits
	syncing bool   // flush is at work

	news    *look // for the next reading of what others wrote; nil where none waits
	looking bool  // lookOut is at work

	reading sync.Mutex          // held while segments are read
	others  map[string]*segment // by name
}

// place is where a line lies.
type place struct {
	file   string
	offset int64
	length int
}

type line struct {
	Key   string `json:"key"` // hex
	Model string `json:"model,omitempty"`
	Response
	Failed bool `json:"failed,omitempty"` // there was no answer, after all retries; the rest is empty
}

// openCache reads the index of all segments in a folder. Of two answers to one request the first counts, segments in the
// order of their names. Lines that do not parse are skipped: a process may have died, or be at work, in the middle of one.
func openCache(dir string) (*cache, error) {
	if dir == "" {
		return nil, nil
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, fmt.Errorf("openai: cache: %w", err)
	}
	c := &cache{
		dir: dir, lock: flock.New(filepath.Join(dir, ".lock")),
		index: make(map[key]place), failed: make(map[key]bool), others: make(map[string]*segment),
	}
	if err := c.follow(); err != nil {
		return nil, fmt.Errorf("openai: cache: %w", err)
	}
	return c, nil
}

// parse reads a line; r is nil where it tells of a request without an answer.
func parse(b []byte) (k key, r *Response, ok bool) {
	var l line
	if json.Unmarshal(b, &l) != nil || len(l.Key) != hex.EncodedLen(len(k)) {
		return k, nil, false
	}
	if _, err := hex.Decode(k[:], []byte(l.Key)); err != nil {
		return k, nil, false
	}
	if l.Failed {
		return k, nil, true
	}
	l.Cached = true
	return k, &l.Response, true
}

func (c *cache) has(k key) bool {
	if c == nil {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	_, ok := c.index[k]
	return ok
}

// get looks an answer up. A segment that someone removed meanwhile holds none.
func (c *cache) get(k key) (Response, bool, error) {
	if c == nil {
		return Response{}, false, nil
	}
	c.mu.Lock()
	at, ok := c.index[k]
	c.mu.Unlock()
	if !ok {
		return Response{}, false, nil
	}
	f, err := os.Open(at.file)
	if errors.Is(err, fs.ErrNotExist) {
		return Response{}, false, nil
	}
	if err != nil {
		return Response{}, false, fmt.Errorf("openai: cache: %w", err)
	}
	defer f.Close()
	b := make([]byte, at.length)
	if _, err := f.ReadAt(b, at.offset); err != nil {
		return Response{}, false, fmt.Errorf("openai: cache: %s: byte %d: %w", at.file, at.offset, err)
	}
	got, r, ok := parse(b)
	if !ok || got != k || r == nil {
		return Response{}, false, fmt.Errorf("openai: cache: %s: byte %d: not the line that was there", at.file, at.offset)
	}
	return *r, true, nil
}

// entry is a line that waits to be written.
type entry struct {
	key    key
	line   []byte
	failed bool
	late   bool // set where another process was given an answer first, which counts
}

// group is answers that one sync makes durable together.
type group struct {
	entries []*entry
	done    chan struct{} // closed when err is set
	err     error
}

// put writes an answer to disk, and returns the one to use when it is durable: where an equal request was answered meanwhile,
// that answer. Answers that arrive while others are being synced share the next sync.
func (c *cache) put(k key, model string, r Response) (Response, error) {
	if c == nil {
		return r, nil
	}
	if earlier, ok, err := c.get(k); ok || err != nil {
		return earlier, err
	}
	late, err := c.write(k, line{Key: hex.EncodeToString(k[:]), Model: model, Response: r})
	if err != nil || !late {
		return r, err
	}
	if earlier, ok, err := c.get(k); ok || err != nil {
		return earlier, err
	}
	return r, nil // someone removed that segment
}

// fail notes that a request failed for good.
func (c *cache) fail(k key) error {
	if c == nil || c.failedBefore(k) {
		return nil
	}
	_, err := c.write(k, line{Key: hex.EncodeToString(k[:]), Failed: true})
	return err
}

func (c *cache) failedBefore(k key) bool {
	if c == nil {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.failed[k]
}

// write makes a line durable; late tells that another process was given an answer first, and nothing was written.
func (c *cache) write(k key, l line) (late bool, err error) {
	b, err := json.Marshal(l)
	if err != nil {
		return false, fmt.Errorf("openai: cache: %w", err)
	}
	e := &entry{key: k, line: append(b, '\n'), failed: l.Failed}
	c.mu.Lock()
	g := c.waiting
	if g == nil {
		g = &group{done: make(chan struct{})}
		c.waiting = g
	}
	g.entries = append(g.entries, e)
	if !c.syncing {
		c.syncing = true
		go c.flush()
	}
	c.mu.Unlock()
	if <-g.done; g.err != nil {
		return false, fmt.Errorf("openai: cache: %w", g.err)
	}
	return e.late, nil
}

// flush writes group after group until none waits.
func (c *cache) flush() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.waiting != nil {
		g := c.waiting
		c.waiting = nil
		if g.err = c.broken; g.err == nil {
			c.mu.Unlock()
			err := c.settle(g)
			c.mu.Lock()
			g.err, c.broken = err, err
		}
		close(g.done)
	}
	c.syncing = false
}

// settle appends a group to this process's segment, but for what others have answered, and indexes it. Only flush calls it.
func (c *cache) settle(g *group) error {
	if err := c.lock.Lock(); err == nil {
		defer c.lock.Unlock()
	} else if !errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	if err := c.follow(); err != nil {
		return err
	}
	var bytes []byte
	c.mu.Lock()
	for _, e := range g.entries {
		if _, e.late = c.index[e.key]; !e.late {
			bytes = append(bytes, e.line...)
		}
	}
	c.mu.Unlock()
	if len(bytes) == 0 {
		return nil
	}
	if err := c.append(bytes); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, e := range g.entries {
		if e.late {
			continue
		}
		c.note(e.key, e.failed, place{c.own.Name(), c.size, len(e.line)})
		c.size += int64(len(e.line))
	}
	return nil
}

// note puts a line into the index; c.mu is held.
func (c *cache) note(k key, failed bool, at place) {
	if _, twice := c.index[k]; failed {
		c.failed[k] = true
	} else if !twice {
		c.index[k] = at
	}
}

// append writes to this process's segment, and syncs.
func (c *cache) append(b []byte) error {
	if c.own == nil {
		f, err := os.CreateTemp(c.dir, "answers-*"+segmentEnd)
		if err != nil {
			return err
		}
		c.mu.Lock()
		c.own = f
		c.mu.Unlock()
		syncDir(c.dir)
	}
	if _, err := c.own.Write(b); err != nil {
		return err
	}
	return c.own.Sync()
}

// syncDir makes a new file's name durable where the system can; not all can, and none loses bytes by it.
func syncDir(dir string) {
	if d, err := os.Open(dir); err == nil {
		d.Sync()
		d.Close()
	}
}

func (c *cache) close() error {
	if c == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.own == nil {
		return nil
	}
	_, err := c.own.Write([]byte(lastLine))
	err = errors.Join(err, c.own.Close())
	c.own, c.broken = nil, errors.New("closed")
	return err
}
