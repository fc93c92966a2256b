package polite

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
)

// BenchmarkCrawl crawls 400 pages of 12 KB with 40 links each from servers on loopback without a delay: what the machinery takes
// beside the network, with the server in the same process.
func BenchmarkCrawl(b *testing.B) {
	for _, hosts := range []int{1, 8} {
		b.Run(fmt.Sprintf("hosts=%d", hosts), func(b *testing.B) {
			listener, err := net.Listen("tcp4", "0.0.0.0:0")
			if err != nil {
				b.Fatal(err)
			}
			_, port, _ := net.SplitHostPort(listener.Addr().String())
			server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				var n int
				if _, err := fmt.Sscanf(r.URL.Path, "/%d", &n); err != nil && r.URL.Path != "/" {
					http.NotFound(w, r)
					return
				}
				w.Header().Set("Content-Type", "text/html; charset=utf-8")
				_, _ = fmt.Fprintf(w, "<html><body><h1>%d</h1>", n)
				for i := range 40 {
					_, _ = fmt.Fprintf(w, `<p>%s <a href="/%d">next</a></p>`, strings.Repeat("words of a page ", 17), (n*7+i*13+1)%(400/hosts))
				}
			})}
			go func() { _ = server.Serve(listener) }()
			defer func() { _ = server.Close() }()
			pages := int64(0)
			for i := range b.N {
				o := Options{Out: filepath.Join(b.TempDir(), fmt.Sprint(i)+".warc.gz"), Contact: "me@example.org", AllowPrivate: true, MaxDepth: -1}
				for h := range hosts {
					o.Seeds = append(o.Seeds, fmt.Sprintf("http://127.0.0.%d:%s/", h+1, port))
				}
				sum, err := Run(context.Background(), o)
				if err != nil || sum.Pages < 400 {
					b.Fatal(sum, err)
				}
				pages += sum.Pages
			}
			b.ReportMetric(float64(pages)/b.Elapsed().Seconds(), "pages/s")
		})
	}
}
