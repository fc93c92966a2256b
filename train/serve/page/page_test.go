package page

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"winnow/train/serve/feedback"
)

// recorder is a Recorder in memory.
type recorder struct {
	got  []feedback.Judgement
	fail error
}

func (r *recorder) Add(j feedback.Judgement) error {
	if err := j.Check(); err != nil {
		return &feedback.InvalidError{Err: err}
	}
	r.got = append(r.got, j)
	return r.fail
}

func (r *recorder) Counts() (int, int, int) { return len(r.got), 2, 3 }

func handler(t *testing.T, o Options) (*recorder, http.Handler) {
	t.Helper()
	r := &recorder{}
	o.Recorder = r
	o.Model = feedback.Model{Name: "<tiny>", Hash: "0123456789abcdef", Template: "chatml"}
	if o.Addr == "" {
		o.Addr = "127.0.0.1:80"
	}
	h, err := Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "api "+r.URL.Path) }), o)
	if err != nil {
		t.Fatal(err)
	}
	return r, h
}

func ask(h http.Handler, method, target, body string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

const here = "http://127.0.0.1:80"

const thumbUp = `{"kind":"thumb","subject":"a","prompt":[{"role":"user","content":"q"}],"completion":"yes","label":true,"sampling":{"temperature":0.5,"top_p":1,"seed":7}}`

func TestPage(t *testing.T) {
	_, h := handler(t, Options{Context: 99})
	w := ask(h, "GET", here+"/", "")
	body := w.Body.String()
	if w.Code != 200 || !strings.Contains(body, "&lt;tiny&gt;") || !strings.Contains(body, ">0123456789ab<") || !strings.Contains(body, `<html lang="en">`) {
		t.Errorf("%d %s", w.Code, body)
	}
	policy := w.Header().Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "script-src 'self'", "connect-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"} {
		if !strings.Contains(policy, want) {
			t.Errorf("policy %q lacks %s", policy, want)
		}
	}
	if strings.Contains(policy, "unsafe") || regexp.MustCompile(`\son\w+=|style=|https?://`).MatchString(body) {
		t.Errorf("the page needs what its policy forbids, or something from outside: %s", body)
	}
	for path, want := range map[string]string{"/chat.js": "use strict", "/chat.css": ":focus-visible", "/v1/models": "api /v1/models", "/nothing": "api /nothing"} {
		if w := ask(h, "GET", here+path, ""); w.Code != 200 || !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s: %d %.100s", path, w.Code, w.Body)
		}
	}
	if js := ask(h, "GET", here+"/chat.js", "").Body.String(); strings.Contains(js, "innerHTML") || strings.Contains(js, "eval(") {
		t.Error("the script makes markup of text")
	}
	if w := ask(h, "DELETE", here+"/feedback", ""); w.Code != 405 {
		t.Errorf("DELETE /feedback: %d", w.Code)
	}
}

func TestLanguage(t *testing.T) {
	for _, c := range []struct{ query, accept, otherwise, want string }{
		{"", "", "en", "en"}, {"", "", "zh", "zh"}, {"", "zh-TW,en;q=0.5", "en", "zh"}, {"", "en-GB,en;q=0.9,zh;q=0.8", "zh", "en"},
		{"", "fr, zh;q=0.4, en;q=0.3", "en", "zh"}, {"", "fr,de", "zh", "zh"}, {"?ui=en", "zh", "zh", "en"}, {"?ui=zh", "en", "en", "zh"}, {"?ui=xx", "zh;q=x", "en", "en"},
		{"", "zhuang, en;q=0", "", "en"},
	} {
		_, h := handler(t, Options{Lang: c.otherwise})
		w := ask(h, "GET", here+"/"+c.query, "", "Accept-Language", c.accept)
		if got := w.Header().Get("Content-Language"); got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
		if chinese := strings.Contains(w.Body.String(), "发送"); chinese != (c.want == "zh") {
			t.Errorf("%+v: Chinese %v", c, chinese)
		}
	}
}

func TestJudgements(t *testing.T) {
	r, h := handler(t, Options{})
	w := ask(h, "POST", here+"/feedback", thumbUp, "Content-Type", "application/json")
	if w.Code != 200 || strings.TrimSpace(w.Body.String()) != `{"edits":3,"pairs":2,"thumbs":1}` || len(r.got) != 1 || !r.got[0].Good || r.got[0].Answer != "yes" || r.got[0].Drawn.Seed != 7 {
		t.Errorf("%d %s %+v", w.Code, w.Body, r.got)
	}
	for body, status := range map[string]int{
		`{`:               400,
		`{"kind":"star"}`: 422, `{"kind":"thumb","subject":"a","what":1}`: 400,
		strings.Replace(thumbUp, `"label":true,`, "", 1):          422,
		strings.Replace(thumbUp, `"yes"`, `" "`, 1):               422,
		`{"kind":"thumb","subject":"a","undone":true}`:            200,
		`{"kind":"pick","subject":"` + strings.Repeat("x", 5<<20): 400,
	} {
		if w := ask(h, "POST", here+"/feedback", body, "Content-Type", "application/json"); w.Code != status || status != 200 && !strings.Contains(w.Body.String(), `"message":"`) {
			t.Errorf("%.80s: %d %s", body, w.Code, w.Body)
		}
	}
	r.fail = errors.New("no space left on device")
	if w := ask(h, "POST", here+"/feedback", thumbUp, "Content-Type", "application/json"); w.Code != 500 || !strings.Contains(w.Body.String(), "no space left") {
		t.Errorf("a full disk: %d %s", w.Code, w.Body)
	}
}

// TestStrangers: other sites' pages can neither judge nor ask the model, and no other name leads to the page.
func TestStrangers(t *testing.T) {
	r, h := handler(t, Options{})
	for _, c := range []struct {
		target  string
		status  int
		headers []string
	}{
		{here + "/feedback", 403, []string{"Content-Type", "application/json", "Origin", "http://evil.test"}},
		{here + "/feedback", 403, []string{"Content-Type", "application/json", "Sec-Fetch-Site", "cross-site"}},
		{here + "/feedback", 415, []string{"Content-Type", "text/plain"}},
		{here + "/v1/chat/completions", 403, []string{"Sec-Fetch-Site", "cross-site"}},
		{here + "/v1/chat/completions", 200, nil},
		{"http://rebound.test:80/feedback", 421, []string{"Content-Type", "application/json"}},
		{"http://rebound.test:80/", 421, nil},
		{"http://127.0.0.1:81/feedback", 421, []string{"Content-Type", "application/json"}},
		{"http://localhost:80/feedback", 200, []string{"Content-Type", "application/json", "Origin", "http://localhost:80"}},
		{"http://[::1]:80/feedback", 200, []string{"Content-Type", "application/json"}},
	} {
		if w := ask(h, "POST", c.target, thumbUp, c.headers...); w.Code != c.status && !(c.target == "http://rebound.test:80/" && w.Code == 421) {
			t.Errorf("%s %v: %d %s", c.target, c.headers, w.Code, w.Body)
		}
	}
	if len(r.got) != 2 {
		t.Errorf("%d judgements", len(r.got))
	}
	for addr, hosts := range map[string]map[string]int{
		"0.0.0.0:80":   {"192.0.2.1:80": 200, "localhost:80": 200, "evil.test:80": 421, "192.0.2.1": 421},
		"box.test:80":  {"box.test:80": 200, "localhost:80": 421, "192.0.2.1:80": 421},
		"127.0.0.1:80": {"192.0.2.1:80": 421, "127.0.0.1:80": 200},
	} {
		_, h := handler(t, Options{Addr: addr})
		for host, status := range hosts {
			if w := ask(h, "GET", "http://"+host+"/", ""); w.Code != status {
				t.Errorf("listening on %s, asked as %s: %d", addr, host, w.Code)
			}
		}
	}
}
