package urls

import (
	"strings"

	whatwg "github.com/nlnwa/whatwg-url/url"
	"golang.org/x/net/idna"
	"golang.org/x/net/publicsuffix"
)

// Canonical gives an address as a browser would send it (WHATWG URL standard): scheme and host in lower case, other scripts in
// Punycode, addresses of numbers in one form, dot segments resolved, default ports left out, and what a URL cannot hold
// percent-encoded; without user name, password and fragment. host is the name alone. ok is false for what no browser opens.
func Canonical(address string) (canonical, host string, ok bool) {
	if n := plainHost(address); n > 0 {
		canonical, _, _ = strings.Cut(address, "#")
		host = canonical[strings.IndexByte(canonical, ':')+3 : n]
		if n == len(canonical) {
			canonical += "/"
		} else if canonical[n] != '/' {
			canonical = canonical[:n] + "/" + canonical[n:]
		}
		return canonical, host, true
	}
	u, err := whatwg.Parse(address)
	if err != nil || u.Hostname() == "" {
		return "", "", false
	}
	if u.Username() != "" || u.Password() != "" {
		u.SetUsername("")
		u.SetPassword("")
	}
	return u.Href(true), u.Hostname(), true
}

// plainHost is where the host of an http address ends that is canonical already, as most are, but for its fragment and an
// empty path; 0 where the address has anything in it that the standard speaks of. FuzzCanonical compares both ways.
func plainHost(address string) int {
	start := 0
	for _, scheme := range []string{"https://", "http://"} {
		if strings.HasPrefix(address, scheme) {
			start = len(scheme)
		}
	}
	if start == 0 {
		return 0
	}
	end, label := start, start
	for ; end < len(address); end++ {
		c := address[end]
		if c == '/' || c == '?' || c == '#' {
			break
		}
		switch {
		case c == '.':
			if end == label {
				return 0 // empty label
			}
			label = end + 1
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '-' && end > label:
		default:
			return 0
		}
	}
	last := address[label:end]
	if last == "" || last[0] < 'a' || strings.Contains(address[start:end], "--") || strings.HasSuffix(last, "-") {
		return 0 // a number, Punycode
	}
	for i := end; i < len(address); i++ {
		switch c := address[i]; c {
		case '\\', '"', '<', '>', '`', '{', '}', '^', '|', '\'':
			return 0
		case '.':
			if address[i-1] == '/' {
				return 0 // a dot segment
			}
		case '%':
			if i+2 < len(address) && address[i+1] == '2' && address[i+2]|0x20 == 'e' {
				return 0 // a dot
			}
		default:
			if c <= ' ' || c >= 0x7f {
				return 0
			}
		}
	}
	return end
}

// host is a host name of a list in the form that it is compared in; empty where it is none.
func host(name string) string {
	name = strings.TrimPrefix(strings.TrimSpace(name), ".")
	if _, h, ok := Canonical("http://" + name + "/"); ok {
		return strings.TrimSuffix(h, ".")
	}
	return ""
}

// page is an address of a list, or of a document, in the form that it is compared in: canonical, without what does not tell one
// page from another: the scheme, www. and a slash at the end.
func page(address string) string {
	if !strings.Contains(address, "://") {
		address = "http://" + address
	}
	c, _, ok := Canonical(address)
	if !ok {
		c = address
	}
	return trimURL(c)
}

// trimURL leaves out the scheme, www. and a slash at the end.
func trimURL(address string) string {
	if i := strings.Index(address, "://"); i >= 0 {
		address = address[i+3:]
	}
	return strings.TrimSuffix(strings.TrimPrefix(address, "www."), "/")
}

// shown is a host as people write it.
func shown(host string) string {
	if strings.Contains(host, "xn--") {
		if s, err := idna.ToUnicode(host); err == nil {
			return s
		}
	}
	return host
}

// registered is the registered domain of a host, one label below the suffix that ICANN knows: of a.example.co.uk,
// example.co.uk. Private suffixes do not count, so a list's blogspot.com means all blogs there.
func registered(name string) string {
	suffix, icann := publicsuffix.PublicSuffix(name)
	for !icann && strings.Contains(suffix, ".") {
		_, parent, _ := strings.Cut(suffix, ".")
		suffix, icann = publicsuffix.PublicSuffix(parent)
	}
	rest, ok := strings.CutSuffix(name, "."+suffix)
	if !ok {
		return ""
	}
	return name[strings.LastIndexByte(rest, '.')+1:]
}
