package polite

import (
	"fmt"
	"net/netip"
	"strings"

	whatwg "github.com/nlnwa/whatwg-url/url"
	"golang.org/x/net/publicsuffix"
)

// maxAddress is the most bytes of an address. Longer ones are made by machines, for machines.
const maxAddress = 2048

// maxRepeats is how often a path may have the same segment. Relative links on pages that answer to any path make more.
const maxRepeats = 3

// Address is a normalised URL in parts.
type Address struct {
	URL    string // without user, fragment, session and tracking parameters
	Scheme string // http or https
	Host   string // name or address, no port
	Port   string // empty: the scheme's
	Path   string
	Query  string // without question mark
}

// Origin is scheme, host and port: what a robots.txt is for.
func (a Address) Origin() string {
	if a.Port != "" {
		return a.Scheme + "://" + a.Host + ":" + a.Port
	}
	return a.Scheme + "://" + a.Host
}

// PathQuery is what robots.txt rules are matched with.
func (a Address) PathQuery() string {
	if a.Query != "" {
		return a.Path + "?" + a.Query
	}
	return a.Path
}

// Normalise parses raw as browsers do (the URL standard of the WHATWG), relative to base where that is not empty, and takes off
// what does not change the page: user, fragment, and parameters that name a session or the way here. It fails for anything but
// http and https.
func Normalise(base, raw string) (Address, error) {
	parser := whatwg.NewParser(whatwg.WithPercentEncodeSinglePercentSign())
	u, err := parser.ParseRef(base, raw)
	if base == "" {
		u, err = parser.Parse(raw)
	}
	if err != nil {
		return Address{}, fmt.Errorf("address %.200q: %w", raw, err)
	}
	if u.Scheme() != "http" && u.Scheme() != "https" || u.Hostname() == "" {
		return Address{}, fmt.Errorf("address %.200q: only http and https are crawled", raw)
	}
	u.SetUsername("")
	u.SetPassword("")
	u.SetHash("")
	if path := u.Pathname(); strings.Contains(path, ";") {
		u.SetPathname(withoutSession(path))
	}
	if query := u.Query(); query != "" {
		u.SetSearch(withoutParameters(query))
	}
	return Address{URL: u.Href(true), Scheme: u.Scheme(), Host: strings.TrimSuffix(u.Hostname(), "."), Port: u.Port(), Path: u.Pathname(), Query: u.Query()}, nil
}

// withoutSession cuts ;jsessionid=... out of the segments of a path.
func withoutSession(path string) string {
	segments := strings.Split(path, "/")
	for i, s := range segments {
		if at := strings.Index(strings.ToLower(s), ";jsessionid="); at >= 0 {
			segments[i] = s[:at]
		}
	}
	return strings.Join(segments, "/")
}

func withoutParameters(query string) string {
	kept := make([]string, 0, 8)
	for p := range strings.SplitSeq(query, "&") {
		name, _, _ := strings.Cut(p, "=")
		if !isSessionParameter(strings.ToLower(name)) {
			kept = append(kept, p)
		}
	}
	return strings.Join(kept, "&")
}

func isSessionParameter(name string) bool {
	switch name {
	case "jsessionid", "phpsessid", "sessionid", "session_id", "cfid", "cftoken", "gclid", "fbclid", "msclkid", "yclid", "mc_cid", "mc_eid":
		return true
	}
	return strings.HasPrefix(name, "utm_") || strings.HasPrefix(name, "aspsessionid")
}

// trap gives the rule by which an address looks made up by a machine without end; empty where it does not.
func (a Address) trap() string {
	if len(a.URL) > maxAddress {
		return "trap.length"
	}
	segments := strings.Split(a.Path, "/")
	for i, s := range segments {
		n := 0
		for _, other := range segments[i:] {
			if s != "" && s == other {
				n++
			}
		}
		if n > maxRepeats {
			return "trap.repeat"
		}
		if i > 64 {
			return "trap.repeat"
		}
	}
	return ""
}

// skipped are endings of files that hold no text; links to them are not followed.
const skipped = " .jpg .jpeg .png .gif .webp .avif .svg .ico .bmp .tif .tiff .mp3 .mp4 .m4a .m4v .ogg .ogv .wav .flac .avi .mov .mkv .webm" +
	" .zip .gz .bz2 .xz .zst .7z .rar .tar .tgz .iso .dmg .exe .msi .deb .rpm .apk .jar .bin .woff .woff2 .ttf .otf .eot .css .js .mjs .map "

// isMedia says whether a path ends like a file without text.
func (a Address) isMedia() bool {
	dot := strings.LastIndexByte(a.Path, '.')
	return dot >= 0 && !strings.ContainsAny(a.Path[dot:], "/ ") && strings.Contains(skipped, " "+strings.ToLower(a.Path[dot:])+" ")
}

// The scopes.
const (
	ScopeHost   = "host"   // hosts of the seeds, with and without www.
	ScopeDomain = "domain" // registered domains of the seeds, by the public suffix list
	ScopePrefix = "prefix" // addresses that begin as a seed does, up to its last slash
)

// Scope says which addresses belong to a crawl. Beyond the schemes' own ports, ports must be those of a seed.
type Scope struct {
	kind string
	in   map[string]bool // host and port, or domain and port
	pre  []string
}

// NewScope returns the scope around seeds.
func NewScope(kind string, seeds []Address) (*Scope, error) {
	s := &Scope{kind: kind, in: map[string]bool{}}
	for _, a := range seeds {
		switch kind {
		case ScopePrefix:
			s.pre = append(s.pre, prefixOf(a))
		case ScopeHost, ScopeDomain:
			s.in[s.key(a)] = true
		default:
			return nil, fmt.Errorf("scope %q: known are %s, %s, %s", kind, ScopeHost, ScopeDomain, ScopePrefix)
		}
	}
	return s, nil
}

// Contains says whether an address belongs to the crawl.
func (s *Scope) Contains(a Address) bool {
	if s.kind != ScopePrefix {
		return s.in[s.key(a)]
	}
	for _, p := range s.pre {
		if strings.HasPrefix(bare(a)+a.Path, p) {
			return true
		}
	}
	return false
}

// key is what addresses of one scope share.
func (s *Scope) key(a Address) string {
	host := bare(a)
	if s.kind == ScopeDomain {
		if _, err := netip.ParseAddr(strings.Trim(a.Host, "[]")); err != nil {
			if domain, err := publicsuffix.EffectiveTLDPlusOne(a.Host); err == nil {
				host = domain + ":" + a.Port
			}
		}
	}
	return host
}

// bare is host and port without www.
func bare(a Address) string { return strings.TrimPrefix(a.Host, "www.") + ":" + a.Port }

// prefixOf is host, port and path up to the last slash.
func prefixOf(a Address) string { return bare(a) + a.Path[:strings.LastIndexByte(a.Path, '/')+1] }
