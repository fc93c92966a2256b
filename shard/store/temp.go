package store

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"winnow"
)

// Temp is a file under an attempt's name, name.attempt-<random>, that Commit gives its own name when it is whole. It
// hashes what is written. One for a URL lies in the scratch folder until it is whole.
type Temp struct {
	store   *Store // nil: of the disk
	name    string // the final one
	attempt string
	f       *os.File
	sum     hash.Hash
	size    int64
	kept    bool
}

// Create opens a file to be known by a name, whose folder must exist.
func (s *Store) Create(name string) (*Temp, error) {
	t := &Temp{name: name, attempt: name + attemptMark + rand.Text(), sum: sha256.New()}
	away, err := s.away(name)
	switch {
	case err != nil:
	case away:
		t.store = s
		t.f, err = nameless(s.scratch)
	default:
		t.f, err = os.OpenFile(t.attempt, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	}
	if err != nil {
		return nil, err
	}
	return t, nil
}

// attemptMark stands in the names of attempts.
const attemptMark = ".attempt-"

// nameless opens a file that goes when it is closed. Where the system does not let go of the name, discard does.
func nameless(folder string) (*os.File, error) {
	f, err := os.CreateTemp(folder, "winnow-*")
	if err == nil {
		os.Remove(f.Name())
	}
	return f, err
}

func discard(f *os.File) error {
	err := f.Close()
	os.Remove(f.Name())
	return err
}

// Write appends to the file.
func (t *Temp) Write(b []byte) (int, error) {
	n, err := t.f.Write(b)
	t.sum.Write(b[:n])
	t.size += int64(n)
	return n, err
}

// Base is the final name without its folder.
func (t *Temp) Base() string { return Base(t.name) }

// Size is how many bytes have been written so far, SHA256 their hash in hexadecimal.
func (t *Temp) Size() int64 { return t.size }

// SHA256 is the hash of what has been written so far, in hexadecimal.
func (t *Temp) SHA256() string { return hex.EncodeToString(t.sum.Sum(nil)) }

// Keep brings the bytes to where they shall lie and leaves the file under its attempt's name, which it gives without its
// folder: a manifest will name it.
func (t *Temp) Keep() (string, error) {
	t.kept = true
	if t.store != nil {
		return Base(t.attempt), t.send(t.attempt, true)
	}
	return Base(t.attempt), t.seal()
}

// Commit brings the bytes to where they shall lie and gives the file its final name, replacing what had it. After an error
// the attempt is gone.
func (t *Temp) Commit() error {
	t.kept = true
	if t.store != nil {
		return t.send(t.name, false)
	}
	err := t.seal()
	if err == nil {
		err = os.Rename(t.attempt, t.name)
	}
	if err != nil {
		os.Remove(t.attempt)
		return err
	}
	return syncFolder(t.name)
}

// send brings the file to the object store. What is never written again stays here as a copy.
func (t *Temp) send(name string, final bool) error {
	err := t.store.far.Put(t.store.ctx, name, t.f, t.size, winnow.Condition{})
	if err == nil && final {
		t.store.kept.add(name, t.f, t.size)
		return nil
	}
	return errors.Join(err, discard(t.f))
}

// seal brings the bytes to the disk and closes the file.
func (t *Temp) seal() error { return errors.Join(t.f.Sync(), t.f.Close()) }

// Abort removes the attempt. After Keep or Commit it does nothing, so that it can be deferred.
func (t *Temp) Abort() {
	if t.kept {
		return
	}
	t.kept = true
	discard(t.f)
}

// Commit writes b under a name, whole or not at all, unless something is there already that same says is as good: of several
// committers of the same the first wins, and all succeed. What is there and is not the same is replaced; of several who find it so on a
// disk, the last wins.
func (s *Store) Commit(name string, b []byte, same func(there []byte) bool) error {
	away, err := s.away(name)
	if err != nil {
		return err
	}
	if away {
		return s.commitAway(name, b, same)
	}
	t, err := s.Create(name)
	if err != nil {
		return err
	}
	defer t.Abort()
	if _, err := t.Write(b); err != nil {
		return err
	}
	if err := t.seal(); err != nil {
		return err
	}
	err = os.Link(t.attempt, name)
	if errors.Is(err, fs.ErrExist) {
		old, readErr := os.ReadFile(name)
		if readErr == nil && same(old) {
			return nil
		}
		if readErr != nil && !errors.Is(readErr, fs.ErrNotExist) {
			return readErr
		}
	}
	if err != nil {
		// Either what is there is stale, or the file system has no links. A rename leaves no moment without a whole file.
		err = os.Rename(t.attempt, name)
	}
	if err != nil {
		return err
	}
	return syncFolder(name)
}

// commitAway asks the object store to keep b if nothing has the name, or if what is stale there still has it.
func (s *Store) commitAway(name string, b []byte, same func([]byte) bool) error {
	when := winnow.Condition{Absent: true}
	for {
		err := s.put(name, b, when)
		if !errors.Is(err, fs.ErrExist) {
			return err
		}
		if err := s.ctx.Err(); err != nil {
			return err
		}
		there, tag, err := s.read(name)
		switch {
		case errors.Is(err, fs.ErrNotExist): // it went meanwhile
			when = winnow.Condition{Absent: true}
		case err != nil:
			return err
		case same(there):
			return nil // someone else's, or ours, of which the answer was lost
		default:
			when = winnow.Condition{Tag: tag}
		}
	}
}

func (s *Store) put(name string, b []byte, when winnow.Condition) error {
	return s.far.Put(s.ctx, name, bytes.NewReader(b), int64(len(b)), when)
}

// syncFolder brings the names in name's folder to the disk.
func syncFolder(name string) error {
	if runtime.GOOS == "windows" { // which cannot sync a folder
		return nil
	}
	d, err := os.Open(filepath.Dir(name))
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
