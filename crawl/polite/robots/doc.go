// Package robots reads what sites tell crawlers: robots.txt, sitemaps, and directives of pages.
//
//	robots.txt -> which paths may be fetched, how often, where sitemaps are
//	sitemap -> addresses
//	meta elements, X-Robots-Tag -> noindex, nofollow
//
// robots.txt has a parser of its own: temoto/robotstxt, which colly uses, drops a whole file for one bad number, lets a group
// for "win" speak to "winnow", and takes the first of equally long rules; RFC 9309 wants the opposite of each.
package robots
