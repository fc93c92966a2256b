package wire

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"syscall"
	"time"
)

// Dialer makes connections to public addresses.
type Dialer struct {
	Resolver     *net.Resolver // nil: the system's
	AllowPrivate bool          // private, loopback and link-local addresses too
	Timeout      time.Duration // for a connection; 0: none
	// Proxy is an http or https proxy, nil for none. Names are resolved and checked here, and the proxy is asked to CONNECT to the
	// address, so that a proxy does not widen what may be met. The proxy's own address may be private.
	Proxy *url.URL
}

// DialContext connects to addr, a host and port, or fails with a *RefusedError.
func (d *Dialer) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	if d.Proxy != nil {
		return d.tunnel(ctx, addr)
	}
	plain := &net.Dialer{Resolver: d.Resolver, Timeout: d.Timeout}
	if !d.AllowPrivate {
		plain.Control = control
	}
	return plain.DialContext(ctx, network, addr)
}

// control sees the address that a socket is about to connect to, after all resolving.
func control(_, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("address %s: %w", address, err)
	}
	return Public(at.Addr())
}

// DialTLSContext is DialContext and a TLS handshake in the host's name, for HTTP/1.1 alone: its bytes are what archives hold.
func (d *Dialer) DialTLSContext(ctx context.Context, network, addr string, config *tls.Config) (net.Conn, error) {
	conn, err := d.DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	c := config.Clone()
	if c == nil {
		c = &tls.Config{}
	}
	c.ServerName, c.NextProtos = host, []string{"http/1.1"}
	secure := tls.Client(conn, c)
	if err := secure.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return secure, nil
}

// tunnel resolves and checks addr and has the proxy connect to it.
func (d *Dialer) tunnel(ctx context.Context, addr string) (net.Conn, error) {
	target, err := d.resolve(ctx, addr)
	if err != nil {
		return nil, err
	}
	port := d.Proxy.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[d.Proxy.Scheme]
	}
	own := &net.Dialer{Timeout: d.Timeout}
	conn, err := own.DialContext(ctx, "tcp", net.JoinHostPort(d.Proxy.Hostname(), port))
	if err != nil {
		return nil, fmt.Errorf("proxy: %w", err)
	}
	if d.Proxy.Scheme == "https" {
		conn = tls.Client(conn, &tls.Config{ServerName: d.Proxy.Hostname()})
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	err = connect(conn, target.String(), d.Proxy.User)
	if !stop() || err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("proxy: %w", context.Cause(orDone(ctx, err)))
	}
	return &tunnelled{conn, target}, nil
}

// orDone is a context that ended by err where ctx has not ended.
func orDone(ctx context.Context, err error) context.Context {
	if ctx.Err() != nil {
		return ctx
	}
	ended, end := context.WithCancelCause(ctx)
	end(err)
	return ended
}

// resolve gives the first allowed address of a host.
func (d *Dialer) resolve(ctx context.Context, addr string) (netip.AddrPort, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return netip.AddrPort{}, err
	}
	r := d.Resolver
	if r == nil {
		r = net.DefaultResolver
	}
	number, err := r.LookupPort(ctx, "tcp", port)
	if err != nil {
		return netip.AddrPort{}, err
	}
	list, err := r.LookupNetIP(ctx, "ip", host)
	for _, a := range list {
		if !d.AllowPrivate {
			err = Public(a)
		}
		if err == nil {
			return netip.AddrPortFrom(a.Unmap(), uint16(number)), nil
		}
	}
	if err == nil {
		err = fmt.Errorf("lookup %s: no address", host)
	}
	return netip.AddrPort{}, err
}

// connect asks a proxy for a connection (RFC 9110, section 9.3.6). The answer is read byte by byte: what follows it is the
// target's.
func connect(conn net.Conn, target string, user *url.Userinfo) error {
	head := "CONNECT " + target + " HTTP/1.1\r\nHost: " + target + "\r\n"
	if user != nil {
		password, _ := user.Password()
		head += "Proxy-Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(user.Username()+":"+password)) + "\r\n"
	}
	if _, err := conn.Write([]byte(head + "\r\n")); err != nil {
		return err
	}
	resp, err := http.ReadResponse(bufio.NewReaderSize(single{conn}, 16), &http.Request{Method: http.MethodConnect})
	if err != nil {
		return err
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("CONNECT %s: %s", target, resp.Status)
	}
	return nil
}

// single reads one byte at a time.
type single struct{ net.Conn }

func (s single) Read(p []byte) (int, error) { return s.Conn.Read(p[:min(1, len(p))]) }

// tunnelled is a connection through a proxy that knows what is at its other end.
type tunnelled struct {
	net.Conn
	target netip.AddrPort
}

func (t *tunnelled) RemoteAddr() net.Addr { return net.TCPAddrFromAddrPort(t.target) }
