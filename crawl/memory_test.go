//go:build linux

package crawl

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"winnow"
)

// memoryLimit is what a program that reads one archive may take, in MB.
const memoryLimit = 300

// TestMain reads an archive where it is asked to, as a process of its own whose memory can be measured.
func TestMain(m *testing.M) {
	path := os.Getenv("WINNOW_TEST_READ")
	if path == "" {
		os.Exit(m.Run())
	}
	s := WARC([]string{path}, Options{})
	shards, err := s.Shards(context.Background())
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	for _, sh := range shards {
		for _, err := range s.Read(context.Background(), sh, new(winnow.Tally)) {
			var flaw *winnow.ReadError
			if err != nil && !errors.As(err, &flaw) {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(1)
			}
		}
	}
	os.Exit(0)
}

// TestMemory reads every archive at hand, bombs and damage included, and a bomb of its own that has one record of 1 GiB.
func TestMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a process for each archive")
	}
	bomb := "WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: http://a.example/\r\nContent-Length: 1073741824\r\n\r\n"
	var packed []byte
	packed = append(packed, gzipOf([]byte(bomb))...)
	block := gzipOf(make([]byte, 64<<20))
	for range 16 {
		packed = append(packed, block...)
	}
	files := []string{write(t, "bomb.warc.gz", packed)}
	if data := os.Getenv("WINNOW_DATA"); data != "" {
		err := filepath.WalkDir(filepath.Join(data, "warc"), func(path string, e fs.DirEntry, err error) error {
			if err == nil && !e.IsDir() && !strings.HasSuffix(path, ".tsv") {
				files = append(files, path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if len(files) < 70 {
			t.Errorf("%d archives", len(files))
		}
	} else {
		t.Log("WINNOW_DATA is not set: no real archives to read")
	}
	most, where := int64(0), ""
	for _, path := range files {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), "WINNOW_TEST_READ="+path)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", path, err, out)
			continue
		}
		mb := cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss >> 10
		if mb > memoryLimit {
			t.Errorf("%s: %d MB", path, mb)
		}
		if mb > most {
			most, where = mb, path
		}
	}
	t.Logf("%d archives; most memory: %d MB, for %s", len(files), most, filepath.Base(where))
}
