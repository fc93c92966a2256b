package winnow

import "testing"

func TestRedacted(t *testing.T) {
	for name, want := range map[string]string{
		"a/b?c@d.warc":                     "a/b?c@d.warc",
		"https://me:hush@a.example/x?y=1":  "https://a.example/x",
		"https://me:hu@sh@a.example":       "https://a.example",
		"https://a.example?sig=hush":       "https://a.example",
		"s3://me:hush@bucket/a?b@c/*.warc": "s3://bucket/a?b@c/*.warc",
		"http://a.example/x@y/z":           "http://a.example/x@y/z",
	} {
		if got := Redacted(name); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}
