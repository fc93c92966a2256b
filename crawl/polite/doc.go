// Package polite crawls sites into WARC files, one request at a time to a host.
//
//	seeds -> robots.txt, sitemaps -> frontier -> requests -> WARC records (request, response, revisit, metadata) -> links -> frontier
//
// A Crawl goes on where it stopped: what is found and what is done lies in a frontier file beside the archive, and both are
// committed together. In flow seeds and options, out flow an archive and a Summary that says of every address why it is in the
// archive or not.
//
// Requests and the links of pages go through colly; robots.txt, waiting and the frontier are our own, since colly knows neither
// Crawl-delay and Retry-After nor a frontier that survives the process.
package polite
