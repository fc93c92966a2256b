package openai

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// BenchmarkComplete asks a server that answers at once, cache and sync included. Server and client share the processor.
func BenchmarkComplete(b *testing.B) {
	answer := []byte(fmt.Sprintf(`{"id":"1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"finish_reason":"stop",`+
		`"message":{"role":"assistant","content":%q}}],"usage":{"prompt_tokens":300,"completion_tokens":250,"total_tokens":550}}`, strings.Repeat("The bridge was built. ", 50)))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Write(answer)
	}))
	defer server.Close()
	o := Defaults()
	o.BaseURL, o.APIKey, o.CacheDir, o.InFlight = server.URL+"/v1", "none", b.TempDir(), 64
	c, err := New(o)
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	text := strings.Repeat("A passage about bridges. ", 50)
	b.ResetTimer()
	for from := 0; from < b.N; from += 2048 {
		reqs := make([]Request, min(2048, b.N-from))
		for i := range reqs {
			reqs[i] = Request{Model: "m", Temperature: .5, TopP: .9, MaxTokens: 500, Messages: []Message{{"user", fmt.Sprint(from+i, text)}}}
		}
		if _, err := c.CompleteAll(b.Context(), reqs); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "requests/s")
}
