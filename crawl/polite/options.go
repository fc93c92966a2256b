package polite

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/mail"
	"net/url"
	"slices"
	"strings"
	"time"

	"winnow/crawl/polite/frontier"
	"winnow/crawl/polite/robots"
)

// Options says what to crawl and how. Fields that are zero get the defaults named here.
type Options struct {
	Seeds    []string
	Out      string // .warc, .warc.gz or .warc.zst; the frontier lies beside it, in Out + ".frontier"
	Contact  string // where the owners of sites can write to: a mail address or a page; required
	Agent    string // product token in User-Agent and robots.txt; "winnow"
	Version  string // of the product
	Sitemaps []string
	NoMaps   bool   // do not follow the sitemaps that robots.txt names
	Scope    string // ScopeHost

	MaxPages int64         // answers to requests for pages, over all runs of this crawl; 0: no limit
	MaxBytes int64         // bytes written to the archive; 0: no limit
	MaxTime  time.Duration // of this run; 0: no limit
	MaxDepth int           // links from a seed; negative: no limit; seeds alone are 0
	MaxQuery int           // queries of one path; 500
	MaxPage  int64         // bytes of a body, raw and decoded; 8 MiB
	Timeout  time.Duration // of one exchange; 60 s
	Types    []string      // media types of pages; DefaultTypes
	Rotate   int64         // bytes after which a new file is begun; 0: never

	Pace        Pace // Delay is taken as it is; other fields have defaults of 10 s, 10 min and 5
	Tries       int  // for one address without an answer; 3
	Concurrency int  // hosts at a time; 8

	Previous     string         // archive of an earlier crawl, for conditional requests
	AllowPrivate bool           // meet private, loopback and link-local addresses
	Proxy        *url.URL       // nil: none; the environment is not asked
	Resolver     *net.Resolver  // nil: the system's
	TLS          *tls.Config    // nil: the system's roots
	Fresh        bool           // drop an earlier archive and frontier
	Tell         func(Progress) // called after each answer; may be nil

	commitEvery time.Duration // 1 s
}

// DefaultTypes are the media types of pages with text.
var DefaultTypes = []string{"text/html", "application/xhtml+xml", "text/plain", "text/markdown", "application/xml", "text/xml"}

// Progress is how far a crawl is.
type Progress struct {
	URL     string `json:"url"`
	Status  int    `json:"status,omitempty"` // 0: no answer
	Pages   int64  `json:"pages"`
	Queue   int64  `json:"queue"`
	Bytes   int64  `json:"bytes"` // written to the archive
	Resumed bool   `json:"resumed,omitempty"`
}

// OptionError is a mistake in Options: nothing was started.
type OptionError struct {
	Option string // contact, seed, out, scope, previous, plan
	Detail string
}

func (e *OptionError) Error() string { return e.Option + ": " + e.Detail }

// userAgent names the product and the contact.
func (o *Options) userAgent() string {
	contact := o.Contact
	if strings.Contains(contact, "@") && !strings.Contains(contact, "://") {
		contact = "mailto:" + contact
	}
	if o.Version == "" {
		return fmt.Sprintf("%s (+%s)", o.Agent, contact)
	}
	return fmt.Sprintf("%s/%s (+%s)", o.Agent, o.Version, contact)
}

// plan is what a crawl that goes on must have in common with itself. Budgets and pace may change.
type plan struct {
	Seeds    []string `json:"seeds"`
	Sitemaps []string `json:"sitemaps,omitempty"`
	NoMaps   bool     `json:"no_sitemaps,omitempty"`
	Scope    string   `json:"scope"`
	MaxDepth int      `json:"max_depth"`
	Types    []string `json:"types"`
	Agent    string   `json:"agent"`
	Previous string   `json:"previous,omitempty"`
}

// prepare fills in defaults, and checks. It returns the seeds.
func (o *Options) prepare() ([]Address, *Scope, error) {
	def(&o.Agent, "winnow")
	def(&o.Scope, ScopeHost)
	def(&o.MaxQuery, 500)
	def(&o.MaxPage, 8<<20)
	def(&o.Timeout, time.Minute)
	def(&o.Tries, 3)
	def(&o.Concurrency, 8)
	def(&o.Pace.Backoff, 10*time.Second)
	def(&o.Pace.MaxWait, 10*time.Minute)
	def(&o.Pace.Failures, 5)
	def(&o.commitEvery, time.Second)
	if len(o.Types) == 0 {
		o.Types = DefaultTypes
	}
	o.Pace.Delay = max(o.Pace.Delay, 0)
	if err := checkContact(o.Contact); err != nil {
		return nil, nil, &OptionError{"contact", err.Error()}
	}
	if robots.ProductToken(o.Agent) != o.Agent || o.Agent == "" {
		return nil, nil, &OptionError{"agent", "letters, - and _ alone"}
	}
	if extension(o.Out) == "" {
		return nil, nil, &OptionError{"out", o.Out + ": must end in .warc.gz, .warc.zst or .warc"}
	}
	if len(o.Seeds) == 0 {
		return nil, nil, &OptionError{"seed", "none"}
	}
	if o.Proxy != nil && o.Proxy.Scheme != "http" && o.Proxy.Scheme != "https" {
		return nil, nil, &OptionError{"proxy", "only http and https proxies are known"}
	}
	var seeds []Address
	for _, s := range o.Seeds {
		if !strings.Contains(s, "://") {
			s = "https://" + s
		}
		a, err := Normalise("", s)
		if err != nil {
			return nil, nil, &OptionError{"seed", err.Error()}
		}
		seeds = append(seeds, a)
	}
	scope, err := NewScope(o.Scope, seeds)
	if err != nil {
		return nil, nil, &OptionError{"scope", err.Error()}
	}
	return seeds, scope, nil
}

func def[T comparable](p *T, value T) {
	var zero T
	if *p == zero {
		*p = value
	}
}

// checkContact wants a mail address or a page that someone can reach.
func checkContact(s string) error {
	if u, err := url.Parse(s); err == nil && (u.Scheme == "http" || u.Scheme == "https") && strings.Contains(u.Hostname(), ".") && !strings.ContainsAny(s, " ()") {
		return nil
	}
	m, err := mail.ParseAddress(strings.TrimPrefix(s, "mailto:"))
	if err == nil && m.Name == "" && strings.Contains(m.Address, ".") {
		return nil
	}
	return errors.New("a mail address or a page at which the owners of sites can reach you is required; it goes into User-Agent")
}

// samePlan compares what a frontier was made for with what is asked now; a new frontier takes it.
func (o *Options) samePlan(s *frontier.Store) (resumed bool, err error) {
	now := plan{o.Seeds, o.Sitemaps, o.NoMaps, o.Scope, o.MaxDepth, o.Types, o.Agent, o.Previous}
	var old plan
	resumed, err = s.Get("plan", &old)
	if err != nil || !resumed {
		return false, errors.Join(err, s.Put("plan", now))
	}
	differs := ""
	switch {
	case !slices.Equal(old.Seeds, now.Seeds):
		differs = "seeds"
	case !slices.Equal(old.Sitemaps, now.Sitemaps) || old.NoMaps != now.NoMaps:
		differs = "sitemaps"
	case old.Scope != now.Scope:
		differs = "scope"
	case old.MaxDepth != now.MaxDepth:
		differs = "max-depth"
	case !slices.Equal(old.Types, now.Types):
		differs = "types"
	case old.Agent != now.Agent:
		differs = "agent"
	case old.Previous != now.Previous:
		differs = "previous"
	}
	if differs != "" {
		return true, &OptionError{"plan", fmt.Sprintf("%s belongs to a crawl with other %s", o.Out, differs)}
	}
	return true, nil
}
