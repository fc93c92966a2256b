package main

import (
	"strings"
	"unicode"
)

// tokens cuts text into words in lower case; a character of a script without spaces is one.
func tokens(s string) (out []string) {
	word := -1
	s = strings.ToLower(s)
	for i, r := range s {
		letter := unicode.IsLetter(r) || unicode.IsDigit(r) || r == '_' || unicode.IsMark(r)
		wide := r >= 0x2e80
		if word >= 0 && (!letter || wide) {
			out, word = append(out, s[word:i]), -1
		}
		switch {
		case letter && wide:
			out = append(out, string(r))
		case letter && word < 0:
			word = i
		}
	}
	if word >= 0 {
		out = append(out, s[word:])
	}
	return out
}

// Steps of the best alignment, two of them within one byte.
const (
	left  = 1 // skip a token of the truth
	both  = 2 // the tokens are the same
	again = 4 // so were those before
)

// maxCells bounds the memory of an alignment.
const maxCells = 600 << 20

// align tells which tokens of the page are part of the truth: the longest common subsequence, where a token counts more
// that continues a run. It is nil for pages that are too long.
func align(page, truth []string) []bool {
	ids := make(map[string]int32)
	number := func(list []string) []int32 {
		out := make([]int32, len(list))
		for i, s := range list {
			n, ok := ids[s]
			if !ok {
				n = int32(len(ids))
				ids[s] = n
			}
			out[i] = n
		}
		return out
	}
	a, b := number(page), number(truth)
	width := len(b) + 1
	if (len(a)+1)*width > maxCells {
		return nil
	}
	const never = -1 << 20
	steps := make([]uint8, (len(a)+1)*width)
	best, match := make([]int32, width), make([]int32, width) // of the row above, overwritten from the left
	for j := range match {
		match[j] = never
	}
	for i, x := range a {
		row := steps[(i+1)*width:]
		cornerBest, cornerMatch := best[0], match[0]
		for j := 1; j < width; j++ {
			upBest, upMatch := best[j], match[j]
			value, here, step := upBest, int32(never), uint8(0)
			if best[j-1] > value {
				value, step = best[j-1], left
			}
			if x == b[j-1] {
				here = cornerBest + 2
				run := uint8(0)
				if cornerMatch+3 > here {
					here, run = cornerMatch+3, again
				}
				if here > value {
					value, step = here, both
				}
				step |= run
			}
			best[j], match[j], row[j] = value, here, step
			cornerBest, cornerMatch = upBest, upMatch
		}
	}
	return trace(steps, len(a), width)
}

// trace follows the steps back from the end.
func trace(steps []uint8, n, width int) []bool {
	out := make([]bool, n)
	run := false
	for i, j := n, width-1; i > 0 && j > 0; {
		switch step := steps[i*width+j]; {
		case run || step&both != 0:
			out[i-1], run = true, step&again != 0
			i, j = i-1, j-1
		case step&left != 0:
			j--
		default:
			i--
		}
	}
	return out
}
