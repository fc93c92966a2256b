package wire

import (
	"bytes"
	"context"
	"crypto/sha1"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"time"

	"winnow/crawl/charset"
	"winnow/crawl/warc"
)

// maxHead is the most bytes of a response's head.
const maxHead = 256 << 10

// NewTransport returns a transport whose connections can be written down. config may be nil.
func NewTransport(d *Dialer, config *tls.Config) *http.Transport {
	return &http.Transport{
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			return tapped(d.DialContext(ctx, network, addr))
		},
		DialTLSContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			return tapped(d.DialTLSContext(ctx, network, addr, config))
		},
		DisableCompression:     true,
		MaxIdleConns:           64,
		MaxIdleConnsPerHost:    1,
		IdleConnTimeout:        90 * time.Second,
		MaxResponseHeaderBytes: maxHead,
	}
}

func tapped(c net.Conn, err error) (net.Conn, error) {
	if err != nil {
		return nil, err
	}
	return &tap{Conn: c}, nil
}

// Exchange is a request and what came back, as it went over the line.
type Exchange struct {
	Request   []byte // raw, with its head
	Message   []byte // raw response: head, and body in its content encoding; chunks are joined, as Common Crawl does
	Payload   []byte // SHA-1 of the body without transfer encoding
	IP        string // what was spoken to
	Began     time.Time
	Took      time.Duration
	Status    int
	Header    http.Header
	Body      []byte // decoded; valid until the recorder's next exchange
	HTML      bool   // Body is HTML by its type, or by its first bytes where no type is given
	Truncated string // why the body is not whole: length, time, disconnect; empty where it is
	Declined  bool   // Accept said no: there is no body
}

// Recorder is the http.RoundTripper of one worker. It takes the whole answer off the line within its limits, keeps it in Last,
// and hands on the decoded body, HTML as UTF-8. It follows no redirect: Location stays in Last alone.
type Recorder struct {
	Transport *http.Transport
	MaxBytes  int64                                // of a body, raw and decoded
	Timeout   time.Duration                        // of a whole exchange
	Accept    func(status int, h http.Header) bool // whether to read the body; nil: always

	Last  *Exchange
	parse warc.HTTP
}

// RoundTrip implements http.RoundTripper. One call at a time.
func (r *Recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	x := &Exchange{Began: time.Now().UTC()}
	r.Last = x
	ctx, cancel := context.WithTimeout(req.Context(), r.Timeout)
	defer cancel()
	var line *tap
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) {
		if c, ok := info.Conn.(*tap); ok {
			line = c
			c.start(maxHead + 4<<10) // the body comes from the transport, without its chunks
			if host, _, err := net.SplitHostPort(c.RemoteAddr().String()); err == nil {
				x.IP = host
			}
		}
	}})
	resp, err := r.Transport.RoundTrip(req.WithContext(ctx))
	if err != nil {
		x.Took = time.Since(x.Began)
		return nil, err
	}
	x.Status, x.Header = resp.StatusCode, resp.Header
	if r.Accept != nil && !r.Accept(resp.StatusCode, resp.Header) {
		x.Declined, x.Took = true, time.Since(x.Began)
		cancel() // before Close, which would else read on to save the connection
		_ = resp.Body.Close()
		return present(req, x, "", nil), nil
	}
	var body bytes.Buffer
	_, err = body.ReadFrom(io.LimitReader(resp.Body, r.MaxBytes))
	switch {
	case errors.Is(err, context.DeadlineExceeded) || ctx.Err() != nil:
		x.Truncated = "time"
	case err != nil:
		x.Truncated = "disconnect"
	case int64(body.Len()) == r.MaxBytes && more(resp.Body):
		x.Truncated = "length"
	}
	cancel()
	_ = resp.Body.Close()
	x.Took = time.Since(x.Began)
	if line == nil {
		return nil, errors.New("the connection was not written down")
	}
	r.take(x, line, body.Bytes(), len(resp.TransferEncoding) > 0)
	return present(req, x, r.contentType(x), x.Body), nil
}

func more(r io.Reader) bool {
	n, err := io.ReadFull(r, make([]byte, 1))
	return n > 0 || err != io.EOF
}

// take keeps what went over the line, and decodes it.
func (r *Recorder) take(x *Exchange, line *tap, body []byte, chunked bool) {
	var got []byte
	x.Request, got = line.stop()
	x.Message = message(final(got), body, chunked)
	sum := sha1.Sum(body)
	x.Payload = sum[:]
	r.parse.Limit = r.MaxBytes
	parsed, err := r.parse.Parse(x.Message) // damage leaves what was decoded before it
	x.Body = parsed.Body
	if err != nil && int64(len(x.Body)) >= r.MaxBytes && x.Truncated == "" {
		x.Truncated = "length"
	}
	kind := strings.ToLower(x.Header.Get("Content-Type"))
	if kind == "" {
		kind = http.DetectContentType(x.Body)
	}
	x.HTML = strings.Contains(kind, "html")
}

// contentType makes HTML UTF-8 and says so.
func (r *Recorder) contentType(x *Exchange) string {
	if !x.HTML {
		return "application/octet-stream"
	}
	text, _, _ := charset.Decode(x.Body, x.Header.Get("Content-Type")) // a doubtful charset still gives links
	x.Body = []byte(text)
	return "text/html; charset=utf-8"
}

// present is the response as the layers above see it: decoded, no redirect, and empty where it is no HTML.
func present(req *http.Request, x *Exchange, kind string, body []byte) *http.Response {
	if !x.HTML {
		body = nil
	}
	return &http.Response{
		Status: http.StatusText(x.Status), StatusCode: x.Status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: req,
		Header: http.Header{"Content-Type": {kind}}, Body: io.NopCloser(bytes.NewReader(body)),
		ContentLength: int64(len(body)), Uncompressed: true,
	}
}

// HeadLength is how many bytes of Message are its head.
func (x *Exchange) HeadLength() int { return headLength(x.Message) }
