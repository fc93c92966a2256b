package charset

import (
	"bytes"
	"strings"
	"unicode"

	"github.com/wlynxg/chardet"
)

const (
	sampleBytes = 8 << 10 // of words beyond ASCII that detection looks at
	leastBytes  = 512     // of it that the detector is asked about
	enoughBytes = 40      // beyond ASCII, without which detection does not overrule a declaration
	confident   = 0.8     // of the detector, from which on it may overrule one
	doubtful    = 0.75    // below which the letters decide among the charsets of the Latin and Arabic scripts
)

// visible gives the words with bytes beyond ASCII among the text of a page outside of tags, comments, scripts and styles,
// sampleBytes or a little more. It works on any charset that keeps '<' and '>' to themselves, which all do but UTF-16 and
// ISO-2022-JP.
func visible(body []byte) []byte {
	out := make([]byte, 0, min(len(body), sampleBytes))
	for len(body) > 0 && len(out) < sampleBytes {
		open := bytes.IndexByte(body, '<')
		if open < 0 {
			open = len(body)
		}
		out = appendWords(out, body[:open])
		body = skipTag(body[open:])
	}
	return out
}

// appendWords appends the words of text that have a byte beyond ASCII, each with a space behind it.
func appendWords(out, text []byte) []byte {
	for len(text) > 0 && len(out) < sampleBytes {
		end, high := 0, false
		for end < len(text) && text[end] > ' ' && end < sampleBytes {
			high = high || text[end] >= 0x80
			end++
		}
		if high {
			out = append(append(out, text[:end]...), ' ')
		}
		text = text[max(end, 1):]
	}
	return out
}

// skipTag skips the tag that b starts with, and with it the whole of a comment, script or style: all of b where it has no end.
func skipTag(b []byte) []byte {
	end := ">"
	switch {
	case hasTag(b, "<!--"):
		end = "-->"
	case hasTag(b, "<script"):
		return skipTo(b, "</script")
	case hasTag(b, "<style"):
		return skipTo(b, "</style")
	}
	if i := bytes.Index(b, []byte(end)); i >= 0 {
		return b[i+len(end):]
	}
	return nil
}

// skipTo skips to an end tag.
func skipTo(b []byte, tag string) []byte {
	for {
		i := bytes.Index(b, []byte("</"))
		if i < 0 {
			return nil
		}
		if b = b[i:]; hasTag(b, tag) {
			return b[len(tag):]
		}
		b = b[2:]
	}
}

func hasTag(b []byte, tag string) bool {
	return len(b) >= len(tag) && bytes.EqualFold(b[:len(tag)], []byte(tag))
}

// detect guesses the charset of text that is not UTF-8, and how sure it is, 0..1.
func detect(sample []byte) (name string, sure float64) {
	if name, sure := quick(sample); name != "" {
		return name, sure
	}
	name, sure = ask(sample)
	if name != "" && name != "windows-1252" && sure >= doubtful {
		return name, sure
	}
	if looksBig5(sample) {
		return "big5", confident
	}
	latin, fits := byLetters(sample)
	if name == "" || fits > 0.5 {
		return latin, fits
	}
	return name, sure
}

const (
	quickBytes = 60   // beyond ASCII, from which on quick answers
	latinShare = 0.4  // of bytes beyond ASCII in words that have some, up to which the script is Latin
	latinFit   = 0.98 // of their letters in one alphabet, from which on that settles it
)

// quick knows the charset of text that leaves no doubt: Latin letters of one alphabet, or Chinese in GB 2312. The detector
// builds the tables of all its charsets for each text, which takes longer than all else.
func quick(sample []byte) (name string, sure float64) {
	high, all := 0, 0
	for _, c := range sample {
		if c > ' ' {
			all++
		}
		if c >= 0x80 {
			high++
		}
	}
	switch {
	case high < quickBytes:
		return "", 0
	case float64(high) < latinShare*float64(all):
		if latin, fits := byLetters(sample); fits >= latinFit {
			return latin, fits
		}
	case looksGB2312(sample):
		return "gbk", confident
	}
	return "", 0
}

// looksGB2312 knows simplified Chinese by its pairs of bytes: nearly all are signs or Han of level 1, which lies in rows B0
// to D7, and a good part of these lies beyond C8, where Korean has no syllables. Japanese has rows A4 and A5, its kana.
func looksGB2312(b []byte) bool {
	pairs, han, late, kana, other := 0, 0, 0, 0, 0
	for i := 0; i < len(b); i++ {
		lead := b[i]
		if lead < 0x80 {
			continue
		}
		if i+1 == len(b) || b[i+1] < 0xa1 || b[i+1] == 0xff || lead < 0xa1 || lead > 0xf7 {
			other++
			continue
		}
		pairs++
		i++
		switch {
		case lead == 0xa4 || lead == 0xa5:
			kana++
		case lead >= 0xb0 && lead <= 0xd7:
			han++
			if lead > 0xc8 {
				late++
			}
		}
	}
	return han*100 >= pairs*75 && late*100 >= han*20 && kana*100 <= pairs && other*100 <= pairs
}

// ask asks the detector, about each half where it knows no answer: one damaged character makes it give up on a charset.
func ask(sample []byte) (name string, sure float64) {
	r := chardet.Detect(sample)
	if r.Confidence >= 0.5 || len(sample) < leastBytes {
		return canonical(r.Encoding), r.Confidence
	}
	half := len(sample) / 2
	for half < len(sample) && sample[half] > ' ' {
		half++
	}
	if half == len(sample) {
		return canonical(r.Encoding), r.Confidence
	}
	name, sure = ask(sample[:half])
	if sure >= confident {
		return name, sure
	}
	if other, more := ask(sample[half:]); more > sure {
		return other, more
	}
	return name, sure
}

// looksBig5 knows Big5 by its Han characters, of which nearly all in use lie in rows A4 to C6. The detector gives up at
// the first character of the Hong Kong extension.
func looksBig5(b []byte) bool {
	common, all := 0, 0
	for i := 0; i < len(b)-1; i++ {
		lead, trail := b[i], b[i+1]
		if lead < 0x80 {
			continue
		}
		all++
		if lead < 0x81 || lead > 0xfe || trail < 0x40 || trail > 0x7e && trail < 0xa1 {
			continue
		}
		if lead >= 0xa1 && lead <= 0xc6 {
			common++
		}
		i++
	}
	return all >= 4 && common*10 >= all*8 && !broken(b, "big5")
}

// beyondDoubt tells of declarations that no guess overrules: the letters agree, or the bytes are too few for a guess.
func beyondDoubt(sample []byte, declared string) bool {
	if declared == "windows-1252" {
		return fitAny(decodeAs(sample, declared), letters[0].languages) >= 0.95
	}
	high := 0
	for _, c := range sample {
		if c >= 0x80 {
			high++
		}
	}
	return high < enoughBytes
}

// overrules tells whether a guess weighs more than a declaration that the bytes do not contradict and that is not beyond
// doubt. Windows-1252 is what servers declare by default and what decodes anything, so there less of a guess will do.
func overrules(guess string, sure float64, declared string) bool {
	if family(guess) == family(declared) {
		return false
	}
	return sure >= confident || declared == "windows-1252" && sure > 0.5
}

// letters beyond ASCII of the languages that a charset is used for, in lower case: those for which the detector has no
// model or a weak one. The first of equals wins.
var letters = []struct {
	charset   string
	languages []string
}{
	{"windows-1252", []string{
		"àâçèéêëîïôùûüœæ", "äöüßé", "áéíñóúü¡¿ªº", "àáâãçéêíóôõúüªº", "åäöé", "æøåéó", "àèéìíòóù", "ëéïöèü", "áðéíóúýþæö",
		"àçèéíïòóúü·",
	}},
	{"windows-1250", []string{"ąćęłńóśźż", "áčďéěíňóřšťúůýž", "áäčďéíĺľňóôŕšťúýž", "áéíóöőúüű", "ăâîşţ", "čćđšž"}},
	{"iso-8859-2", []string{"ąćęłńóśźż", "áčďéěíňóřšťúůýž", "áäčďéíĺľňóôŕšťúýž", "áéíóöőúüű", "ăâîşţ", "čćđšž"}},
	{"windows-1254", []string{"âçğıîöşüûi\u0307"}},
	{"windows-1257", []string{"ąčęėįšųūž", "āčēģīķļņšūž", "äõöüšž"}},
	{"windows-1256", []string{"ابتثجحخدذرزسشصضطظعغفقكلمنهويىةءآأؤإئپچژگـ،؟؛\u200c\u200d\u064b\u064c\u064d\u064e\u064f\u0650\u0651\u0652"}},
}

// better is by how much the letters of a later charset have to fit better.
const better = 0.005

// byLetters picks the charset whose decoding has nearly all letters beyond ASCII from the alphabet of one language.
func byLetters(sample []byte) (best string, score float64) {
	for _, l := range letters {
		if s := fitAny(decodeAs(sample, l.charset), l.languages); best == "" || s > score+better {
			best, score = l.charset, s
		}
		if score+better >= 1 {
			break
		}
	}
	return best, score
}

// fitAny is the fit of text to the language that it fits best.
func fitAny(text string, languages []string) (best float64) {
	for _, l := range languages {
		best = max(best, fit(text, l))
	}
	return best
}

// fit is the share of the letters of one alphabet among the characters of text beyond ASCII and typographic signs. An
// upper case letter after a lower case one is a miss: real words have none.
func fit(text, alphabet string) float64 {
	good, all := 0, 0
	lower := false
	for _, r := range text {
		if r >= 0x80 && !strings.ContainsRune("\u00a0«»„“”‘’–—…·•°©®", r) {
			all++
			if strings.ContainsRune(alphabet, unicode.ToLower(r)) && !(lower && unicode.IsUpper(r)) {
				good++
			}
		}
		lower = unicode.IsLower(r)
	}
	if all == 0 {
		return 0
	}
	return float64(good) / float64(all)
}
