package urls

import (
	"bufio"
	"compress/gzip"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// reader reads lists until the first error, and keeps their hashes.
type reader struct {
	hashes string
	err    error
}

// set reads one list, each entry brought to the form that it is compared in. name is the option's; an empty file is no list.
func (r *reader) set(name, file string, form func(string) string) table {
	var t table
	if file != "" {
		r.add(&t, 0, name, file, form)
	}
	if r.err == nil && file != "" && t.len() == 0 {
		r.err = fmt.Errorf("%s: %s: no entries", name, file)
	}
	t.clip()
	return t
}

// add reads one list into a table.
func (r *reader) add(t *table, kind uint8, name, file string, form func(string) string) {
	if r.err != nil {
		return
	}
	if err := r.read(t, kind, name, file, form); err != nil {
		r.err = fmt.Errorf("%s: %w", name, err)
	}
}

func (r *reader) read(t *table, kind uint8, name, file string, form func(string) string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	var in io.Reader = f
	if strings.HasSuffix(file, ".gz") {
		if in, err = gzip.NewReader(f); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
	}
	hash := sha256.New()
	lines := bufio.NewScanner(io.TeeReader(in, hash))
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		entry := form(line)
		if entry == "" {
			return fmt.Errorf("%s: line %d: %q can match nothing", file, n, line)
		}
		if !t.add(entry, kind) {
			return fmt.Errorf("%s: line %d: lists of more than 4 GB", file, n)
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	r.hashes += fmt.Sprintf(" %s=%.8x", name, hash.Sum(nil))
	return nil
}

// categories reads the categories of a folder in the form of the blacklists of the Université Toulouse Capitole (UT1), which are
// those of squidGuard: a folder a category, in it a file domains and a file urls, one of which may be missing.
func (r *reader) categories(dir string, names []string) (domains, pages table) {
	if dir == "" || r.err != nil {
		return domains, pages
	}
	if len(names) == 0 || len(names) > 255 {
		r.err = fmt.Errorf("ut1: name the categories, of %s", strings.Join(folders(dir), ", "))
		return domains, pages
	}
	for i, name := range names {
		found := false
		for _, list := range []struct {
			file string
			t    *table
			form func(string) string
		}{{"domains", &domains, hostOrNone}, {"urls", &pages, page}} {
			for _, file := range []string{filepath.Join(dir, name, list.file), filepath.Join(dir, name, list.file+".gz")} {
				if _, err := os.Stat(file); errors.Is(err, os.ErrNotExist) {
					continue
				}
				found = true
				r.add(list.t, uint8(i), "ut1 "+name, file, list.form)
				break
			}
		}
		if !found && r.err == nil {
			r.err = fmt.Errorf("ut1: %s has neither domains nor urls of %q; it has %s", dir, name, strings.Join(folders(dir), ", "))
		}
	}
	domains.clip()
	pages.clip()
	return domains, pages
}

// hostOrNone is host, with a name that cannot occur for what is none: lists of a million lines by many hands have such lines.
func hostOrNone(name string) string {
	if h := host(name); h != "" {
		return h
	}
	return "?" + name
}

// folders lists the folders in a folder.
func folders(dir string) (names []string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return []string{"none: " + err.Error()}
	}
	for _, e := range entries {
		if info, err := os.Stat(filepath.Join(dir, e.Name())); err == nil && info.IsDir() {
			names = append(names, e.Name())
		}
	}
	slices.Sort(names)
	return names
}

// squeeze keeps the ASCII letters and digits, in lower case.
func squeeze(s string) string {
	return strings.ToLower(strings.Map(func(r rune) rune {
		if alphanumeric(r) {
			return r
		}
		return -1
	}, s))
}

func alphanumeric(r rune) bool {
	return '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
}
