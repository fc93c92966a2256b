package bpe

import (
	"hash/maphash"
	"iter"
	"sync"
	"unicode/utf8"
)

// maxWord is the longest pre-token that the trainer counts as one, in bytes; longer ones, which no prose has, are cut there,
// at a character. Without it one page of a million unbroken characters would be walked once for each of its merges.
const maxWord = 512

// words counts pre-tokens: an open hash table over an arena of their bytes.
type words struct {
	slots []wordSlot
	used  int
	arena []byte
	seed  maphash.Seed
}

type wordSlot struct {
	hash  uint64
	from  int
	n     int32 // bytes; 0: empty
	count int64
}

func newWords(seed maphash.Seed) *words {
	return &words{slots: make([]wordSlot, 1<<12), seed: seed}
}

// add counts a word n times.
func (w *words) add(word string, n int64) {
	w.put(maphash.String(w.seed, word), word, n)
}

func (w *words) put(h uint64, word string, n int64) {
	mask := uint64(len(w.slots) - 1)
	at := h & mask
	for ; w.slots[at].n != 0; at = (at + 1) & mask {
		if s := &w.slots[at]; s.hash == h && string(w.arena[s.from:s.from+int(s.n)]) == word {
			s.count += n
			return
		}
	}
	w.slots[at] = wordSlot{h, len(w.arena), int32(len(word)), n}
	w.arena = append(w.arena, word...)
	if w.used++; 2*w.used > len(w.slots) {
		w.grow()
	}
}

func (w *words) grow() {
	old := w.slots
	w.slots = make([]wordSlot, 2*len(old))
	mask := uint64(len(w.slots) - 1)
	for _, s := range old {
		if s.n == 0 {
			continue
		}
		at := s.hash & mask
		for w.slots[at].n != 0 {
			at = (at + 1) & mask
		}
		w.slots[at] = s
	}
}

// all gives the words and their counts.
func (w *words) all() iter.Seq2[[]byte, int64] {
	return func(yield func([]byte, int64) bool) {
		for _, s := range w.slots {
			if s.n != 0 && !yield(w.arena[s.from:s.from+int(s.n)], s.count) {
				return
			}
		}
	}
}

// count cuts texts into pre-tokens and counts them, on several threads.
func count(texts iter.Seq[string], sp splitter, threads int) *words {
	seed := maphash.MakeSeed()
	batches := make(chan []string, threads)
	tables := make([]*words, threads)
	var wait sync.WaitGroup
	for k := range tables {
		tables[k] = newWords(seed)
		wait.Go(func() {
			for batch := range batches {
				for _, text := range batch {
					tables[k].text(text, sp)
				}
			}
		})
	}
	var batch []string
	size := 0
	for text := range texts {
		batch = append(batch, text)
		if size += len(text); size >= 1<<20 {
			batches <- batch
			batch, size = nil, 0
		}
	}
	batches <- batch
	close(batches)
	wait.Wait()
	sum := tables[0]
	for _, t := range tables[1:] {
		for _, s := range t.slots {
			if s.n != 0 {
				sum.put(s.hash, string(t.arena[s.from:s.from+int(s.n)]), s.count)
			}
		}
	}
	return sum
}

// text counts the pre-tokens of one text; those of one byte have nothing to merge.
func (w *words) text(text string, sp splitter) {
	for i := 0; i < len(text); {
		end := sp.next(sp.classes, text, i)
		for end-i > maxWord {
			cut := i + maxWord
			for k := 0; k < 3 && !utf8.RuneStart(text[cut]); k++ {
				cut--
			}
			w.add(text[i:cut], 1)
			i = cut
		}
		if end-i > 1 {
			w.add(text[i:end], 1)
		}
		i = end
	}
}
