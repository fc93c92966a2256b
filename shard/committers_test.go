package shard_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"winnow/crawl/remote"
	"winnow/crawl/remote/remotetest"
	"winnow/shard"
	"winnow/shard/store"
)

// committer makes this program one of several processes that commit one task.
const committer = "WINNOW_TEST_COMMITTER"

func TestMain(m *testing.M) {
	if dir := os.Getenv(committer); dir != "" {
		if err := commitHere(storeAt(os.Getenv), dir, os.Getenv("WINNOW_TEST_KEY"), fmt.Sprint(os.Getpid())); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func storeAt(getenv func(string) string) *store.Store {
	return store.New(remote.New(remote.Options{Tries: 30, Pause: time.Millisecond, Stall: 400 * time.Millisecond, Getenv: getenv}), "")
}

// commitHere leaves an output under an attempt's name and a manifest that names it.
func commitHere(s *store.Store, dir, key, attempt string) error {
	f, err := shard.Create(s, store.Join(dir, "task.out"))
	if err != nil {
		return err
	}
	defer f.Abort()
	fmt.Fprintf(f, "%s %s\n", key, attempt)
	out, err := f.Keep(1)
	if err != nil {
		return err
	}
	return shard.Commit(s, store.Join(dir, "task.json"), &shard.Manifest{Key: key, Task: "task", Attempt: attempt, Outputs: []shard.Output{out}})
}

// checkOne tells who won, and that what the manifest names is what the winner left.
func checkOne(t *testing.T, s *store.Store, dir, key string) *shard.Manifest {
	t.Helper()
	m, err := shard.ReadManifest(s, store.Join(dir, "task.json"))
	if err != nil || m.Key != key || len(m.Outputs) != 1 {
		t.Fatalf("%+v %v", m, err)
	}
	b, err := s.ReadFile(store.Join(dir, m.Outputs[0].Name))
	if want := key + " " + m.Attempt + "\n"; err != nil || string(b) != want {
		t.Fatalf("the manifest names %q (%v), want %q", b, err, want)
	}
	return m
}

// eachStore runs a test on the disk, in an object store, and in one behind a network that breaks.
func eachStore(t *testing.T, test func(t *testing.T, s *store.Store, dir string, env []string)) {
	t.Run("disk", func(t *testing.T) { test(t, storeAt(os.Getenv), t.TempDir(), nil) })
	t.Run("s3", func(t *testing.T) {
		address := remotetest.Gateway(t, "bucket")
		test(t, storeAt(remotetest.Getenv(address)), "s3://bucket/a run/x", remotetest.Env(address))
	})
	t.Run("s3 in a storm", func(t *testing.T) {
		address, storm := remotetest.Behind(t, remotetest.Gateway(t, "bucket"), 8, 10*time.Second)
		test(t, storeAt(remotetest.Getenv(address)), "s3://bucket/a run/x", remotetest.Env(address))
		t.Logf("%d requests: %d busy, %d cut, %d unheard, %d by half, %d silent", storm.Requests.Load(), storm.Busy.Load(), storm.Cut.Load(), storm.Unheard.Load(), storm.Half.Load(), storm.Silent.Load())
		if storm.Busy.Load() == 0 || storm.Cut.Load() == 0 || storm.Unheard.Load() == 0 {
			t.Error("the storm did not blow")
		}
	})
}

// Of several processes that commit one task at once all succeed and one wins, whose outputs the manifest names; what is stale or torn
// is replaced; nothing that came first is replaced by what came later.
func TestCommitters(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store.Store, dir string, env []string) {
		if err := s.MakeFolder(dir); err != nil {
			t.Fatal(err)
		}
		race := func(key string) {
			t.Helper()
			var wg sync.WaitGroup
			for range 6 {
				wg.Go(func() {
					cmd := exec.Command(os.Args[0])
					cmd.Env = append(append(os.Environ(), env...), committer+"="+dir, "WINNOW_TEST_KEY="+key)
					if out, err := cmd.CombinedOutput(); err != nil {
						t.Errorf("%v: %s", err, out)
					}
				})
			}
			wg.Wait()
		}
		race("one")
		first := checkOne(t, s, dir, "one")
		race("one")
		if again := checkOne(t, s, dir, "one"); again.Attempt != first.Attempt {
			t.Errorf("attempt %s took the place of %s", again.Attempt, first.Attempt)
		}
		race("two")
		checkOne(t, s, dir, "two")
		if err := s.WriteFile(store.Join(dir, "task.json"), []byte(`{"format": "winn`)); err != nil {
			t.Fatal(err)
		}
		if _, err := shard.ReadManifest(s, store.Join(dir, "task.json")); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("a torn manifest: %v", err)
		}
		race("three")
		checkOne(t, s, dir, "three")
	})
}

// Files of all sizes come back as they were written, whole and in pieces, and go when they are removed.
func TestFiles(t *testing.T) {
	eachStore(t, func(t *testing.T, s *store.Store, dir string, _ []string) {
		if err := s.MakeFolder(dir); err != nil {
			t.Fatal(err)
		}
		for _, size := range []int{0, 1, 300_000, 40 << 20} {
			want := make([]byte, size)
			rand.NewChaCha8([32]byte{7}).Read(want)
			f, err := shard.Create(s, store.Join(dir, fmt.Sprintf("%d.bin", size)))
			if err != nil {
				t.Fatal(err)
			}
			f.Write(want)
			if err := f.Commit(); err != nil {
				t.Fatal(err)
			}
			for _, open := range []func(string) ([]byte, error){s.ReadFile, func(name string) ([]byte, error) {
				in, err := s.OpenWhole(name)
				if err != nil {
					return nil, err
				}
				defer in.Close()
				b := make([]byte, in.Size())
				for at := len(b); at > 0; { // from the end
					n := min(at, 9_999_999)
					if k, err := in.ReadAt(b[at-n:at], int64(at-n)); k < n {
						return nil, err
					}
					at -= n
				}
				return b, nil
			}} {
				if got, err := open(store.Join(dir, fmt.Sprintf("%d.bin", size))); err != nil || !bytes.Equal(got, want) {
					t.Errorf("%d bytes: %d came back: %v", size, len(got), err)
				}
			}
		}
		list, err := s.List(dir)
		if err != nil || len(list) != 4 || list[3].Name != "41943040.bin" || list[3].Size != 40<<20 || time.Since(list[3].Time) > time.Hour {
			t.Errorf("%+v %v", list, err)
		}
		if list, err := s.List(store.Dir(dir)); err != nil || !strings.HasPrefix(dir, "s3") == (len(list) == 1 && list[0].Folder && list[0].Name == "x") {
			t.Errorf("%+v %v", list, err)
		}
		if _, err := s.Open(store.Join(dir, "absent")); !errors.Is(err, fs.ErrNotExist) {
			t.Error(err)
		}
		if err := s.Remove(store.Join(dir, "absent")); err != nil {
			t.Error(err)
		}
		if err := s.RemoveAll(dir); err != nil {
			t.Error(err)
		}
		if list, err := s.List(dir); err != nil || len(list) != 0 {
			t.Errorf("%+v %v", list, err)
		}
	})
}

// Work that is stopped ends soon, whatever the network does.
func TestStopped(t *testing.T) {
	address, _ := remotetest.Behind(t, remotetest.Gateway(t, "bucket"), 1, 10*time.Second)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	begin := time.Now()
	for {
		if err := storeAt(remotetest.Getenv(address)).With(ctx).WriteFile("s3://bucket/x", []byte("x")); err != nil {
			if ctx.Err() == nil {
				t.Error(err)
			}
			break
		}
	}
	if time.Since(begin) > 5*time.Second {
		t.Error(time.Since(begin))
	}
}
