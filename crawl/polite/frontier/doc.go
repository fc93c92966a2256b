// Package frontier keeps what a crawl knows between two requests, in one bbolt file: what is yet to be fetched, which addresses
// were met, what was stored, and how far the archive goes.
//
//	entries found -> met before? -> queue by host, in the order of kind, depth and discovery -> entries to fetch
//
// All that happens between two commits becomes durable together, or not at all.
package frontier
