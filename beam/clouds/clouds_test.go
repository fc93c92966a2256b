package clouds

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
	"github.com/fsouza/fake-gcs-server/fakestorage"

	"winnow"
	"winnow/crawl/remote"
	"winnow/crawl/remote/remotetest"
	"winnow/pipelines"
	"winnow/pipelines/engine"
	"winnow/shard"
	"winnow/shard/store"
)

// patient is good for a server that fails often and lies near.
var patient = remote.Options{Tries: 40, Pause: time.Millisecond}

// eachCloud runs a test against a server of each kind on this machine, and one that does five of so many requests wrong. Azure's is azurite, which WINNOW_AZURITE names.
func eachCloud(t *testing.T, every int64, test func(t *testing.T, root string)) {
	t.Run("gs", func(t *testing.T) {
		t.Setenv("STORAGE_EMULATOR_HOST", fakeGoogle(t))
		test(t, "gs://bucket/some runs")
	})
	t.Run("gs in a storm", func(t *testing.T) {
		address, storm := remotetest.Behind(t, "http://"+fakeGoogle(t), every, 100*time.Millisecond)
		t.Setenv("STORAGE_EMULATOR_HOST", strings.TrimPrefix(address, "http://"))
		test(t, "gs://bucket/some runs")
		t.Logf("%d requests, %d busy, %d cut, %d unheard, %d by half, %d silent", storm.Requests.Load(), storm.Busy.Load(), storm.Cut.Load(), storm.Unheard.Load(), storm.Half.Load(), storm.Silent.Load())
		if storm.Busy.Load()+storm.Cut.Load() == 0 {
			t.Error("the storm did not blow")
		}
	})
	t.Run("azblob", func(t *testing.T) {
		fakeAzure(t)
		test(t, "azblob://bucket/some runs")
	})
}

func fakeGoogle(t *testing.T) string {
	t.Helper()
	s, err := fakestorage.NewServerWithOptions(fakestorage.Options{Scheme: "http", Host: "127.0.0.1", Port: 0})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	s.CreateBucketWithOpts(fakestorage.CreateBucketOpts{Name: "bucket"})
	return strings.TrimPrefix(s.URL(), "http://")
}

// fakeAzure starts azurite with an empty container named bucket, and points the environment at it.
func fakeAzure(t *testing.T) {
	t.Helper()
	program := os.Getenv("WINNOW_AZURITE")
	if program == "" {
		t.Skip("SKIPPED: set WINNOW_AZURITE to the program azurite-blob (npm install azurite) to test azblob URLs")
	}
	free := httptest.NewServer(nil)
	host, port, _ := net.SplitHostPort(free.Listener.Addr().String())
	free.Close()
	const key = "d2lubm93"
	cmd := exec.Command(program, "--blobHost", host, "--blobPort", port, "--location", t.TempDir(), "--silent", "--skipApiVersionCheck")
	cmd.Env = append(os.Environ(), "AZURITE_ACCOUNTS=winnow:"+key)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { errors.Join(cmd.Process.Kill(), cmd.Wait()) })
	for name, value := range map[string]string{"ACCOUNT": "winnow", "KEY": key, "DOMAIN": host + ":" + port, "PROTOCOL": "http", "IS_LOCAL_EMULATOR": "true"} {
		t.Setenv("AZURE_STORAGE_"+name, value)
	}
	for range 100 {
		if c, err := net.Dial("tcp", host+":"+port); err == nil {
			c.Close()
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	p, err := New(patient).find(t.Context(), "azblob://bucket/x")
	if err != nil {
		t.Fatal(err)
	}
	var c *container.Client
	p.As(&c)
	if _, err = c.Create(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
}

func put(f *Files, name, text string, when winnow.Condition) error {
	return f.Put(context.Background(), name, strings.NewReader(text), int64(len(text)), when)
}

// Files of all sizes come back as they were written, and lie where they are listed.
func TestObjects(t *testing.T) {
	eachCloud(t, 12, func(t *testing.T, root string) {
		f := New(patient)
		random := rand.NewChaCha8([32]byte{7})
		for name, size := range map[string]int{"0": 0, "1": 1, "50% of a#b?.json": 300_000, "deep/er/large": chunk + 4_000_001} {
			want := make([]byte, size)
			random.Read(want)
			if err := f.Put(t.Context(), root+"/"+name, bytes.NewReader(want), int64(size), winnow.Condition{}); err != nil {
				t.Fatal(err)
			}
			in, err := f.Open(t.Context(), root+"/"+name)
			if err != nil {
				t.Fatal(err)
			}
			got := make([]byte, in.Size())
			for at := len(got); at > 0; { // from the end
				n := min(at, 3_999_999)
				if k, err := in.ReadAt(got[at-n:at], int64(at-n)); k < n {
					t.Fatal(err)
				}
				at -= n
			}
			if in.Close(); !bytes.Equal(got, want) {
				t.Errorf("%s: %d of %d bytes came back, or others", name, len(got), size)
			}
		}
		list, err := f.List(t.Context(), root+"/")
		if err != nil || len(list) != 4 || list[0].Name != "0" || list[2].Name != "50% of a#b?.json" || list[2].Size != 300_000 || !list[3].Folder || list[3].Name != "deep" {
			t.Errorf("%+v %v", list, err)
		}
		names, err := f.Glob(t.Context(), root+"/**/l*", nil)
		if err != nil || fmt.Sprint(names) != "["+root+"/deep/er/large]" {
			t.Error(names, err)
		}
		if names, _ = f.Glob(t.Context(), root+"/", func(name string) bool { return name != "1" }); len(names) != 3 {
			t.Error(names)
		}
		for range 2 { // what is not there is no error
			if err := f.Remove(t.Context(), root+"/1"); err != nil {
				t.Error(err)
			}
		}
		if _, err := f.Open(t.Context(), root+"/1"); !errors.Is(err, fs.ErrNotExist) {
			t.Error(err)
		}
		if list, err := f.List(t.Context(), root+"/1"); err != nil || len(list) != 0 {
			t.Error(list, err)
		}
	})
}

// What is replaced while it is read is an error, and so are bodies that end early, which leave nothing.
func TestChanges(t *testing.T) {
	eachCloud(t, 12, func(t *testing.T, root string) {
		f := New(patient)
		name := root + "/x"
		if err := put(f, name, "first", winnow.Condition{}); err != nil {
			t.Fatal(err)
		}
		in, err := f.Open(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		defer in.Close()
		if err := put(f, name, "other", winnow.Condition{}); err != nil {
			t.Fatal(err)
		}
		if n, err := in.ReadAt(make([]byte, 5), 0); !errors.Is(err, winnow.ErrChanged) {
			t.Errorf("%d bytes, %v", n, err)
		}
		for _, size := range []int64{9, chunk + 9, 3*chunk + 1} {
			body := make([]byte, size-1)
			if f.Put(t.Context(), root+"/short", bytes.NewReader(body), size, winnow.Condition{}) == nil {
				t.Errorf("%d bytes that are not there were stored", size)
			}
			if _, err := f.Open(t.Context(), root+"/short"); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("a body that ends early left something: %v", err)
			}
		}
		if err := put(f, strings.Replace(root, "bucket", "absent-bucket", 1)+"/x", "x", winnow.Condition{}); err == nil {
			t.Error("wrote to a bucket that is not there")
		}
		for _, bad := range []string{"gs://name:secret@bucket/x", "gs:///x"} {
			if _, err := f.Open(t.Context(), bad); err == nil || strings.Contains(err.Error(), "secret") {
				t.Error(err)
			}
		}
	})
}

// Of many that make one name at once, or replace one object, one wins.
func TestConditions(t *testing.T) {
	eachCloud(t, 12, func(t *testing.T, root string) {
		name := root + "/task.json"
		race := func(what string, when winnow.Condition) {
			t.Helper()
			var won, lost atomic.Int32
			var wg sync.WaitGroup
			for i := range 8 {
				f := New(patient) // a client of its own, as a process has
				wg.Go(func() {
					switch err := put(f, name, fmt.Sprint(what, i), when); {
					case err == nil:
						won.Add(1)
					case errors.Is(err, fs.ErrExist):
						lost.Add(1)
					default:
						t.Error(err)
					}
				})
			}
			wg.Wait()
			// In a storm the winner may not hear of it.
			if won.Load() > 1 || won.Load() != 1 && !strings.Contains(t.Name(), "storm") || won.Load()+lost.Load() != 8 {
				t.Errorf("%s: %d won, %d lost", what, won.Load(), lost.Load())
			}
		}
		race("made", winnow.Condition{Absent: true})
		f := New(patient)
		in, err := f.Open(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		defer in.Close()
		tag := in.Tag()
		race("replaced", winnow.Condition{Tag: tag})
		b, err := store.New(f, t.TempDir()).ReadFile(name)
		if err != nil || !strings.HasPrefix(string(b), "replaced") {
			t.Errorf("%q %v", b, err)
		}
		if err := put(f, name, "late", winnow.Condition{Tag: tag}); !errors.Is(err, fs.ErrExist) {
			t.Errorf("an old tag: %v", err)
		}
	})
}

// Of several committers of one task all succeed and one wins, whose output the manifest names; what is stale is replaced.
func TestCommitters(t *testing.T) {
	eachCloud(t, 12, func(t *testing.T, root string) {
		commit := func(key, attempt string) error {
			s := store.New(New(patient), t.TempDir())
			f, err := shard.Create(s, store.Join(root, "task.out"))
			if err != nil {
				return err
			}
			defer f.Abort()
			fmt.Fprintf(f, "%s %s\n", key, attempt)
			out, err := f.Keep(1)
			if err != nil {
				return err
			}
			return shard.Commit(s, store.Join(root, "task.json"), &shard.Manifest{Key: key, Task: "task", Attempt: attempt, Outputs: []shard.Output{out}})
		}
		s := store.New(New(patient), t.TempDir())
		winner := map[string]string{}
		for round, key := range []string{"one", "one", "two"} {
			var wg sync.WaitGroup
			for i := range 6 {
				wg.Go(func() {
					if err := commit(key, fmt.Sprint(round, ".", i)); err != nil {
						t.Error(err)
					}
				})
			}
			wg.Wait()
			m, err := shard.ReadManifest(s, store.Join(root, "task.json"))
			if err != nil || m.Key != key || len(m.Outputs) != 1 {
				t.Fatalf("%+v %v", m, err)
			}
			if first := winner[key]; first != "" && first != m.Attempt {
				t.Errorf("attempt %s took the place of %s", m.Attempt, first)
			}
			winner[key] = m.Attempt
			if b, err := s.ReadFile(store.Join(root, m.Outputs[0].Name)); err != nil || string(b) != key+" "+m.Attempt+"\n" {
				t.Errorf("the manifest names %q (%v)", b, err)
			}
		}
	})
}

// recipe has a stage of every kind that leaves files of its own.
const recipe = `name: clouds
input:
  shard_size: 16KB
  jsonl: [%s]
stages:
  - filter: {use: [gopher]}
  - dedup: {method: exact}
  - dedup: {method: minhash, bands: 14, rows: 8, shingle: {han: 13, latin: 5}, verify: 0.7}
  - dedup: {method: line, min_chars: 20}
output: {dir: runs, dropped: all}
`

// corpus writes sixty documents, of which some are alike and some too short.
func corpus(t *testing.T) string {
	t.Helper()
	rng := rand.New(rand.NewPCG(1, 2))
	stop := strings.Fields("the of and to that have with")
	var b bytes.Buffer
	var texts []string
	for i := range 60 {
		var words []string
		for range []int{120, 120, 10}[i%3] {
			words = append(words, fmt.Sprintf("%c%cward", 'a'+rng.IntN(26), 'a'+rng.IntN(26)), stop[rng.IntN(len(stop))])
		}
		text := "Home and all that is said about us here\n" + strings.Join(words, " ") + "."
		if i%5 == 4 {
			text = texts[i-4]
		}
		if i%7 == 6 {
			text = strings.Replace(texts[i-6], " the ", " some ", 1)
		}
		texts = append(texts, text)
		json.NewEncoder(&b).Encode(map[string]string{"id": fmt.Sprint(i), "text": text, "url": fmt.Sprintf("http://site.example/%d", i)})
	}
	name := filepath.Join(t.TempDir(), "docs.jsonl")
	if err := os.WriteFile(name, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	return name
}

// run does the recipe with its runs below root, and gives what the run left for those who read it.
func run(t *testing.T, input, root string, s *store.Store) map[string]string {
	t.Helper()
	raw := fmt.Appendf(nil, recipe, input)
	r, err := pipelines.Parse("clouds.yaml", raw)
	if err != nil {
		t.Fatal(err)
	}
	p, err := pipelines.Build(r, raw, "test")
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	p.Root, p.Store = root, s
	if p.Shards, err = p.Source.Shards(t.Context()); err != nil {
		t.Fatal(err)
	}
	info, err := engine.Run(t.Context(), p, engine.Options{})
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, folder := range []string{"data", "ledger", "dropped"} {
		list, err := s.List(store.Join(root, info.ID, folder))
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range list {
			b, err := s.ReadFile(store.Join(root, info.ID, folder, e.Name))
			if err != nil {
				t.Fatal(err)
			}
			out[folder+"/"+e.Name] = string(b)
		}
	}
	return out
}

// A run in a cloud leaves the bytes that one on the disk does; done again, it has nothing to do and leaves them as they are.
func TestRun(t *testing.T) {
	input := corpus(t)
	want := run(t, input, t.TempDir(), nil)
	kinds := map[string]int{} // bytes
	for name, b := range want {
		kinds[filepath.Dir(name)] += len(b)
	}
	if kinds["data"] < 1000 || kinds["ledger"] < 1000 || kinds["dropped"] < 1000 {
		t.Fatal("too little to compare", kinds)
	}
	eachCloud(t, 100, func(t *testing.T, root string) {
		s := store.New(New(patient), t.TempDir())
		for range 2 {
			got := run(t, input, root, s)
			for name := range want {
				if got[name] != want[name] {
					t.Errorf("%s: %d bytes, want %d, or others", name, len(got[name]), len(want[name]))
				}
			}
			if len(got) != len(want) {
				t.Errorf("%d files, want %d", len(got), len(want))
			}
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
}
