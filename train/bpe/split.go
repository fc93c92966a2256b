package bpe

import (
	_ "embed"
	"encoding/binary"
	"fmt"
	"strings"
	"sync"
	"unicode/utf8"
)

// splitter cuts text into pre-tokens.
type splitter struct {
	name     string
	patterns []string // what tokenizer.json says: regular expressions, applied one after the other
	next     func(c *classes, s string, i int) int
	classes  *classes
}

// splitters lists what is known, by llama.cpp's names (llama-vocab.cpp) and with the patterns of the models' tokenizer.json.
func splitters() []splitter {
	return []splitter{
		{name: "gpt-2", next: nextGPT2, patterns: []string{gpt2Pattern}},
		{name: "deepseek-coder", next: nextDeepSeek, patterns: []string{`[\r\n]`, `\s?\p{L}+`, `\s?\p{P}+`, "[一-龥ࠀ-一가-\uD7FF]+", `\p{N}`}},
		{name: "qwen2", next: nextQwen2, patterns: []string{`(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`}},
		{name: "llama-bpe", next: nextLlama, patterns: []string{`(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`}},
		{name: "smollm", next: nextSmolLM, patterns: []string{`\p{N}`, gpt2Pattern}},
	}
}

// gpt2Pattern is the pattern of ByteLevel{use_regex: true}.
const gpt2Pattern = `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`

// DefaultSplitter is what Train takes when none is named.
const DefaultSplitter = "gpt-2"

// Splitters lists the names of the splitters.
func Splitters() []string {
	var out []string
	for _, s := range splitters() {
		out = append(out, s.name)
	}
	return out
}

func splitterByName(name string) (splitter, error) {
	for _, s := range splitters() {
		if s.name == name {
			s.classes = unicodeClasses()
			return s, nil
		}
	}
	return splitter{}, fmt.Errorf("bpe: unknown splitter %q: known are %s", name, strings.Join(Splitters(), ", "))
}

// Class of a character; punctuation is its own class for deepseek-coder, and one of "the others" for the rest.
const (
	other  byte = 0
	letter byte = 1 // \p{L}
	number byte = 2 // \p{N}
	space  byte = 3 // \s: Unicode's White_Space
	punct  byte = 4 // \p{P}
)

// classRuns is the class of every code point, as tokenizers 0.23 and tiktoken 0.14 both see it (Unicode 16), in runs; made
// by testdata/classes.py. The standard library's tables are not used: they change with the toolchain, and ids would with them.
//
//go:embed classes.bin
var classRuns []byte

// classes is a two-stage table: blocks of 256 code points, equal blocks stored once.
type classes struct {
	ascii  [utf8.RuneSelf]byte
	index  [0x1100]uint8
	blocks [][256]byte
}

// unicodeClasses expands classRuns, once.
var unicodeClasses = sync.OnceValue(func() *classes {
	all := make([]byte, 0, 0x110000)
	for rest := classRuns; len(rest) > 0; {
		n, w := binary.Uvarint(rest)
		for range n {
			all = append(all, rest[w])
		}
		rest = rest[w+1:]
	}
	c := &classes{}
	seen := map[[256]byte]uint8{}
	for i := range c.index {
		block := [256]byte(all[i<<8:])
		at, ok := seen[block]
		if !ok {
			at = uint8(len(c.blocks)) // fewer than 256 differ
			seen[block] = at
			c.blocks = append(c.blocks, block)
		}
		c.index[i] = at
	}
	copy(c.ascii[:], all)
	return c
})

// at gives the class of the character at s[i] and its length; a byte that is no UTF-8 is other.
func (c *classes) at(s string, i int) (byte, int) {
	if b := s[i]; b < utf8.RuneSelf {
		return c.ascii[b], 1
	}
	class, n, _ := c.wide(s, i)
	return class, n
}

// wide is at for what is not ASCII; it gives the code point too.
func (c *classes) wide(s string, i int) (class byte, n int, r rune) {
	b := s[i]
	if b&0xF0 == 0xE0 && i+2 < len(s) { // three bytes: most of what is not Latin
		x, y := s[i+1], s[i+2]
		r = rune(b&0x0F)<<12 | rune(x&0x3F)<<6 | rune(y&0x3F)
		if x&0xC0 == 0x80 && y&0xC0 == 0x80 && r >= 0x800 && r&^0x7FF != 0xD800 {
			return c.blocks[c.index[r>>8]][r&0xFF], 3, r
		}
	}
	r, n = utf8.DecodeRuneInString(s[i:])
	if n == 1 {
		return other, 1, utf8.RuneError
	}
	return c.blocks[c.index[r>>8]][r&0xFF], n, r
}

// run gives the end of the run of characters of one class from i.
func (c *classes) run(s string, i int, class byte) int {
	for i < len(s) {
		if b := s[i]; b < utf8.RuneSelf {
			if c.ascii[b] != class {
				return i
			}
			i++
			continue
		}
		got, n, _ := c.wide(s, i)
		if got != class {
			return i
		}
		i += n
	}
	return i
}

// others gives the end of the run of what is neither white space, letter nor number: [^\s\p{L}\p{N}]*.
func (c *classes) others(s string, i int) int {
	for i < len(s) {
		got, n := c.at(s, i)
		if got != other && got != punct {
			return i
		}
		i += n
	}
	return i
}
