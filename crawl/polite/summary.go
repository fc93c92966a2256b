package polite

import "strconv"

// Summary says what came of a crawl, over all its runs.
type Summary struct {
	Pages    int64            `json:"pages"`  // answers to requests for pages
	Stored   int64            `json:"stored"` // pages in the archive: responses 2xx, and revisits
	Bytes    int64            `json:"bytes"`  // of the archive
	Files    int              `json:"files"`
	Seconds  float64          `json:"seconds"`           // of crawling
	Status   map[string]int64 `json:"status,omitempty"`  // answers by status
	Reasons  map[string]int64 `json:"reasons,omitempty"` // addresses that are not in the archive as pages, by rule
	Links    map[string]int64 `json:"links,omitempty"`   // links that were not followed, by rule, as often as they were met
	Revisits map[string]int64 `json:"revisits,omitempty"`
	Robots   map[string]int64 `json:"robots,omitempty"`   // robots.txt by status; 0: no answer
	Sitemaps map[string]int64 `json:"sitemaps,omitempty"` // by status
	Queue    int64            `json:"queue"`              // addresses left
	Aside    int              `json:"aside"`              // hosts set aside in this run, with addresses left
	Ended    string           `json:"ended"`              // done, pages, bytes, time, hosts, stopped
}

// The ends of a run.
const (
	EndedDone    = "done"    // nothing is left
	EndedPages   = "pages"   // MaxPages
	EndedBytes   = "bytes"   // MaxBytes
	EndedTime    = "time"    // MaxTime
	EndedHosts   = "hosts"   // all that is left is at hosts that do not answer, or ask for more patience than MaxWait
	EndedStopped = "stopped" // the context ended
)

func count(m *map[string]int64, key string, n int64) {
	if *m == nil {
		*m = map[string]int64{}
	}
	(*m)[key] += n
}

func status(n int) string { return strconv.Itoa(n) }

// Rules lists what Reasons and Links may name, in English and Chinese.
func Rules() [][3]string {
	return [][3]string{
		{"robots.disallow", "robots.txt forbids it", "robots.txt 禁止"},
		{"robots.noindex", "the page asks not to be indexed or trained on", "页面要求不收录或不用于训练"},
		{"nofollow", "the page asks not to follow the link", "页面要求不跟踪链接"},
		{"scope", "outside the crawl's scope", "超出爬取范围"},
		{"depth", "deeper than --max-depth", "超过 --max-depth"},
		{"media", "an image, archive or other file without text, by its name", "按文件名为图片、压缩包等非文本"},
		{"type", "another media type than asked for", "媒体类型不符"},
		{"scheme", "neither http nor https, or no address", "不是 http/https 地址"},
		{"trap.length", "address longer than 2048 bytes", "地址超过 2048 字节"},
		{"trap.repeat", "the same path segment four times, or 65 segments", "路径段重复四次或超过 64 段"},
		{"trap.query", "more queries of one path than --max-queries", "同一路径的查询超过 --max-queries"},
		{"redirect.limit", "more than 10 redirects one after the other", "连续重定向超过 10 次"},
		{"redirect.loop", "redirects to an address already met", "重定向到已遇见的地址"},
		{"redirect.bad", "redirect without a usable address", "重定向地址无效"},
		{"address.private", "private, loopback or link-local address", "私有、回环或链路本地地址"},
		{"error.dns", "the name has no address", "域名无法解析"},
		{"error.timeout", "no answer in time", "超时无响应"},
		{"error.tls", "the certificate is not valid", "证书无效"},
		{"error.http", "not HTTP", "不是 HTTP 响应"},
		{"error.connect", "no connection", "无法连接"},
	}
}
