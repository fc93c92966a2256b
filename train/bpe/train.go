package bpe

import (
	"cmp"
	"fmt"
	"iter"
	"runtime"
	"strings"
)

// Tie rules: which pair is merged first among those that are equally frequent.
const (
	SmallestID    = "smallest-id"    // that of the smaller ids; Hugging Face's tokenizers and rustbpe
	GreatestBytes = "greatest-bytes" // that whose bytes, first part then second, sort last; Stanford cs336
)

// TrainOptions says what to train.
type TrainOptions struct {
	Vocab    int    // ids, 256 bytes and the reserved special tokens included
	Splitter string // ""; DefaultSplitter
	Tie      string // "": SmallestID
	MinCount int64  // pairs seen less often are not merged; 0: 2
	Threads  int    // 0: one for each core
}

// reserved lists the special tokens that Train makes.
func reserved() []string {
	out := []string{BOS, EOS, PAD, IMStart, IMEnd}
	for i := range Spare {
		out = append(out, fmt.Sprintf("<|spare_%d|>", i))
	}
	return out
}

// MinVocab is the smallest vocabulary that Train makes: the bytes and the special tokens.
const MinVocab = 256 + 5 + Spare

// AutoVocab proposes a size of vocabulary for so many bytes of text: 512 to 2048 under 10 MB, where the rows of a larger
// table would hardly be trained, and twice as much for about four times the text from there to 32768.
func AutoVocab(bytes int64) int {
	vocab, limit := 512, int64(1_000_000)
	for _, next := range []int64{3_000_000, 10_000_000, 40_000_000, 160_000_000, 640_000_000, 1 << 62} {
		if bytes < limit {
			return vocab
		}
		vocab, limit = 2*vocab, next
	}
	return vocab
}

// Train makes a vocabulary of the texts' bytes: starting from single bytes it merges, again and again, the pair that is the
// most frequent inside pre-tokens, until the vocabulary has its size or no pair is left; the special tokens have the last ids.
// The result depends on the set of texts and the options, not on order or threads.
func Train(texts iter.Seq[string], o TrainOptions) (*Tokenizer, error) {
	o.Splitter = cmp.Or(o.Splitter, DefaultSplitter)
	o.Tie = cmp.Or(o.Tie, SmallestID)
	o.MinCount = cmp.Or(o.MinCount, 2)
	o.Threads = cmp.Or(o.Threads, runtime.GOMAXPROCS(0))
	if o.Vocab < MinVocab || o.Vocab > maxVocab {
		return nil, fmt.Errorf("bpe: vocabulary of %d: between %d and %d are possible", o.Vocab, MinVocab, maxVocab)
	}
	if o.Tie != SmallestID && o.Tie != GreatestBytes {
		return nil, fmt.Errorf("bpe: unknown tie rule %q: known are %s, %s", o.Tie, SmallestID, GreatestBytes)
	}
	sp, err := splitterByName(o.Splitter)
	if err != nil {
		return nil, err
	}
	tr := newTrainer(count(texts, sp, o.Threads), o.Tie)
	merges := tr.run(o.Vocab-MinVocab, o.MinCount)
	s := source{Splitter: o.Splitter, Merges: merges, Trained: &trained{Tie: o.Tie, Count: o.MinCount}}
	for _, text := range tr.tokens {
		s.Tokens = append(s.Tokens, token{ordinary, text})
	}
	for _, name := range reserved() {
		s.Added = append(s.Added, Added{ID: int32(len(s.Tokens)), Content: name, Special: true})
		s.Tokens = append(s.Tokens, token{special, name})
	}
	first := int32(len(tr.tokens))
	s.BOS, s.EOS, s.PAD = first, first+1, first+2
	return build(s)
}

// trainer holds the words as ids, and for each pair of ids its count and the words it may occur in.
type trainer struct {
	tokens []string // bytes by id
	byText map[string]int32
	ids    []int32 // of all words, one after the other
	from   []int   // where a word begins in ids
	size   []int32 // ids that a word has by now
	count  []int64 // how often a word occurs
	pairs  []pair
	index  pairIndex
	heap   []candidate
	better func(a, b candidate) bool
	grown  []int32 // pairs that this step made or added to
	step   int32
}

type pair struct {
	a, b  int32
	step  int32 // when it last grew
	count int64
	words []int32
}

// candidate is a pair on the heap, with the count it had when it was put there.
type candidate struct {
	count int64
	pair  int32
}

func newTrainer(w *words, tie string) *trainer {
	t := &trainer{byText: map[string]int32{}, index: newPairIndex(1 << 16)}
	var byteID [256]int32
	order := []byte{}
	for r := rune(0); r < 0x144; r++ { // the alphabet's order, so that ids, and ties by id, are those of others
		if b, ok := alphabetByte(r); ok {
			order = append(order, b)
		}
	}
	for id, b := range order {
		byteID[b] = int32(id)
		t.tokens = append(t.tokens, string([]byte{b}))
	}
	t.better = t.bySmallestID
	if tie == GreatestBytes {
		t.better = t.byGreatestBytes
	}
	t.from, t.size, t.count = make([]int, 0, w.used), make([]int32, 0, w.used), make([]int64, 0, w.used)
	t.ids = make([]int32, 0, len(w.arena))
	for word, n := range w.all() {
		t.from, t.size, t.count = append(t.from, len(t.ids)), append(t.size, int32(len(word))), append(t.count, n)
		for _, b := range word {
			t.ids = append(t.ids, byteID[b])
		}
	}
	t.firstPairs()
	return t
}

// firstPairs counts the pairs of bytes.
func (t *trainer) firstPairs() {
	var counts, places [1 << 16]int64
	last := make([]int32, 1<<16) // word+1 that a pair was last seen in
	each := func(visit func(key int, word int32)) {
		for w, from := range t.from {
			ids := t.ids[from : from+int(t.size[w])]
			for i := 1; i < len(ids); i++ {
				visit(int(ids[i-1])<<8|int(ids[i]), int32(w))
			}
		}
	}
	each(func(key int, w int32) {
		counts[key] += t.count[w]
		if last[key] != w+1 {
			last[key] = w + 1
			places[key]++
		}
	})
	at := make([]int32, 1<<16)
	for key, n := range counts {
		if n > 0 {
			p := t.find(int32(key>>8), int32(key&0xFF))
			t.pairs[p].count = n
			t.pairs[p].words = make([]int32, 0, places[key])
			at[key] = p
			t.heap = append(t.heap, candidate{n, p})
		}
	}
	clear(last)
	each(func(key int, w int32) {
		if last[key] != w+1 {
			last[key] = w + 1
			p := &t.pairs[at[key]]
			p.words = append(p.words, w)
		}
	})
	for i := len(t.heap)/2 - 1; i >= 0; i-- {
		t.sink(i)
	}
}

// find gives the pair of two ids, made where it is new.
func (t *trainer) find(a, b int32) int32 {
	p, fresh := t.index.put(a, b, int32(len(t.pairs)))
	if fresh {
		t.pairs = append(t.pairs, pair{a: a, b: b})
	}
	return p
}

// run makes so many tokens, fewer where no pair occurs often enough.
func (t *trainer) run(tokens int, least int64) []merge {
	var out []merge
	for tokens > 0 && len(t.heap) > 0 {
		top := t.heap[0]
		p := &t.pairs[top.pair]
		if top.count != p.count { // it fell since it was put here
			if p.count > 0 {
				t.heap[0].count = p.count
			} else {
				t.heap[0] = t.heap[len(t.heap)-1]
				t.heap = t.heap[:len(t.heap)-1]
			}
			if len(t.heap) > 0 {
				t.sink(0)
			}
			continue
		}
		if top.count < least {
			break
		}
		text := t.tokens[p.a] + t.tokens[p.b]
		id, known := t.byText[text] // two pairs may make the same bytes: they share the token
		if !known {
			id = int32(len(t.tokens))
			t.tokens = append(t.tokens, text)
			t.byText[text] = id
			tokens--
		}
		out = append(out, merge{p.a, p.b, id})
		t.merge(top.pair, id)
	}
	return out
}

func (t *trainer) bySmallestID(a, b candidate) bool {
	if a.count != b.count {
		return a.count > b.count
	}
	p, q := &t.pairs[a.pair], &t.pairs[b.pair]
	return p.a < q.a || p.a == q.a && p.b < q.b
}

func (t *trainer) byGreatestBytes(a, b candidate) bool {
	if a.count != b.count {
		return a.count > b.count
	}
	p, q := &t.pairs[a.pair], &t.pairs[b.pair]
	return cmp.Or(strings.Compare(t.tokens[p.a], t.tokens[q.a]), strings.Compare(t.tokens[p.b], t.tokens[q.b])) > 0
}
