package remote

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"testing"
	"winnow/crawl/remote/remotetest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// gateway starts a real S3 server, and gives its address and a client of it.
func gateway(t *testing.T) (address string, client *s3.Client) {
	t.Helper()
	address = remotetest.Gateway(t)
	return address, s3.New(s3.Options{Region: "us-east-1", BaseEndpoint: &address, UsePathStyle: true,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: remotetest.Key, SecretAccessKey: remotetest.Secret}, nil
		})})
}

// put makes a bucket of objects.
func put(t *testing.T, c *s3.Client, bucket string, objects map[string][]byte) {
	t.Helper()
	ctx := context.Background()
	if _, err := c.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: &bucket}); err != nil {
		t.Fatal(err)
	}
	for key, b := range objects {
		if _, err := c.PutObject(ctx, &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: bytes.NewReader(b)}); err != nil {
			t.Fatal(err)
		}
	}
}

// behind is a proxy in front of a server at which things go wrong.
func behind(t *testing.T, address string, f *faults) string {
	to, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(to)
		r.Out.Host = r.In.Host // signed
	}, FlushInterval: -1}
	proxy.ErrorHandler = func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) }
	s := httptest.NewServer(f.around(proxy))
	t.Cleanup(s.Close)
	return s.URL
}

// environment gives what the program would find in its own.
func environment(o Options, address string, keys bool) Options {
	vars := map[string]string{"AWS_ENDPOINT_URL_S3": address}
	if keys {
		vars["AWS_ACCESS_KEY_ID"], vars["AWS_SECRET_ACCESS_KEY"] = remotetest.Key, remotetest.Secret
	}
	o.Getenv = func(name string) string { return vars[name] }
	return o
}

func TestS3(t *testing.T) {
	address, client := gateway(t)
	want := content(6 << 20)
	objects := map[string][]byte{"a/x 1?.warc.gz": want, "a/b/2.warc.gz": want[:1000], "a/notes.txt": []byte("no"), "z.warc.gz": want[:10]}
	for i := range 30 {
		objects[fmt.Sprintf("many/%02d.warc.gz", i)] = []byte{byte(i)}
	}
	put(t, client, "crawls", objects)
	ctx, f := context.Background(), new(faults)
	files := New(environment(quick(t), behind(t, address, f), true))
	wants := func(name string) bool { return strings.HasSuffix(name, ".warc.gz") }
	for pattern, list := range map[string][]string{
		"s3://crawls/a/*.warc.gz":  {"s3://crawls/a/x 1?.warc.gz"},
		"s3://crawls/**/*.warc.gz": nil, // 33, below
		"s3://crawls/a/":           {"s3://crawls/a/b/2.warc.gz", "s3://crawls/a/x 1?.warc.gz"},
		"s3://crawls/z.warc.gz":    {"s3://crawls/z.warc.gz"},
		"s3://crawls/none*":        {},
	} {
		got, err := files.Glob(ctx, pattern, wants)
		if err != nil || list != nil && !slices.Equal(got, list) || list == nil && len(got) != 33 {
			t.Errorf("%s: %v %v", pattern, got, err)
		}
	}
	in, err := files.Open(ctx, "s3://crawls/a/x 1?.warc.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	readEverywhere(t, in, want)
	if f.busy.Load() == 0 || f.broken.Load() == 0 || f.hung.Load() == 0 {
		t.Errorf("faults did not happen: %d busy, %d broken, %d silent", f.busy.Load(), f.broken.Load(), f.hung.Load())
	}
	t.Logf("%d requests: %d answered 503, %d cut, %d silent; %d bytes sent for a file of %d read from end to end and at 20 places",
		f.requests.Load(), f.busy.Load(), f.broken.Load(), f.hung.Load(), f.bytes.Load(), len(want))
}

// Reading that stands still while an object is replaced does not mix old bytes with new ones.
func TestS3Replaced(t *testing.T) {
	address, client := gateway(t)
	put(t, client, "crawls", map[string][]byte{"x": content(2 << 20)})
	in, err := New(environment(quick(t), address, true)).Open(context.Background(), "s3://crawls/x")
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	if _, err := in.ReadAt(make([]byte, 100), 0); err != nil {
		t.Fatal(err)
	}
	bucket, key := "crawls", "x"
	if _, err := client.PutObject(context.Background(), &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: bytes.NewReader(make([]byte, 2<<20))}); err != nil {
		t.Fatal(err)
	}
	if _, err := in.ReadAt(make([]byte, 100), 1<<20); err == nil || !strings.Contains(err.Error(), "changed on its server") {
		t.Error(err)
	}
}

func TestS3Rights(t *testing.T) {
	address, client := gateway(t)
	put(t, client, "private", map[string][]byte{"x": []byte("x")})
	put(t, client, "public", map[string][]byte{"x": []byte("x")})
	policy, bucket := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":["s3:GetObject","s3:ListBucket"],"Resource":["arn:aws:s3:::public","arn:aws:s3:::public/*"]}]}`, "public"
	if _, err := client.PutBucketPolicy(context.Background(), &s3.PutBucketPolicyInput{Bucket: &bucket, Policy: &policy}); err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	nobody := New(environment(quick(t), address, false))
	if names, err := nobody.Glob(ctx, "s3://public/*", nil); err != nil || len(names) != 1 {
		t.Error(names, err)
	}
	in, err := nobody.Open(ctx, "s3://public/x")
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	readEverywhere(t, in, []byte("x"))
	if _, err := nobody.Open(ctx, "s3://private/x"); err == nil || !strings.Contains(err.Error(), "AWS_ACCESS_KEY_ID") {
		t.Error(err)
	}
	wrong := environment(quick(t), address, true)
	get := wrong.Getenv
	wrong.Getenv = func(name string) string { return strings.ReplaceAll(get(name), remotetest.Secret, "wrong-secret") }
	if _, err := New(wrong).Open(ctx, "s3://private/x"); err == nil || strings.Contains(err.Error(), remotetest.Key) || strings.Contains(err.Error(), "wrong-secret") {
		t.Error(err)
	}
	somebody := New(environment(quick(t), address, true))
	if _, err := somebody.Open(ctx, "s3://private/none"); err == nil || !strings.Contains(err.Error(), "no such object") {
		t.Error(err)
	}
	if _, err := somebody.Glob(ctx, "s3://nosuchbucket/*", nil); err == nil {
		t.Error("a bucket that is not there was listed")
	}
}
