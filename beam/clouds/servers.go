package clouds

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"time"

	"cloud.google.com/go/storage"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob"
	azureobject "github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/cenkalti/backoff/v5"
	gax "github.com/googleapis/gax-go/v2"
	"gocloud.dev/blob"
	"gocloud.dev/blob/azureblob"
	"gocloud.dev/blob/gcsblob"
	"gocloud.dev/gcerrors"
	"gocloud.dev/gcp"
	"google.golang.org/api/googleapi"
	"google.golang.org/api/option"

	"winnow"
	"winnow/crawl/remote"
)

// google opens a bucket. Credentials are Google's application default ones, of GOOGLE_APPLICATION_CREDENTIALS, gcloud or the machine's
// account; without any, requests are not signed, as public buckets want. STORAGE_EMULATOR_HOST, host:port, is another server.
func google(ctx context.Context, name string, o remote.Options) (*blob.Bucket, error) {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.ResponseHeaderTimeout = 2 * time.Minute
	client := gcp.NewAnonymousHTTPClient(transport)
	if os.Getenv("STORAGE_EMULATOR_HOST") == "" {
		if keys, err := gcp.DefaultCredentials(ctx); err == nil {
			if client, err = gcp.NewHTTPClient(transport, keys.TokenSource); err != nil {
				return nil, err
			}
		}
	}
	b, err := gcsblob.OpenBucket(ctx, client, name, &gcsblob.Options{ClientOptions: []option.ClientOption{storage.WithJSONReads()}})
	if err != nil {
		return nil, err
	}
	var c *storage.Client
	if !b.As(&c) {
		return nil, errors.ErrUnsupported
	}
	// Doing any request of this package once more does no harm: an object is stored whole, under a condition or whatever is there.
	c.SetRetry(storage.WithPolicy(storage.RetryAlways), storage.WithMaxAttempts(cmp.Or(o.Tries, 8)), storage.WithErrorFunc(passing),
		storage.WithBackoff(gax.Backoff{Initial: cmp.Or(o.Pause, 500*time.Millisecond), Max: time.Minute, Multiplier: 1.5}))
	return b, nil
}

// passing tells whether a request may succeed when it is sent again: also where a connection broke off, in whatever way.
func passing(err error) bool {
	var wire *url.Error
	return storage.ShouldRetry(err) || errors.As(err, &wire) && !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded)
}

// azure opens a container, whose requests Azure's SDK sends up to four times. The account is AZURE_STORAGE_ACCOUNT's; the key
// AZURE_STORAGE_KEY's or AZURE_STORAGE_SAS_TOKEN's, or all of it AZURE_STORAGE_CONNECTION_STRING's; without these, Azure's default credentials. AZURE_STORAGE_DOMAIN, AZURE_STORAGE_PROTOCOL
// and AZURE_STORAGE_IS_LOCAL_EMULATOR name another server.
func azure(_ context.Context, name string, _ remote.Options) (*blob.Bucket, error) {
	server, err := azureblob.NewServiceURL(azureblob.NewDefaultServiceURLOptions())
	if err != nil {
		return nil, fmt.Errorf("set AZURE_STORAGE_ACCOUNT and its kin: %w", err)
	}
	client, err := azureblob.NewDefaultClient(server, azureblob.ContainerName(name))
	if err != nil {
		return nil, err
	}
	return azureblob.OpenBucket(context.Background(), client, nil)
}

// tagOf is what changes with an object: Google's generation, Azure's ETag.
func tagOf(a *blob.Attributes) string {
	var o storage.ObjectAttrs
	if a.As(&o) {
		return strconv.FormatInt(o.Generation, 10)
	}
	return a.ETag
}

// isOf tells whether what is read is what was asked for, where a server says what it gives.
func isOf(r *blob.Reader, tag string) bool {
	var o *storage.Reader
	return !r.As(&o) || o.Attrs.Generation == 0 || strconv.FormatInt(o.Attrs.Generation, 10) == tag
}

// onlyIf makes a read fail unless the object has the tag, and a write unless what it replaces has.
func onlyIf(tag string) func(as func(any) bool) error {
	return func(as func(any) bool) error {
		var object **storage.ObjectHandle
		var read *azblob.DownloadStreamOptions
		var write *azblob.UploadStreamOptions
		switch {
		case as(&object):
			return ifGeneration(object, tag)
		case as(&read):
			read.AccessConditions = ifMatch(tag)
		case as(&write):
			write.AccessConditions = ifMatch(tag)
		default:
			return errors.ErrUnsupported
		}
		return nil
	}
}

func ifGeneration(object **storage.ObjectHandle, tag string) error {
	generation, err := strconv.ParseInt(tag, 10, 64)
	if err == nil {
		*object = (*object).If(storage.Conditions{GenerationMatch: generation})
	}
	return err
}

func ifMatch(tag string) *azureobject.AccessConditions {
	etag := azcore.ETag(tag)
	return &azureobject.AccessConditions{ModifiedAccessConditions: &azureobject.ModifiedAccessConditions{IfMatch: &etag}}
}

// status is what an HTTP server answered, 0 where an error is none of a server's.
func status(err error) int {
	var google *googleapi.Error
	var azure *azcore.ResponseError
	switch {
	case errors.As(err, &google):
		return google.Code
	case errors.As(err, &azure):
		return azure.StatusCode
	}
	return 0
}

// errMissing says what fs.ErrNotExist says of a disk.
var errMissing = fmt.Errorf("there is no such object or bucket: %w", fs.ErrNotExist)

// reasoned says errors in fewer words, and in winnow's where it has some. Google's 403 may hide that there is no such object; it
// is not taken for that, since what is absent is made anew.
func reasoned(err error) error {
	switch code := status(err); {
	case err == nil:
		return nil
	case code == http.StatusForbidden || code == http.StatusUnauthorized:
		return fmt.Errorf("the server says %d: set the environment's credentials to ones that may do this: %w", code, err)
	case code == http.StatusPreconditionFailed:
		return winnow.ErrChanged
	case code == http.StatusNotFound || code == 0 && gcerrors.Code(err) == gcerrors.NotFound:
		return errMissing
	}
	return err
}

// lasting is reasoned for what is tried again unless that is of no use.
func lasting(err error) error {
	code := status(err)
	err = reasoned(err)
	if errors.Is(err, fs.ErrNotExist) || code/100 == 4 && code != http.StatusTooManyRequests && code != http.StatusRequestTimeout {
		return backoff.Permanent(err)
	}
	return err
}
