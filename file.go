package winnow

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// IsURL tells whether an input is named by a URL, and so is for Files.
func IsURL(name string) bool { return strings.Contains(name, "://") }

// OpenFile opens an input by its name: a URL through far, which may be nil where none is read, else a file of the disk.
func OpenFile(ctx context.Context, name string, far Files) (File, error) {
	if IsURL(name) {
		if far == nil {
			return nil, fmt.Errorf("%s: URLs are not read here", Redacted(name))
		}
		return far.Open(ctx, name)
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, err
	}
	return &diskFile{f, info.Size()}, nil
}

// diskFile is a File of the disk.
type diskFile struct {
	*os.File
	size int64
}

// Size implements File.
func (f *diskFile) Size() int64 { return f.size }

// Tag implements File.
func (f *diskFile) Tag() string { return "" }

// Ranged implements File.
func (f *diskFile) Ranged() bool { return true }

// WatchedFile remembers the first failure of reading, which a decoder may take for the end, or make something else of. Places that
// no file has are the decoder's fault, and io.EOF is none.
type WatchedFile struct {
	File
	Err error
}

// ReadAt implements io.ReaderAt.
func (w *WatchedFile) ReadAt(b []byte, off int64) (int, error) {
	n, err := w.File.ReadAt(b, off)
	if err != nil && err != io.EOF && w.Err == nil && !errors.Is(err, os.ErrInvalid) && off >= 0 {
		w.Err = err
	}
	return n, err
}
