package polite

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"strconv"
	"strings"
	"time"

	"winnow/crawl/polite/frontier"
	"winnow/crawl/polite/robots"
	"winnow/crawl/polite/wire"
	"winnow/crawl/warc"
)

// maxRedirects is how many redirects are followed one after the other.
const maxRedirects = 10

// turn decides what a host is asked next; false where nothing is.
func (c *crawl) turn(name string) (job, bool, error) {
	for {
		e, found, err := c.store.First(name)
		if err != nil {
			return job{}, false, err
		}
		if !found {
			c.hosts.Empty(name)
			return job{}, false, nil
		}
		a, err := Normalise("", e.URL)
		if err != nil {
			return job{}, false, err
		}
		known, err := c.robotsOf(a.Origin())
		if err != nil {
			return job{}, false, err
		}
		if known == nil {
			return job{entry: e, address: a, robots: true}, true, nil
		}
		c.hosts.Slow(name, known.parsed.Delay)
		if known.parsed.Allows(a.PathQuery()) {
			j := job{entry: e, address: a}
			if old, ok, err := c.store.Previous(e.URL); err != nil {
				return job{}, false, err
			} else if ok && c.old != nil {
				j.previous = &old
			}
			return j, true, nil
		}
		if err := c.drop(e, "robots.disallow"); err != nil {
			return job{}, false, err
		}
	}
}

// robotsOf gives what is known of an origin's robots.txt, nil where that is nothing, or a day old.
func (c *crawl) robotsOf(origin string) (*knownRobots, error) {
	k := c.robots[origin]
	if k == nil {
		k = &knownRobots{}
		if ok, err := c.store.Robots(origin, k); err != nil || !ok {
			return nil, err
		}
		k.parsed = robots.Parse(k.Body, c.o.Agent)
		c.know(origin, k)
	}
	if time.Since(k.Fetched) > robots.MaxAge {
		return nil, nil
	}
	return k, nil
}

// maxKnown is of how many origins what robots.txt says is held in memory. That of others is read from the frontier.
const maxKnown = 4096

// know holds what an origin's robots.txt says, which the frontier has.
func (c *crawl) know(origin string, k *knownRobots) {
	if len(c.robots) >= maxKnown {
		clear(c.robots)
	}
	k.Body = nil
	c.robots[origin] = k
}

// add queues an address. It counts why not, where it does not.
func (c *crawl) add(a Address, e frontier.Entry) error {
	if e.Kind == frontier.Page && c.o.MaxDepth >= 0 && e.Depth > c.o.MaxDepth {
		count(&c.sum.Links, "depth", 1)
		return nil
	}
	e.URL, e.Host = a.URL, a.Host
	if c.store.Seen(e) {
		return nil
	}
	if a.Query != "" && e.Kind == frontier.Page {
		n, err := c.store.CountQuery(a.Origin() + a.Path)
		if err != nil {
			return err
		}
		if int(n) >= c.o.MaxQuery {
			count(&c.sum.Links, "trap.query", 1)
			return nil
		}
	}
	c.sum.Queue++
	c.hosts.Add(a.Host)
	return c.store.Add(e)
}

// drop takes an entry out of the queue and counts why.
func (c *crawl) drop(e frontier.Entry, rule string) error {
	count(&c.sum.Reasons, rule, 1)
	return c.done(e)
}

func (c *crawl) done(e frontier.Entry) error {
	c.sum.Queue--
	return c.store.Remove(e)
}

// take takes in a result: archive, frontier, schedule, summary.
func (c *crawl) take(ctx context.Context, r result) error {
	page := !r.robots && r.entry.Kind == frontier.Page
	if page {
		c.paged--
	}
	if ctx.Err() != nil && (r.err != nil || r.x.Truncated != "") {
		return nil // it was we who hung up
	}
	var err error
	switch {
	case r.robots:
		err = c.takeRobots(r)
	case r.err != nil:
		err = c.takeError(r)
	case busy(r.x.Status) && r.entry.Tries < c.o.Tries:
		r.entry.Tries++
		after, _ := RetryAfter(r.x.Header.Get("Retry-After"), time.Now())
		c.hosts.Failed(r.address.Host, time.Now(), after)
		err = c.store.Update(r.entry)
	case r.x.Truncated == "disconnect" && r.entry.Tries+1 < c.o.Tries:
		r.entry.Tries++
		c.hosts.Failed(r.address.Host, time.Now(), 0)
		err = c.store.Update(r.entry)
	default:
		if busy(r.x.Status) {
			c.hosts.Failed(r.address.Host, time.Now(), 0)
		} else {
			c.hosts.Done(r.address.Host, time.Now())
		}
		if page {
			err = c.takePage(r)
		} else {
			err = c.takeSitemap(r)
		}
	}
	if _, left, e := c.store.First(r.address.Host); err == nil && e == nil && !left {
		c.hosts.Empty(r.address.Host)
	}
	if c.o.Tell != nil && !r.robots {
		p := Progress{URL: r.entry.URL, Pages: c.sum.Pages, Queue: c.sum.Queue, Bytes: c.sum.Bytes, Resumed: c.resumed}
		if r.x != nil {
			p.Status = r.x.Status
		}
		c.o.Tell(p)
	}
	return err
}

// busy statuses ask for patience (RFC 6585, RFC 9110).
func busy(status int) bool { return status == 429 || status == 503 }

// takeRobots keeps a robots.txt. A client error allows everything, a server's, or silence, nothing: the host is asked again
// later, and set aside if it goes on so (RFC 9309, section 2.3.1).
func (c *crawl) takeRobots(r result) error {
	name, now := r.address.Host, time.Now()
	var private *wire.RefusedError
	switch {
	case errors.As(r.err, &private):
		c.hosts.Skip(name)
		return c.drop(r.entry, "address.private")
	case r.err != nil:
		count(&c.sum.Robots, "0", 1)
		if isDNS(r.err) {
			c.hosts.Skip(name)
			return c.drop(r.entry, "error.dns")
		}
		c.hosts.Failed(name, now, 0)
		return nil
	}
	count(&c.sum.Robots, status(r.x.Status), 1)
	if r.x.Status >= 500 || r.x.Status == 429 || r.x.Truncated == "disconnect" || r.x.Truncated == "time" {
		after, _ := RetryAfter(r.x.Header.Get("Retry-After"), now)
		c.hosts.Failed(name, now, after)
		return nil
	}
	origin := r.address.Origin()
	r.known.parsed = robots.Parse(r.known.Body, c.o.Agent)
	if err := c.store.SetRobots(origin, r.known); err != nil {
		return err
	}
	if len(r.known.Body) > 0 {
		if err := c.archive.robotsTxt(origin+"/robots.txt", r.known.Fetched, r.known.Body); err != nil {
			return err
		}
	}
	c.know(origin, r.known)
	if !c.o.NoMaps {
		for _, s := range r.known.parsed.Sitemaps {
			if a, err := Normalise(origin+"/", s); err == nil {
				if err := c.add(a, frontier.Entry{Kind: frontier.Sitemap, Via: origin + "/robots.txt"}); err != nil {
					return err
				}
			}
		}
	}
	c.hosts.Slow(name, r.known.parsed.Delay)
	c.hosts.Done(name, now)
	return nil
}

func isDNS(err error) bool {
	var dns *net.DNSError
	return errors.As(err, &dns) && dns.IsNotFound
}

// takeError tries again later, unless that is no use.
func (c *crawl) takeError(r result) error {
	rule, again := errorRule(r.err)
	if !again {
		if rule == "address.private" || rule == "error.dns" {
			c.hosts.Skip(r.address.Host) // it was not asked
		} else {
			c.hosts.Done(r.address.Host, time.Now())
		}
		return c.drop(r.entry, rule)
	}
	c.hosts.Failed(r.address.Host, time.Now(), 0)
	if r.entry.Tries++; r.entry.Tries < c.o.Tries {
		return c.store.Update(r.entry)
	}
	return c.drop(r.entry, rule)
}

// errorRule names what kept an answer from coming, and says whether it may come another time.
func errorRule(err error) (rule string, again bool) {
	var private *wire.RefusedError
	var dns *net.DNSError
	var certificate *tls.CertificateVerificationError
	var authority x509.UnknownAuthorityError
	var timeout interface{ Timeout() bool }
	switch {
	case errors.As(err, &private):
		return "address.private", false
	case errors.As(err, &dns):
		return "error.dns", !dns.IsNotFound
	case errors.As(err, &certificate), errors.As(err, &authority):
		return "error.tls", false
	case errors.As(err, &timeout) && timeout.Timeout():
		return "error.timeout", true
	case strings.Contains(err.Error(), "malformed HTTP") || strings.Contains(err.Error(), "headers exceeded"):
		return "error.http", false
	}
	return "error.connect", true
}

func (c *crawl) takeSitemap(r result) error {
	count(&c.sum.Sitemaps, status(r.x.Status), 1)
	e := r.entry
	next := frontier.Entry{Kind: frontier.Sitemap, Via: e.URL, Hops: e.Hops + 1}
	if isRedirect(r.x.Status) && e.Hops < maxRedirects {
		if a, err := Normalise(e.URL, r.x.Header.Get("Location")); err == nil {
			if err := c.add(a, next); err != nil {
				return err
			}
		}
	}
	if e.Hops < robots.MaxNest {
		for _, s := range r.sitemap.Maps {
			if a, err := Normalise("", s); err == nil {
				if err := c.add(a, next); err != nil {
					return err
				}
			}
		}
	}
	if err := c.addMapped(r); err != nil {
		return err
	}
	return c.done(e)
}

// addMapped queues the pages that a sitemap names, as if a seed linked to them. Large ones are committed in parts.
func (c *crawl) addMapped(r result) error {
	for _, s := range r.sitemap.Pages {
		a, err := Normalise("", s)
		rule := "scheme"
		if err == nil {
			rule = refused(a, c.scope)
		}
		if rule != "" {
			count(&c.sum.Links, rule, 1)
			continue
		}
		if err := c.add(a, frontier.Entry{Kind: frontier.Page, Via: r.entry.URL, Depth: r.entry.Depth + 1}); err != nil {
			return err
		}
		if r.entry.Kind == frontier.Sitemap && c.store.Full() { // it is read again where the rest is lost
			if err := c.commit(); err != nil {
				return err
			}
		}
	}
	return nil
}

// metadata is what an archive says of an exchange beside it.
func (c *crawl) metadata(r result) warc.Header {
	h := warc.Header{{Name: "fetchTimeMs", Value: strconv.FormatInt(r.x.Took.Milliseconds(), 10)}, {Name: "hopsFromSeed", Value: strconv.Itoa(r.entry.Depth)}}
	if r.entry.Via != "" {
		h = append(h, warc.Field{Name: "via", Value: r.entry.Via})
	}
	if r.entry.Hops > 0 {
		h = append(h, warc.Field{Name: "redirects", Value: strconv.Itoa(r.entry.Hops)})
	}
	if r.links.Canonical != nil {
		h = append(h, warc.Field{Name: "canonical", Value: r.links.Canonical.URL})
	}
	if r.links.NoFollow {
		h = append(h, warc.Field{Name: "robots", Value: "nofollow"})
	}
	for _, u := range r.links.All {
		h = append(h, warc.Field{Name: "outlink", Value: u})
	}
	return h
}
