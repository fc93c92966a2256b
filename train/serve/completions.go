package serve

import "net/http"

// completions answers /v1/completions.
func (s *Server) completions(w http.ResponseWriter, r *http.Request) {
	var b completionBody
	if err := decode(w, r, &b); err != nil {
		err.write(w)
		return
	}
	if err := s.known(b.Model); err != nil {
		err.write(w)
		return
	}
	requests, err := s.completion(&b)
	if err != nil {
		err.write(w)
		return
	}
	n, _ := b.choices()
	s.tell(w, r, talk{prefix: "cmpl", object: "text_completion", chunk: "text_completion", requests: requests, choices: n,
		stream: b.Stream, usage: b.StreamOptions.IncludeUsage, dialect: completionDialect{b.Logprobs != nil}})
}

type completionDialect struct{ logprobs bool }

type completionChoice struct {
	Text     string              `json:"text"`
	Index    int                 `json:"index"`
	Logprobs *completionLogprobs `json:"logprobs"`
	Finish   *string             `json:"finish_reason"`
}

// completionLogprobs are lists of equal length. The first token of an echoed prompt has null for its log-probability and candidates.
type completionLogprobs struct {
	Offsets  []int                `json:"text_offset"` // bytes from the begin of text, counted in tokens' bytes
	Logprobs []*float64           `json:"token_logprobs"`
	Tokens   []string             `json:"tokens"`
	Top      []map[string]float64 `json:"top_logprobs"`
}

func (completionDialect) begin(int) any { return nil }

func (d completionDialect) part(p piece) any {
	c := completionChoice{Text: p.Text, Index: p.Index, Finish: reason(p.Finish)}
	if d.logprobs {
		c.Logprobs = listed(p.Tokens, p.offset)
	}
	return c
}

func (d completionDialect) whole(parts []piece) any {
	text, tokens, finish := join(parts)
	c := completionChoice{Text: text, Index: parts[0].Index, Finish: reason(finish)}
	if d.logprobs {
		c.Logprobs = listed(tokens, 0)
	}
	return c
}

func listed(tokens []Token, offset int) *completionLogprobs {
	l := &completionLogprobs{Offsets: []int{}, Logprobs: []*float64{}, Tokens: []string{}, Top: []map[string]float64{}}
	for _, t := range tokens {
		l.Offsets, l.Tokens = append(l.Offsets, offset), append(l.Tokens, spell(t.Text))
		offset += len(t.Text)
		if t.First {
			l.Logprobs, l.Top = append(l.Logprobs, nil), append(l.Top, nil)
			continue
		}
		top := map[string]float64{}
		for _, c := range t.Top {
			if _, twice := top[spell(c.Text)]; !twice {
				top[spell(c.Text)] = c.Logprob
			}
		}
		l.Logprobs, l.Top = append(l.Logprobs, &t.Logprob), append(l.Top, top)
	}
	return l
}
