package dedup

import (
	"net/url"
	"slices"
	"strings"

	"winnow"
)

// urlKey hashes the canonical URL to 128 bits; ok is false for a document without one.
func urlKey(d *winnow.Document) (key [2]uint64, ok bool) {
	c := canonicalURL(d.URL)
	if c == "" {
		return key, false
	}
	return hash128([]byte(c)), true
}

// canonicalURL gives the form in which URLs are compared. It does what RFC 3986, section 6.2, calls safe: scheme and host
// in lower case, percent-encoding in one form, dot segments resolved, default ports and an empty path made equal to none.
// Beyond that, as crawlers' indexes (SURT) do, it takes https for http, leaves out user names and fragments, sorts the
// query's parameters by name and leaves out those that only track the visitor (utm_*, gclid and the like). It leaves www.
// and the path's case and final slash alone: pages do differ by them. What cannot be parsed is returned as it is, without
// white space and fragment.
func canonicalURL(raw string) string {
	raw, _, _ = strings.Cut(raw, "#")
	raw = strings.TrimSpace(raw)
	u, err := url.Parse(raw)
	if err != nil {
		return raw
	}
	host := strings.TrimRight(strings.ToLower(u.Hostname()), ".")
	if host == "" {
		return raw
	}
	scheme := strings.ToLower(u.Scheme)
	if scheme == "https" || scheme == "" {
		scheme = "http"
	}
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if port := u.Port(); port != "" && port != "80" && port != "443" {
		host += ":" + port
	}
	canon := scheme + "://" + host + canonicalPath((&url.URL{}).ResolveReference(u))
	if q := canonicalQuery(u.RawQuery); q != "" {
		canon += "?" + q
	}
	return canon
}

// canonicalPath encodes each segment afresh, so that an encoded slash stays one.
func canonicalPath(u *url.URL) string {
	segments := strings.Split(u.EscapedPath(), "/")
	for i, s := range segments {
		if plain, err := url.PathUnescape(s); err == nil {
			segments[i] = url.PathEscape(plain)
		}
	}
	if path := strings.Join(segments, "/"); path != "" {
		return path
	}
	return "/"
}

// canonicalQuery sorts the parameters by name, those of one name as they stood, without those that only track.
func canonicalQuery(raw string) string {
	params := strings.Split(raw, "&")
	params = slices.DeleteFunc(params, func(p string) bool { return p == "" || tracks(name(p)) })
	for i, p := range params {
		n, value, ok := strings.Cut(p, "=")
		if params[i] = encoded(n); ok {
			params[i] += "=" + encoded(value)
		}
	}
	slices.SortStableFunc(params, func(a, b string) int { return strings.Compare(name(a), name(b)) })
	return strings.Join(params, "&")
}

func encoded(s string) string {
	if plain, err := url.QueryUnescape(s); err == nil {
		return url.QueryEscape(plain)
	}
	return s
}

func name(param string) string {
	n, _, _ := strings.Cut(param, "=")
	return n
}

// tracks tells whether a query parameter says where the visitor came from, and nothing of the page.
func tracks(name string) bool {
	name = strings.ToLower(name)
	switch name {
	case "gclid", "dclid", "gbraid", "wbraid", "fbclid", "msclkid", "yclid", "twclid", "igshid", "mc_cid", "mc_eid", "spm":
		return true
	}
	return strings.HasPrefix(name, "utm_")
}
