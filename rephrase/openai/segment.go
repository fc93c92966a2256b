package openai

import (
	"bufio"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// segmentEnd ends the names of segments. lastLine is the last one of a segment whose process ended well: nothing follows.
const (
	segmentEnd = ".jsonl"
	lastLine   = `{"closed":true}` + "\n"
)

// segment is a file of another process, or of an earlier one.
type segment struct {
	read   int64 // bytes that the index knows, to the end of a line
	closed bool  // nothing will be added
}

// look is a reading of what others wrote, for all who wait for one that begins from now on.
type look struct {
	done chan struct{} // closed when err is set
	err  error
}

// refresh reads what other processes have made durable until now.
func (c *cache) refresh() error {
	if c == nil {
		return nil
	}
	c.mu.Lock()
	l := c.news
	if l == nil {
		l = &look{done: make(chan struct{})}
		c.news = l
	}
	if !c.looking {
		c.looking = true
		go c.lookOut()
	}
	c.mu.Unlock()
	<-l.done
	return l.err
}

// lookOut reads once for each look that waits.
func (c *cache) lookOut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.news != nil {
		l := c.news
		c.news = nil
		c.mu.Unlock()
		l.err = c.follow()
		close(l.done)
		c.mu.Lock()
	}
	c.looking = false
}

// follow reads on in all segments that are not this process's own.
func (c *cache) follow() error {
	c.reading.Lock()
	defer c.reading.Unlock()
	entries, err := os.ReadDir(c.dir)
	if err != nil {
		return err
	}
	c.mu.Lock()
	own := ""
	if c.own != nil {
		own = filepath.Base(c.own.Name())
	}
	c.mu.Unlock()
	for _, e := range entries {
		name := e.Name()
		if e.IsDir() || name == own || !strings.HasSuffix(name, segmentEnd) {
			continue
		}
		s := c.others[name]
		if s == nil {
			s = &segment{}
			c.others[name] = s
		}
		if s.closed {
			continue
		}
		if err := c.readOn(filepath.Join(c.dir, name), s); err != nil && !errors.Is(err, fs.ErrNotExist) { // someone removed it
			return err
		}
	}
	return nil
}

// readOn indexes the whole lines that a segment has more than before. A file that was opened anew shows, on a network's file system
// too, what was synced before; what was not is synced here, lest an answer is used that a fall of power takes away.
func (c *cache) readOn(file string, s *segment) error {
	f, err := os.OpenFile(file, os.O_RDWR, 0)
	if errors.Is(err, fs.ErrPermission) {
		f, err = os.Open(file)
	}
	if err != nil {
		return err
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || info.Size() <= s.read {
		return err
	}
	if _, err := f.Seek(s.read, io.SeekStart); err != nil {
		return err
	}
	type found struct {
		key    key
		failed bool
		at     place
	}
	var all []found
	offset, closed := s.read, false
	for r := bufio.NewReaderSize(f, 1<<16); ; {
		b, err := r.ReadBytes('\n')
		if err == io.EOF { // without a line's end, b is no line yet
			break
		}
		if err != nil {
			return err
		}
		closed = string(b) == lastLine
		if k, r, ok := parse(b); ok {
			all = append(all, found{k, r == nil, place{file, offset, len(b)}})
		}
		offset += int64(len(b))
	}
	if err := f.Sync(); err != nil && len(all) > 0 && !errors.Is(err, fs.ErrPermission) && !errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, x := range all {
		c.note(x.key, x.failed, x.at)
	}
	s.read, s.closed = offset, closed
	return nil
}
