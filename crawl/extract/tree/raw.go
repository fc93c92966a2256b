package tree

import "strings"

// rawBody reads the content of an element that holds text alone, up to its end tag.
func (b *Builder) rawBody() string {
	t, rest := b.rawTag, b.page[b.at:]
	end := len(rest)
	switch t.id {
	case tPlaintext:
	case tScript:
		end = scriptEnd(rest)
	default:
		end = rawEnd(rest, t.name)
	}
	b.at += end
	body := rest[:end]
	if t.id == tTextarea || t.id == tTitle {
		return b.decode(body, false)
	}
	if b.returns && strings.IndexByte(body, '\r') >= 0 {
		return b.lines(body)
	}
	return body
}

// rawEnd is where the end tag of a name begins; len(s) where there is none.
func rawEnd(s, name string) int {
	for at := 0; ; {
		n := strings.Index(s[at:], "</")
		if n < 0 {
			return len(s)
		}
		at += n + 2
		if endsName(s[at:], name) {
			return at - 2
		}
	}
}

// endsName tells whether s begins with a name and what ends the name of a tag.
func endsName(s, name string) bool {
	return len(s) > len(name) && equalFold(name, s[:len(name)]) && (isSpace(s[len(name)]) || s[len(name)] == '/' || s[len(name)] == '>')
}

// scriptEnd is where the end tag of a script begins. Within a comment of the script, a script element of its own may stand.
func scriptEnd(s string) int {
	const (
		plain   = iota
		escaped // within a comment
		double  // within a script element within a comment
	)
	close := -1 // where the next comment ends
	for state, at := plain, 0; at < len(s); {
		n := strings.IndexByte(s[at:], '<')
		if state != plain {
			if close < at {
				if close = strings.Index(s[at:], "-->"); close < 0 {
					close = len(s)
				} else {
					close += at
				}
			}
			if close < len(s) && (n < 0 || close < at+n) {
				state, at = plain, close+len("-->")
				continue
			}
		}
		if n < 0 {
			return len(s)
		}
		at += n + 1
		rest := s[at:]
		switch {
		case state == plain && strings.HasPrefix(rest, "!--"):
			state, at = escaped, at+1 // its dashes may be those of the end
		case strings.HasPrefix(rest, "/"):
			if !endsName(rest[1:], "script") {
				at++
				continue
			}
			if state != double {
				return at - 1
			}
			state, at = escaped, at+len("/script>")
		case state == escaped && rest != "" && rest[0]|0x20 >= 'a' && rest[0]|0x20 <= 'z':
			if endsName(rest, "script") {
				state, at = double, at+len("script>")
			}
		case state == escaped:
			state = plain
		}
	}
	return len(s)
}
