// Package remotetest gives tests a real S3 server on this machine, and a proxy in front of it at which things go wrong.
//
// A test flows in; addresses flow out.
package remotetest

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// Credentials that the server knows.
const (
	Key    = "winnow-test-key"
	Secret = "winnow-test-secret"
)

// Gateway starts a server over a folder with some empty buckets, and gives its address. Where there is no such program the test is skipped.
func Gateway(t testing.TB, buckets ...string) string {
	t.Helper()
	program, err := exec.LookPath("versitygw")
	if p := os.Getenv("WINNOW_S3_SERVER"); p != "" {
		program, err = p, nil
	}
	if err != nil {
		t.Skip("no S3 server to test against: go install github.com/versity/versitygw/cmd/versitygw@v1.8.0, and put it into the path or name it by WINNOW_S3_SERVER")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	host := l.Addr().String()
	l.Close()
	dir := t.TempDir()
	folders := []string{"meta"}
	for _, b := range append(buckets, "") {
		folders = append(folders, filepath.Join("data", b))
	}
	for _, d := range folders {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(program, "--port", host, "--access", Key, "--secret", Secret, "posix", "--sidecar", filepath.Join(dir, "meta"), filepath.Join(dir, "data"))
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	for end := time.Now().Add(60 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		if c, err := net.Dial("tcp", host); err == nil {
			c.Close()
			return "http://" + host
		}
		if time.Now().After(end) {
			t.Fatalf("the server does not answer: %s", out.String())
		}
	}
}

// Env is the environment in which a program finds a server.
func Env(address string) []string {
	return []string{"AWS_ENDPOINT_URL_S3=" + address, "AWS_ACCESS_KEY_ID=" + Key, "AWS_SECRET_ACCESS_KEY=" + Secret}
}

// Getenv looks names up in Env.
func Getenv(address string) func(string) string {
	return func(name string) string {
		for _, e := range Env(address) {
			if v, ok := strings.CutPrefix(e, name+"="); ok {
				return v
			}
		}
		return ""
	}
}

// Storm counts what a server does wrong with every kind of request, in turn with what it does right.
type Storm struct {
	Requests                         atomic.Int64
	Busy, Cut, Unheard, Half, Silent atomic.Int64
	every                            int64
	hold                             time.Duration
}

// Behind is a proxy in front of a server. Of so many requests, by and by, one is answered 503, one is cut off before its body has come
// through, one is done but the answer is lost, one is answered by half, and one is held for some time and then cut off.
func Behind(t testing.TB, address string, every int64, hold time.Duration) (string, *Storm) {
	to, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(to)
		r.Out.Host = r.In.Host // signed
	}, FlushInterval: -1}
	proxy.ErrorHandler = func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) }
	storm := &Storm{every: max(every, 5), hold: hold}
	s := httptest.NewServer(storm.around(proxy))
	t.Cleanup(s.Close)
	return s.URL, storm
}

func (s *Storm) around(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// At random: where faults come in turn, all requests that wait for another try meet at them.
		n := uint64(s.Requests.Add(1)) * 0x9e3779b97f4a7c15
		switch (n ^ n>>29) * 0xbf58476d1ce4e5b9 >> 33 % uint64(s.every) {
		case 1:
			s.Busy.Add(1)
			http.Error(w, "slow down", http.StatusServiceUnavailable)
		case 2:
			s.Cut.Add(1)
			io.CopyN(io.Discard, r.Body, r.ContentLength/2)
			panic(http.ErrAbortHandler)
		case 3: // done, and nobody hears of it
			s.Unheard.Add(1)
			h.ServeHTTP(httptest.NewRecorder(), r)
			panic(http.ErrAbortHandler)
		case 4:
			answer := httptest.NewRecorder()
			h.ServeHTTP(answer, r)
			if answer.Body.Len() < 2 {
				s.Unheard.Add(1)
				panic(http.ErrAbortHandler)
			}
			s.Half.Add(1)
			for k, v := range answer.Header() {
				w.Header()[k] = v
			}
			w.WriteHeader(answer.Code)
			w.Write(answer.Body.Bytes()[:answer.Body.Len()/2])
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		case 0:
			s.Silent.Add(1)
			io.Copy(io.Discard, r.Body) // else the server does not see the client go
			select {
			case <-r.Context().Done():
			case <-time.After(s.hold):
			}
			panic(http.ErrAbortHandler)
		default:
			h.ServeHTTP(w, r)
		}
	})
}
