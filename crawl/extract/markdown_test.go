package extract

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"winnow/crawl/charset"
)

// sentence makes a page's paragraph long enough to be its main text.
const sentence = "<p>This paragraph is long enough to count as prose, it has commas, and it ends as sentences do. "

func TestMarkdown(t *testing.T) {
	tests := []struct{ name, page, want string }{
		{"heading", "<h2>A <b>bold</b> title #</h2>", `## A bold title \#`},
		{"emphasis", "<p>some <b>bold </b>and <i>slanted</i>, un<em>break</em>able</p>", "some **bold** and *slanted*, un*break*able"},
		{"emphasis next to Han punctuation", "<p>中文<b>强调。</b>后文<b>“引文”</b>里</p>", "中文**强调**。后文“**引文**”里"},
		{"emphasis around blocks", "<b><p>one</p><p>two</p></b>", "**one**\n\n**two**"},
		{"inline code", "<p>call <code>f(a_*b*)</code> or <code>`x</code></p>", "call `f(a_*b*)` or `` `x ``"},
		{"signs that are none", "<p>2 * 3, *x*, a_b, _c_, [d](e), &amp;lt; &lt;b> `</p>", "2 * 3, \\*x\\*, a_b, \\_c\\_, \\[d\\](e), \\&lt; \\<b> \\`"},
		{"starts that are none", "<p># a<br>- b<br>1. c<br>> d<br>+<br>---</p>", "\\# a  \n\\- b  \n1\\. c  \n\\> d  \n\\+  \n\\---"},
		{"nested list", "<ul><li>a<ol><li>b</li><li>c</li></ol></li><li>d</li></ul>", "- a\n  1. b\n  2. c\n- d"},
		{"item of blocks", "<ol start=9><li>a longer item, that is prose.<p>It has another paragraph, which is as long as prose is, and it counts.</p></li><li>c<pre>d\n  e</pre></li></ol>",
			"9. a longer item, that is prose.\n\n   It has another paragraph, which is as long as prose is, and it counts.\n\n10. c\n\n    ```\n    d\n      e\n    ```"},
		{"quote", "<blockquote><p>a</p><ul><li>b</li></ul></blockquote><p>c</p>", "> a\n>\n> - b\n\nc"},
		{"table", "<table><tr><th>A</th><th>B</th></tr><tr><td>1|2</td><td><b>c</b></td></tr></table>", "| A | B |\n| --- | --- |\n| 1\\|2 | **c** |"},
		{"empty and wide cells", "<table><tr><td>a</td><td></td><td>c</td></tr><tr><td rowspan=2>d</td><td>e</td><td>f</td></tr><tr><td colspan=1>g</td><td>h</td></tr></table>",
			"| a |  | c |\n| --- | --- | --- |\n| d | e | f |\n|  | g | h |"},
		{"code", "<div class=highlight><pre><code class='hljs language-go'>if x {\n\n\treturn\n}\n</code></pre></div>", "```go\nif x {\n\n\treturn\n}\n```"},
		{"code with a fence", "<pre>```\na\n```</pre>", "````\n```\na\n```\n````"},
		{"numbers beside code", "<pre><span class=lineno>1</span>a<br><br><span class=lineno>2</span>  b</pre>", "```\na\n\n  b\n```"},
		{"MathML", "<p>so <math><msup><mi>x</mi><mn>2</mn></msup></math> holds</p>", "so $x^{2}$ holds"},
		{"displayed", "<p>so <math display=block><mi>x</mi></math> holds</p>", "so  \n$$x$$  \nholds"},
		{"KaTeX", `<p>a <span class="katex"><span class="katex-mathml"><math><semantics><mi>q</mi><annotation encoding="application/x-tex">q_1</annotation></semantics></math></span><span class="katex-html" aria-hidden="true">q1</span></span> b</p>`, "a $q_1$ b"},
		{"MathJax", `<p>a <span class="MathJax_Preview"></span><span class="MathJax">E</span><script type="math/tex">E=mc^2</script> b</p>`, "a $E=mc^2$ b"},
		{"MathJax 3", `<p>a <mjx-container><mjx-math></mjx-math><mjx-assistive-mml><math><mi>E</mi></math></mjx-assistive-mml></mjx-container> b</p>`, "a $E$ b"},
		{"MediaWiki", `<p>a <span class="mwe-math-element"><span class="mwe-math-mathml-inline" style="display: none;"><math alttext="{\displaystyle x_1}"><mi>x</mi></math></span><img alt="{\displaystyle x_1}"></span> b</p>`, "a $x_1$ b"},
		{"formula in alt", `<p>a <img alt="\frac{1}{2}" src="x.png"> b <img alt="x^2" class="latex"> c <img alt="A_photo"></p>`, `a $\frac{1}{2}$ b $x^2$ c`},
		{"LaTeX in text", `<p>$a_i*b_i*c$ \(x_1*x_2*\) cost $5 and $6 * 2</p>`, `$a_i*b_i*c$ \(x_1*x_2*\) cost $5 and $6 * 2`},
		{"link without address", "<p>see <a href=x>this</a></p>", "see this"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, err := Extract(tt.page, Options{Format: Markdown})
			if err != nil {
				t.Fatal(err)
			}
			if p.Text != tt.want {
				t.Errorf("got\n%s\nwant\n%s", p.Text, tt.want)
			}
		})
	}
}

func TestMarkdownLinks(t *testing.T) {
	page := sentence + `See <a href="/b c?d=(e)">f <em>g</em></a>, <a href="#h">i</a>. <img src="j.png" alt="k">`
	p, err := Extract(page, Options{Format: Markdown, Links: true, Images: true, URL: "https://example.org/x/y"})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"[f *g*](https://example.org/b%20c?d=%28e%29)", ", i.", "\n\n![k](https://example.org/x/j.png)"} {
		if !strings.Contains(p.Text, want) {
			t.Errorf("no %q in %s", want, p.Text)
		}
	}
}

var (
	fences   = regexp.MustCompile("(?m)^[> ]*(- |[0-9]+\\. )*`{3,}[a-z0-9+#._-]*$")
	numbered = regexp.MustCompile(`[0-9]+\.(\s|$)`)
	marks    = strings.NewReplacer(`\`, "", "*", "", "`", "", "|", " ", "#", " ", ">", " ", "-", " ", "_", " ")
)

// plainWords are the words of a text in either format, without what either sets beside them.
func plainWords(s string) []string {
	return words(numbered.ReplaceAllString(marks.Replace(fences.ReplaceAllString(s, "")), " "))
}

// TestNothingIsLost holds both formats of real pages to the same words in the same order, and code to the same lines.
func TestNothingIsLost(t *testing.T) {
	pages, code := 0, 0
	for _, set := range []string{"scrapinghub", "wcxb_dev340", "zh_cwced_a", "trafilatura_eval150", "webmainbench4"} {
		for _, g := range corpus(t, set) {
			page, _, err := charset.Decode(g.body, "")
			if err != nil {
				continue
			}
			text, _ := Extract(page, Options{})
			marked, _ := Extract(page, Options{Format: Markdown})
			pages++
			a, b := plainWords(text.Text), plainWords(marked.Text)
			for i := range max(len(a), len(b)) {
				if i >= len(a) || i >= len(b) || a[i] != b[i] {
					t.Errorf("%s: word %d\n%q\n%q", g.File, i, a[min(i, len(a)):min(i+8, len(a))], b[min(i, len(b)):min(i+8, len(b))])
					break
				}
			}
			lines := strings.Split(text.Text, "\n")
			fence := ""
			for line := range strings.SplitSeq(marked.Text, "\n") {
				switch {
				case fence == "" && strings.HasPrefix(line, "```"):
					fence = line[:strings.LastIndexByte(line, '`')+1]
				case line == fence:
					fence = ""
				case fence != "":
					code++
					if !slices.Contains(lines, line) {
						t.Errorf("%s: line of code %q is not in the plain text", g.File, line)
					}
				}
			}
		}
	}
	t.Logf("%d pages, %d lines of code", pages, code)
}
