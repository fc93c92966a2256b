package main

import (
	"bytes"
	"compress/gzip"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"winnow": func() { os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) },
	})
}

// TestScripts runs the sessions in testdata: commands, their output and exit codes, in a folder with the samples.
func TestScripts(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(http.FileServer(http.Dir(filepath.Join(root, "samples"))))
	t.Cleanup(web.Close) // scripts run after this function, in parallel
	model := httptest.NewServer(http.HandlerFunc(scripted))
	t.Cleanup(model.Close)
	crawl := httptest.NewTLSServer(http.HandlerFunc(commonCrawl(filepath.Join(root, "samples"))))
	t.Cleanup(crawl.Close)
	trusted := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: crawl.Certificate().Raw})
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(e *testscript.Env) error {
			e.Setenv("LANG", "en_US.UTF-8")
			e.Setenv("SAMPLES_URL", web.URL)
			e.Setenv("MODEL_URL", model.URL+"/v1")
			e.Setenv("CRAWL_URL", crawl.URL)
			if err := errors.Join(os.WriteFile(filepath.Join(e.WorkDir, "crawl.pem"), trusted, 0o644), os.WriteFile(filepath.Join(e.WorkDir, "warc.paths.gz"), pathsGz(), 0o644)); err != nil {
				return err
			}
			for _, dir := range []string{"samples", "pipelines"} {
				if err := os.Symlink(filepath.Join(root, dir), filepath.Join(e.WorkDir, dir)); err != nil {
					return err
				}
			}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"code": code},
	})
}

// pathsGz is a crawl's list of four archives.
func pathsGz() []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	for i := range 4 {
		fmt.Fprintf(w, "crawl-data/CC-MAIN-2026-30/segments/%d.0/warc/a-%05d.warc.gz\n", 1+i/2, i)
	}
	w.Close()
	return b.Bytes()
}

// commonCrawl serves a crawl as Common Crawl does: its list of archives, and these, all of them the same sample. An archive that is asked
// for as a whole is refused, so that what reads it must ask for ranges.
func commonCrawl(samples string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/crawl-data/CC-MAIN-2026-30/warc.paths.gz":
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(pathsGz()))
		case !strings.HasPrefix(r.URL.Path, "/crawl-data/CC-MAIN-2026-30/segments/"):
			http.NotFound(w, r)
		case r.Header.Get("Range") == "" && r.Method == http.MethodGet:
			http.Error(w, "the whole archive was asked for", http.StatusForbidden)
		default:
			w.Header().Set("ETag", `"1"`)
			http.ServeFile(w, r, filepath.Join(samples, "crawl.warc.gz"))
		}
	}
}

// code runs a command and compares its exit code: code 2 winnow run x.yaml.
func code(ts *testscript.TestScript, neg bool, args []string) {
	want := args[0]
	err := ts.Exec(args[1], args[2:]...)
	got := "0"
	if e, ok := err.(interface{ ExitCode() int }); ok {
		got = strconv.Itoa(e.ExitCode())
	}
	if got != want {
		ts.Fatalf("exit code %s, want %s", got, want)
	}
}
