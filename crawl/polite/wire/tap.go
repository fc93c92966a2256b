package wire

import (
	"bytes"
	"net"
	"strconv"
	"sync"
)

// tap is a connection of which one exchange after the other is written down.
type tap struct {
	net.Conn
	mu    sync.Mutex
	sent  []byte
	got   []byte
	limit int // bytes of got that are kept
	on    bool
}

// start forgets what was written down and begins anew.
func (t *tap) start(limit int) {
	t.mu.Lock()
	t.sent, t.got, t.limit, t.on = nil, nil, limit, true
	t.mu.Unlock()
}

// stop gives what went over the line since start.
func (t *tap) stop() (sent, got []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.on = false
	sent, got = t.sent, t.got
	t.sent, t.got = nil, nil
	return sent, got
}

func (t *tap) Read(p []byte) (int, error) {
	n, err := t.Conn.Read(p)
	t.mu.Lock()
	if room := t.limit - len(t.got); t.on && room > 0 {
		t.got = append(t.got, p[:min(n, room)]...)
	}
	t.mu.Unlock()
	return n, err
}

func (t *tap) Write(p []byte) (int, error) {
	t.mu.Lock()
	if t.on {
		t.sent = append(t.sent, p...)
	}
	t.mu.Unlock()
	return t.Conn.Write(p)
}

// final is a response without the interim ones (1xx) before it.
func final(message []byte) []byte {
	for bytes.HasPrefix(message, []byte("HTTP/1.")) && len(message) > 12 && message[9] == '1' {
		_, after, found := bytes.Cut(message, []byte("\r\n\r\n"))
		if !found {
			break
		}
		message = after
	}
	return message
}

// headLength is how many bytes the head of a message takes, the empty line included; all of them where there is no end.
func headLength(message []byte) int {
	crlf, lf := bytes.Index(message, []byte("\r\n\r\n")), bytes.Index(message, []byte("\n\n"))
	switch {
	case crlf >= 0 && (lf < 0 || crlf < lf):
		return crlf + 4
	case lf >= 0:
		return lf + 2
	}
	return len(message)
}

// message puts a raw head and a body together. Where the body came in chunks, the head says how long it is now, and keeps what it
// said under the name that Common Crawl gives it: digests of readers that do not join chunks come out right.
func message(raw, body []byte, chunked bool) []byte {
	head := raw[:headLength(raw)]
	if !chunked {
		return append(append(make([]byte, 0, len(head)+len(body)), head...), body...)
	}
	m := make([]byte, 0, len(head)+len(body)+64)
	for line := range bytes.Lines(head) {
		name, _, _ := bytes.Cut(line, []byte(":"))
		switch {
		case bytes.EqualFold(name, []byte("Transfer-Encoding")), bytes.EqualFold(name, []byte("Content-Length")):
			m = append(m, "X-Crawl-"...)
		case len(bytes.TrimSpace(line)) == 0:
			m = append(strconv.AppendInt(append(m, "Content-Length: "...), int64(len(body)), 10), "\r\n"...)
		}
		m = append(m, line...)
	}
	return append(m, body...)
}
