package feedback

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/gofrs/flock"
)

// Names of the files in the folder.
const (
	LogName    = "log.jsonl"
	ThumbsName = "thumbs.jsonl"
	PairsName  = "pairs.jsonl"
	EditsName  = "edits.jsonl"
	lockName   = ".lock"
)

// ErrInUse says that another process writes to the folder.
var ErrInUse = errors.New("another process writes its feedback here")

// Log is the one writer of a folder. Its methods are safe for concurrent use.
type Log struct {
	dir   string
	model Model
	now   func() time.Time

	mu     sync.Mutex
	lock   *flock.Flock
	file   *os.File
	size   int64 // of what is whole
	broken error // of a write that could not be undone: what follows a torn line would be lost
	views  []*view

	Cut     int64 // bytes of a torn last line that were cut off on opening
	Skipped int   // lines inside the log that are no judgements: they stay where they are, and count for nothing
}

// subject is what a later judgement takes the place of.
type subject struct{ kind, name string }

// Open locks the folder, makes it where it is missing, cuts off a line that was not written to its end, and writes anew what the other
// files miss of the log. model is written beside each judgement.
func Open(dir string, model Model) (*Log, error) {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, fmt.Errorf("feedback: %w", err)
	}
	l := &Log{dir: dir, model: model, now: time.Now, lock: flock.New(filepath.Join(dir, lockName))}
	l.views = []*view{{name: ThumbsName, kinds: []string{Thumb}}, {name: PairsName, kinds: []string{Pick, Edit}}, {name: EditsName, kinds: []string{Edit}}}
	switch ok, err := l.lock.TryLock(); {
	case err != nil && !errors.Is(err, errors.ErrUnsupported): // a disk that knows no locks is used without
		return nil, fmt.Errorf("feedback: %s: lock: %w", dir, err)
	case err == nil && !ok:
		return nil, fmt.Errorf("feedback: %s: %w", dir, ErrInUse)
	}
	if err := l.open(); err != nil {
		return nil, errors.Join(fmt.Errorf("feedback: %w", err), l.Close())
	}
	return l, nil
}

func (l *Log) open() (err error) {
	if l.file, err = os.OpenFile(filepath.Join(l.dir, LogName), os.O_CREATE|os.O_RDWR, 0o666); err != nil {
		return err
	}
	if err := l.read(); err != nil {
		return err
	}
	for _, v := range l.views {
		if err := v.restore(l.dir, l.file); err != nil {
			return err
		}
	}
	return syncDir(l.dir)
}

// read goes through the log. What has no line's end is no line: a process or a machine ended in the middle of it.
func (l *Log) read() error {
	in := bufio.NewReaderSize(l.file, 1<<16)
	for {
		b, err := in.ReadBytes('\n')
		if err == io.EOF {
			return l.repair(b)
		}
		if err != nil {
			return err
		}
		var r row
		if json.Unmarshal(b, &r) != nil || (&Judgement{Kind: r.Kind, Subject: r.Subject, Undone: true}).Check() != nil {
			l.Skipped++
		} else {
			l.note(r.Judgement, place{l.size, len(b)})
		}
		l.size += int64(len(b))
	}
}

// repair cuts off a torn line, if it is one of ours: another's file is left alone.
func (l *Log) repair(torn []byte) error {
	if len(torn) == 0 {
		return nil
	}
	n := min(len(torn), len(lineBegin))
	if string(torn[:n]) != lineBegin[:n] && len(bytes.Trim(torn, "\x00")) > 0 { // zeros are what a file system may leave of a line
		return fmt.Errorf("%s: it ends in bytes that are no judgement", l.file.Name())
	}
	l.Cut = int64(len(torn))
	if err := l.file.Truncate(l.size); err != nil {
		return err
	}
	return l.file.Sync()
}

// lineBegin is what every line of the log begins with.
const lineBegin = `{"ts":"`

// note takes a judgement into the views; stale says which of them lost a line by it.
func (l *Log) note(j Judgement, at place) (stale []bool) {
	for _, v := range l.views {
		stale = append(stale, v.note(j, at))
	}
	return stale
}

// Add writes a judgement and returns when it is on the disk. An error of Check leaves the log as it is, and so does a full disk.
func (l *Log) Add(j Judgement) error {
	if err := j.Check(); err != nil {
		return &InvalidError{err}
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(j.row(l.now(), l.model)); err != nil {
		return fmt.Errorf("feedback: %w", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.broken != nil {
		return fmt.Errorf("feedback: %w", l.broken)
	}
	_, err := l.file.WriteAt(b.Bytes(), l.size)
	if err == nil {
		err = l.file.Sync()
	}
	if err != nil {
		l.broken = l.file.Truncate(l.size)
		return fmt.Errorf("feedback: %w", err)
	}
	at := place{l.size, b.Len()}
	l.size += int64(b.Len())
	for i, stale := range l.note(j, at) {
		if err := l.views[i].follow(l.dir, l.file, stale, b.Bytes()); err != nil {
			return fmt.Errorf("feedback: %w", err) // the log has it: the next judgement, or the next opening, writes the view anew
		}
	}
	return nil
}

// Counts tells how many thumbs, pairs and edits count today.
func (l *Log) Counts() (thumbs, pairs, edits int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.views[0].rows), len(l.views[1].rows), len(l.views[2].rows)
}

// Close lets others write to the folder.
func (l *Log) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.broken = errors.New("the log is closed")
	var err error
	if l.file != nil {
		err = l.file.Close()
	}
	return errors.Join(err, l.lock.Unlock())
}

// InvalidError is a judgement that Check refuses.
type InvalidError struct{ Err error }

func (e *InvalidError) Error() string { return e.Err.Error() }

func (e *InvalidError) Unwrap() error { return e.Err }

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	d.Sync() // not every file system can, and none loses bytes by it
	return d.Close()
}
