// Package charset turns the bytes of a web page into UTF-8. In go the body and its Content-Type header; out come the text,
// always valid UTF-8, and the WHATWG name of the charset that it was decoded from.
//
// A byte order mark decides, then valid UTF-8 does, for text in another charset hardly ever is valid UTF-8 by accident. Of
// what is left, declarations are believed only as far as the bytes bear them out: on the crawled web they are often wrong.
package charset

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/html/charset"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/simplifiedchinese"
)

const (
	// MaxBad is the share of a page's code points that may be U+FFFD or control characters before Decode reports an error.
	// Text with a few damaged characters lies far below it, binary data far above.
	MaxBad = 0.02

	// maxBroken is the share of the characters beyond ASCII that may fail to decode before a charset is ruled out.
	maxBroken = 0.02
)

// Error says that more than MaxBad of a page is U+FFFD or control characters.
type Error struct {
	Charset  string // the best guess
	Bad, All int    // code points
}

func (e *Error) Error() string {
	return fmt.Sprintf("charset %s: %d of %d characters are no text", e.Charset, e.Bad, e.All)
}

// Share is the share of bad code points, 0..1.
func (e *Error) Share() float64 { return float64(e.Bad) / float64(e.All) }

// Decode gives the text of body as valid UTF-8 and the WHATWG name of its charset. contentType is the value of the
// Content-Type header and may be empty. The error is an *Error; text and name are the best guess even then.
func Decode(body []byte, contentType string) (text, name string, err error) {
	text, name = decode(body, contentType)
	bad, all := 0, 0
	for _, r := range text {
		all++
		if r == utf8.RuneError || r < ' ' && r != '\n' && r != '\r' && r != '\t' && r != '\f' || r >= 0x7f && r < 0xa0 {
			bad++
		}
	}
	if float64(bad) > MaxBad*float64(all) {
		return text, name, &Error{Charset: name, Bad: bad, All: all}
	}
	return text, name, nil
}

func decode(body []byte, contentType string) (text, name string) {
	if name, skip := byteOrder(body); name != "" {
		return decodeAs(body[skip:], name), name
	}
	if bytes.IndexByte(body, 0x1b) >= 0 && isISO2022JP(body) {
		return decodeAs(body, "iso-2022-jp"), "iso-2022-jp"
	}
	if utf8.Valid(body) {
		return string(body), "utf-8"
	}
	name = choose(body, contentType)
	return decodeAs(body, name), name
}

// choose names the charset of a body that is not valid UTF-8 and has no byte order mark.
func choose(body []byte, contentType string) string {
	sample := visible(body)
	if mostlyUTF8(sample) {
		return "utf-8"
	}
	header, markup := fromHeader(contentType), fromMarkup(body)
	var found string // by detection, which takes longer than all else here: only where it can decide
	var sure float64
	for _, declared := range []string{header, markup} {
		if declared == "" || strings.HasPrefix(declared, "utf-") || declared == "iso-2022-jp" {
			continue // a byte order mark, or valid UTF-8, would have been met before
		}
		if broken(sample, declared) {
			continue
		}
		if beyondDoubt(sample, declared) || wide(declared) && family(header) == family(markup) {
			return declared
		}
		if found == "" {
			found, sure = detect(sample)
		}
		if overrules(found, sure, declared) {
			return found
		}
		return declared
	}
	found, _ = detect(sample)
	return found
}

// wide tells of charsets with characters of two bytes: text in another one is no valid sequence of them for long.
func wide(name string) bool {
	switch family(name) {
	case "gb18030", "big5", "shift_jis", "euc-jp", "euc-kr":
		return true
	}
	return false
}

// family folds charsets that share one decoder or nearly all of their characters.
func family(name string) string {
	switch name {
	case "gbk", "gb18030":
		return "gb18030"
	case "windows-1255", "iso-8859-8", "iso-8859-8-i":
		return "windows-1255"
	case "koi8-r", "koi8-u":
		return "koi8-u"
	}
	return name
}

// byteOrder names the Unicode encoding that a byte order mark, or the pattern of zero bytes in ASCII markup, gives away,
// and how many bytes the mark takes.
func byteOrder(b []byte) (name string, skip int) {
	switch {
	case bytes.HasPrefix(b, []byte("\xef\xbb\xbf")):
		return "utf-8", 3
	case bytes.HasPrefix(b, []byte("\xff\xfe")):
		return "utf-16le", 2
	case bytes.HasPrefix(b, []byte("\xfe\xff")):
		return "utf-16be", 2
	}
	head := b[:min(len(b), 1024)]
	var zeros [2]int
	for i, c := range head {
		if c == 0 {
			zeros[i&1]++
		}
	}
	switch {
	case zeros[1] >= 4 && zeros[1] > 4*zeros[0]:
		return "utf-16le", 0
	case zeros[0] >= 4 && zeros[0] > 4*zeros[1]:
		return "utf-16be", 0
	}
	return "", 0
}

// isISO2022JP tells whether the bytes are 7-bit and switch to JIS X 0208 somewhere.
func isISO2022JP(b []byte) bool {
	if !bytes.Contains(b, []byte("\x1b$B")) && !bytes.Contains(b, []byte("\x1b$@")) {
		return false
	}
	for _, c := range b {
		if c >= 0x80 {
			return false
		}
	}
	return true
}

// mostlyUTF8 tells whether b is UTF-8 with a few damaged characters: text of other charsets pasted in, or cut off.
func mostlyUTF8(b []byte) bool {
	good, bad := 0, 0
	for i := 0; i < len(b); {
		if b[i] < utf8.RuneSelf {
			i++
			continue
		}
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n == 1 {
			bad++
		} else {
			good++
		}
		i += n
	}
	return good > 3*bad
}

// broken tells whether more than maxBroken of the characters of b beyond ASCII do not exist in the charset.
func broken(b []byte, name string) bool {
	if family(name) == "gb18030" && !looksGBK(b) {
		return true
	}
	bad, all := 0, 0
	for _, r := range decodeAs(b, name) {
		if r < utf8.RuneSelf {
			continue
		}
		all++
		if r == utf8.RuneError || r >= 0x80 && r < 0xa0 {
			bad++
		}
	}
	return float64(bad) > maxBroken*float64(all)
}

// looksGBK tells whether most characters beyond ASCII are pairs of two high bytes, as in all of GB 2312. Accented Latin
// letters, each followed by an ASCII letter, decode as GBK just as well, but give rare characters of its extension.
func looksGBK(b []byte) bool {
	pairs, single := 0, 0
	for i := 0; i < len(b); i++ {
		if b[i] < 0x80 {
			continue
		}
		if i+1 < len(b) && b[i+1] >= 0x80 {
			pairs++
			i++
		} else {
			single++
		}
	}
	return pairs >= single
}

// decodeAs decodes b, with U+FFFD for what cannot be decoded.
func decodeAs(b []byte, name string) string {
	if name == "utf-8" {
		return strings.ToValidUTF8(string(b), "\uFFFD")
	}
	out, err := lookup(name).NewDecoder().Bytes(b)
	if err != nil { // the decoders replace, so this is a broken tail at the most
		out = bytes.ToValidUTF8(out, []byte("\uFFFD"))
	}
	return string(out)
}

// lookup gives the decoder of a WHATWG name. GBK is read as its superset GB18030, as the standard has it, and KOI8-R as
// KOI8-U, which has letters in place of eight box drawings.
func lookup(name string) encoding.Encoding {
	switch family(name) {
	case "gb18030":
		return simplifiedchinese.GB18030
	case "koi8-u":
		return charmap.KOI8U
	}
	if e, _ := charset.Lookup(name); e != nil {
		return e
	}
	return encoding.Replacement
}
