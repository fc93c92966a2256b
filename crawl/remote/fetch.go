package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

// fetched is a winnow.File of a server that gives whole files only: a copy on the disk, without a name, made when it is first
// read.
type fetched struct {
	ctx  context.Context
	name string
	obj  object
	o    Options

	mu  sync.Mutex
	f   *os.File // nil: not fetched yet
	err error
}

// fetch returns a file of obj. Where the server does not tell the size, it is fetched at once.
func fetch(ctx context.Context, name string, obj object, o Options) (*fetched, error) {
	f := &fetched{ctx: ctx, name: name, obj: obj, o: o}
	if obj.size >= 0 {
		return f, nil
	}
	return f, f.copy()
}

// Size implements winnow.File.
func (f *fetched) Size() int64 { return f.obj.size }

// Tag implements winnow.File.
func (f *fetched) Tag() string { return f.obj.tag }

// Ranged implements winnow.File.
func (f *fetched) Ranged() bool { return false }

// ReadAt implements io.ReaderAt.
func (f *fetched) ReadAt(p []byte, off int64) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.f == nil && f.err == nil {
		f.err = f.copy()
	}
	if f.err != nil {
		return 0, f.err
	}
	return f.f.ReadAt(p, off)
}

// Close implements io.Closer.
func (f *fetched) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.f == nil {
		return nil
	}
	return f.f.Close()
}

// copy fetches the file. What breaks off is begun anew, and read over as far as it is there.
func (f *fetched) copy() error {
	t, err := os.CreateTemp(f.o.TempDir, "winnow-*")
	if err != nil {
		return err
	}
	if err := os.Remove(t.Name()); err != nil {
		return errors.Join(err, t.Close())
	}
	r := newRetry(f.o)
	var have int64
	for {
		n, err := transfer(f.ctx, t, f.obj, f.o, have)
		if n > have {
			have = n
			r.progress()
		}
		if err == nil {
			f.f, f.obj.size = t, have
			return nil
		}
		if err := r.wait(f.ctx, err); err != nil {
			t.Close()
			return fmt.Errorf("%s: byte %d: %w", f.name, have, err)
		}
	}
}

// transfer reads a file from its beginning, and writes what lies behind the bytes that are there. It returns how many then are.
func transfer(ctx context.Context, f *os.File, obj object, o Options, have int64) (int64, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	timer := time.AfterFunc(o.Stall, cancel)
	defer timer.Stop()
	body, err := obj.read(ctx, 0, obj.size)
	if err != nil {
		return have, err
	}
	defer body.Close()
	buf := make([]byte, 64<<10)
	for at := int64(0); ; {
		timer.Reset(o.Stall)
		n, err := body.Read(buf)
		if end := at + int64(n); end > have {
			if _, err := f.WriteAt(buf[have-at:n], have); err != nil {
				return have, err
			}
			have = end
		}
		at += int64(n)
		switch {
		case err == io.EOF && obj.size >= 0 && at < obj.size:
			return have, io.ErrUnexpectedEOF
		case err == io.EOF:
			return have, nil
		case err != nil && ctx.Err() != nil:
			return have, fmt.Errorf("no byte in %v", o.Stall)
		case err != nil:
			return have, err
		}
	}
}
