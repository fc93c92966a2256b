package tree

import (
	"archive/tar"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"winnow/crawl/charset"
)

// difference tells where two trees differ; "" where they do not.
func difference(a, b *html.Node, path string) string {
	if a.Type != b.Type || a.DataAtom != b.DataAtom || a.Data != b.Data || a.Namespace != b.Namespace || !slices.Equal(a.Attr, b.Attr) {
		return fmt.Sprintf("%s: got %v %q %v, want %v %q %v", path, a.Type, a.Data, a.Attr, b.Type, b.Data, b.Attr)
	}
	if a.Type == html.ElementNode {
		path += "/" + a.Data
	}
	x, y := a.FirstChild, b.FirstChild
	for ; x != nil && y != nil; x, y = x.NextSibling, y.NextSibling {
		if x.Parent != a || x.NextSibling != nil && x.NextSibling.PrevSibling != x || x.NextSibling == nil && a.LastChild != x {
			return path + ": wrong links"
		}
		if d := difference(x, y, path); d != "" {
			return d
		}
	}
	switch {
	case x != nil:
		return fmt.Sprintf("%s: got %v %.80q beyond what is wanted", path, x.Type, x.Data)
	case y != nil:
		return fmt.Sprintf("%s: wants %v %.80q", path, y.Type, y.Data)
	}
	return ""
}

// check compares with the library, and tells whether the tree was made without it.
func check(t *testing.T, b *Builder, page, name string) (own bool) {
	t.Helper()
	got, err := b.Parse(page)
	if err == ErrRare || err == ErrNodes {
		return false
	}
	want, wantErr := html.ParseWithOptions(strings.NewReader(page), html.ParseOptionEnableScripting(false))
	if (err != nil) != (wantErr != nil) {
		t.Errorf("%s: error %v, want %v", name, err, wantErr)
		return true
	}
	if err == nil {
		if d := difference(got, want, ""); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
	return true
}

// realPages gives the pages of all sets below $WINNOW_DATA/html.
func realPages(t testing.TB) map[string][]string {
	dir := os.Getenv("WINNOW_DATA")
	if dir == "" {
		t.Skip("WINNOW_DATA is not set: the folder with real pages")
	}
	sets, err := filepath.Glob(filepath.Join(dir, "html", "*", "pages.tar.gz"))
	if err != nil || len(sets) == 0 {
		t.Fatal(sets, err)
	}
	pages := map[string][]string{}
	for _, set := range sets {
		f, err := os.Open(set)
		if err != nil {
			t.Fatal(err)
		}
		z, err := gzip.NewReader(f)
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Base(filepath.Dir(set))
		for r := tar.NewReader(z); ; {
			if _, err := r.Next(); err == io.EOF {
				break
			} else if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(r)
			if err != nil {
				t.Fatal(err)
			}
			page, _, _ := charset.Decode(body, "")
			pages[name] = append(pages[name], page)
		}
		f.Close()
	}
	return pages
}

// drawn finds what the pass in front of the builder takes out: most of what is left to the library.
var drawn = regexp.MustCompile(`(?is)<svg.*?</svg>`)

// TestRealPages compares the trees of all real pages with the library's, as they are and without drawings.
func TestRealPages(t *testing.T) {
	var b Builder
	for name, pages := range realPages(t) {
		own, lean := 0, 0
		for i, page := range pages {
			if check(t, &b, page, fmt.Sprintf("%s %d", name, i)) {
				own++
				lean++
			} else if check(t, &b, drawn.ReplaceAllString(page, ""), fmt.Sprintf("%s %d", name, i)) {
				lean++
			}
		}
		t.Logf("%s: %d of %d pages without the library, %d without their drawings", name, own, len(pages), lean)
		if lean*10 < len(pages)*9 {
			t.Errorf("%s: the library has to make too many trees", name)
		}
	}
}

// FuzzParse compares the trees of any bytes with the library's.
func FuzzParse(f *testing.F) {
	for _, page := range seeds {
		f.Add(page)
	}
	var b Builder
	f.Fuzz(func(t *testing.T, page string) { check(t, &b, page, "page") })
}

// TestSeeds compares the trees of small pages, each with something that is easily taken wrong.
func TestSeeds(t *testing.T) {
	var b Builder
	for _, page := range seeds {
		check(t, &b, page, page)
	}
}

var seeds = []string{
	"", "x", "<", "</", "</>", "<!", "<!x", "<!-->a", "<!--->b", "<!--a--!>c", "<!--a--b-->", "<?x?>y", "</ x>y", "<a", "<a b", "a</b", "<p a=b c='d' e=\"f\" g>h",
	"<!doctype html><p><table><tr><td>x", "<!DOCTYPE HTML PUBLIC \"-//W3C//DTD HTML 4.01 Transitional//EN\"><p><table>x", "<p><table>x<b>y</table>z",
	"<b>a<p>b</b>c</p>d", "<a href=1>x<div>y<a href=2>z</div>u", "<b><i><u>x<p>y</b>z</i>u</u>v", "<b><em><i><u><s><p>x</b>y", "<table><a>1<p>2</a>3</table>",
	"<font a=1 b=2><font b=2 a=1><font a=1 b=2><font a=1 b=2>x<p>y", "<nobr>x<nobr>y<p>z</nobr>u", "<ul><li>a<li>b<p>c<ul><li>d</ul><li>e", "<dl><dt>a<dd>b<dt>c",
	"<select><option>a<optgroup><option>b<select>c<input>d", "<ruby>a<rb>b<rt>c<rtc>d<rp>e</ruby>", "<table><caption>a<td>b<caption>c</table>d",
	"<table><colgroup> <col>x<col></table>", "<table><tr><th>a</table>b<tr>c", "<table><form><tr><td><input></form></table>", "<form><div></form>x</div><form>y",
	"<title>a</titl>&amp;b</title  x>c", "<textarea>\n\nx</textarea>y", "<pre>\n\nx</pre>y", "<pre>\r\n&#13;x", "<script>a<!--<script>b</script>c--></script>d",
	"<script><!-- a < b <script></script>c</script>d", "<style>a</style ><xmp><b></xmp>c", "<plaintext>a</plaintext>b", "<noscript><p>a</noscript>b",
	"<head><noscript><link><p>a</noscript>b", "<head><title>x</title></head> <link>y", "<html a=1><html a=2 b=3><body c=1><body c=2 d=3>x</body></html>y<!--z-->",
	"&amp &ampx &notit; &notit &#x41; &#128; &#0; &#xd800; &#99999999999; &lt;p&gt; &nGt; &semi;", "<a b='&amp=c&ampx&amp;d&copy&copy=&nGt;&notit;'>", "a\r\nb\rc&#13;\n",
	"<p>x<button>y<button>z</p>u", "<object><b>x</object>y", "<image src=x><br/></br></p>", "<h1>a<h2>b</h3>c", "<CLASS>x</class><Foo-Bar>y</foo-bar>z", "<li><div><li>x<address><li>y",
	"<table><tr><td><table><tr><td>x</table>y</table>z", "<table><input type=hidden><input>x", "<tr><td>x", "<frameset>x", "<svg><p>x", "<template>x", "<template><tr><td>x</template>y", "<table><template><td>x</template><tr>y", "<template><col><p>x</template>y", "<div><template><form><form></form></template></form>x", "<head><template><b>x</head><template></template>y",
	"<template><html a=1><body b=2><table>x<tr>y", "<p><template><p>x</p></template>y", "</template><template></td><template>", "<template><table>x</template><table><template>y", "a\x00b", "<p a=1 A=2 a=3>x", "<p =a =b/c/ d=/>x",
	"<hr><select><hr></select>", "<iframe><p></iframe>x<noembed>y</noembed>", "<b></p>x</b><i></div>y", "<table><b><tr><i>x</table>y", "<p><b><table><tr><td></b>x</table>y",
}

func BenchmarkParse(b *testing.B) {
	for name, pages := range realPages(b) {
		b.Run(name, func(b *testing.B) {
			var builder Builder
			n := 0
			for i, p := range pages {
				pages[i] = drawn.ReplaceAllString(p, "")
				n += len(pages[i])
			}
			b.SetBytes(int64(n))
			b.ReportAllocs()
			for b.Loop() {
				for _, p := range pages {
					_, _ = builder.Parse(p)
				}
			}
		})
	}
}
