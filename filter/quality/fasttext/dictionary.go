package fasttext

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
)

// dictionary holds the words and labels of a model.
type dictionary struct {
	words  int      // entries that are words; their ids are their rows
	labels []string // in the order of the output's rows
	counts []int64  // of the labels

	text   []byte // of all entries, one after the other
	ends   []uint32
	isWord []bool
	slots  []slot // open addressing; a power of 2

	pruned *indices // bucket to row behind the words; nil: all buckets are there
}

// slot is a place of the hash table; id is -1 where it is free.
type slot struct {
	hash uint32
	id   int32
}

const endOfLine = "</s>"

// labelPrefix tells labels from words among tokens that the dictionary lacks. The file does not tell it; it is fastText's default.
const labelPrefix = "__label__"

func (in *input) dictionary() (*dictionary, error) {
	var head struct {
		Size, Words, Labels int32
		Tokens, Pruned      int64
	}
	if err := in.value(&head); err != nil {
		return nil, err
	}
	if head.Words < 0 || head.Labels < 0 || int64(head.Size) != int64(head.Words)+int64(head.Labels) {
		return nil, fmt.Errorf("%d entries, of them %d words and %d labels", head.Size, head.Words, head.Labels)
	}
	if err := in.room(int64(head.Size), 10, "entries"); err != nil {
		return nil, err
	}
	d := &dictionary{words: int(head.Words), ends: make([]uint32, 0, head.Size), isWord: make([]bool, 0, head.Size)}
	d.slots = make([]slot, 1<<bits.Len(uint(head.Size)*3/2))
	for i := range d.slots {
		d.slots[i].id = -1
	}
	for i := range int(head.Size) {
		if err := in.entry(d); err != nil {
			return nil, fmt.Errorf("entry %d: %w", i, err)
		}
	}
	if head.Pruned < 0 {
		return d, nil
	}
	err := in.pruning(d, head.Pruned)
	return d, err
}

// entry reads a word or label: bytes up to a NUL, how often it occurs, and its kind.
func (in *input) entry(d *dictionary) error {
	word, err := in.r.ReadSlice(0)
	if err != nil {
		return fmt.Errorf("no end within %d bytes: %w", len(word), err)
	}
	start := len(d.text)
	d.text = append(d.text, word[:len(word)-1]...)
	in.left -= int64(len(word))
	var tail struct {
		Count int64
		Kind  int8
	}
	if err := in.value(&tail); err != nil {
		return err
	}
	if tail.Kind < 0 || tail.Kind > 1 {
		return fmt.Errorf("kind %d: want 0 or 1", tail.Kind)
	}
	if len(d.text) > math.MaxInt32 {
		return errors.New("words of more than 2 GB")
	}
	id := len(d.ends)
	d.ends = append(d.ends, uint32(len(d.text)))
	d.isWord = append(d.isWord, tail.Kind == 0)
	text := d.text[start:]
	if id >= d.words {
		d.labels = append(d.labels, string(text))
		d.counts = append(d.counts, tail.Count)
	}
	h := hash(text)
	at := d.find(string(text), h)
	d.slots[at] = slot{h, int32(id)}
	return nil
}

// pruning reads which buckets a pruned model kept, and as which row.
func (in *input) pruning(d *dictionary, n int64) error {
	if err := in.room(n, 8, "buckets kept"); err != nil {
		return err
	}
	d.pruned = newIndices(int(n))
	for range n {
		var pair struct{ Bucket, Row int32 }
		if err := in.value(&pair); err != nil {
			return err
		}
		if pair.Bucket < 0 || pair.Row < 0 || int64(pair.Row) >= n {
			return fmt.Errorf("bucket %d is row %d of %d", pair.Bucket, pair.Row, n)
		}
		d.pruned.put(pair.Bucket, pair.Row)
	}
	return nil
}

// buckets is the number of rows behind those of the words.
func (d *dictionary) buckets(all int) int {
	if d.pruned != nil {
		return d.pruned.n
	}
	return all
}

func (d *dictionary) word(id int32) []byte {
	start := uint32(0)
	if id > 0 {
		start = d.ends[id-1]
	}
	return d.text[start:d.ends[id]]
}

// find gives the slot that holds a word, or would.
func (d *dictionary) find(word string, h uint32) int {
	mask := len(d.slots) - 1
	for at := int(h) & mask; ; at = (at + 1) & mask {
		s := d.slots[at]
		if s.id < 0 || s.hash == h && string(d.word(s.id)) == word {
			return at
		}
	}
}

// hash is FNV-1a over bytes extended by their sign, as models were trained with.
func hash[T string | []byte](word T) uint32 {
	h := uint32(2166136261)
	for i := 0; i < len(word); i++ {
		h = (h ^ uint32(int8(word[i]))) * 16777619
	}
	return h
}

// indices maps buckets to rows: open addressing, at most half full.
type indices struct {
	keys, values []int32 // keys are one above the bucket; 0 is free
	n            int
}

func newIndices(n int) *indices {
	size := 1 << bits.Len(uint(n)*2)
	return &indices{keys: make([]int32, size), values: make([]int32, size), n: n}
}

func (x *indices) place(key int32) int {
	mask := len(x.keys) - 1
	at := int(uint32(key)*0x9e3779b1) >> 7 & mask
	for x.keys[at] != 0 && x.keys[at] != key+1 {
		at = (at + 1) & mask
	}
	return at
}

func (x *indices) put(key, value int32) {
	at := x.place(key)
	x.keys[at], x.values[at] = key+1, value
}

// get is -1 where the bucket was pruned.
func (x *indices) get(key int32) int32 {
	at := x.place(key)
	if x.keys[at] == 0 {
		return -1
	}
	return x.values[at]
}
