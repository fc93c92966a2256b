package winnow

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// ErrChanged is the error of reading a File whose content is no longer what it was when it was opened.
var ErrChanged = errors.New("the file changed on its server while it was read")

// Objects are Files that can be written as well: what the folder of a run needs where it is named by a URL. All names are whole
// URLs. Any number of processes may use the same ones at once. Open gives fs.ErrNotExist for what is not there.
type Objects interface {
	Files
	// Put stores size bytes of body under a name, whole or not at all. Where the condition does not hold the error is fs.ErrExist;
	// after a failure of the network it may not hold because these very bytes arrived.
	Put(ctx context.Context, name string, body io.ReaderAt, size int64, when Condition) error
	// List gives what lies in a folder, one level of it, in the order of names. A folder without anything in it is empty.
	List(ctx context.Context, folder string) ([]Entry, error)
	// Remove takes a name away. What is not there is no error.
	Remove(ctx context.Context, name string) error
}

// Condition says when Objects may store something. The zero Condition is always.
type Condition struct {
	Absent bool   // nothing has the name
	Tag    string // what has the name is still the File of this Tag; empty: no matter
}

// Entry is one name in a folder.
type Entry struct {
	Name   string // without the folder
	Folder bool
	Size   int64     // bytes; 0 for a folder
	Time   time.Time // of the last change; zero for a folder
}

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
