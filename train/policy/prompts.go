package policy

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"

	"winnow/train/chat"
	"winnow/train/llm"
	"winnow/train/tune"
)

// Prompt is what is to be answered.
type Prompt struct {
	Name     string // where it stands
	Messages []chat.Message
	Tools    []json.RawMessage
	Columns  map[string]any // what the reward may look at
}

// encoded is a prompt as tokens.
type encoded struct {
	*Prompt
	ids, stop []int32
	trim      bool
	text      string // of the last message
}

// LongError says that too many prompts leave no room for an answer.
type LongError struct{ Long, All, Room int }

// Error has the counts.
func (e *LongError) Error() string {
	if e.Room <= 0 {
		return "the longest answer that is asked for fills the model's context: there is no room for a prompt"
	}
	return fmt.Sprintf("%d of %d prompts are longer than %d tokens and leave no room for an answer", e.Long, e.All, e.Room)
}

// mostLong is the share of prompts that may be left out for their length.
const mostLong = .1

// encode turns prompts into tokens; those that leave no room for an answer of most tokens are left out, and a tenth of them at most may be.
func encode(r *tune.Run, prompts []Prompt, most int) ([]encoded, error) {
	list, long, room := make([]encoded, 0, len(prompts)), 0, r.Model.Context-most
	for i := range prompts {
		p := &prompts[i]
		begin, err := r.Template.PromptOf(&chat.Conversation{Messages: p.Messages, Tools: p.Tools})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p.Name, err)
		}
		if len(begin.IDs) > room {
			long++
			continue
		}
		list = append(list, encoded{p, begin.IDs, begin.StopIDs, begin.Trim, p.Messages[len(p.Messages)-1].Content})
	}
	if len(list) == 0 || float64(long) > mostLong*float64(len(prompts)) {
		return nil, &LongError{long, len(prompts), max(room, 0)}
	}
	if long > 0 {
		r.Warn(fmt.Sprintf("%d of %d prompts are longer than %d tokens and are left out", long, len(prompts), room),
			fmt.Sprintf("%[2]d 个提示中有 %[1]d 个超过 %[3]d 个 token，已略去", long, len(prompts), room))
	}
	return list, nil
}

// divide sets aside the prompts to validate on. Prompts of the same tokens stay together.
func divide(list []encoded, held int, seed uint64) (learnt, kept []encoded) {
	if held < 0 {
		if held = 0; len(list) >= 40 {
			held = min(max(len(list)/10, 8), 64)
		}
	}
	if held == 0 {
		return list, list[:min(len(list), 64)]
	}
	taken := map[string]bool{}
	for _, i := range rand.New(rand.NewPCG(seed, 1)).Perm(len(list)) {
		if len(taken) >= min(held, len(list)-1) {
			break
		}
		taken[fmt.Sprint(list[i].ids)] = true
	}
	for _, p := range list {
		if taken[fmt.Sprint(p.ids)] {
			kept = append(kept, p)
		} else {
			learnt = append(learnt, p)
		}
	}
	if len(learnt) == 0 {
		return list, list
	}
	return learnt, kept
}

// chosen are the prompts that stand at cursor in an endless shuffle, a new order each epoch.
func chosen(list []encoded, seed uint64, cursor int64, n int) (some []encoded) {
	var order []int
	epoch := int64(-1)
	for i := range int64(n) {
		at, in := (cursor+i)/int64(len(list)), (cursor+i)%int64(len(list))
		if at != epoch {
			epoch, order = at, rand.New(rand.NewPCG(seed, uint64(at)+2)).Perm(len(list))
		}
		some = append(some, list[order[in]])
	}
	return some
}

// text is an answer without its end of turn.
func text(r *tune.Run, p *encoded, w Written) string {
	ids := w.IDs
	if w.Ended {
		ids = ids[:len(ids)-1]
	}
	s := strings.ToValidUTF8(string(r.Tokenizer.Decode(ids)), "\uFFFD")
	if p.trim {
		s = strings.TrimPrefix(s, " ")
	}
	return s
}

// batch is answers in rows, isolated from each other.
type batch struct {
	llm.Batch
	answers []*answer
	at      []int // where the first token of each answer is foretold
	used    int   // positions that hold a token
}

// pack lays answers into micro-batches of about so many positions, rows as long as the longest of them.
func pack(answers []*answer, positions int) (list []*batch) {
	length := 1
	for _, a := range answers {
		length = max(length, len(a.IDs)-1)
	}
	var rows [][]*answer
	var used []int
	for _, a := range answers {
		n, at := len(a.IDs)-1, 0
		for at < len(rows) && used[at]+n > length {
			at++
		}
		if at == len(rows) {
			rows, used = append(rows, nil), append(used, 0)
		}
		rows[at], used[at] = append(rows[at], a), used[at]+n
	}
	most := max(positions/length, 1)
	for from := 0; from < len(rows); from += most {
		list = append(list, lay(rows[from:min(from+most, len(rows))], length))
	}
	return list
}

func lay(rows [][]*answer, length int) *batch {
	n := len(rows) * length
	b := &batch{Batch: llm.Batch{Rows: len(rows), Len: length, IDs: make([]int32, n), Targets: make([]int32, n), Pos: make([]int32, n)}}
	for i, row := range rows {
		at := i * length
		for _, a := range row {
			b.answers, b.at = append(b.answers, a), append(b.at, at+a.From-1)
			for k := range len(a.IDs) - 1 {
				b.IDs[at], b.Pos[at], b.Targets[at] = a.IDs[k], int32(k), -1
				if k+1 >= a.From {
					b.Targets[at] = a.IDs[k+1]
				}
				at++
				b.used++
			}
		}
		for k := int32(0); at < (i+1)*length; at, k = at+1, k+1 {
			b.Targets[at], b.Pos[at] = -1, k
		}
	}
	return b
}
