package bench

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"time"

	"winnow"
	"winnow/rephrase"
	"winnow/rephrase/openai"
)

// prepareRephrase measures the machinery of rephrasing alone: segments, client, cache with its syncs, guards, against a server in the
// same process that answers at once, so its time is in the figures too.
func prepareRephrase(context.Context, Options) (once, error) {
	const documents = 4096
	sentence := "The old stone bridge at Harlow was built in 1784, and it carried 1,200 carts a day until the flood of 1912. "
	answer := strings.Repeat("Harlow's bridge, completed in 1784, bore some 1200 carts daily; in 1912 a flood ended that. ", 8)
	body := fmt.Appendf(nil, `{"id":"1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"finish_reason":"stop",`+
		`"message":{"role":"assistant","content":%q}}],"usage":{"prompt_tokens":400,"completion_tokens":200,"total_tokens":600}}`, answer)
	style, err := rephrase.LoadStyle("wikipedia")
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) (out []Figure, err error) {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.Write(body)
		}))
		defer server.Close()
		dir, err := os.MkdirTemp("", "winnow-bench-")
		if err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
		o := openai.Defaults()
		o.BaseURL, o.APIKey, o.CacheDir, o.InFlight = server.URL+"/v1", "none", dir, 64
		client, err := openai.New(o)
		if err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, client.Close()) }()
		ro := rephrase.Defaults()
		ro.Model, ro.Styles = "m", []*rephrase.Style{style}
		stage, err := rephrase.New(client, ro)
		if err != nil {
			return nil, err
		}
		docs := make([]*winnow.Document, documents)
		for i := range docs {
			docs[i] = &winnow.Document{ID: fmt.Sprint(i), Language: "en", Text: strings.Repeat(sentence, 8) + fmt.Sprint(i)}
		}
		begin, cpu := time.Now(), ProcessorTime()
		results, err := stage.ApplyBatch(ctx, docs)
		if err != nil {
			return nil, err
		}
		wall, used := time.Since(begin).Seconds(), (ProcessorTime() - cpu).Seconds()
		for i, r := range results {
			if len(r.Derived) != 1 || r.Judged[0].Drop {
				return nil, fmt.Errorf("document %d was not rewritten: %+v", i, r.Judged)
			}
		}
		n := float64(client.Usage().Requests)
		return []Figure{
			{Name: "requests", Value: n},
			{Name: "requests, by the clock", Unit: "1/s", Value: n / wall},
			{Name: "requests, a core", Unit: "1/s", Value: n / used},
			{Name: "processor time of a request", Unit: "us", Value: 1e6 * used / n},
		}, nil
	}, nil
}
