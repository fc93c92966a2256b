package pipelines

import (
	"embed"
	"encoding"
	"errors"
	"fmt"
	"os"
	"path"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"winnow/text"
)

// RecipeError is a mistake in a recipe: where, what, and the nearest valid name.
type RecipeError struct {
	File      string
	Line, Col int // from 1; 0 where the place is not known
	Msg       string
	Hint      string // the nearest valid name; may be empty
	Source    string // the line as written
}

// Error gives file, line, column and message, then the line with a caret under the place.
func (e *RecipeError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s:%d:%d: %s", e.File, e.Line, e.Col, e.Msg)
	if e.Hint != "" {
		fmt.Fprintf(&b, " (did you mean %q?)", e.Hint)
	}
	if e.Source != "" {
		pad := []byte(e.Source[:min(max(e.Col-1, 0), len(e.Source))])
		for i := range pad {
			if pad[i] != '\t' {
				pad[i] = ' '
			}
		}
		fmt.Fprintf(&b, "\n%5d | %s\n      | %s^", e.Line, e.Source, pad)
	}
	return b.String()
}

// source is a recipe as text, with the place of every node, so that mistakes found later can still be pointed at.
type source struct {
	file  string
	lines []string
	place map[string]*token.Position // YAML path -> its value, or its key where the value is no scalar
	names []named                    // every key and scalar, in order
}

// named is one key or scalar of a recipe.
type named struct {
	path, value string
	pos         *token.Position
}

// Load reads a recipe from a file, or an embedded one by its name.
func Load(path string) (*Recipe, []byte, error) {
	raw, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		if b, ok := Embedded(path); ok {
			raw, err = b, nil
		}
	}
	if err != nil {
		return nil, nil, err
	}
	r, err := Parse(path, raw)
	return r, raw, err
}

// Parse decodes a recipe strictly: an unknown key, a wrong type or a bad value is a *RecipeError. file is for messages.
func Parse(file string, raw []byte) (*Recipe, error) {
	src := &source{file: file, lines: strings.Split(string(raw), "\n"), place: map[string]*token.Position{}}
	f, err := parser.ParseBytes(raw, 0)
	if err != nil {
		return nil, src.syntax(err)
	}
	if len(f.Docs) == 0 || f.Docs[0].Body == nil {
		return nil, &RecipeError{File: file, Line: 1, Col: 1, Msg: "the recipe is empty"}
	}
	body := f.Docs[0].Body
	ast.Walk(src, body)
	if err := src.lint(body, reflect.TypeFor[Recipe]()); err != nil {
		return nil, err
	}
	r := &Recipe{src: src}
	if err := yaml.NodeToValue(body, r, yaml.Strict()); err != nil {
		return nil, src.syntax(err)
	}
	return r, r.check()
}

// Visit notes the place of each node (ast.Visitor). A mapping's value is visited after its key, and stands under the same
// path; where it is a scalar its place is the better one.
func (s *source) Visit(n ast.Node) ast.Visitor {
	switch n := n.(type) {
	case *ast.MappingNode:
		if _, ok := s.place[n.GetPath()]; !ok && len(n.Values) > 0 {
			s.note(n.GetPath(), n.Values[0].Key.GetToken()) // an entry of a list
		}
	case *ast.MappingValueNode:
		s.note(n.GetPath(), n.Key.GetToken())
	case ast.ScalarNode:
		s.note(n.GetPath(), n.GetToken())
	}
	return s
}

func (s *source) note(path string, t *token.Token) {
	s.place[path] = t.Position
	s.names = append(s.names, named{path, t.Value, t.Position})
}

// named makes an error that points at a name somewhere below a YAML path.
func (s *source) named(path, name, hint, format string, args ...any) *RecipeError {
	for _, n := range s.names {
		if n.value == name && strings.HasPrefix(n.path, path) {
			return s.pos(n.pos, hint, format, args...)
		}
	}
	return s.at(path, hint, format, args...)
}

// at makes an error that points at a YAML path, or at the nearest thing above it that stands in the recipe.
func (s *source) at(path, hint, format string, args ...any) *RecipeError {
	for p := path; p != ""; {
		if pos := s.place[p]; pos != nil {
			return s.pos(pos, hint, format, args...)
		}
		i := max(strings.LastIndexByte(p, '.'), strings.LastIndexByte(p, '['))
		if i < 0 {
			break
		}
		p = p[:i]
	}
	return s.pos(&token.Position{Line: 1, Column: 1}, hint, format, args...)
}

// within makes an error that points at a character of a scalar, from 1, where that is written on one line as it reads.
func (s *source) within(path string, column int, hint, format string, args ...any) *RecipeError {
	e := s.at(path, hint, format, args...)
	if e.Col >= 1 && e.Col <= len(e.Source) {
		if c := e.Source[e.Col-1]; c == '"' || c == '\'' {
			column++
		}
		if c := e.Source[e.Col-1]; c != '|' && c != '>' && e.Col+column-1 <= len(e.Source)+1 {
			e.Col += column - 1
		}
	}
	return e
}

func (s *source) pos(p *token.Position, hint, format string, args ...any) *RecipeError {
	e := &RecipeError{File: s.file, Line: p.Line, Col: p.Column, Msg: fmt.Sprintf(format, args...), Hint: hint}
	if p.Line >= 1 && p.Line <= len(s.lines) {
		e.Source = strings.TrimRight(s.lines[p.Line-1], "\r")
	}
	return e
}

func (s *source) syntax(err error) error {
	var y yaml.Error
	if errors.As(err, &y) && y.GetToken() != nil {
		return s.pos(y.GetToken().Position, "", "%s", y.GetMessage())
	}
	return &RecipeError{File: s.file, Line: 1, Col: 1, Msg: err.Error()}
}

// lint walks the tree beside the Go type that it will be decoded into. It finds unknown keys and bad scalars while their
// place is known, and turns `- extract:` (a null) into `- extract: {}`.
func (s *source) lint(n ast.Node, t reflect.Type) error {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if u, ok := reflect.New(t).Interface().(encoding.TextUnmarshaler); ok {
		if sc, ok := n.(ast.ScalarNode); ok {
			if err := u.UnmarshalText([]byte(sc.GetToken().Value)); err != nil {
				return s.pos(n.GetToken().Position, "", "%v", err)
			}
		}
		return nil
	}
	switch n := n.(type) {
	case *ast.SequenceNode:
		for _, v := range n.Values {
			if t.Kind() == reflect.Slice {
				if err := s.lint(v, t.Elem()); err != nil {
					return err
				}
			}
		}
	case *ast.MappingNode:
		for _, v := range n.Values {
			if err := s.lintKey(v, t); err != nil {
				return err
			}
		}
	case *ast.MappingValueNode:
		return s.lintKey(n, t)
	}
	return nil
}

func (s *source) lintKey(v *ast.MappingValueNode, t reflect.Type) error {
	key := v.Key.GetToken()
	switch t.Kind() {
	case reflect.Map:
		return s.lint(v.Value, t.Elem())
	case reflect.Struct:
		var names []string
		for _, f := range reflect.VisibleFields(t) {
			if f.Anonymous {
				continue // its own fields follow
			}
			name := f.Tag.Get("yaml")
			if name == key.Value && f.IsExported() {
				if v.Value.Type() == ast.NullType && f.Type.Kind() == reflect.Pointer && f.Type.Elem().Kind() == reflect.Struct {
					v.Value = ast.Mapping(key, true)
				}
				return s.lint(v.Value, f.Type)
			}
			if f.IsExported() {
				names = append(names, name)
			}
		}
		return s.pos(key.Position, text.Nearest(key.Value, names), "unknown key %q; known here: %s", key.Value, strings.Join(names, ", "))
	}
	return nil
}

//go:embed *.yaml
var recipes embed.FS

// Embedded gives a recipe that is part of the program, by its name (web-zh) or its path in the source (pipelines/web-zh.yaml).
func Embedded(name string) ([]byte, bool) {
	b, err := recipes.ReadFile(strings.TrimSuffix(path.Base(name), ".yaml") + ".yaml")
	return b, err == nil
}

// Names lists the embedded recipes.
func Names() (names []string) {
	entries, _ := recipes.ReadDir(".")
	for _, e := range entries {
		names = append(names, strings.TrimSuffix(e.Name(), ".yaml"))
	}
	return names
}
