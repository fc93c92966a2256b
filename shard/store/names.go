package store

import (
	"fmt"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"

	"winnow"
)

// Join puts parts, which may hold slashes, behind a folder's name.
func Join(folder string, parts ...string) string {
	if winnow.IsURL(folder) {
		return strings.TrimRight(folder, "/") + "/" + path.Join(parts...)
	}
	for i := range parts {
		parts[i] = filepath.FromSlash(parts[i])
	}
	return filepath.Join(append([]string{folder}, parts...)...)
}

// Base is the last part of a name.
func Base(name string) string {
	if winnow.IsURL(name) {
		return path.Base(strings.TrimRight(name, "/"))
	}
	return filepath.Base(name)
}

// Dir is a name without its last part.
func Dir(name string) string {
	if !winnow.IsURL(name) {
		return filepath.Dir(filepath.Clean(name))
	}
	name = strings.TrimRight(name, "/")
	return name[:strings.LastIndexByte(name, '/')]
}

// Clean gives one form of a folder's name: no slash behind a URL, and a path of the disk for a file URL.
func Clean(name string) (string, error) {
	rest, ok := strings.CutPrefix(name, "file://")
	switch {
	case !ok && winnow.IsURL(name):
		return strings.TrimRight(name, "/"), nil
	case !ok:
		return name, nil
	}
	rest = strings.TrimPrefix(rest, "localhost")
	p, err := url.PathUnescape(rest)
	if err != nil || !strings.HasPrefix(p, "/") {
		return "", fmt.Errorf("%s: write file:///folder", name)
	}
	if os.PathSeparator == '\\' && len(p) > 2 && p[2] == ':' { // /C:/folder
		p = p[1:]
	}
	return filepath.FromSlash(p), nil
}

// IsAttempt tells whether a name is that of an attempt.
func IsAttempt(name string) bool { return strings.Contains(Base(name), attemptMark) }
