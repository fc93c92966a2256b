package bpe

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// ReadTiktoken reads ranks in tiktoken's form, a line for each token: its bytes in base64, a space, its rank, which is its id.
// Special tokens and the splitter are not part of such a file, so they are given; a special token that is among the ranks is
// special all the same. As tiktoken does, a pre-token that is a token is taken whole.
func ReadTiktoken(r io.Reader, splitter string, specials map[string]int32) (*Tokenizer, error) {
	byRank := map[int32]string{}
	rankOf := map[string]int32{}
	size := int32(0)
	scan := bufio.NewScanner(r)
	for line := 1; scan.Scan(); line++ {
		fields := strings.Fields(scan.Text())
		if len(fields) == 0 {
			continue
		}
		if len(fields) != 2 {
			return nil, fmt.Errorf("tiktoken: line %d: not a token and its rank", line)
		}
		text, err := base64.StdEncoding.DecodeString(fields[0])
		if err != nil {
			return nil, fmt.Errorf("tiktoken: line %d: %w", line, err)
		}
		rank, err := strconv.ParseInt(fields[1], 10, 32)
		if err != nil || rank < 0 || rank >= maxVocab || len(text) == 0 {
			return nil, fmt.Errorf("tiktoken: line %d: rank %q: a number below %d of a token that is not empty", line, fields[1], maxVocab)
		}
		id := int32(rank)
		if _, twice := byRank[id]; twice {
			return nil, fmt.Errorf("tiktoken: line %d: rank %d twice", line, id)
		}
		byRank[id] = string(text)
		if _, special := specials[string(text)]; !special {
			rankOf[string(text)] = id
		}
		size = max(size, id+1)
	}
	if err := scan.Err(); err != nil {
		return nil, fmt.Errorf("tiktoken: %w", err)
	}
	s := source{Splitter: splitter, IgnoreMerges: true, BOS: -1, EOS: -1, PAD: -1}
	for name, id := range specials {
		if id < 0 || id >= maxVocab {
			return nil, fmt.Errorf("tiktoken: special token %q: id %d: between 0 and %d are possible", name, id, maxVocab-1)
		}
		s.Added = append(s.Added, Added{ID: id, Content: name, Special: true})
		size = max(size, id+1)
	}
	s.Tokens = make([]token, size)
	for id, text := range byRank {
		s.Tokens[id] = token{ordinary, text}
	}
	s.Merges = mergesOfRanks(byRank, rankOf)
	return build(s)
}

// mergesOfRanks finds the merge that makes each token: its bytes, merged by the tokens of lower rank, leave two parts. A token
// that they leave in more parts no merge makes; it is found only as a whole pre-token.
func mergesOfRanks(byRank map[int32]string, rankOf map[string]int32) []merge {
	var out []merge
	for _, id := range slices.Sorted(maps.Keys(byRank)) {
		text := byRank[id]
		if rankOf[text] != id || len(text) < 2 {
			continue
		}
		cuts := make([]int, len(text)+1)
		for i := range cuts {
			cuts[i] = i
		}
		for len(cuts) > 3 {
			at, low := -1, id
			for i := 0; i+2 < len(cuts); i++ {
				if r, ok := rankOf[text[cuts[i]:cuts[i+2]]]; ok && r < low {
					at, low = i, r
				}
			}
			if at < 0 {
				break
			}
			cuts = slices.Delete(cuts, at+1, at+2)
		}
		if len(cuts) != 3 {
			continue
		}
		a, okA := rankOf[text[:cuts[1]]]
		b, okB := rankOf[text[cuts[1]:]]
		if okA && okB {
			out = append(out, merge{a, b, id})
		}
	}
	return out
}

// WriteTiktoken writes ordinary tokens in tiktoken's form; special and other added tokens are not part of it (Added lists
// them). It fails where ids are not in the order of merges, since tiktoken takes the id for the rank.
func (t *Tokenizer) WriteTiktoken(w io.Writer) error {
	last := int32(-1)
	for rank, m := range t.merges {
		if m.to <= last {
			return fmt.Errorf("tiktoken: merge %d makes id %d after id %d: ids are not ranks", rank, m.to, last)
		}
		last = m.to
	}
	b := bufio.NewWriter(w)
	for id, text := range t.tokens {
		if t.kinds[id] == ordinary {
			fmt.Fprintf(b, "%s %d\n", base64.StdEncoding.EncodeToString([]byte(text)), id)
		}
	}
	return b.Flush()
}
