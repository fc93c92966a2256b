package remote

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"gocloud.dev/blob"

	"winnow"
)

// Options change how the network is used. The zero Options are good for public servers.
type Options struct {
	Tries   int           // failures in a row, without a byte between them, after which reading gives up; 0: 8
	Pause   time.Duration // before the second try; it grows by half each time, to a minute, and is random by half; 0: 500 ms
	Stall   time.Duration // without a byte after which a transfer counts as broken; 0: one minute
	TempDir string        // for files of servers that give no ranges; empty: the system's

	Getenv func(string) string // AWS_* and so on; nil: os.Getenv
}

func (o Options) withDefaults() Options {
	o.Tries = cmp.Or(o.Tries, 8)
	o.Pause = cmp.Or(o.Pause, 500*time.Millisecond)
	o.Stall = cmp.Or(o.Stall, time.Minute)
	if o.Getenv == nil {
		o.Getenv = os.Getenv
	}
	return o
}

// Files finds and opens what http, https and s3 URLs name, and writes what s3 URLs do. It is safe for concurrent use.
type Files struct {
	o    Options
	http *http.Client
	s3   func() *s3.Client // made when it is first asked for

	mu      sync.Mutex
	buckets map[string]*blob.Bucket
}

var _ winnow.Objects = (*Files)(nil)

// New returns Files. Nothing is connected to before a file is asked for.
func New(o Options) *Files {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.DisableCompression = true // lengths and offsets must be those of the file
	t.ResponseHeaderTimeout = 2 * time.Minute
	f := &Files{o: o.withDefaults(), http: &http.Client{Transport: t}, buckets: map[string]*blob.Bucket{}}
	f.s3 = sync.OnceValue(f.client)
	return f
}

// object is what a server has under one name.
type object struct {
	size   int64 // bytes; -1: not told
	tag    string
	ranged bool
	// read opens the bytes [from, to); it fails with a permanent error where trying again is of no use.
	read func(ctx context.Context, from, to int64) (io.ReadCloser, error)
}

// Glob implements winnow.Files. HTTP has no way to list, so a URL of it stands for itself; an s3 URL may hold *, ** and the
// like in its key, or end with / for all below it.
func (f *Files) Glob(ctx context.Context, pattern string, wants func(name string) bool) ([]string, error) {
	u, err := check(pattern)
	if err != nil {
		return nil, err
	}
	if u.Scheme == "s3" {
		return f.list(ctx, pattern, wants)
	}
	if strings.ContainsAny(u.Path, "*[{") {
		return nil, errors.New("HTTP cannot list files: name each one, or use an s3 URL")
	}
	return []string{pattern}, nil
}

// Open implements winnow.Files. It asks for size and tag; a file that is not there is an error.
func (f *Files) Open(ctx context.Context, name string) (winnow.File, error) {
	u, err := check(name)
	if err != nil {
		return nil, err
	}
	look := f.lookHTTP
	if u.Scheme == "s3" {
		look = f.lookS3
	}
	r := f.newRetry()
	for {
		var o object
		err := f.timed(ctx, 1, func(ctx context.Context, _ func()) (err error) {
			o, err = look(ctx, name)
			return err
		})
		if err == nil && o.ranged {
			return newFile(ctx, name, o, f.o), nil
		}
		if err == nil {
			return fetch(ctx, name, o, f.o)
		}
		if err := r.wait(ctx, err); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
}

var errSecret = errors.New("no user name or password in a URL, please: it would stand in the ledger; credentials come from the environment")

// check refuses what cannot be read, and URLs that hold secrets: names of inputs stand in recipes, ledgers and logs.
func check(name string) (*url.URL, error) {
	if rest, ok := strings.CutPrefix(name, "s3://"); ok {
		bucket, _, _ := strings.Cut(rest, "/")
		switch {
		case strings.Contains(bucket, "@"):
			return nil, errSecret
		case bucket == "":
			return nil, fmt.Errorf("%s: names no bucket", name)
		}
		return &url.URL{Scheme: "s3", Host: bucket}, nil // keys follow no syntax of URLs
	}
	u, err := url.Parse(name)
	if err != nil {
		return nil, errors.New("no valid URL")
	}
	switch {
	case u.User != nil:
		return nil, errSecret
	case u.Host == "":
		return nil, fmt.Errorf("%s: names no host", winnow.Redacted(name))
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, fmt.Errorf("%s: is neither http, https nor s3", winnow.Redacted(name))
	}
	for key := range u.Query() {
		switch strings.ToLower(key) {
		case "x-amz-signature", "x-amz-credential", "x-amz-security-token", "signature", "sig", "awsaccesskeyid", "token", "access_token":
			return nil, fmt.Errorf("%s://%s%s: no %s in a URL, please: it would stand in the ledger; use s3:// with credentials from the environment", u.Scheme, u.Host, u.Path, key)
		}
	}
	return u, nil
}
