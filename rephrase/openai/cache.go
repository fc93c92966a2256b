package openai

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

// cache keeps answers on disk by the hash of their request: JSON lines in segments, one segment for each process that
// wrote any, and an index in memory. Segments are only ever appended to, so processes may share the folder; each sees what
// the others had written when it started. A nil cache is empty and keeps nothing.
type cache struct {
	dir string

	mu     sync.Mutex
	index  map[key]place
	failed map[key]bool // requests that failed for good before; they are asked again
	own    *os.File     // this process's segment; nil before the first answer
	size   int64        // of own
	broken error        // of the first write that failed: what follows a torn line would be lost

	waiting *group // for the next sync; nil where none waits
	syncing bool   // flush is at work
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
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("openai: cache: %w", err)
	}
	c := &cache{dir: dir, index: make(map[key]place), failed: make(map[key]bool)}
	for _, e := range entries {
		if e.IsDir() || !strings.HasSuffix(e.Name(), ".jsonl") {
			continue
		}
		if err := c.load(filepath.Join(dir, e.Name())); err != nil {
			return nil, fmt.Errorf("openai: cache: %w", err)
		}
	}
	return c, nil
}

func (c *cache) load(file string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	r := bufio.NewReaderSize(f, 1<<16)
	for offset := int64(0); ; {
		b, err := r.ReadBytes('\n')
		if err == io.EOF { // without a line's end, b is no line yet
			return nil
		}
		if err != nil {
			return err
		}
		if k, r, ok := parse(b); ok && r == nil {
			c.failed[k] = true
		} else if ok {
			if _, twice := c.index[k]; !twice {
				c.index[k] = place{file, offset, len(b)}
			}
		}
		offset += int64(len(b))
	}
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

// group is answers that one sync makes durable together.
type group struct {
	bytes   []byte
	keys    []key
	lengths []int
	failed  []bool
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
	return r, c.write(k, line{Key: hex.EncodeToString(k[:]), Model: model, Response: r})
}

// fail notes that a request failed for good.
func (c *cache) fail(k key) error {
	if c == nil || c.failedBefore(k) {
		return nil
	}
	return c.write(k, line{Key: hex.EncodeToString(k[:]), Failed: true})
}

func (c *cache) failedBefore(k key) bool {
	if c == nil {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.failed[k]
}

// write makes a line durable.
func (c *cache) write(k key, l line) error {
	b, err := json.Marshal(l)
	if err != nil {
		return fmt.Errorf("openai: cache: %w", err)
	}
	c.mu.Lock()
	g := c.waiting
	if g == nil {
		g = &group{done: make(chan struct{})}
		c.waiting = g
	}
	g.bytes = append(append(g.bytes, b...), '\n')
	g.keys, g.lengths, g.failed = append(g.keys, k), append(g.lengths, len(b)+1), append(g.failed, l.Failed)
	if !c.syncing {
		c.syncing = true
		go c.flush()
	}
	c.mu.Unlock()
	if <-g.done; g.err != nil {
		return fmt.Errorf("openai: cache: %w", g.err)
	}
	return nil
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
			err := c.append(g.bytes)
			c.mu.Lock()
			g.err, c.broken = err, err
		}
		if g.err == nil {
			for i, k := range g.keys {
				if _, twice := c.index[k]; g.failed[i] {
					c.failed[k] = true
				} else if !twice {
					c.index[k] = place{c.own.Name(), c.size, g.lengths[i]}
				}
				c.size += int64(g.lengths[i])
			}
		}
		close(g.done)
	}
	c.syncing = false
}

// append writes to this process's segment; only flush calls it.
func (c *cache) append(b []byte) error {
	if c.own == nil {
		f, err := os.CreateTemp(c.dir, "answers-*.jsonl")
		if err != nil {
			return err
		}
		c.own = f
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
	err := c.own.Close()
	c.own, c.broken = nil, errors.New("closed")
	return err
}
