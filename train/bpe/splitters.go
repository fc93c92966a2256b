package bpe

// nextGPT2 gives the end of the pre-token that begins at i:
// 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
func nextGPT2(c *classes, s string, i int) int {
	j := i
	if s[i] == ' ' && i+1 < len(s) {
		j++
	} else if s[i] == '\'' {
		if n := contraction(s[i+1:]); n > 0 {
			return i + 1 + n
		}
	}
	class, n := c.at(s, j)
	switch class {
	case letter, number:
		return c.run(s, j+n, class)
	case space:
		return c.spaces(s, i)
	}
	return c.others(s, j+n)
}

// spaces gives the end of \s+(?!\S)|\s+ from i: all of a run at the end of the text, else all but its last character, which
// the next pre-token may want.
func (c *classes) spaces(s string, i int) int {
	end := c.run(s, i, space)
	if end == len(s) {
		return end
	}
	return c.butLast(s, i, end)
}

// butLast leaves the last character of a run from i to end to the next pre-token, where the run has more than one.
func (c *classes) butLast(s string, i, end int) int {
	last := end - 1
	for last > i && s[last]&0xC0 == 0x80 {
		last--
	}
	if last == i {
		return end
	}
	return last
}

// contraction gives the length of what follows an apostrophe in 's|'t|'re|'ve|'m|'ll|'d, 0 where it is none of them.
func contraction(s string) int {
	if len(s) == 0 {
		return 0
	}
	switch s[0] {
	case 's', 't', 'm', 'd':
		return 1
	case 'r', 'v':
		if len(s) > 1 && s[1] == 'e' {
			return 2
		}
	case 'l':
		if len(s) > 1 && s[1] == 'l' {
			return 2
		}
	}
	return 0
}

// nextSmolLM is \p{N} one by one, then nextGPT2 on what lies between.
func nextSmolLM(c *classes, s string, i int) int {
	class, n := c.at(s, i)
	switch {
	case class == number:
		return i + n
	case class != space:
		return nextGPT2(c, s, i)
	}
	if s[i] == ' ' && i+1 < len(s) {
		if after, _ := c.at(s, i+1); after == number {
			return i + 1
		} else if after != space {
			return nextGPT2(c, s, i)
		}
	}
	end := c.run(s, i, space)
	if end < len(s) {
		if after, _ := c.at(s, end); after != number { // a number ends the text that the pattern sees
			return c.butLast(s, i, end)
		}
	}
	return end
}

// nextQwen2 is nextTiktoken with single digits.
func nextQwen2(c *classes, s string, i int) int { return nextTiktoken(c, s, i, 1) }

// nextLlama is nextTiktoken with up to three digits.
func nextLlama(c *classes, s string, i int) int { return nextTiktoken(c, s, i, 3) }

// nextTiktoken gives the end of the pre-token that begins at i:
// (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,digits}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+
func nextTiktoken(c *classes, s string, i, digits int) int {
	if s[i] == '\'' {
		if n := foldedContraction(s[i+1:]); n > 0 {
			return i + 1 + n
		}
	}
	class, n := c.at(s, i)
	j := i + n
	switch class {
	case letter:
		return c.run(s, j, letter)
	case number:
		for k := 1; k < digits && j < len(s); k++ {
			class, n := c.at(s, j)
			if class != number {
				break
			}
			j += n
		}
		return j
	}
	after := space
	if j < len(s) {
		after, n = c.at(s, j)
	}
	switch {
	case after == letter && s[i] != '\r' && s[i] != '\n':
		return c.run(s, j+n, letter)
	case class != space:
		return newlines(s, c.others(s, j))
	case s[i] == ' ' && (after == other || after == punct):
		return newlines(s, c.others(s, j+n))
	}
	end := c.run(s, i, space)
	for k := end - 1; k >= i; k-- { // \s*[\r\n]+ reaches to the last line end of the run
		if s[k] == '\n' || s[k] == '\r' {
			return k + 1
		}
	}
	if end == len(s) {
		return end
	}
	return c.butLast(s, i, end)
}

// newlines gives the end of [\r\n]* from i.
func newlines(s string, i int) int {
	for i < len(s) && (s[i] == '\n' || s[i] == '\r') {
		i++
	}
	return i
}

// foldedContraction is contraction without regard to case; ſ (U+017F) folds to s.
func foldedContraction(s string) int {
	if len(s) == 0 {
		return 0
	}
	if len(s) > 1 && s[:2] == "ſ" {
		return 2
	}
	low := [2]byte{s[0] | 0x20}
	if s[0] < 'A' {
		return 0
	}
	if len(s) > 1 && s[1] >= 'A' {
		low[1] = s[1] | 0x20
	}
	return contraction(string(low[:]))
}

// nextDeepSeek gives the end of the pre-token that begins at i, where five patterns cut one after the other: [\r\n],
// \s?\p{L}+, \s?\p{P}+, [一-龥ࠀ-一가-퟿]+ and \p{N}. A cut of the fourth falls wherever a piece enters or leaves its
// range, so Han is parted from Latin; what no pattern takes stays together.
func nextDeepSeek(c *classes, s string, i int) int {
	if s[i] == '\n' || s[i] == '\r' {
		return i + 1
	}
	class, n, wide := c.ranged(s, i)
	j := i + n
	switch class {
	case letter, punct:
		return c.rangedRun(s, j, class, wide)
	case number:
		return j
	case space:
		if j < len(s) {
			if after, n, w := c.ranged(s, j); after == letter || after == punct {
				if w != wide {
					return j
				}
				return c.rangedRun(s, j+n, after, wide)
			}
		}
	}
	for j < len(s) && s[j] != '\n' && s[j] != '\r' {
		class, n, w := c.ranged(s, j)
		if w != wide || class != space && class != other {
			break
		}
		if class == space && j+n < len(s) { // white space goes to the letters or marks right after it
			if after, _, _ := c.ranged(s, j+n); after == letter || after == punct {
				break
			}
		}
		j += n
	}
	return j
}

// ranged is at, and whether the character lies in [一-龥ࠀ-一가-퟿].
func (c *classes) ranged(s string, i int) (class byte, n int, in bool) {
	if s[i] < 0x80 {
		return c.ascii[s[i]], 1, false
	}
	class, n, r := c.wide(s, i)
	return class, n, n > 1 && (r >= 0x800 && r <= 0x9FA5 || r >= 0xAC00 && r <= 0xD7FF)
}

// rangedRun is run, ended also where the range begins or ends.
func (c *classes) rangedRun(s string, i int, class byte, in bool) int {
	for i < len(s) {
		got, n, w := c.ranged(s, i)
		if got != class || w != in {
			return i
		}
		i += n
	}
	return i
}
