package tex

import (
	"strings"
	"testing"

	"golang.org/x/net/html"
)

func find(n *html.Node) *html.Node {
	if n.Type == html.ElementNode && n.Data == "math" {
		return n
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if m := find(c); m != nil {
			return m
		}
	}
	return nil
}

func TestOf(t *testing.T) {
	tests := []struct{ page, want string }{
		{`<mi>x</mi>`, "x"},
		{`<msup><mi>x</mi><mn>2</mn></msup><mo>+</mo><msub><mi>a</mi><mrow><mi>i</mi><mo>,</mo><mi>j</mi></mrow></msub>`, "x^{2}+a_{i,j}"},
		{`<mfrac><mrow><mo>−</mo><mi>b</mi><mo>±</mo><msqrt><msup><mi>b</mi><mn>2</mn></msup><mo>−</mo><mn>4</mn><mi>a</mi><mi>c</mi></msqrt></mrow><mrow><mn>2</mn><mi>a</mi></mrow></mfrac>`,
			`\frac{-b\pm\sqrt{b^{2}-4ac}}{2a}`},
		{`<munderover><mo>∑</mo><mrow><mi>i</mi><mo>=</mo><mn>1</mn></mrow><mi>n</mi></munderover><msub><mi>x</mi><mi>i</mi></msub>`, `\sum_{i=1}^{n}x_{i}`},
		{`<msubsup><mo>∫</mo><mn>0</mn><mi>∞</mi></msubsup><mi>f</mi><mo>&#x2061;</mo><mfenced><mi>x</mi><mi>y</mi></mfenced>`, `\int_{0}^{\infty}f\left(x,y\right)`},
		{`<mi>sin</mi><mi>α</mi><mi>β</mi><mi>x</mi>`, `\sin\alpha\beta x`},
		{`<mover><mi>x</mi><mo>¯</mo></mover><mover><mi>v</mi><mo>→</mo></mover>`, `\overline{x}\vec{v}`},
		{`<mroot><mi>x</mi><mn>3</mn></mroot>`, `\sqrt[3]{x}`},
		{`<mtable><mtr><mtd><mn>1</mn></mtd><mtd><mn>0</mn></mtd></mtr><mtr><mtd><mn>0</mn></mtd><mtd><mn>1</mn></mtd></mtr></mtable>`, `\begin{matrix}1 & 0 \\ 0 & 1\end{matrix}`},
		{`<mtext>if </mtext><mi>n</mi><mo>∈</mo><mi mathvariant="double-struck">N</mi>`, `\text{if}n\in\mathbb{N}`},
		{`<munder><mi>lim</mi><mrow><mi>x</mi><mo>→</mo><mn>0</mn></mrow></munder><mi>x</mi>`, `\lim_{x\to0}x`},
		{`<mmultiscripts><mi>X</mi><mi>a</mi><none/><mprescripts/><mn>1</mn><mn>2</mn></mmultiscripts>`, `{}_{1}^{2}X_{a}`},
		{`<mo>{</mo><mi>x</mi><mo>}</mo><mi>abc</mi>`, `\{x\}\mathrm{abc}`},
		{`<semantics><mrow><mi>q</mi></mrow><annotation encoding="application/x-tex">{\displaystyle \sqrt q}</annotation></semantics>`, `\sqrt q`},
		{`<msup></msup>`, "{}^{}"},
	}
	for _, tt := range tests {
		root, err := html.Parse(strings.NewReader("<math>" + tt.page + "</math>"))
		if err != nil {
			t.Fatal(err)
		}
		if got, display := Of(find(root)); got != tt.want || display {
			t.Errorf("%s: got %s, want %s", tt.page, got, tt.want)
		}
	}
	root, _ := html.Parse(strings.NewReader(`<math display="block" alttext="a_{1}"><mi>no</mi></math>`))
	if got, display := Of(find(root)); got != "a_{1}" || !display {
		t.Errorf("alttext: got %q, %t", got, display)
	}
}

func TestLikely(t *testing.T) {
	for s, want := range map[string]bool{`\frac{1}{2}`: true, "x^2": true, "a_i": true, "A photograph": false, "C:": false, "": false, "IMG_2020": true, "http://a/x_y": false} {
		if Likely(s) != want {
			t.Errorf("%q: got %t", s, !want)
		}
	}
}
