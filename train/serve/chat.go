package serve

import "net/http"

// chats answers /v1/chat/completions.
func (s *Server) chats(w http.ResponseWriter, r *http.Request) {
	var b chatBody
	if err := decode(w, r, &b); err != nil {
		err.write(w)
		return
	}
	if err := s.known(b.Model); err != nil {
		err.write(w)
		return
	}
	requests, trim, err := s.chat(&b)
	if err != nil {
		err.write(w)
		return
	}
	n, _ := b.choices()
	s.tell(w, r, talk{prefix: "chatcmpl", object: "chat.completion", chunk: "chat.completion.chunk", requests: requests, choices: n,
		stream: b.Stream, usage: b.StreamOptions.IncludeUsage, trim: trim, dialect: chatDialect{b.Logprobs}})
}

type chatDialect struct{ logprobs bool }

type chatAnswer struct {
	Role    string  `json:"role,omitempty"`
	Content *string `json:"content,omitempty"`
}

// chatChoice has a message in a whole answer, a delta in a chunk.
type chatChoice struct {
	Index    int           `json:"index"`
	Message  *chatAnswer   `json:"message,omitempty"`
	Delta    *chatAnswer   `json:"delta,omitempty"`
	Logprobs *chatLogprobs `json:"logprobs"`
	Finish   *string       `json:"finish_reason"`
}

type chatLogprobs struct {
	Content []chatToken `json:"content"`
	Refusal []chatToken `json:"refusal"`
}

type chatToken struct {
	chatCandidate
	Top []chatCandidate `json:"top_logprobs"`
}

type chatCandidate struct {
	Token   string  `json:"token"`
	Logprob float64 `json:"logprob"`
	Bytes   []int   `json:"bytes"`
}

func (chatDialect) begin(index int) any {
	nothing := ""
	return chatChoice{Index: index, Delta: &chatAnswer{"assistant", &nothing}}
}

func (d chatDialect) part(p piece) any {
	c := chatChoice{Index: p.Index, Delta: &chatAnswer{}, Finish: reason(p.Finish)}
	if p.Text != "" {
		c.Delta.Content = &p.Text
	}
	if d.logprobs {
		c.Logprobs = spelled(p.Tokens)
	}
	return c
}

func (d chatDialect) whole(parts []piece) any {
	text, tokens, finish := join(parts)
	c := chatChoice{Index: parts[0].Index, Message: &chatAnswer{"assistant", &text}, Finish: reason(finish)}
	if d.logprobs {
		c.Logprobs = spelled(tokens)
	}
	return c
}

func spelled(tokens []Token) *chatLogprobs {
	l := &chatLogprobs{Content: []chatToken{}}
	for _, t := range tokens {
		one := chatToken{spellCandidate(t.Text, t.Logprob), []chatCandidate{}}
		for _, c := range t.Top {
			one.Top = append(one.Top, spellCandidate(c.Text, c.Logprob))
		}
		l.Content = append(l.Content, one)
	}
	return l
}

func spellCandidate(token string, logprob float64) chatCandidate {
	c := chatCandidate{spell(token), logprob, []int{}}
	for i := range len(token) {
		c.Bytes = append(c.Bytes, int(token[i]))
	}
	return c
}
