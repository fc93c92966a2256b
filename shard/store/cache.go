package store

import (
	"io"
	"os"
	"sync"

	"winnow"
)

const (
	maxWhole  = 256 << 20 // bytes of a file up to which it is fetched whole
	maxCopies = 4 << 30   // bytes of all copies together
	maxFiles  = 1000      // and how many there are
)

// cache is copies of files of the object store that never change, on the disk and without names.
type cache struct {
	folder string

	mu     sync.Mutex
	copies map[string]*held
	bytes  int64
}

// held is one of them.
type held struct {
	ready sync.Once
	f     *os.File
	size  int64
	err   error
	users int // under the cache's mu
	gone  bool
}

func newCache(folder string) *cache { return &cache{folder: folder, copies: map[string]*held{}} }

// copied is a copy open for reading.
type copied struct {
	*held
	cache *cache
	once  sync.Once
}

// ReadAt implements io.ReaderAt.
func (c *copied) ReadAt(b []byte, off int64) (int, error) { return c.f.ReadAt(b, off) }

// Size implements winnow.File.
func (c *copied) Size() int64 { return c.size }

// Tag implements winnow.File.
func (c *copied) Tag() string { return "" }

// Ranged implements winnow.File.
func (c *copied) Ranged() bool { return true }

// Close implements io.Closer.
func (c *copied) Close() error {
	c.once.Do(func() { c.cache.release(c.held) })
	return nil
}

// get opens a copy; nil where there is none.
func (c *cache) get(name string) winnow.File {
	c.mu.Lock()
	defer c.mu.Unlock()
	k := c.copies[name]
	if k == nil || k.f == nil {
		return nil
	}
	k.users++
	return &copied{held: k, cache: c}
}

// add takes over a file that holds what lies under the name.
func (c *cache) add(name string, f *os.File, size int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.copies[name] = &held{f: f, size: size}
	c.bytes += size
	c.shrink()
}

// fetch makes a copy of a file, unless another caller does so already, and opens it.
func (c *cache) fetch(name string, from winnow.File) (winnow.File, error) {
	c.mu.Lock()
	k := c.copies[name]
	if k == nil {
		k = &held{}
		c.copies[name] = k
	}
	k.users++
	c.mu.Unlock()
	k.ready.Do(func() {
		if k.f != nil {
			return // of add or an earlier fetch
		}
		f, err := c.transfer(from)
		c.mu.Lock()
		defer c.mu.Unlock()
		if k.err = err; err != nil {
			delete(c.copies, name)
			return
		}
		k.f, k.size = f, from.Size()
		c.bytes += k.size
		c.shrink()
	})
	if k.err != nil {
		return nil, k.err
	}
	return &copied{held: k, cache: c}, nil
}

func (c *cache) transfer(from winnow.File) (*os.File, error) {
	f, err := nameless(c.folder)
	if err != nil {
		return nil, err
	}
	if _, err := io.Copy(f, io.NewSectionReader(from, 0, from.Size())); err != nil {
		discard(f)
		return nil, err
	}
	return f, nil
}

// shrink lets go of copies that nobody reads, in no order, until they are within bounds: where files are read over and over in
// one order, the one used last is as good as any other.
func (c *cache) shrink() {
	for name, k := range c.copies {
		if c.bytes <= maxCopies && len(c.copies) <= maxFiles {
			return
		}
		if k.users == 0 && k.f != nil {
			c.drop(name, k)
		}
	}
}

func (c *cache) drop(name string, k *held) {
	delete(c.copies, name)
	c.bytes -= k.size
	discard(k.f)
}

func (c *cache) release(k *held) {
	c.mu.Lock()
	defer c.mu.Unlock()
	k.users--
	if k.gone && k.users == 0 {
		discard(k.f)
	}
	c.shrink()
}

// close lets go of all copies; those that are being read go when that ends.
func (c *cache) close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for name, k := range c.copies {
		switch {
		case k.f == nil:
		case k.users == 0:
			c.drop(name, k)
		default:
			delete(c.copies, name)
			c.bytes -= k.size
			k.gone = true
		}
	}
	return nil
}
