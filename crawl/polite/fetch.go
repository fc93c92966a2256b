package polite

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/PuerkitoBio/goquery"
	"github.com/gocolly/colly/v2"

	"winnow/crawl/polite/frontier"
	"winnow/crawl/polite/robots"
	"winnow/crawl/polite/wire"
)

// job is one turn of a host: its robots.txt, or an entry.
type job struct {
	entry    frontier.Entry
	address  Address // of the entry
	robots   bool    // fetch the robots.txt of the address's origin instead
	previous *frontier.Stored
}

// result is what came of a job.
type result struct {
	job
	x       *wire.Exchange
	err     error // no response
	links   *Links
	sitemap robots.Sitemap
	known   *knownRobots
}

// worker fetches one thing at a time.
type worker struct {
	o     *Options
	scope *Scope
	rec   *wire.Recorder
	c     *colly.Collector
	old   *previous // nil: none

	links *Links // of the page under way
}

func newWorker(ctx context.Context, o *Options, scope *Scope, t *http.Transport, old *previous) *worker {
	w := &worker{o: o, scope: scope, rec: &wire.Recorder{Transport: t, Timeout: o.Timeout}, old: old}
	w.c = colly.NewCollector(colly.UserAgent(o.userAgent()), colly.IgnoreRobotsTxt(), colly.AllowURLRevisit(),
		colly.ParseHTTPErrorResponse(), colly.MaxBodySize(0), colly.StdlibContext(ctx))
	w.c.DisableCookies()
	w.c.SetRequestTimeout(0) // the recorder's is over the whole exchange
	w.c.WithTransport(w.rec)
	w.c.OnHTML("html", func(e *colly.HTMLElement) {
		if w.links == nil {
			w.links = readPage(e.DOM, e.Request.URL.String(), o.Agent, scope)
		}
	})
	return w
}

// get asks for one address.
func (w *worker) get(address string, limit int64, accept func(int, http.Header) bool, h http.Header) (*wire.Exchange, error) {
	h.Set("User-Agent", w.o.userAgent())
	h.Set("Accept", "text/html,application/xhtml+xml,text/plain;q=0.9,*/*;q=0.1")
	h.Set("Accept-Encoding", "gzip, br")
	w.rec.MaxBytes, w.rec.Accept, w.rec.Last, w.links = limit, accept, nil, nil
	err := w.c.Request(http.MethodGet, address, nil, nil, h)
	if x := w.rec.Last; x != nil && x.Status > 0 {
		return x, nil // what colly made of it is another matter
	}
	if err == nil {
		err = errors.New("no response")
	}
	return nil, err
}

// do works off a job.
func (w *worker) do(j job) result {
	switch {
	case j.robots:
		return w.robotsTxt(j)
	case j.entry.Kind == frontier.Sitemap:
		r := result{job: j}
		if r.x, r.err = w.get(j.entry.URL, robots.MaxSitemap, nil, http.Header{}); r.err == nil && ok(r.x.Status) {
			r.sitemap, _ = robots.ParseSitemap(r.x.Body)
		}
		return r
	}
	return w.page(j)
}

func ok(status int) bool { return status >= 200 && status <= 299 }

func isRedirect(status int) bool {
	switch status {
	case 301, 302, 303, 307, 308:
		return true
	}
	return false
}

func (w *worker) page(j job) result {
	h := http.Header{}
	if j.previous != nil {
		if j.previous.ETag != "" {
			h.Set("If-None-Match", j.previous.ETag)
		}
		if j.previous.Modified != "" {
			h.Set("If-Modified-Since", j.previous.Modified)
		}
	}
	r := result{job: j}
	if r.x, r.err = w.get(j.entry.URL, w.o.MaxPage, w.accept, h); r.err != nil {
		return r
	}
	r.links = w.links
	if r.x.Status == http.StatusNotModified && j.previous != nil {
		r.links = w.old.links(j.previous, w.o.Agent, w.scope)
	}
	if r.links == nil {
		r.links = &Links{}
		if ok(r.x.Status) && strings.HasSuffix(j.address.Path, ".xml") { // a seed may be a sitemap
			r.sitemap, _ = robots.ParseSitemap(r.x.Body)
		}
	}
	for _, v := range r.x.Header.Values("X-Robots-Tag") {
		r.links.AddHeader(v, w.o.Agent)
	}
	r.x.Body = nil
	return r
}

// accept declines pages of types that are not asked for.
func (w *worker) accept(status int, h http.Header) bool {
	kind, _, _ := strings.Cut(strings.ToLower(h.Get("Content-Type")), ";")
	if kind = strings.TrimSpace(kind); kind == "" || !ok(status) {
		return true
	}
	for _, t := range w.o.Types {
		if kind == t {
			return true
		}
	}
	return false
}

// robots fetches a robots.txt and follows redirects, also to other hosts, as RFC 9309 wants it.
func (w *worker) robotsTxt(j job) result {
	r := result{job: j}
	address := j.address.Origin() + "/robots.txt"
	for range robots.MaxRedirects + 1 {
		if r.x, r.err = w.get(address, robots.MaxBytes, nil, http.Header{}); r.err != nil {
			return r
		}
		location := r.x.Header.Get("Location")
		if !isRedirect(r.x.Status) || location == "" {
			break
		}
		next, err := Normalise(address, location)
		if err != nil {
			break
		}
		address = next.URL
	}
	r.known = &knownRobots{Fetched: r.x.Began, Status: r.x.Status}
	if ok(r.x.Status) {
		r.known.Body = bytes.Clone(r.x.Body)
	}
	return r
}

// linksOf reads the links of a stored page.
func linksOf(body io.Reader, address, agent string, scope *Scope) *Links {
	doc, err := goquery.NewDocumentFromReader(body)
	if err != nil {
		return &Links{}
	}
	return readPage(doc.Selection, address, agent, scope)
}
