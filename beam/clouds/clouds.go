// Package clouds keeps the folders of runs in Google Cloud Storage and Azure Blob Storage, beside those of S3.
//
//	gs://bucket/folder, azblob://container/folder, s3://bucket/folder -> winnow.Objects
//
// It is for the program of the Beam module alone: the two makers' SDKs weigh more than all of winnow.
package clouds

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/bmatcuk/doublestar/v4"
	"github.com/cenkalti/backoff/v5"
	"gocloud.dev/blob"

	"winnow"
	"winnow/crawl/remote"
)

// Files are the objects of gs and azblob URLs, and those that remote.Files know. It is safe for concurrent use.
type Files struct {
	o    remote.Options
	near *remote.Files

	mu      sync.Mutex
	buckets map[string]*blob.Bucket // scheme://name
}

var _ winnow.Objects = (*Files)(nil)

// New returns Files. Nothing is connected to before a file is asked for. Who is asking, Google and Azure learn of their own
// environment variables, files and services, as their SDKs look for them; see google and azure.
func New(o remote.Options) *Files {
	return &Files{o: o, near: remote.New(o), buckets: map[string]*blob.Bucket{}}
}

// place is where a URL of this package leads.
type place struct {
	*blob.Bucket
	root string // scheme://bucket/
	key  string
}

// ours tells whether a URL is none of remote's.
func ours(name string) bool {
	return strings.HasPrefix(name, "gs://") || strings.HasPrefix(name, "azblob://")
}

// find takes a URL apart and opens its bucket. Keys are taken as they stand: %, ? and # are letters there.
func (f *Files) find(ctx context.Context, name string) (place, error) {
	scheme, rest, _ := strings.Cut(name, "://")
	bucket, key, _ := strings.Cut(rest, "/")
	switch {
	case strings.Contains(bucket, "@"):
		return place{}, errors.New("no user name or password in a URL, please: it would stand in the ledger; credentials come from the environment")
	case bucket == "":
		return place{}, fmt.Errorf("%s: names no bucket", name)
	}
	root := scheme + "://" + bucket
	f.mu.Lock()
	defer f.mu.Unlock()
	b := f.buckets[root]
	if b == nil {
		open := google
		if scheme == "azblob" {
			open = azure
		}
		var err error
		if b, err = open(context.WithoutCancel(ctx), bucket, f.o); err != nil { // it lasts longer than this request
			return place{}, fmt.Errorf("%s: %w", root, err)
		}
		f.buckets[root] = b
	}
	return place{b, root + "/", key}, nil
}

// Open implements winnow.Files. It asks for size and tag, and each read says which tag it wants.
func (f *Files) Open(ctx context.Context, name string) (winnow.File, error) {
	if !ours(name) {
		return f.near.Open(ctx, name)
	}
	p, err := f.find(ctx, name)
	if err != nil {
		return nil, err
	}
	a, err := p.Attributes(ctx, p.key)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, reasoned(err))
	}
	tag := tagOf(a)
	read := func(ctx context.Context, from, to int64) (io.ReadCloser, error) {
		r, err := p.NewRangeReader(ctx, p.key, from, to-from, &blob.ReaderOptions{BeforeRead: onlyIf(tag)})
		if err != nil {
			return nil, lasting(err)
		}
		if !isOf(r, tag) {
			r.Close()
			return nil, backoff.Permanent(winnow.ErrChanged)
		}
		return r, nil
	}
	return remote.NewFile(ctx, name, a.Size, tag, read, f.o), nil
}

// chunk is how many bytes of an object are sent at a time; one that is smaller goes in one request.
const chunk = 16 << 20

// Put implements winnow.Objects. The condition goes with the request that makes the object.
func (f *Files) Put(ctx context.Context, name string, body io.ReaderAt, size int64, when winnow.Condition) error {
	if !ours(name) {
		return f.near.Put(ctx, name, body, size, when)
	}
	p, err := f.find(ctx, name)
	if err != nil {
		return err
	}
	wave := backoff.NewExponentialBackOff()
	wave.InitialInterval = cmp.Or(f.o.Pause, wave.InitialInterval)
	_, err = backoff.Retry(ctx, func() (struct{}, error) { return struct{}{}, p.send(ctx, body, size, when) },
		backoff.WithBackOff(wave), backoff.WithMaxTries(tries), backoff.WithMaxElapsedTime(0))
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// tries is how often an object is sent whole, where what the SDKs do again by themselves is not enough: they take an answer that
// breaks off for the last word.
const tries = 4

func (p place) send(ctx context.Context, body io.ReaderAt, size int64, when winnow.Condition) error {
	o := &blob.WriterOptions{
		ContentType: "application/octet-stream", BufferSize: int(min(size+1, chunk)), MaxConcurrency: 3, IfNotExist: when.Absent,
	}
	if when.Tag != "" {
		o.BeforeWrite = onlyIf(when.Tag)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	whole := &exactly{body: io.NewSectionReader(body, 0, size), left: size, giveUp: cancel}
	err := p.Upload(ctx, p.key, whole, o)
	switch code := status(err); {
	case whole.failed != nil:
		return backoff.Permanent(whole.failed)
	case err == nil:
		return nil
	case code == http.StatusPreconditionFailed, code == http.StatusConflict && when.Absent: // Azure says 409 where the blob is there
		return backoff.Permanent(fs.ErrExist)
	}
	return lasting(err)
}

// exactly reads so many bytes. A body that ends early, or fails, makes no object: what is sent is given up.
type exactly struct {
	body   io.Reader
	left   int64
	giveUp func()
	failed error
}

// Read implements io.Reader.
func (e *exactly) Read(b []byte) (int, error) {
	n, err := e.body.Read(b)
	e.left -= int64(n)
	if err == io.EOF && e.left > 0 {
		err = io.ErrUnexpectedEOF
	}
	if err != nil && err != io.EOF {
		e.failed = err
		e.giveUp()
	}
	return n, err
}

// Remove implements winnow.Objects.
func (f *Files) Remove(ctx context.Context, name string) error {
	if !ours(name) {
		return f.near.Remove(ctx, name)
	}
	p, err := f.find(ctx, name)
	if err != nil {
		return err
	}
	err = reasoned(p.Delete(ctx, p.key))
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return fmt.Errorf("%s: %w", name, err)
}

// List implements winnow.Objects.
func (f *Files) List(ctx context.Context, folder string) ([]winnow.Entry, error) {
	if !ours(folder) {
		return f.near.List(ctx, folder)
	}
	p, err := f.find(ctx, folder)
	if err != nil {
		return nil, err
	}
	prefix := strings.TrimRight(p.key, "/")
	if prefix != "" {
		prefix += "/"
	}
	var entries []winnow.Entry
	err = p.each(ctx, &blob.ListOptions{Prefix: prefix, Delimiter: "/"}, func(o *blob.ListObject) {
		switch {
		case o.Key == prefix: // a folder as some programs make it: an empty object
		case o.IsDir:
			entries = append(entries, winnow.Entry{Name: path.Base(o.Key), Folder: true})
		default:
			entries = append(entries, winnow.Entry{Name: path.Base(o.Key), Size: o.Size, Time: o.ModTime})
		}
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", folder, err)
	}
	slices.SortFunc(entries, func(x, y winnow.Entry) int { return strings.Compare(x.Name, y.Name) })
	return entries, nil
}

// each lists objects.
func (p place) each(ctx context.Context, o *blob.ListOptions, visit func(*blob.ListObject)) error {
	for token := blob.FirstPageToken; len(token) > 0; {
		page, next, err := p.ListPage(ctx, token, 1000, o)
		if err != nil {
			return reasoned(err)
		}
		for _, object := range page {
			visit(object)
		}
		token = next
	}
	return nil
}

// Glob implements winnow.Files, as it is for s3 URLs: a key may hold *, ** and the like, or end with / for all below it.
func (f *Files) Glob(ctx context.Context, pattern string, wants func(name string) bool) ([]string, error) {
	if !ours(pattern) {
		return f.near.Glob(ctx, pattern, wants)
	}
	p, err := f.find(ctx, pattern)
	if err != nil {
		return nil, err
	}
	first := strings.IndexAny(p.key, "*?[{\\")
	folder := p.key == "" || strings.HasSuffix(p.key, "/")
	switch {
	case first < 0 && !folder:
		return []string{pattern}, nil
	case first < 0:
		first = len(p.key)
	case !doublestar.ValidatePattern(p.key):
		return nil, fmt.Errorf("%s: %w", pattern, doublestar.ErrBadPattern)
	default:
		folder = false
	}
	var names []string
	err = p.each(ctx, &blob.ListOptions{Prefix: p.key[:first]}, func(o *blob.ListObject) {
		if folder && wants(path.Base(o.Key)) || !folder && doublestar.MatchUnvalidated(p.key, o.Key) {
			names = append(names, p.root+o.Key)
		}
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", pattern, err)
	}
	slices.Sort(names)
	return names, nil
}
