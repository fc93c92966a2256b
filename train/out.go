package train

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"github.com/gofrs/flock"

	"winnow/shard"
)

// BusyError says that another process trains in OUT.
type BusyError struct{ Out string }

// Error names the folder.
func (e *BusyError) Error() string { return e.Out + ": another process trains here" }

const lockName = ".lock"

// Lock keeps other processes out of OUT.
type Lock struct {
	flock *flock.Flock
	out   string
	made  bool // OUT was not there before
}

// Occupy makes OUT and locks it against other processes. The system lets go of the lock when this process ends, however that is;
// the file stays, but where nothing else lies in OUT. A disk that knows no locks is used without.
func Occupy(out string) (*Lock, error) {
	path := filepath.Join(out, lockName)
	_, err := os.Stat(out)
	made := errors.Is(err, fs.ErrNotExist)
	for range lockTries {
		if err := os.MkdirAll(out, 0o777); err != nil {
			return nil, err
		}
		lock := flock.New(path)
		locked, err := lock.TryLock()
		switch {
		case errors.Is(err, errors.ErrUnsupported):
			return &Lock{lock, out, made}, nil
		case errors.Is(err, fs.ErrNotExist): // who left removed OUT meanwhile
			continue
		case err != nil:
			return nil, fmt.Errorf("%s: lock: %w", out, err)
		case !locked:
			return nil, &BusyError{out}
		}
		mine, errMine := lock.Stat()
		there, errThere := os.Stat(path)
		if errMine == nil && errThere == nil && os.SameFile(mine, there) {
			return &Lock{lock, out, made}, nil
		}
		lock.Close() // who left removed the file between our opening and our locking it
	}
	return nil, &BusyError{out}
}

const lockTries = 10

// Close lets go of OUT. Where the lock is all that lies in it, it is removed, and OUT with it where Occupy made it: a run that was refused
// leaves nothing.
func (l *Lock) Close() error {
	if list, err := os.ReadDir(l.out); err == nil && len(list) == 1 && list[0].Name() == lockName {
		os.Remove(filepath.Join(l.out, lockName)) // while it is held: see Occupy. Where that fails, an empty folder stays
		if l.made {
			os.Remove(l.out)
		}
	}
	return l.flock.Close()
}

// ChangedError says that OUT holds a run that was asked for other things, or a model that does not come from Base.
type ChangedError struct {
	Out    string
	Fields []string // name: then, now; none for a model from elsewhere
}

// Error names every field that differs.
func (e *ChangedError) Error() string {
	if len(e.Fields) == 0 {
		return e.Out + ": holds something that this command did not make"
	}
	return fmt.Sprintf("%s: holds another run: %s", e.Out, strings.Join(e.Fields, "; "))
}

// Clean removes what an earlier run left in OUT under these names, and nothing else.
func Clean(out string, names ...string) error {
	for _, name := range names {
		if err := os.RemoveAll(filepath.Join(out, name)); err != nil {
			return err
		}
	}
	return nil
}

// WriteWhole writes a file, whole or not at all.
func WriteWhole(path string, b []byte) error {
	t, err := shard.Create(nil, path)
	if err != nil {
		return err
	}
	if _, err := t.Write(b); err != nil {
		t.Abort()
		return err
	}
	return t.Commit()
}

// Differences names the fields in which two wishes differ, by their JSON names.
func Differences(then, now any) ([]string, error) {
	a, err := asMap(then)
	if err != nil {
		return nil, err
	}
	b, err := asMap(now)
	if err != nil {
		return nil, err
	}
	var out []string
	for name := range a {
		if !reflect.DeepEqual(a[name], b[name]) {
			out = append(out, fmt.Sprintf("%s: %s, now %s", name, shown(a[name]), shown(b[name])))
		}
	}
	for name := range b {
		if _, ok := a[name]; !ok {
			out = append(out, fmt.Sprintf("%s: not set, now %s", name, shown(b[name])))
		}
	}
	slices.Sort(out)
	return out, nil
}

// asMap keeps numbers as they are written: seeds do not fit into float64.
func asMap(a any) (m map[string]any, err error) {
	b, err := json.Marshal(a)
	if err != nil {
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	return m, d.Decode(&m)
}

func shown(v any) string {
	if v == nil {
		return "not set"
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if e.Encode(v) != nil {
		return fmt.Sprint(v)
	}
	return strings.TrimSuffix(b.String(), "\n")
}
