package pipelines

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/parser"

	"winnow"
)

// WithInput gives a recipe's bytes with other input files: what --input does. The kind of a file is told by its name.
func WithInput(raw []byte, patterns []string) ([]byte, error) {
	file, err := parser.ParseBytes(raw, parser.ParseComments)
	if err != nil {
		return nil, err
	}
	byKind := map[string][]string{}
	for _, p := range patterns {
		kind, err := kindOf(p)
		if err != nil {
			return nil, err
		}
		byKind[kind] = append(byKind[kind], p)
	}
	node, err := yaml.ValueToNode(byKind, yaml.Flow(true))
	if err != nil {
		return nil, err
	}
	path, err := yaml.PathString("$.input")
	if err != nil {
		return nil, err
	}
	if err := path.ReplaceWithNode(file, node); err != nil {
		return nil, err
	}
	return []byte(file.String()), nil
}

// kindOf tells the reader of files by the name of the pattern, or of the first file that it matches.
func kindOf(pattern string) (string, error) {
	if kind := kindOfName(pattern); kind != "" {
		return kind, nil
	}
	if strings.HasSuffix(strings.ToLower(pattern), ".wacz") {
		return "", fmt.Errorf("input %q: a WACZ file is a zip: unpack it and read archive/*.warc.gz", pattern)
	}
	if strings.Contains(pattern, "://") {
		return "", fmt.Errorf("input %q: the name does not tell what it is; known are .warc .arc .wet .wat .html .tar .tgz .jsonl .parquet, packed or not", winnow.Redacted(pattern))
	}
	files, err := doublestar.FilepathGlob(pattern)
	if err != nil {
		return "", fmt.Errorf("%s: %w", pattern, err)
	}
	if len(files) == 0 {
		return "", fmt.Errorf("input %q: matches no file", pattern)
	}
	if kind := kindOfName(files[0]); kind != "" {
		return kind, nil
	}
	if info, err := os.Stat(files[0]); err == nil && info.IsDir() {
		return "html", nil
	}
	return "", fmt.Errorf("input %q: the name does not tell what it is; known are .warc .arc .wet .html .tar .tgz .jsonl .parquet, packed or not", pattern)
}

// kindOfName goes by the ending, without that of a compression; empty where it says nothing.
func kindOfName(path string) string {
	if i := strings.IndexByte(path, '?'); i >= 0 && strings.HasPrefix(path, "http") && strings.Contains(path, "://") {
		path = path[:i]
	}
	name := strings.ToLower(filepath.Base(path))
	for _, packed := range []string{".gz", ".zst", ".lz4"} {
		name = strings.TrimSuffix(name, packed)
	}
	switch filepath.Ext(name) {
	case ".warc", ".arc", ".wet", ".wat":
		return "warc"
	case ".jsonl", ".json", ".ndjson":
		return "jsonl"
	case ".parquet":
		return "parquet"
	case ".tar", ".tgz":
		return "tar"
	case ".html", ".htm", ".xhtml", ".txt":
		return "html"
	}
	return ""
}

// ForCrawl gives a recipe's bytes under another name and comment, with archives as its only input.
func ForCrawl(raw []byte, name, comment string, archives []string) ([]byte, error) {
	file, err := parser.ParseBytes(raw, 0) // its comments speak of other input
	if err != nil {
		return nil, err
	}
	for _, change := range []struct {
		path  string
		value any
	}{{"$.name", name}, {"$.description", comment}, {"$.input", map[string][]string{"warc": archives}}} {
		node, err := yaml.ValueToNode(change.value)
		if err != nil {
			return nil, err
		}
		path, err := yaml.PathString(change.path)
		if err != nil {
			return nil, err
		}
		if err := path.ReplaceWithNode(file, node); err != nil {
			return nil, err
		}
	}
	out := []byte(file.String())
	_, err = Parse(name, out)
	return out, err
}
