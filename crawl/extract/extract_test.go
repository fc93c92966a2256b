package extract

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"winnow/crawl/extract/blocks"
)

var update = flag.Bool("update", false, "write the golden files")

// TestPages compares the text of each page in testdata with the golden file beside it.
func TestPages(t *testing.T) {
	pages, err := filepath.Glob("testdata/*.html")
	if err != nil || len(pages) == 0 {
		t.Fatal("no pages", err)
	}
	for _, path := range pages {
		t.Run(filepath.Base(path), func(t *testing.T) {
			page, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			p, err := Extract(string(page), Options{})
			if err != nil {
				t.Fatal(err)
			}
			golden := strings.TrimSuffix(path, ".html") + ".txt"
			if *update {
				if err := os.WriteFile(golden, []byte(p.Text+"\n"), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got := p.Text + "\n"; got != string(want) {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

func TestMarkup(t *testing.T) {
	tests := []struct{ name, page, want string }{
		{"empty", "", ""},
		{"tags alone", "<p></p><div><br></div>", ""},
		{"no markup", "just a line", "just a line"},
		{"inline markup joins", "<p>un<b>break</b>able</p>", "unbreakable"},
		{"Han across inline elements", "<p>中<b>文</b><a href=x>字</a>。</p>", "中文字。"},
		{"source line between Han", "<p>一行\n  两行</p>", "一行两行"},
		{"source line in English", "<p>one\n  two</p>", "one two"},
		{"source line between Han and Latin", "<p>用\nGo 写</p>", "用 Go 写"},
		{"spaces of all kinds", "<p>a\u00a0\u3000 b\u200b\u00adc</p>", "a bc"},
		{"line break", "<p>one<br>two<br/><br/>three</p>", "one\ntwo\nthree"},
		{"list", "<ul><li>one</li><li><p>two</p><p>more</p></li></ul>", "- one\n- two\nmore"},
		{"table", "<table><tr><td>a</td><td>b</td></tr><tr><td><div>c</div></td><td>d<br>e</td></tr></table>", "a | b\nc | d e"},
		{"layout table", "<table><tr><td><p>a</p><p>b</p></td><td>c</td></tr></table>", "a\nb\nc"},
		{"code keeps its lines", "<pre>if x {\n\n\treturn\n}\n</pre>", "if x {\n\n\treturn\n}"},
		{"lines of code in elements", "<pre><div>a</div><div>  b</div></pre>", "a\n  b"},
		{"entities", "<p>AT&amp;T &lt;3 &#20013;</p>", "AT&T <3 中"},
		{"not shown", "<p>a</p><p hidden>b</p><p style='display:none'>c</p><script>d</script><template>e</template>", "a"},
		{"controls", "<p>a <button>b</button> c</p><select><option>d</select>", "a c"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, err := Extract(tt.page, Options{Mode: Recall}) // how text is written, not which
			if err != nil {
				t.Fatal(err)
			}
			if p.Text != tt.want {
				t.Errorf("got %q, want %q", p.Text, tt.want)
			}
		})
	}
}

func TestFacts(t *testing.T) {
	tests := []struct {
		page string
		want Page
	}{
		{"<html lang=de><title> A \n B </title>", Page{Title: "A B", Lang: "de"}},
		{`<meta property="og:title" content="T"><meta http-equiv="Content-Language" content="zh-TW">`, Page{Title: "T", Lang: "zh-TW"}},
		{`<meta name="pubdate" content="20240506">`, Page{Date: "2024-05-06"}},
		{`<time datetime="2024-05-06T10:00:00Z">`, Page{Date: "2024-05-06"}},
		{`<script type="application/ld+json">{"datePublished" : "2024-5-6", broken</script>`, Page{Date: "2024-05-06"}},
	}
	for _, tt := range tests {
		p, err := Extract(tt.page, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if p != tt.want {
			t.Errorf("%s: got %+v, want %+v", tt.page, p, tt.want)
		}
	}
}

func TestArticleInJSON(t *testing.T) {
	body := strings.Repeat("A sentence that only the script would show. ", 10)
	page := `<div id="app"></div><script type="application/ld+json">[{"@graph":[{"articleBody":"` + body + `"}]}]</script>`
	p, err := Extract(page, Options{})
	if err != nil || p.Text != strings.TrimSpace(body) {
		t.Errorf("got %q, %v", p.Text, err)
	}
}

func FuzzExtract(f *testing.F) {
	pages, _ := filepath.Glob("testdata/*.html")
	for _, path := range pages {
		page, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(page))
	}
	f.Add("<table><tr><td>a<td>b<table><tr><td>c<td>d")
	f.Add("<pre><li><pre>a</pre><ul><li>")
	f.Fuzz(func(t *testing.T, page string) {
		if !utf8.ValidString(page) {
			t.Skip()
		}
		m, errM := Extract(page, Options{Format: Markdown, Links: true, Images: true})
		a, errA := Extract(page, Options{})
		b, errB := Extract(page, Options{})
		if !utf8.ValidString(m.Text) || (errM == nil) != (errA == nil) || (m.Text == "") != (a.Text == "") && !strings.Contains(page, "<img") {
			t.Fatalf("Markdown %q, %v; text %q, %v", m.Text, errM, a.Text, errA)
		}
		if a != b || (errA == nil) != (errB == nil) {
			t.Fatal("two readings differ")
		}
		if !utf8.ValidString(a.Text) || strings.HasPrefix(a.Text, "\n") || strings.HasSuffix(a.Text, "\n") {
			t.Fatalf("text %q", a.Text)
		}
		if _, err := flat(page, Options{}, new(blocks.Watch)); err != nil && err != ErrDepth {
			t.Fatal(err)
		}
	})
}

func BenchmarkExtract(b *testing.B) {
	var extractor Extractor
	pages, _ := filepath.Glob("testdata/*.html")
	for _, path := range pages {
		page, err := os.ReadFile(path)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(strings.TrimSuffix(filepath.Base(path), ".html"), func(b *testing.B) {
			b.SetBytes(int64(len(page)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := extractor.Extract(string(page), Options{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
