package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"winnow"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/bmatcuk/doublestar/v4"
	"github.com/cenkalti/backoff/v5"
	"gocloud.dev/blob"
	"gocloud.dev/blob/s3blob"
	"gocloud.dev/gcerrors"
)

// client makes a client by the environment: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, without which
// requests are not signed, as public buckets want; AWS_REGION or AWS_DEFAULT_REGION; AWS_ENDPOINT_URL_S3 or
// AWS_ENDPOINT_URL for servers other than Amazon's. Files of credentials and metadata services are not asked.
func (f *Files) client() *s3.Client {
	env := func(names ...string) string {
		for _, n := range names {
			if v := f.o.Getenv(n); v != "" {
				return v
			}
		}
		return ""
	}
	o := s3.Options{
		Region: env("AWS_REGION", "AWS_DEFAULT_REGION"), HTTPClient: f.http, Credentials: aws.AnonymousCredentials{}, Retryer: aws.NopRetryer{},
		ResponseChecksumValidation: aws.ResponseChecksumValidationWhenRequired, DisableLogOutputChecksumValidationSkipped: true,
		RequestChecksumCalculation: aws.RequestChecksumCalculationWhenRequired, // requests are signed with a hash of what they send
	}
	if o.Region == "" {
		o.Region = "us-east-1"
	}
	if id := env("AWS_ACCESS_KEY_ID"); id != "" {
		keys := aws.Credentials{AccessKeyID: id, SecretAccessKey: env("AWS_SECRET_ACCESS_KEY"), SessionToken: env("AWS_SESSION_TOKEN")}
		o.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return keys, nil })
	}
	if end := env("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"); end != "" {
		o.BaseEndpoint, o.UsePathStyle = &end, true
	}
	return s3.New(o)
}

// bucket opens a bucket.
func (f *Files) bucket(ctx context.Context, name string) (*blob.Bucket, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if b := f.buckets[name]; b != nil {
		return b, nil
	}
	b, err := s3blob.OpenBucket(ctx, f.s3(), name, nil)
	if err != nil {
		return nil, backoff.Permanent(err)
	}
	f.buckets[name] = b
	return b, nil
}

// split takes an s3 URL apart. Keys are taken as they stand: %, ? and # are letters there.
func split(name string) (bucket, key string) {
	bucket, key, _ = strings.Cut(strings.TrimPrefix(name, "s3://"), "/")
	return bucket, key
}

// list gives the names that an s3 pattern stands for, in the order of their bytes.
func (f *Files) list(ctx context.Context, pattern string, wants func(string) bool) ([]string, error) {
	bucket, key := split(pattern)
	glob := strings.ContainsAny(key, "*?[{\\")
	folder := key == "" || strings.HasSuffix(key, "/")
	if !glob && !folder {
		return []string{pattern}, nil
	}
	if glob && !doublestar.ValidatePattern(key) {
		return nil, doublestar.ErrBadPattern
	}
	b, err := f.bucket(ctx, bucket)
	if err != nil {
		return nil, err
	}
	prefix := key
	if glob {
		prefix = key[:strings.IndexAny(key, "*?[{\\")]
	}
	var names []string
	r := f.newRetry()
	for token := blob.FirstPageToken; len(token) > 0; {
		var page []*blob.ListObject
		var next []byte
		err := f.timed(ctx, 1, func(ctx context.Context, _ func()) (err error) {
			page, next, err = b.ListPage(ctx, token, 1000, &blob.ListOptions{Prefix: prefix})
			return err
		})
		if err != nil {
			if err := r.wait(ctx, reasoned(err)); err != nil {
				return nil, err
			}
			continue
		}
		r.progress()
		token = next
		for _, o := range page {
			if glob && doublestar.MatchUnvalidated(key, o.Key) || folder && wants(path.Base(o.Key)) {
				names = append(names, "s3://"+bucket+"/"+o.Key)
			}
		}
	}
	slices.Sort(names)
	return names, nil
}

// lookS3 asks for size and tag.
func (f *Files) lookS3(ctx context.Context, name string) (object, error) {
	bucket, key := split(name)
	b, err := f.bucket(ctx, bucket)
	if err != nil {
		return object{}, err
	}
	a, err := b.Attributes(ctx, key)
	if err != nil {
		return object{}, reasoned(err)
	}
	o := object{size: a.Size, tag: a.ETag, ranged: true}
	if o.tag == "" {
		o.tag = a.ModTime.UTC().Format(http.TimeFormat)
	}
	same := &blob.ReaderOptions{BeforeRead: func(as func(any) bool) error {
		var in *s3.GetObjectInput
		if a.ETag != "" && as(&in) {
			in.IfMatch = &a.ETag
		}
		return nil
	}}
	o.read = func(ctx context.Context, from, to int64) (io.ReadCloser, error) {
		r, err := b.NewRangeReader(ctx, key, from, to-from, same)
		if err != nil {
			return nil, reasoned(err)
		}
		return r, nil
	}
	return o, nil
}

// missing is the error for what is not there: an fs.ErrNotExist in other words.
type missing struct{}

var errMissing missing

func (missing) Error() string { return "there is no such object or bucket" }

// Is implements what errors.Is asks for.
func (missing) Is(target error) bool { return target == fs.ErrNotExist }

// reasoned marks the errors for which trying again is of no use, and says them in fewer words.
func reasoned(err error) error {
	var resp *awshttp.ResponseError
	var wire *url.Error
	switch {
	case errors.As(err, &resp) && resp.HTTPStatusCode() == http.StatusPreconditionFailed:
		return backoff.Permanent(winnow.ErrChanged)
	case gcerrors.Code(err) == gcerrors.NotFound:
		return backoff.Permanent(errMissing)
	case errors.As(err, &resp) && (resp.HTTPStatusCode() == http.StatusForbidden || resp.HTTPStatusCode() == http.StatusUnauthorized):
		return backoff.Permanent(fmt.Errorf("the server says %d: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY to ones that may read it, or unset them where it is public",
			resp.HTTPStatusCode()))
	case errors.As(err, &resp) && resp.HTTPStatusCode()/100 == 4 && resp.HTTPStatusCode() != http.StatusTooManyRequests && resp.HTTPStatusCode() != http.StatusRequestTimeout:
		return backoff.Permanent(fmt.Errorf("the server says %d: %w", resp.HTTPStatusCode(), resp.Err))
	case errors.As(err, &wire):
		return short(wire)
	case errors.As(err, &resp) && resp.HTTPStatusCode() == 0:
		return resp.Err // there was no answer
	case errors.As(err, &resp):
		return fmt.Errorf("the server says %d", resp.HTTPStatusCode())
	}
	return err
}
