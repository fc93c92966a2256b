package wire

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

func TestPublic(t *testing.T) {
	for address, public := range map[string]bool{
		"8.8.8.8": true, "2606:4700::1111": true, "::ffff:8.8.8.8": true, "64:ff9b::8.8.8.8": true,
		"127.0.0.1": false, "127.255.0.1": false, "10.1.2.3": false, "172.16.0.1": false, "172.32.0.1": true, "192.168.1.1": false, "169.254.169.254": false,
		"100.64.0.1": false, "0.0.0.0": false, "255.255.255.255": false, "224.0.0.1": false, "198.18.0.1": false,
		"::1": false, "::": false, "fe80::1": false, "fe80::1%eth0": false, "fc00::1": false, "fd00:ec2::254": false, "ff02::1": false, "::ffff:127.0.0.1": false,
		"::ffff:169.254.169.254": false, "64:ff9b::7f00:1": false, "64:ff9b::169.254.169.254": false, "64:ff9b:1::1": false, "::127.0.0.1": false,
		"2002:7f00:1::": false, "2001::1": false, "2001:db8::1": false, "4000::1": false,
	} {
		if err := Public(netip.MustParseAddr(address)); (err == nil) != public {
			t.Errorf("%s: %v", address, err)
		}
	}
}

// answers is a resolver whose name server gives the addresses in turn, the last for ever.
func answers(t *testing.T, list ...string) (*net.Resolver, *atomic.Int32) {
	t.Helper()
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = pc.Close() })
	var asked atomic.Int32
	go func() {
		buffer := make([]byte, 1500)
		for {
			n, from, err := pc.ReadFrom(buffer)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(buffer[:n]) != nil || len(m.Questions) == 0 {
				continue
			}
			m.Response, m.Additionals = true, nil
			if q := m.Questions[0]; q.Type == dnsmessage.TypeA {
				a := netip.MustParseAddr(list[min(int(asked.Add(1))-1, len(list)-1)]).As4()
				m.Answers = []dnsmessage.Resource{{Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class}, Body: &dnsmessage.AResource{A: a}}}
			}
			if b, err := m.Pack(); err == nil {
				_, _ = pc.WriteTo(b, from)
			}
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "udp", pc.LocalAddr().String())
	}}, &asked
}

// TestRebinding has a name server that first gives a public address, then a loopback one: no connection may come of it.
func TestRebinding(t *testing.T) {
	var met atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { met.Add(1) }))
	defer server.Close()
	_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
	for _, second := range []string{"127.0.0.1", "169.254.169.254", "10.0.0.1"} {
		resolver, asked := answers(t, "203.0.114.1", second)
		first, err := resolver.LookupNetIP(context.Background(), "ip4", "rebind.example.")
		if err != nil || Public(first[0]) != nil {
			t.Fatalf("the name should look public at first: %v %v", first, err)
		}
		d := &Dialer{Resolver: resolver, Timeout: 2 * time.Second}
		conn, err := d.DialContext(context.Background(), "tcp4", net.JoinHostPort("rebind.example.", port))
		var refused *RefusedError
		if !errors.As(err, &refused) || conn != nil {
			t.Errorf("%s: %v %v", second, conn, err)
		}
		if asked.Load() < 2 {
			t.Error("the name was not resolved for the connection")
		}
	}
	for _, literal := range []string{"127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "localhost"} {
		var refused *RefusedError
		if _, err := (&Dialer{}).DialContext(context.Background(), "tcp", literal+":"+port); !errors.As(err, &refused) {
			t.Errorf("%s: %v", literal, err)
		}
	}
	if met.Load() != 0 {
		t.Error("the server was met")
	}
}

// TestProxy has a proxy asked for an address that was checked, never for a name.
func TestProxy(t *testing.T) {
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "hello "+r.Host) }))
	defer target.Close()
	var asked atomic.Value
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Store(r.Method + " " + r.Host + " " + r.Header.Get("Proxy-Authorization"))
		up, err := net.Dial("tcp", target.Listener.Addr().String())
		if err != nil {
			w.WriteHeader(502)
			return
		}
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\n\r\n")
		go func() { _, _ = io.Copy(up, conn) }()
		go func() { _, _ = io.Copy(conn, up); _ = conn.Close() }()
	}))
	defer proxy.Close()
	at, _ := url.Parse(proxy.URL)
	at.User = url.UserPassword("u", "p")

	public, _ := answers(t, "203.0.114.9")
	rec := &Recorder{Transport: NewTransport(&Dialer{Resolver: public, Proxy: at}, nil), MaxBytes: 1 << 20, Timeout: 5 * time.Second}
	req, _ := http.NewRequest("GET", "http://public.example./x", nil)
	if _, err := rec.RoundTrip(req); err != nil {
		t.Fatal(err)
	}
	if got := asked.Load(); got != "CONNECT 203.0.114.9:80 Basic dTpw" {
		t.Errorf("the proxy was asked %v", got)
	}
	if rec.Last.IP != "203.0.114.9" || string(rec.Last.Body) != "hello public.example." {
		t.Errorf("%s %q", rec.Last.IP, rec.Last.Body)
	}
	asked.Store("")
	private, _ := answers(t, "192.168.0.1")
	rec.Transport = NewTransport(&Dialer{Resolver: private, Proxy: at}, nil)
	var refused *RefusedError
	if _, err := rec.RoundTrip(req); !errors.As(err, &refused) || asked.Load() != "" {
		t.Errorf("%v, the proxy was asked %q", err, asked.Load())
	}
}

// TestMessage holds what is kept of a response to what goes into archives.
func TestMessage(t *testing.T) {
	const early = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
	if got := string(final([]byte(early + early + "HTTP/1.1 200 OK\r\n\r\nx"))); got != "HTTP/1.1 200 OK\r\n\r\nx" {
		t.Errorf("interim responses: %q", got)
	}
	got := string(message([]byte("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nA: b\r\n\r\n3\r\nabc"), []byte("abcdef"), true))
	if want := "HTTP/1.1 200 OK\r\nX-Crawl-Transfer-Encoding: chunked\r\nA: b\r\nContent-Length: 6\r\n\r\nabcdef"; got != want {
		t.Errorf("chunks: %q", got)
	}
	got = string(message([]byte("HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nabcdef"), []byte("abc"), false))
	if !strings.HasSuffix(got, "\r\n\r\nabc") {
		t.Errorf("what lies behind a body: %q", got)
	}
}
