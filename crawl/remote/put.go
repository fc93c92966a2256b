package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/cenkalti/backoff/v5"
	"gocloud.dev/blob"
	"golang.org/x/sync/errgroup"

	"winnow"
)

const (
	partBytes   = 16 << 20 // of an object that is sent in parts; one that is no larger goes in one request
	maxParts    = 10_000   // that a server takes
	partsAtOnce = 3
)

// Put implements winnow.Objects.
func (f *Files) Put(ctx context.Context, name string, body io.ReaderAt, size int64, when winnow.Condition) error {
	if !strings.HasPrefix(name, "s3://") {
		return fmt.Errorf("%s: only s3 URLs are written", winnow.Redacted(name))
	}
	if _, err := check(name); err != nil {
		return err
	}
	u := &upload{Files: f, body: body, size: size}
	u.bucket, u.key = split(name)
	if when.Absent {
		u.ifNone = aws.String("*")
	}
	if when.Tag != "" {
		u.ifMatch = &when.Tag
	}
	var err error
	if size <= partBytes {
		err = f.again(ctx, u.whole)
	} else {
		err = f.again(ctx, u.inParts)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// again does a request until it succeeds or trying is of no use.
func (f *Files) again(ctx context.Context, request func(context.Context) error) error {
	r := f.newRetry()
	for {
		err := request(ctx)
		if err == nil {
			return nil
		}
		if err := r.wait(ctx, err); err != nil {
			return err
		}
	}
}

// upload is one Put. The condition goes with the request that makes the object.
type upload struct {
	*Files
	bucket, key     string
	body            io.ReaderAt
	size            int64
	ifNone, ifMatch *string
}

// section is some of the body, whose reading shows that a transfer goes on.
type section struct {
	*io.SectionReader
	touch func()
}

// Read implements io.Reader.
func (s *section) Read(p []byte) (int, error) {
	s.touch()
	return s.SectionReader.Read(p)
}

// timed gives up a request when nothing happens for o.Stall, or for so many times that, as touch tells.
func (f *Files) timed(ctx context.Context, times time.Duration, request func(ctx context.Context, touch func()) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	late := fmt.Errorf("no answer in %v", times*f.o.Stall)
	timer := time.AfterFunc(times*f.o.Stall, func() { cancel(late) })
	defer timer.Stop()
	err := request(ctx, func() { timer.Reset(times * f.o.Stall) })
	if err != nil && context.Cause(ctx) == late {
		return late
	}
	return err
}

// whole sends the object in one request.
func (u *upload) whole(ctx context.Context) error {
	return u.timed(ctx, 1, func(ctx context.Context, touch func()) error {
		_, err := u.s3().PutObject(ctx, &s3.PutObjectInput{
			Bucket: &u.bucket, Key: &u.key, Body: &section{io.NewSectionReader(u.body, 0, u.size), touch}, ContentLength: &u.size,
			IfNoneMatch: u.ifNone, IfMatch: u.ifMatch,
		})
		return refused(err)
	})
}

// inParts sends the object piece by piece. An upload that the server has forgotten is begun anew.
func (u *upload) inParts(ctx context.Context) error {
	var id *string
	err := u.timed(ctx, 1, func(ctx context.Context, _ func()) error {
		out, err := u.s3().CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: &u.bucket, Key: &u.key})
		if err == nil {
			id = out.UploadId
		}
		return refused(err)
	})
	if err != nil {
		return err
	}
	step := max(partBytes, (u.size+maxParts-1)/maxParts)
	parts := make([]types.CompletedPart, (u.size+step-1)/step)
	g, all := errgroup.WithContext(ctx)
	g.SetLimit(partsAtOnce)
	for i := range parts {
		g.Go(func() error {
			return u.again(all, func(ctx context.Context) (err error) {
				parts[i], err = u.part(ctx, id, int32(i+1), int64(i)*step, min(step, u.size-int64(i)*step))
				return err
			})
		})
	}
	if err = g.Wait(); err == nil {
		err = u.again(ctx, func(ctx context.Context) error { return u.complete(ctx, id, parts) })
	}
	if err != nil {
		u.abandon(id)
	}
	var gone *types.NoSuchUpload
	if errors.As(err, &gone) {
		return errors.New("the server lost the parts that it had") // worth another try
	}
	if err != nil {
		return backoff.Permanent(err) // its requests were tried often enough
	}
	return nil
}

func (u *upload) part(ctx context.Context, id *string, number int32, from, size int64) (p types.CompletedPart, err error) {
	err = u.timed(ctx, 1, func(ctx context.Context, touch func()) error {
		out, err := u.s3().UploadPart(ctx, &s3.UploadPartInput{
			Bucket: &u.bucket, Key: &u.key, UploadId: id, PartNumber: &number, ContentLength: &size,
			Body: &section{io.NewSectionReader(u.body, from, size), touch},
		})
		if err == nil {
			p = types.CompletedPart{ETag: out.ETag, PartNumber: &number}
		}
		return refused(err)
	})
	return p, err
}

// complete makes the object of its parts. Where the answer was lost, the upload is gone and the object is there.
func (u *upload) complete(ctx context.Context, id *string, parts []types.CompletedPart) error {
	err := u.timed(ctx, 5, func(ctx context.Context, _ func()) error { // servers take their time to join parts
		_, err := u.s3().CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{
			Bucket: &u.bucket, Key: &u.key, UploadId: id, MultipartUpload: &types.CompletedMultipartUpload{Parts: parts},
			IfNoneMatch: u.ifNone, IfMatch: u.ifMatch,
		})
		return refused(err)
	})
	var gone *types.NoSuchUpload
	if errors.As(err, &gone) && u.ifNone == nil && u.ifMatch == nil {
		if o, e := u.lookS3(ctx, "s3://"+u.bucket+"/"+u.key); e == nil && o.size == u.size {
			return nil
		}
	}
	return err
}

// abandon lets the server throw away the parts of an upload. What it does not hear of, a rule of the bucket should end.
func (u *upload) abandon(id *string) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	u.s3().AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: &u.bucket, Key: &u.key, UploadId: id})
}

// refused is reasoned for requests that write.
func refused(err error) error {
	var resp *awshttp.ResponseError
	if err == nil || !errors.As(err, &resp) {
		return reasoned(err)
	}
	var api interface{ ErrorCode() string }
	code := ""
	if errors.As(err, &api) {
		code = api.ErrorCode()
	}
	var gone *types.NoSuchUpload
	switch status := resp.HTTPStatusCode(); {
	case status == 412:
		return backoff.Permanent(fs.ErrExist)
	case errors.As(err, &gone) || code == "NoSuchUpload":
		return backoff.Permanent(&types.NoSuchUpload{})
	case status == 404:
		return backoff.Permanent(errMissing)
	case status == 409, slices.Contains([]string{"RequestTimeout", "IncompleteBody", "BadDigest"}, code):
		return fmt.Errorf("the server says %d %s", status, code) // another writer was at it, or bytes were lost on the way
	}
	return reasoned(err)
}

// Remove implements winnow.Objects.
func (f *Files) Remove(ctx context.Context, name string) error {
	if _, err := check(name); err != nil {
		return err
	}
	bucket, key := split(name)
	err := f.again(ctx, func(ctx context.Context) error {
		return f.timed(ctx, 1, func(ctx context.Context, _ func()) error {
			_, err := f.s3().DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &bucket, Key: &key})
			return refused(err)
		})
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// List implements winnow.Objects.
func (f *Files) List(ctx context.Context, folder string) ([]winnow.Entry, error) {
	if _, err := check(folder); err != nil {
		return nil, err
	}
	bucket, prefix := split(folder)
	if prefix = strings.TrimRight(prefix, "/"); prefix != "" {
		prefix += "/"
	}
	b, err := f.bucket(ctx, bucket)
	if err != nil {
		return nil, err
	}
	var entries []winnow.Entry
	for token := blob.FirstPageToken; len(token) > 0; {
		var page []*blob.ListObject
		err := f.again(ctx, func(ctx context.Context) error {
			return f.timed(ctx, 1, func(ctx context.Context, _ func()) error {
				got, next, err := b.ListPage(ctx, token, 1000, &blob.ListOptions{Prefix: prefix, Delimiter: "/"})
				if err != nil {
					return reasoned(err)
				}
				page, token = got, next
				return nil
			})
		})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", folder, err)
		}
		for _, o := range page {
			if o.Key == prefix {
				continue // a folder as some programs make it: an empty object
			}
			e := winnow.Entry{Name: path.Base(o.Key), Folder: o.IsDir}
			if !e.Folder {
				e.Size, e.Time = o.Size, o.ModTime
			}
			entries = append(entries, e)
		}
	}
	slices.SortFunc(entries, func(x, y winnow.Entry) int { return strings.Compare(x.Name, y.Name) })
	return entries, nil
}
