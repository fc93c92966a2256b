package blocks

import (
	"encoding/binary"
	"strings"
	"unsafe"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// Hint is what the tag, class, id and role of an element suggest about the text below it.
type Hint uint32

// Hints on the part of a page that the text belongs to.
const (
	positive Hint = 1 << iota // main text: article, main
	Negative                  // something else: share bar, sidebar, cookies
	Weak                      // about the text rather than of it: short lines with dates, users, counts
	Comments                  // of readers
	hidden                    // not shown
	noscript                  // shown where scripts do not run
)

// skipped tells of elements whose text is never read.
func skipped(a atom.Atom) bool {
	switch a {
	case atom.Script, atom.Style, atom.Template, atom.Iframe, atom.Object, atom.Embed, atom.Svg, atom.Canvas, atom.Audio,
		atom.Video, atom.Map, atom.Head, atom.Title, atom.Button, atom.Input, atom.Select, atom.Textarea, atom.Option,
		atom.Datalist, atom.Progress, atom.Meter, atom.Img, atom.Picture, atom.Frameset, atom.Noframes:
		return true
	}
	return false
}

// IsBlock tells of elements that start a new line.
func IsBlock(a atom.Atom) bool {
	switch a {
	case atom.Html, atom.Body, atom.Address, atom.Article, atom.Aside, atom.Blockquote, atom.Center, atom.Dd, atom.Details,
		atom.Dialog, atom.Dir, atom.Div, atom.Dl, atom.Dt, atom.Fieldset, atom.Figcaption, atom.Figure, atom.Footer, atom.Form,
		atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6, atom.Header, atom.Hgroup, atom.Hr, atom.Legend, atom.Li,
		atom.Listing, atom.Main, atom.Menu, atom.Nav, atom.Noscript, atom.Ol, atom.P, atom.Plaintext, atom.Pre, atom.Search,
		atom.Section, atom.Summary, atom.Table, atom.Caption, atom.Tbody, atom.Thead, atom.Tfoot, atom.Tr, atom.Td, atom.Th,
		atom.Ul, atom.Xmp:
		return true
	}
	return false
}

// hasTarget tells whether an anchor leads away from the page.
func hasTarget(n *html.Node) bool {
	for _, a := range n.Attr {
		if a.Key == "href" {
			return a.Val != "" && a.Val[0] != '#'
		}
	}
	return false
}

// hints reads the tag and the attributes of an element.
func (c *classes) hints(n *html.Node) (h Hint, sign uint32) {
	sign = uint32(n.DataAtom) * 16777619
	switch n.DataAtom {
	case atom.Body, atom.Html:
		return 0, sign // their classes speak of the whole page
	case atom.Article, atom.Main:
		h = positive
	case atom.Nav, atom.Footer, atom.Aside, atom.Dialog, atom.Menu, atom.Figcaption:
		h = Negative
	case atom.Header:
		h = Weak
	case atom.Noscript:
		h = noscript
	}
	for _, a := range n.Attr {
		a.Val = a.Val[:min(len(a.Val), maxHint)]
		switch a.Key {
		case "class":
			seen := c.find(a.Val, sign)
			h |= seen.hint
			sign = seen.sign
		case "id":
			h |= WordHints(a.Val)
		case "itemprop":
			if a.Val == "articleBody" {
				h |= positive
			}
		case "role":
			h |= roleHint(a.Val)
		case "hidden":
			h |= hidden
		case "aria-hidden":
			if a.Val == "true" {
				h |= hidden
			}
		case "style":
			if NotShown(a.Val) {
				h |= hidden
			}
		}
	}
	return h, sign
}

// classes remembers what the classes of a page mean: most stand at more than one element.
type classes [256]classMeaning

type classMeaning struct {
	key  uint64
	hint Hint
	sign uint32 // of an element with the class
}

// find gives what a class means at an element whose tag has a sign.
func (c *classes) find(class string, sign uint32) classMeaning {
	key := HashOf(unsafe.Slice(unsafe.StringData(class), len(class))) ^ uint64(sign)<<32 | 1
	e := &c[key>>56]
	if e.key != key {
		e.key, e.hint, e.sign = key, WordHints(class), signOf(sign, class)
	}
	return *e
}

// signOf hashes the letters of a class attribute: figures number what is alike.
func signOf(sign uint32, class string) uint32 {
	for i := 0; i < len(class); i++ {
		if c := class[i]; c < '0' || c > '9' {
			sign = (sign ^ uint32(c)) * 16777619
		}
	}
	return sign
}

func roleHint(role string) Hint {
	switch role {
	case "main", "article":
		return positive
	case "navigation", "banner", "contentinfo", "complementary", "search", "dialog", "alertdialog", "menu", "menubar",
		"toolbar", "tablist":
		return Negative
	}
	return 0
}

// NotShown tells whether an inline style takes the element off the page.
func NotShown(style string) bool {
	for _, rule := range [...][2]string{{"display", "none"}, {"visibility", "hidden"}} {
		if i := strings.Index(style, rule[0]); i >= 0 {
			return strings.HasPrefix(strings.TrimLeft(style[i+len(rule[0]):], " :"), rule[1])
		}
	}
	return false
}

// WordHints looks up the words of a class or id. A word ends at anything but a letter, and before a capital.
func WordHints(s string) (h Hint) {
	n, word, small := 0, uint64(0), false
	for i := range len(s) {
		c := s[i]
		upper := c >= 'A' && c <= 'Z'
		letter := upper || c >= 'a' && c <= 'z'
		if n > 0 && (!letter || upper && small) {
			h |= vocabulary.get(word)
			n, word = 0, 0
		}
		if letter && n < maxWord {
			word = letterHash(word, c|0x20)
			n++
		}
		small = c >= 'a'
	}
	if n > 0 {
		h |= vocabulary.get(word)
	}
	return h
}

// maxHint is how many bytes of a class, id or role are read.
const maxHint = 512

// maxWord is how many letters of a word count.
const maxWord = 24

func letterHash(word uint64, c byte) uint64 { return (word ^ uint64(c)) * 0x9e3779b97f4a7c15 }

// hintTable finds the hints of a word by its hash.
type hintTable [1 << hintBits]struct {
	word uint64
	hint Hint // 0 for an empty place
}

const hintBits = 10

func (t *hintTable) get(word uint64) Hint {
	at := word >> (64 - hintBits)
	for t[at].hint != 0 && t[at].word != word {
		at = (at + 1) & (1<<hintBits - 1)
	}
	return t[at].hint
}

// Groups of words, which the scorer weighs one by one. Those of the first are also positive or negative, as a whole.
const (
	navWords Hint = 1 << (iota + 6)
	buttonWords
	consentWords
	accountWords
	promoWords
	shareWords
	relatedWords
	tagWords
	BylineWords // who wrote it, and when
	captionWords
	legalWords
	statWords
	headerWords
	toolWords
	contentWords
	articleWords
	postWords
	productWords
	reviewWords
	priceWords
	cardWords
	questionWords
	heroWords
	quoteWords
	sideWords
	HintCount = iota + 6 // hints that features are made of: all but FormulaWords
)

// vocabulary holds words of classes and ids, as authors of pages and makers of templates use them. It is read only.
var vocabulary = makeVocabulary([]wordGroup{
	{Negative | sideWords, `sidebar rail drawer widget widgettitle textwidget`},
	{Negative | navWords, `footer nav navbar navigation menu submenu subnav megamenu menubar mainmenu topnav breadcrumb breadcrumbs
		crumb crumbs toolbar topbar bottombar masthead colophon skip sitemap pagination pager paging dropdown flyout`},
	{Negative | buttonWords, `btn button buttons carousel tooltip sr screenreader noprint print search searchform searchbox rss`},
	{Negative | consentWords, `cookie cookies consent gdpr onetrust cmplz cky didomi osano termly truste usercentrics cookiebot cybot
		popup popover modal overlay notification notifications feedback`},
	{Negative | accountWords, `newsletter subscribe subscription optin login signin signup register account cart wishlist`},
	{Negative | promoWords, `promo promotion advert advertisement advertising advertorial ad ads adv sponsor sponsored affiliate donate
		paywall`},
	{Negative | shareWords, `share sharing sharebar shares social socials addthis sharedaddy follow followus facebook pinterest linkedin
		whatsapp`},
	{Negative | relatedWords, `related relatedposts recommend recommended recommendation recommendations outbrain taboola trending popular
		mostread morestories readmore moreon recent latest`},
	{Negative | tagWords, `tags taglist tagcloud tagged`},
	{Negative | BylineWords, `byline dateline timestamp authorbox authorbio authors bio biography signature sig signaturecontainer avatar`},
	{Negative | captionWords, `caption credit credits citate`},
	{Negative | legalWords, `copyright disclaimer disclosure legal privacy`},
	{Negative | statWords, `ratings reactions`},
	{Weak | BylineWords, `date time published updated author user username userinfo usertitle userdetails poster postprofile`},
	{Weak | postWords, `posted`},
	{Weak | statWords, `attribution views stats score vote votes badge badges count counter meta metadata`},
	{Weak | headerWords, `header logo branding`},
	{Weak | toolWords, `icon icons action actions control controls tools more next prev previous edit`},
	{Comments, `comment comments commentlist disqus respond reply replies discussion`},
	{contentWords, `content contents main body text richtext rte prose markdown wysiwyg copy maincontent container`},
	{articleWords, `article entry story blog blogpost essay chapter section paragraph singlepost hentry postcontent articlebody`},
	{postWords, `post posts message messages thread topic forum cooked postbody bbwrapper post topicpost`},
	{productWords, `product products description desc details detail specs spec specifications specification features feature ingredients
		accordion tab tabs overview info information summary about attributes`},
	{reviewWords, `review reviews rating testimonial testimonials stars`},
	{priceWords, `price prices buy checkout quantity stock shipping sku variant swatch options option filter filters facet facets sort
		sorting results`},
	{cardWords, `card cards grid tile tiles item items list listing listings row col column slide slider swiper gallery teaser`},
	{questionWords, `question questions answer answers faq faqs qa`},
	{heroWords, `hero banner intro lead lede headline title heading subtitle subheading tagline excerpt abstract`},
	{FormulaWords, `katex jax mathjax mwe mjx`},
	{quoteWords, `quote quoted blockquote bbcode pullquote`},
})

type wordGroup struct {
	hint  Hint
	words string
}

func makeVocabulary(lists []wordGroup) *hintTable {
	t := new(hintTable)
	for _, l := range lists {
		for letters := range strings.FieldsSeq(l.words) {
			word := uint64(0)
			for i := range len(letters) {
				word = letterHash(word, letters[i])
			}
			at := word >> (64 - hintBits)
			for t[at].hint != 0 && t[at].word != word {
				at = (at + 1) & (1<<hintBits - 1)
			}
			t[at].word, t[at].hint = word, t[at].hint|l.hint
		}
	}
	return t
}

// HashOf is a hash of text, eight bytes at a time.
func HashOf(text []byte) uint64 {
	const prime = 0x9e3779b97f4a7c15
	h := uint64(len(text)) * prime
	for ; len(text) >= 8; text = text[8:] {
		h = (h ^ binary.LittleEndian.Uint64(text)) * prime
		h ^= h >> 29
	}
	for _, c := range text {
		h = (h ^ uint64(c)) * prime
	}
	return h ^ h>>32
}
