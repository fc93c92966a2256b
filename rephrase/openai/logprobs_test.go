package openai

import (
	"fmt"
	"reflect"
	"testing"
)

// TestLogprobs asks for log-probabilities in one piece and as a stream, of endpoints that tell them and of one that does not, and finds
// them in the cache.
func TestLogprobs(t *testing.T) {
	const told = `{"content":[{"token":" 1","logprob":-0.1,"bytes":null,"top_logprobs":[{"token":"2","logprob":-0.05},{"token":"\n","logprob":-4}]},{"token":".","logprob":-1,"top_logprobs":[]}]}`
	want := []Candidate{{"2", -.05}, {"\n", -4}, {" 1", -.1}}
	whole := fmt.Sprintf(`{"choices":[{"index":0,"finish_reason":"length","logprobs":%s,"message":{"role":"assistant","content":"1."}}]}`, told)
	first := fmt.Sprintf(`{"choices":[{"index":0,"logprobs":%s,"delta":{"content":"1."}}]}`, told)
	begin, end := `{"choices":[{"index":0,"delta":{"role":"assistant","content":""},"logprobs":null}]}`, `{"choices":[{"index":0,"delta":{},"finish_reason":"length"}]}`
	for _, stream := range []bool{false, true} {
		e := serve(t, sendJSON(200, whole))
		if stream {
			e = serve(t, sse(begin, first, end))
		}
		dir := t.TempDir()
		for range 2 {
			c := e.client(t, func(o *Options) { o.Stream, o.CacheDir = stream, dir })
			req := ask("which")
			req.Top = 20
			r, err := c.Complete(t.Context(), req)
			if err != nil || !reflect.DeepEqual(r.First, want) {
				t.Errorf("stream %v: %+v %v", stream, r, err)
			}
		}
		if e.hits.Load() != 1 || e.last["logprobs"] != true || e.last["top_logprobs"] != float64(20) {
			t.Errorf("stream %v: %d requests, the last %v", stream, e.hits.Load(), e.last)
		}
	}
	e := serve(t, says("1"))
	req := ask("which")
	req.Top = 5
	if r, err := e.client(t, nil).Complete(t.Context(), req); err != nil || r.First != nil || r.Text != "1" {
		t.Errorf("an endpoint that tells none: %+v %v", r, err)
	}
	plain, top := ask("which"), req
	a, _ := plain.key()
	b, _ := top.key()
	if a == b {
		t.Error("asking for log-probabilities is another request")
	}
	if _, err := e.client(t, nil).Complete(t.Context(), plain); err != nil || e.last["logprobs"] != nil || e.last["top_logprobs"] != nil {
		t.Errorf("not asked for, but sent: %v", e.last)
	}
}
