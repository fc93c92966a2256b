package remote

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"
)

// fetched is a winnow.File of a server that gives whole files only: a copy on the disk, without a name.
type fetched struct {
	*os.File
	size int64
	tag  string
}

// Size implements winnow.File.
func (f *fetched) Size() int64 { return f.size }

// Tag implements winnow.File.
func (f *fetched) Tag() string { return f.tag }

// Ranged implements winnow.File.
func (f *fetched) Ranged() bool { return false }

// fetch copies a file to the disk. What breaks off is begun anew, and read over as far as it is there.
func fetch(ctx context.Context, name string, obj object, o Options) (*fetched, error) {
	f, err := os.CreateTemp(o.TempDir, "winnow-*")
	if err != nil {
		return nil, err
	}
	if err := os.Remove(f.Name()); err != nil {
		f.Close()
		return nil, err
	}
	r := newRetry(o)
	var have int64
	for {
		n, err := transfer(ctx, f, obj, o, have)
		if n > have {
			have = n
			r.progress()
		}
		if err == nil {
			return &fetched{f, have, obj.tag}, nil
		}
		if err := r.wait(ctx, err); err != nil {
			f.Close()
			return nil, fmt.Errorf("%s: byte %d: %w", name, have, err)
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
