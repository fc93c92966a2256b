// Package urls judges documents by their address alone, before anything costly is done with them. Documents flow in; those
// whose URL stands in a list of the user's, or is made of its words, are dropped with the rule and the word found. It brings
// no lists of its own. Order and meaning of the rules are those of datatrove's URLFilter, and behind url.exact those of
// squidGuard for folders of categories. Hosts and addresses are compared in the form that browsers give them.
package urls

import (
	"context"
	"fmt"
	"slices"
	"strings"

	ahocorasick "github.com/petar-dambovaliev/aho-corasick"

	"winnow"
)

// Options name the files of the lists, all optional: one entry a line, UTF-8; empty lines and lines that begin with # do not
// count; a name that ends in .gz is read through gzip.
type Options struct {
	Domains   string // registered domains, example.co.uk: url.domain; full hosts, ads.example.com: url.subdomain
	URLs      string // whole addresses: url.exact
	HardWords string // one of them as a word of the URL drops: url.hard_words
	SoftWords string // MinSoft different ones drop: url.soft_words
	Subwords  string // one of them anywhere in the URL's letters and digits drops: url.subwords
	MinSoft   int    // default 2

	UT1        string   // folder of categories, each a folder with files domains and urls: url.category
	Categories []string // the ones that drop: a domain with all below it, a URL with all that it begins
}

// Stage is the stage "url".
type Stage struct {
	domains, urls, hard, soft table
	hosts, pages              table    // of categories
	categories                []string // by the numbers in hosts and pages
	subwords                  []string
	find                      ahocorasick.AhoCorasick
	minSoft                   int
	version                   string
}

var _ winnow.Each = (*Stage)(nil)

// New reads the lists. A file that cannot be read, or that holds no entry, is an error.
func New(o Options) (*Stage, error) {
	if o.MinSoft == 0 {
		o.MinSoft = 2
	}
	if o.MinSoft < 0 {
		return nil, fmt.Errorf("url: min_soft %d is below 1", o.MinSoft)
	}
	s := &Stage{minSoft: o.MinSoft, categories: slices.Clone(o.Categories)}
	r := reader{}
	s.domains = r.set("domains", o.Domains, host)
	s.urls = r.set("urls", o.URLs, page)
	s.hard = r.set("hard_words", o.HardWords, squeeze)
	s.soft = r.set("soft_words", o.SoftWords, squeeze)
	subwords := r.set("subwords", o.Subwords, squeeze)
	for i := range subwords.len() {
		s.subwords = append(s.subwords, string(subwords.at(i)))
	}
	s.hosts, s.pages = r.categories(o.UT1, o.Categories)
	if len(o.Categories) > 0 && o.UT1 == "" && r.err == nil {
		r.err = fmt.Errorf("categories: ut1 names no folder")
	}
	if r.err != nil {
		return nil, fmt.Errorf("url: %w", r.err)
	}
	slices.Sort(s.subwords)
	builder := ahocorasick.NewAhoCorasickBuilder(ahocorasick.Opts{DFA: true})
	s.find = builder.Build(s.subwords)
	s.version = fmt.Sprintf("url/2 min_soft=%d%s", o.MinSoft, r.hashes)
	return s, nil
}

// Name is "url".
func (*Stage) Name() string { return "url" }

// Version holds the code's number and a hash of each list.
func (s *Stage) Version() string { return s.version }

// Signals are none: an address is looked up, not measured.
func (*Stage) Signals() []winnow.Signal { return nil }

// Apply judges d.URL. A document without a URL passes; one whose URL cannot be parsed is judged by its words alone.
func (s *Stage) Apply(_ context.Context, d *winnow.Document) (winnow.Verdict, []winnow.Edit, error) {
	if d.URL == "" {
		return winnow.Verdict{}, nil, nil
	}
	rule, detail, count := s.judge(d.URL)
	if rule == "" {
		return winnow.Verdict{}, nil, nil
	}
	v := winnow.Verdict{Drop: true, Rule: rule, Value: winnow.NotMeasured, Bound: winnow.Any, Detail: detail}
	if rule == "url.soft_words" {
		v.Value, v.Bound = float32(count), winnow.AtMost(float64(s.minSoft-1))
	}
	return v, nil, nil
}

// judge gives the first rule that the address breaks, in datatrove's order, and what broke it.
func (s *Stage) judge(address string) (rule, detail string, count int) {
	canonical, name, ok := Canonical(address)
	if ok && s.domains.len() > 0 {
		name = strings.TrimSuffix(name, ".")
		if domain := registered(name); s.domains.has(domain) {
			return "url.domain", shown(domain), 0
		}
		if s.domains.has(name) {
			return "url.subdomain", shown(name), 0
		}
	}
	if s.urls.len() > 0 {
		if p := trimURL(orElse(canonical, address)); s.urls.has(p) {
			return "url.exact", p, 0
		}
	}
	if ok && len(s.categories) > 0 {
		if k, what, found := s.category(canonical, strings.TrimSuffix(name, ".")); found {
			return "url.category", s.categories[k] + ": " + what, 0
		}
	}
	if s.hard.len()+s.soft.len() > 0 {
		if rule, detail, count := s.words(address); rule != "" {
			return rule, detail, count
		}
	}
	if len(s.subwords) > 0 {
		if m := s.find.Iter(squeeze(address)).Next(); m != nil {
			return "url.subwords", s.subwords[m.Pattern()], 0
		}
	}
	return "", "", 0
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// category finds the host or one that it lies below, else the address or the beginning of it up to a slash or query.
func (s *Stage) category(canonical, name string) (kind uint8, what string, found bool) {
	for part, more := name, true; more; _, part, more = strings.Cut(part, ".") {
		if kind, found = s.hosts.get(part); found {
			return kind, shown(part), true
		}
	}
	if s.pages.len() == 0 {
		return 0, "", false
	}
	p := trimURL(canonical)
	for tries := 0; tries < 64 && p != ""; tries++ {
		if kind, found = s.pages.get(p); found {
			return kind, p, true
		}
		p = strings.TrimSuffix(p[:max(0, strings.LastIndexAny(p, "/?"))], "/")
	}
	return 0, "", false
}

// words compares the words of the URL as they are written, so Word is not word, as datatrove does.
func (s *Stage) words(address string) (rule, detail string, count int) {
	var soft []string
	for w := range strings.FieldsFuncSeq(address, func(r rune) bool { return !alphanumeric(r) }) {
		if s.hard.has(w) {
			return "url.hard_words", w, 1
		}
		if s.soft.has(w) && !slices.Contains(soft, w) {
			soft = append(soft, w)
		}
	}
	if len(soft) >= s.minSoft {
		return "url.soft_words", strings.Join(soft, " "), len(soft)
	}
	return "", "", 0
}
