package about

import (
	"slices"
	"strings"
)

// linked is what the JSON-LD of a page says.
type linked struct {
	authors             []string
	date, site, license string
}

// readLinked looks at the article, or at the first object that has what is asked for.
func readLinked(scripts []string) (l linked) {
	var objects []*object
	for _, s := range scripts {
		objects = append(objects, parseLinked(s)...)
	}
	if len(objects) == 0 {
		return l
	}
	byID := map[string]*object{}
	for _, o := range objects {
		if id := o.text("@id"); id != "" && byID[id] == nil && len(o.keys) > 1 {
			byID[id] = o
		}
	}
	slices.SortStableFunc(objects, func(a, b *object) int { return b.rank() - a.rank() })
	for _, o := range objects {
		if o.rank() == 0 && len(l.authors) > 0 && l.date != "" {
			break
		}
		if len(l.authors) == 0 && o.rank() > 0 {
			l.authors = append(o.names("author", byID), o.names("creator", byID)...)
		}
		l.date = first(l.date, day(first(o.text("datePublished"), o.text("uploadDate"))))
		l.license = first(l.license, o.text("license"))
		if l.site == "" && o.rank() > 0 {
			l.site = first(append(o.names("publisher", byID), "")[0])
		}
	}
	for _, o := range objects {
		if l.site == "" && o.text("@type") == "WebSite" {
			l.site = o.text("name")
		}
	}
	return l
}

// object is one object of JSON-LD, whatever it stands in. A value is a string, an object, or a list of both.
type object struct {
	keys   []string
	values [][]any
}

func (o *object) get(key string) []any {
	if i := slices.Index(o.keys, key); i >= 0 {
		return o.values[i]
	}
	return nil
}

func (o *object) text(key string) string {
	for _, v := range o.get(key) {
		if s, ok := v.(string); ok && s != "" {
			return s
		}
	}
	return ""
}

// names are those of the people or bodies under a key, which may be given by their @id.
func (o *object) names(key string, byID map[string]*object) (names []string) {
	for _, v := range o.get(key) {
		switch v := v.(type) {
		case string:
			names = append(names, v)
		case *object:
			n := v.text("name")
			if other := byID[v.text("@id")]; n == "" && other != nil {
				n = other.text("name")
			}
			if n != "" {
				names = append(names, n)
			}
		}
	}
	return names
}

// rank says how much an object speaks for the page: an article, the page, another work, anything else.
func (o *object) rank() int {
	best := 0
	for _, v := range o.get("@type") {
		t, _ := v.(string)
		switch {
		case strings.HasSuffix(t, "Article") || t == "BlogPosting" || t == "Report" || t == "Recipe" || t == "DiscussionForumPosting" || strings.HasSuffix(t, "Posting"):
			return 3
		case t == "WebPage" || t == "ItemPage" || t == "QAPage" || t == "FAQPage" || t == "AboutPage" || t == "CollectionPage":
			best = max(best, 2)
		case t == "Blog" || t == "CreativeWork" || t == "Book" || t == "Course" || t == "VideoObject" || t == "Question" || t == "SoftwareApplication":
			best = max(best, 1)
		}
	}
	return best
}

// Limits of one script of JSON-LD.
const (
	mostJSON    = 1 << 20 // bytes; the rest is not read
	mostObjects = 4000
	mostNesting = 64
)

// jsonReader reads JSON as pages have it: line ends within strings, commas too many, ends missing, comments around it.
type jsonReader struct {
	s       string
	at      int
	objects []*object
}

func parseLinked(s string) []*object {
	r := &jsonReader{s: s[:min(len(s), mostJSON)]}
	for r.at < len(r.s) && len(r.objects) < mostObjects {
		if i := strings.IndexAny(r.s[r.at:], "{["); i < 0 {
			break
		} else {
			r.at += i
		}
		r.value(0)
	}
	return r.objects
}

func (r *jsonReader) space() byte {
	for r.at < len(r.s) && r.s[r.at] <= ' ' {
		r.at++
	}
	if r.at < len(r.s) {
		return r.s[r.at]
	}
	return 0
}

// value reads one value, and gives its strings and objects; lists within lists are one.
func (r *jsonReader) value(depth int) []any {
	switch r.space() {
	case 0:
		return nil
	case '"':
		return []any{r.string()}
	case '{':
		r.at++
		return []any{r.object(depth + 1)}
	case '[':
		r.at++
		var list []any
		for r.at < len(r.s) {
			switch c := r.space(); {
			case c == ']':
				r.at++
				return list
			case c == ',' || c == 0 || c == '}' || c == ':':
				r.at++
			case depth >= mostNesting:
				r.at = len(r.s)
			default:
				list = append(list, r.value(depth+1)...)
			}
		}
		return list
	}
	from := r.at
	for r.at < len(r.s) && r.s[r.at] > ' ' && !strings.ContainsRune(`,]}{["`, rune(r.s[r.at])) {
		r.at++
	}
	r.at = max(r.at, min(from+1, len(r.s)))
	return []any{r.s[from:r.at]}
}

func (r *jsonReader) object(depth int) *object {
	o := &object{}
	r.objects = append(r.objects, o)
	for r.at < len(r.s) {
		switch c := r.space(); {
		case c == '}':
			r.at++
			return o
		case c == '"':
			key := r.string()
			if r.space() != ':' {
				continue
			}
			r.at++
			if depth >= mostNesting || len(r.objects) >= mostObjects {
				r.at = len(r.s)
				return o
			}
			if v := r.value(depth); v != nil {
				o.keys, o.values = append(o.keys, key), append(o.values, v)
			}
		default:
			r.at++
		}
	}
	return o
}

// string reads a string, its first quote being next.
func (r *jsonReader) string() string {
	r.at++
	from := r.at
	for r.at < len(r.s) && r.s[r.at] != '"' {
		if r.s[r.at] == '\\' {
			r.at++
		}
		r.at++
	}
	s := r.s[min(from, len(r.s)):min(r.at, len(r.s))]
	r.at++
	if strings.IndexByte(s, '\\') < 0 {
		return s
	}
	return unescape(s)
}
