package robots

import (
	"bytes"
	"math"
	"strconv"
	"strings"
	"time"
)

// Limits of robots.txt: RFC 9309, sections 2.5 (at least 500 KiB are read), 2.3.1.2 (five redirects) and 2.4 (a day).
const (
	MaxBytes      = 512 << 10
	MaxRedirects  = 5
	MaxAge        = 24 * time.Hour
	maxCrawlDelay = 24 * time.Hour
)

// Robots is what a robots.txt says to one crawler.
type Robots struct {
	Delay    time.Duration // Crawl-delay; 0: none
	Sitemaps []string      // as they stand there
	rules    []rule
}

// rule is an Allow or Disallow line: the pieces of its path between wildcards, percent-encoded alike.
type rule struct {
	allow  bool
	pieces []string
	end    bool // $
	length int  // of the path as written
}

// Parse reads the groups of a robots.txt (RFC 9309) that are for agent, a product token, in any case; those for * where
// there are none. Lines that it does not know are passed over; nothing makes it fail.
func Parse(body []byte, agent string) *Robots {
	body = bytes.TrimPrefix(body[:min(len(body), MaxBytes)], []byte("\ufeff"))
	var own, all group
	r := &Robots{}
	var into []*group
	naming := false // the last line of a group was a User-agent
	for line := range strings.FieldsFuncSeq(string(body), func(c rune) bool { return c == '\n' || c == '\r' }) {
		line, _, _ = strings.Cut(line, "#")
		key, value, ok := strings.Cut(line, ":")
		if !ok {
			continue
		}
		key, value = strings.ToLower(strings.TrimSpace(key)), strings.TrimSpace(value)
		switch key {
		case "user-agent":
			if !naming {
				into, naming = nil, true
			}
			if value == "*" {
				into = append(into, &all)
			} else if strings.EqualFold(ProductToken(value), agent) {
				own.named, into = true, append(into, &own)
			}
		case "allow", "disallow":
			naming = false
			if value != "" {
				line := parseRule(value, key == "allow")
				for _, g := range into {
					g.rules = append(g.rules, line)
				}
			}
		case "crawl-delay":
			naming = false
			if d := parseDelay(value); d > 0 {
				for _, g := range into {
					g.delay = max(g.delay, d)
				}
			}
		case "sitemap":
			r.Sitemaps = append(r.Sitemaps, value)
		}
	}
	if !own.named {
		own = all
	}
	r.rules, r.Delay = own.rules, own.delay
	return r
}

type group struct {
	named bool
	rules []rule
	delay time.Duration
}

// ProductToken is the letters, underscores and hyphens that a User-agent line begins with.
func ProductToken(s string) string {
	for i, c := range s {
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c == '-') {
			return s[:i]
		}
	}
	return s
}

func parseDelay(s string) time.Duration {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(f) || f <= 0 {
		return 0
	}
	return time.Duration(min(f, maxCrawlDelay.Seconds()) * float64(time.Second))
}

func parseRule(path string, allow bool) rule {
	r := rule{allow: allow, length: len(path)}
	if strings.HasSuffix(path, "$") {
		r.end, path = true, path[:len(path)-1]
	}
	for i, piece := range strings.Split(path, "*") {
		if i == 0 || piece != "" { // runs of wildcards are one
			r.pieces = append(r.pieces, encodeAlike(piece))
		}
	}
	if strings.HasSuffix(path, "*") {
		r.end = false
	}
	return r
}

// matches says whether a rule matches path, which is percent-encoded alike. Leftmost matches of the pieces are enough: a
// wildcard may stand for anything.
func (r *rule) matches(path string) bool {
	rest, ok := strings.CutPrefix(path, r.pieces[0])
	if !ok {
		return false
	}
	for i, piece := range r.pieces[1:] {
		if r.end && i == len(r.pieces)-2 {
			return strings.HasSuffix(rest, piece)
		}
		at := strings.Index(rest, piece)
		if at < 0 {
			return false
		}
		rest = rest[at+len(piece):]
	}
	return !r.end || rest == ""
}

// Allows says whether path, with its query, may be fetched: the longest rule that matches decides, and of equally long ones
// Allow.
func (r *Robots) Allows(path string) bool {
	if path == "/robots.txt" {
		return true
	}
	path = encodeAlike(path)
	allow, length := true, -1
	for i := range r.rules {
		line := &r.rules[i]
		if (line.length > length || line.length == length && line.allow) && line.matches(path) {
			allow, length = line.allow, line.length
		}
	}
	return allow
}

// encodeAlike brings a path into one form: bytes beyond ASCII percent-encoded, hexadecimal digits upper case, and nothing
// encoded that need not be (RFC 9309, section 2.2.2).
func encodeAlike(s string) string {
	const upper = "0123456789ABCDEF"
	plain := true
	for i := range len(s) {
		plain = plain && s[i] != '%' && s[i] < 0x80
	}
	if plain {
		return s
	}
	b := make([]byte, 0, len(s)+16)
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '%' && i+2 < len(s) {
			if v, err := strconv.ParseUint(s[i+1:i+3], 16, 8); err == nil {
				c, i = byte(v), i+2
				if isUnreserved(c) {
					b = append(b, c)
				} else {
					b = append(b, '%', upper[c>>4], upper[c&15])
				}
				continue
			}
		}
		if c >= 0x80 {
			b = append(b, '%', upper[c>>4], upper[c&15])
		} else {
			b = append(b, c)
		}
	}
	return string(b)
}

func isUnreserved(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-._~", c) >= 0
}

// Directives is what a page asks of crawlers, in meta elements and X-Robots-Tag fields.
type Directives struct{ NoIndex, NoFollow bool }

// Add reads a list of directives. none is both; noai, which asks not to be trained on, counts as noindex here.
func (d *Directives) Add(list string) {
	for word := range strings.FieldsFuncSeq(strings.ToLower(list), func(c rune) bool { return c == ',' || c == ' ' || c == ';' || c == '\t' }) {
		switch word {
		case "none":
			d.NoIndex, d.NoFollow = true, true
		case "noindex", "noai":
			d.NoIndex = true
		case "nofollow":
			d.NoFollow = true
		}
	}
}

// AddHeader reads one X-Robots-Tag field, which may begin with the name of the crawler that it is for.
func (d *Directives) AddHeader(value, agent string) {
	if name, rest, ok := strings.Cut(value, ":"); ok && !strings.ContainsAny(name, ", ") && !isDirective(name) {
		if !strings.EqualFold(strings.TrimSpace(name), agent) {
			return
		}
		value = rest
	}
	d.Add(value)
}

// isDirective tells directives that have a value of their own from names of crawlers.
func isDirective(name string) bool {
	switch strings.ToLower(strings.TrimSpace(name)) {
	case "max-snippet", "max-image-preview", "max-video-preview", "unavailable_after":
		return true
	}
	return false
}
