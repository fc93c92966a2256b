package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"winnow"

	"github.com/cenkalti/backoff/v5"
)

// lookHTTP asks for one byte, which tells size, tag, and whether the server gives ranges.
func (f *Files) lookHTTP(ctx context.Context, name string) (object, error) {
	resp, err := f.get(ctx, name, "bytes=0-0", "")
	if err != nil {
		return object{}, err
	}
	defer resp.Body.Close()
	o := object{size: -1, tag: tagOf(resp.Header)}
	switch resp.StatusCode {
	case http.StatusPartialContent:
		_, total, _ := strings.Cut(resp.Header.Get("Content-Range"), "/")
		size, err := strconv.ParseInt(total, 10, 64)
		if o.ranged = err == nil; o.ranged {
			o.size = size
		}
	case http.StatusRequestedRangeNotSatisfiable: // of an empty file
		if resp.Header.Get("Content-Range") != "bytes */0" {
			return object{}, failure(resp)
		}
		o.size, o.ranged = 0, true
	case http.StatusOK:
		o.size = resp.ContentLength
	default:
		return object{}, failure(resp)
	}
	o.read = func(ctx context.Context, from, to int64) (io.ReadCloser, error) {
		return f.readHTTP(ctx, name, o, from, to)
	}
	return o, nil
}

// readHTTP opens the bytes [from, to), or where the server gives no ranges all of them.
func (f *Files) readHTTP(ctx context.Context, name string, o object, from, to int64) (io.ReadCloser, error) {
	part := ""
	if o.ranged {
		part = fmt.Sprintf("bytes=%d-%d", from, to-1)
	}
	resp, err := f.get(ctx, name, part, o.tag)
	if err != nil {
		return nil, err
	}
	switch {
	case part != "" && resp.StatusCode != http.StatusPartialContent, part == "" && resp.StatusCode != http.StatusOK:
		err = failure(resp)
	case tagOf(resp.Header) != o.tag:
		err = backoff.Permanent(winnow.ErrChanged)
	case part != "" && resp.Header.Get("Content-Range") != fmt.Sprintf("bytes %d-%d/%d", from, to-1, o.size):
		err = fmt.Errorf("asked for %s, got %q", part, resp.Header.Get("Content-Range"))
	}
	if err != nil {
		resp.Body.Close()
		return nil, err
	}
	return resp.Body, nil
}

// get sends a request. A tag that is an ETag must still hold.
func (f *Files) get(ctx context.Context, name, part, tag string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, name, nil)
	if err != nil {
		return nil, backoff.Permanent(err)
	}
	req.Header.Set("User-Agent", "winnow")
	req.Header.Set("Accept-Encoding", "identity")
	if part != "" {
		req.Header.Set("Range", part)
	}
	if strings.HasPrefix(tag, `"`) {
		req.Header.Set("If-Match", tag)
	}
	resp, err := f.http.Do(req)
	if err != nil {
		return nil, short(err)
	}
	return resp, nil
}

// tagOf is what a server tells of a file's content.
func tagOf(h http.Header) string {
	if tag := h.Get("ETag"); tag != "" {
		return tag
	}
	return h.Get("Last-Modified")
}

// failure makes an error of a response. Which ones are worth another try: those that speak of the server, not of the file.
func failure(resp *http.Response) error {
	err := fmt.Errorf("the server says %s", resp.Status)
	switch code := resp.StatusCode; {
	case code == http.StatusPreconditionFailed:
		return backoff.Permanent(winnow.ErrChanged)
	case code == http.StatusTooManyRequests, code == http.StatusServiceUnavailable:
		if seconds, e := strconv.Atoi(resp.Header.Get("Retry-After")); e == nil && seconds > 0 {
			return errors.Join(err, backoff.RetryAfter(seconds))
		}
		return err
	case code == http.StatusRequestTimeout, code >= 500, code/100 == 2:
		return err
	}
	return backoff.Permanent(err)
}

// short is an error of the client without the URL, which stands in front of it anyway.
func short(err error) error {
	if inner := errors.Unwrap(err); inner != nil {
		return inner
	}
	return err
}
