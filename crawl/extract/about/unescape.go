package about

import (
	"strconv"
	"strings"
	"unicode/utf16"
)

// unescape resolves the escapes of a JSON string; what is none stays.
func unescape(s string) string {
	var out strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			out.WriteByte(s[i])
			continue
		}
		i++
		switch s[i] {
		case 'n', 'r', 't', 'b', 'f':
			out.WriteByte(' ')
		case 'u':
			r, n := unit(s[i:])
			if n == 0 {
				continue
			}
			if low, m := unit(strings.TrimPrefix(s[min(i+n, len(s)):], `\`)); utf16.IsSurrogate(r) && m > 0 {
				r, n = utf16.DecodeRune(r, low), n+1+m
			}
			out.WriteRune(r)
			i += n - 1
		default:
			out.WriteByte(s[i])
		}
	}
	return out.String()
}

// unit reads uXXXX.
func unit(s string) (r rune, n int) {
	if len(s) < 5 || s[0] != 'u' {
		return 0, 0
	}
	v, err := strconv.ParseUint(s[1:5], 16, 16)
	if err != nil {
		return 0, 0
	}
	return rune(v), 5
}
