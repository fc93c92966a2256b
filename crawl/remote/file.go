package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"winnow"
)

const (
	firstRange = 256 << 10 // bytes that the first request at a place asks for; each further one doubles
	lastRange  = 64 << 20
	history    = 256 << 10 // bytes behind a cursor that can be read again
	leap       = 512 << 10 // bytes ahead of a cursor that are read over rather than asked for anew
	cursors    = 16        // places of a file that are read side by side, as columns of a parquet file are
)

// file is a winnow.File behind a network.
type file struct {
	ctx  context.Context
	name string
	obj  object
	o    Options

	mu   sync.Mutex
	open []*cursor // the one used last stands last
}

func newFile(ctx context.Context, name string, obj object, o Options) *file {
	return &file{ctx: ctx, name: name, obj: obj, o: o}
}

// NewFile gives a winnow.File of another server, with the reading ahead and the retries that Files have. read opens the bytes
// [from, to); where trying again is of no use its error is a backoff.PermanentError.
func NewFile(ctx context.Context, name string, size int64, tag string, read func(ctx context.Context, from, to int64) (io.ReadCloser, error), o Options) winnow.File {
	return newFile(ctx, name, object{size, tag, true, read}, o.withDefaults())
}

// Size implements winnow.File.
func (f *file) Size() int64 { return f.obj.size }

// Tag implements winnow.File.
func (f *file) Tag() string { return f.obj.tag }

// Ranged implements winnow.File.
func (f *file) Ranged() bool { return true }

// Close implements io.Closer.
func (f *file) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range f.open {
		c.stop()
	}
	f.open = nil
	return nil
}

// ReadAt implements io.ReaderAt.
func (f *file) ReadAt(p []byte, off int64) (n int, err error) {
	if off < 0 {
		return 0, errors.New("negative offset")
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for n < len(p) && off < f.obj.size {
		c := f.at(off)
		if err := c.reach(off); err != nil {
			return n, fmt.Errorf("%s: byte %d: %w", f.name, off, err)
		}
		k := copy(p[n:], c.buf[off-c.from:])
		n, off = n+k, off+int64(k)
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// at gives the cursor that has the byte off or is on the way to it, else a new one there.
func (f *file) at(off int64) *cursor {
	i := slices.IndexFunc(f.open, func(c *cursor) bool { return c.from <= off && off < c.from+int64(len(c.buf))+leap })
	if i < 0 {
		if len(f.open) == cursors {
			f.open[0].stop()
			f.open = f.open[1:]
		}
		f.open = append(f.open, &cursor{file: f, from: off, next: firstRange})
		return f.open[len(f.open)-1]
	}
	c := f.open[i]
	f.open = append(slices.Delete(f.open, i, i+1), c)
	return c
}

// cursor is one place of a file that is read on from.
type cursor struct {
	*file
	from int64 // of buf in the file
	buf  []byte

	body   io.ReadCloser // the bytes behind buf, up to end; nil: not asked for
	end    int64
	next   int64 // bytes that the next request asks for
	cancel context.CancelFunc
}

// stop ends a transfer.
func (c *cursor) stop() {
	if c.body != nil {
		c.cancel()
		c.body.Close()
		c.body = nil
	}
}

// reach reads until buf holds the byte off, whatever breaks meanwhile.
func (c *cursor) reach(off int64) error {
	r := newRetry(c.o)
	for off >= c.from+int64(len(c.buf)) {
		n, err := c.more()
		if n > 0 {
			r.progress()
		}
		if err != nil {
			c.stop()
			if err := r.wait(c.ctx, err); err != nil {
				return err
			}
		}
	}
	return nil
}

// more reads some bytes behind buf.
func (c *cursor) more() (int, error) {
	at := c.from + int64(len(c.buf))
	if c.body == nil {
		ctx, cancel := context.WithCancel(c.ctx)
		end := min(at+c.next, c.obj.size)
		timer := time.AfterFunc(c.o.Stall, cancel)
		body, err := c.obj.read(ctx, at, end)
		if !timer.Stop() && err == nil {
			body.Close()
			err = context.Canceled
		}
		if err != nil {
			cancel()
			return 0, c.stalled(err)
		}
		c.body, c.end, c.cancel = body, end, cancel
		c.next = min(2*c.next, lastRange)
	}
	if len(c.buf) >= 2*history {
		keep := copy(c.buf, c.buf[len(c.buf)-history:])
		c.from, c.buf = at-int64(keep), c.buf[:keep]
	}
	c.buf = slices.Grow(c.buf, 64<<10)
	timer := time.AfterFunc(c.o.Stall, c.cancel)
	space := c.buf[len(c.buf):min(cap(c.buf), len(c.buf)+64<<10)]
	n, err := c.body.Read(space[:min(int64(len(space)), c.end-at)])
	timer.Stop()
	c.buf = c.buf[:len(c.buf)+n]
	switch at += int64(n); {
	case at == c.end:
		c.stop()
		return n, nil
	case err == io.EOF:
		return n, io.ErrUnexpectedEOF
	case err != nil:
		return n, c.stalled(err)
	}
	return n, nil
}

// stalled says what a cancelled transfer means where the caller has not cancelled it.
func (c *cursor) stalled(err error) error {
	if errors.Is(err, context.Canceled) && c.ctx.Err() == nil {
		return fmt.Errorf("no byte in %v", c.o.Stall)
	}
	return err
}
