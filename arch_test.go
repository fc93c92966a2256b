package winnow_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// arrows says which rooms a room may import, beside the root package and itself. "*" is every room. ARCHITECTURE.md draws it.
var arrows = map[string][]string{
	".": {}, "text": {}, "shard": {},
	"crawl": {"text"}, "filter": {"text"}, "dedup": {"text"}, "rephrase": {"text"},
	"report":    {"filter", "shard"},
	"train":     {"shard"},
	"pipelines": {"crawl", "filter", "dedup", "rephrase", "shard", "text"},
	"bench":     {"*"}, "cmd": {"*"}, "samples": {"*"},
}

// owners names the one room that imports an outside dependency; spago has two, the classifier's and the trainer's. What is not listed is the standard library's near kin
// (golang.org/x), or shared on purpose: compression, hashing, globs.
var owners = map[string]string{
	"github.com/PuerkitoBio/goquery": "crawl", "github.com/andybalholm/brotli": "crawl", "github.com/wlynxg/chardet": "crawl", "github.com/pierrec/lz4": "crawl",
	"github.com/ekzhu/minhash-lsh": "dedup", "github.com/parquet-go/parquet-go": "shard", "github.com/nlpodyssey/spago": "filter train", "gonum.org/v1/gonum": "train",
	"github.com/go-ego/gse": "filter", "github.com/petar-dambovaliev/aho-corasick": "filter", "github.com/expr-lang/expr": "filter train", "github.com/openai/openai-go": "rephrase", "github.com/goccy/go-yaml": "pipelines", "github.com/tiktoken-go/tokenizer": "pipelines",
	"gocloud.dev": "crawl", "github.com/aws/aws-sdk-go-v2": "crawl", "github.com/cenkalti/backoff": "crawl", "github.com/nlnwa/whatwg-url": "crawl filter", "github.com/gocolly/colly": "crawl", "go.etcd.io/bbolt": "crawl",
	"github.com/spf13": "cmd", "github.com/schollz/progressbar": "cmd", "golang.org/x/term": "cmd", "github.com/rogpeppe/go-internal": "cmd",
	"google.golang.org/protobuf": "train", "github.com/gofrs/flock": "train rephrase", "github.com/mattn/go-runewidth": "report", "github.com/go-analyze/charts": "report",
}

var shared = []string{"github.com/klauspost/compress", "github.com/zeebo/xxh3", "github.com/bmatcuk/doublestar", "golang.org/x/"}

func TestArrows(t *testing.T) {
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err == nil && path != "." && d.IsDir() {
			if _, err := os.Stat(filepath.Join(path, "go.mod")); err == nil {
				return filepath.SkipDir // a module of its own
			}
		}
		if err != nil || d.IsDir() || filepath.Ext(path) != ".go" {
			return err
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		room, _, inside := strings.Cut(filepath.ToSlash(path), "/")
		if !inside {
			room = "."
		}
		test := strings.HasSuffix(path, "_test.go")
		for _, spec := range f.Imports {
			name, _ := strconv.Unquote(spec.Path.Value)
			if problem := forbidden(room, name, test); problem != "" {
				t.Errorf("%s imports %s: %s", path, name, problem)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func forbidden(room, name string, test bool) string {
	if name == "winnow" {
		return ""
	}
	if inner, ok := strings.CutPrefix(name, "winnow/"); ok {
		other, _, _ := strings.Cut(inner, "/")
		if allowed, known := arrows[room]; !known || other != room && !test && !slices.Contains(allowed, other) && !slices.Contains(allowed, "*") {
			return "no arrow from " + room + " to " + other
		}
		return ""
	}
	if !strings.Contains(strings.Split(name, "/")[0], ".") || test {
		return ""
	}
	if room == "." || room == "text" {
		return "this room imports the standard library alone"
	}
	for dep, owner := range owners {
		if strings.HasPrefix(name, dep) {
			if !slices.Contains(strings.Fields(owner), room) && room != "bench" {
				return dep + " belongs to " + owner
			}
			return ""
		}
	}
	for _, dep := range shared {
		if strings.HasPrefix(name, dep) {
			return ""
		}
	}
	return "an outside dependency without an owner: add it here and to ARCHITECTURE.md"
}

// TestEveryPackageIsDocumented holds packages to a comment that says what flows in and what flows out.
func TestEveryPackageIsDocumented(t *testing.T) {
	documented := map[string]bool{}
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
			return err
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.PackageClauseOnly|parser.ParseComments)
		if err != nil {
			return err
		}
		dir := filepath.Dir(path)
		documented[dir] = documented[dir] || f.Doc != nil && len(f.Doc.Text()) > 40
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for dir, ok := range documented {
		if !ok {
			t.Errorf("package %s has no comment", dir)
		}
	}
}
