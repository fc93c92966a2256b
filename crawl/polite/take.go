package polite

import (
	"net/http"

	"winnow/crawl/polite/frontier"
)

// takePage stores a page and queues where it leads.
func (c *crawl) takePage(r result) error {
	c.sum.Pages++
	count(&c.sum.Status, status(r.x.Status), 1)
	e := r.entry
	for rule, n := range r.links.Refused {
		count(&c.sum.Links, rule, n)
	}
	switch {
	case r.x.Declined:
		return c.drop(e, "type")
	case ok(r.x.Status) && r.links.NoIndex:
		count(&c.sum.Reasons, "robots.noindex", 1)
	default:
		if err := c.record(r); err != nil {
			return err
		}
	}
	if err := c.done(e); err != nil {
		return err
	}
	if isRedirect(r.x.Status) {
		return c.redirect(r)
	}
	if !ok(r.x.Status) && r.x.Status != http.StatusNotModified {
		return nil
	}
	if a := r.links.Canonical; a != nil {
		if rule := refused(*a, c.scope); rule != "" {
			count(&c.sum.Links, rule, 1)
		} else if err := c.add(*a, frontier.Entry{Kind: frontier.Page, Via: e.URL, Depth: e.Depth}); err != nil {
			return err
		}
	}
	if r.links.NoFollow {
		count(&c.sum.Links, "nofollow", int64(len(r.links.Out)))
		return nil
	}
	for _, a := range r.links.Out {
		if err := c.add(a, frontier.Entry{Kind: frontier.Page, Via: e.URL, Depth: e.Depth + 1}); err != nil {
			return err
		}
	}
	return c.addMapped(r)
}

// record writes an exchange to the archive: a revisit where the same payload is in it, or in the previous one, already.
func (c *crawl) record(r result) error {
	var of *frontier.Stored
	fresh := ok(r.x.Status) && len(r.x.Payload) > 0 && r.x.Truncated == ""
	switch {
	case r.x.Status == http.StatusNotModified && r.previous != nil:
		of = r.previous
		count(&c.sum.Revisits, "not_modified", 1)
	case fresh && r.previous != nil && r.previous.Digest == digest(r.x.Payload):
		of = r.previous
		count(&c.sum.Revisits, "identical_to_previous", 1)
	case fresh:
		old, known, err := c.store.Stored(r.x.Payload)
		if err != nil {
			return err
		}
		if known {
			of = &old
			count(&c.sum.Revisits, "identical", 1)
		}
	}
	length := c.archive.at.Length
	stored, err := c.archive.page(r.entry.URL, r.x, of, c.metadata(r))
	if err != nil {
		return err
	}
	c.sum.Bytes += c.archive.at.Length - length
	if ok(r.x.Status) || of != nil {
		c.sum.Stored++
	}
	if fresh && of == nil {
		return c.store.SetStored(r.x.Payload, stored)
	}
	return nil
}

// redirect queues where a redirect leads, at the same depth.
func (c *crawl) redirect(r result) error {
	e := r.entry
	a, err := Normalise(e.URL, r.x.Header.Get("Location"))
	rule := ""
	switch {
	case err != nil || r.x.Header.Get("Location") == "":
		rule = "redirect.bad"
	case e.Hops >= maxRedirects:
		rule = "redirect.limit"
	default:
		if a.URL == e.URL {
			rule = "redirect.loop"
		} else {
			rule = refused(a, c.scope)
		}
	}
	if rule != "" {
		count(&c.sum.Reasons, rule, 1)
		return nil
	}
	return c.add(a, frontier.Entry{Kind: frontier.Page, Via: e.URL, Depth: e.Depth, Hops: e.Hops + 1})
}
