package main

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// verb is one of fmt's: flags, width, precision, which argument, and what is done with it.
var verb = regexp.MustCompile(`^%[-+# 0]*[0-9]*(\.[0-9]*)?(\[[0-9]+\])?([a-zA-Z%])`)

// verbs lists what a format does with which argument; an error where fmt would print a complaint.
func verbs(format string) (list []string, err error) {
	next := 1
	for i := 0; i < len(format); i++ {
		if format[i] != '%' {
			continue
		}
		m := verb.FindStringSubmatch(format[i:])
		if m == nil {
			return nil, fmt.Errorf("no verb at %.12q", format[i:])
		}
		i += len(m[0]) - 1
		if m[3] == "%" {
			continue
		}
		if m[2] != "" {
			next, _ = strconv.Atoi(m[2][1 : len(m[2])-1])
		}
		list = append(list, fmt.Sprintf("%d%s", next, m[3]))
		next++
	}
	slices.Sort(list)
	return list, nil
}

// TestBothLanguagesFormatTheSame looks at every pair of texts in this package and its rooms: where one formats arguments, the other formats the same ones by
// the same verbs, and neither writes what fmt does not know.
func TestBothLanguagesFormatTheSame(t *testing.T) {
	files, err := filepath.Glob("*.go")
	rooms, roomErr := filepath.Glob("*/*.go")
	if err := errors.Join(err, roomErr); err != nil {
		t.Fatal(err)
	}
	files = append(files, rooms...)
	pairs := 0
	for _, name := range files {
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) < 2 {
				return true
			}
			switch f := call.Fun.(type) {
			case *ast.SelectorExpr:
				ok = f.Sel.Name == "T" || f.Sel.Name == "Say"
			case *ast.Ident:
				ok = f.Name == "t"
			}
			en, zh := literal(call.Args[0]), literal(call.Args[1])
			if !ok || en == "" || zh == "" {
				return true
			}
			a, errA := verbs(en)
			b, errB := verbs(zh)
			if errA != nil || errB != nil {
				if formatted(call) || strings.Contains(en+zh, "%[") {
					t.Errorf("%s: %v %v", set.Position(call.Pos()), errA, errB)
				}
				return true
			}
			pairs++
			if !slices.Equal(a, b) {
				t.Errorf("%s: %v in English, %v in Chinese", set.Position(call.Pos()), a, b)
			}
			return true
		})
	}
	if pairs < 500 {
		t.Errorf("only %d pairs of texts were found", pairs)
	}
}

// formatted tells whether a call formats: say does, and texts of flags that have a lone percent sign do not.
func formatted(call *ast.CallExpr) bool {
	f, ok := call.Fun.(*ast.SelectorExpr)
	return ok && f.Sel.Name == "Say"
}

func literal(x ast.Expr) string {
	l, ok := x.(*ast.BasicLit)
	if !ok || l.Kind != token.STRING {
		return ""
	}
	s, _ := strconv.Unquote(l.Value)
	return s
}

func TestVerbs(t *testing.T) {
	for format, want := range map[string]string{"%d of %s": "[1d 2s]", "%[2]s %.1[1]f %d %%": "[1f 2d 2s]", "%-4q|%+.2e": "[1q 2e]"} {
		if got, err := verbs(format); err != nil || fmt.Sprint(got) != want {
			t.Errorf("%s: %v %v", format, got, err)
		}
	}
	if _, err := verbs("%[1].3f"); err == nil {
		t.Error("an index before a precision is taken")
	}
}
