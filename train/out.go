package train

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
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

// Occupy makes OUT and locks it against other processes. The system lets go of the lock when this process ends, however that is;
// the file stays, since who removes it could remove another's. A disk that knows no locks is used without.
func Occupy(out string) (*flock.Flock, error) {
	if err := os.MkdirAll(out, 0o777); err != nil {
		return nil, err
	}
	lock := flock.New(filepath.Join(out, lockName))
	locked, err := lock.TryLock()
	switch {
	case err != nil && !errors.Is(err, errors.ErrUnsupported):
		return nil, fmt.Errorf("%s: lock: %w", out, err)
	case err == nil && !locked:
		return nil, &BusyError{out}
	}
	return lock, nil
}

// ChangedError says that OUT holds a run that was asked for other things, or a model that does not come from Base.
type ChangedError struct {
	Out    string
	Fields []string // name: then, now; none for a model from elsewhere
}

// Error names every field that differs.
func (e *ChangedError) Error() string {
	if len(e.Fields) == 0 {
		return e.Out + ": holds a model that this command did not make"
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
	t, err := shard.Create(path)
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
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(b)
}
