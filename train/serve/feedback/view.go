package feedback

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
)

// place is where a line lies in the log.
type place struct {
	offset int64
	length int
}

// view is a file with those lines of the log, byte for byte, that are of its kinds and that no later line takes the place of, in the
// order in which they were written.
type view struct {
	name  string
	kinds []string
	rows  []place
	index map[subject]place
	size  int64 // of the file
	stale bool  // the file is not what rows say
}

// note takes a line in, and tells whether an earlier one is to leave.
func (v *view) note(j Judgement, at place) (left bool) {
	if !slices.Contains(v.kinds, j.Kind) {
		return false
	}
	if v.index == nil {
		v.index = map[subject]place{}
	}
	key := subject{j.Kind, j.Subject}
	if old, ok := v.index[key]; ok {
		i, _ := slices.BinarySearchFunc(v.rows, old, func(a, b place) int { return int(a.offset - b.offset) })
		v.rows = slices.Delete(v.rows, i, i+1)
		delete(v.index, key)
		left = true
	}
	if !j.Undone {
		v.rows = append(v.rows, at)
		v.index[key] = at
	}
	return left
}

// follow brings the file up to the rows: the line is added at its end, or, where one left, all are written anew.
func (v *view) follow(dir string, log io.ReaderAt, left bool, line []byte) error {
	size := int64(0)
	for _, p := range v.rows {
		size += int64(p.length)
	}
	if left || v.stale {
		return v.write(dir, log)
	}
	if size == v.size {
		return nil
	}
	v.stale = true
	f, err := os.OpenFile(filepath.Join(dir, v.name), os.O_CREATE|os.O_WRONLY, 0o666)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(line, v.size)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	v.size, v.stale = size, false
	return nil
}

// restore writes the file where it is not what the log says: a process ended between the two.
func (v *view) restore(dir string, log io.ReaderAt) error {
	f, err := os.Open(filepath.Join(dir, v.name))
	if errors.Is(err, os.ErrNotExist) && len(v.rows) == 0 {
		return nil
	}
	if err == nil {
		same, size, err := v.same(log, f)
		if err := errors.Join(err, f.Close()); err != nil {
			return err
		}
		if same {
			v.size = size
			return nil
		}
	} else if !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return v.write(dir, log)
}

func (v *view) same(log io.ReaderAt, f *os.File) (same bool, size int64, err error) {
	in := bufio.NewReader(f)
	for _, p := range v.rows {
		want, got := make([]byte, p.length), make([]byte, p.length)
		if _, err := log.ReadAt(want, p.offset); err != nil {
			return false, 0, err
		}
		if _, err := io.ReadFull(in, got); err != nil {
			if err == io.EOF || err == io.ErrUnexpectedEOF {
				err = nil
			}
			return false, 0, err
		}
		if !bytes.Equal(want, got) {
			return false, 0, nil
		}
		size += int64(p.length)
	}
	_, err = in.ReadByte()
	if err == io.EOF {
		return true, size, nil
	}
	return false, 0, err
}

// write makes the file anew and puts it in the place of the old one, whole or not at all.
func (v *view) write(dir string, log io.ReaderAt) error {
	v.stale = true
	f, err := os.CreateTemp(dir, v.name+".*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	out := bufio.NewWriter(f)
	size := int64(0)
	for _, p := range v.rows {
		n, err := io.Copy(out, io.NewSectionReader(log, p.offset, int64(p.length)))
		if err != nil {
			return errors.Join(err, f.Close())
		}
		size += n
	}
	if err := errors.Join(out.Flush(), f.Chmod(0o644), f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), filepath.Join(dir, v.name)); err != nil {
		return err
	}
	v.size, v.stale = size, false
	return syncDir(dir)
}
