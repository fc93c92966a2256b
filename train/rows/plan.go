package rows

import (
	"fmt"
	"math/bits"
	"math/rand/v2"
	"slices"
)

// Piece is a run of a document's pairs inside a row. Pair 0 is bos and the first token, pair n (of n text tokens) the last
// token and eos.
type Piece struct {
	Doc  int // index into the lengths that the plan was made of
	From int // first pair; 0 unless the document is continued
	Len  int // pairs
}

// Plan is one epoch: every pair of every document that has text, once, in rows of a fixed length.
type Plan struct {
	length int
	pieces []Piece
	starts []int32 // row i has pieces[starts[i]:starts[i+1]]
}

// PlanOptions are for NewPlan.
type PlanOptions struct {
	Len    int    // positions of a row
	Single bool   // one document, or piece of one, a row; else rows are packed
	Seed   uint64 // of the order
	Epoch  int64  // another order for each
}

// window is how many pieces are sorted together before they are packed: more fills rows better, fewer mixes epochs more.
const window = 1024

// NewPlan packs documents of so many text tokens. Documents longer than a row give whole rows and a rest; pieces are taken in
// a random order, by windows, longest first, and each goes into the fullest row that still has room (best fit decreasing, with
// rows left open from one window to the next). Then the rows are put into a random order. Documents without tokens have no
// place. The same lengths and options give the same plan, on every machine.
func NewPlan(lengths []int, o PlanOptions) (*Plan, error) {
	if o.Len < 1 {
		return nil, fmt.Errorf("plan: rows of %d positions", o.Len)
	}
	var pieces []Piece
	for doc, n := range lengths {
		if n < 0 || n >= 1<<31-1 {
			return nil, fmt.Errorf("plan: document %d of %d tokens", doc, n)
		}
		if n == 0 {
			continue
		}
		for from := 0; from <= n; from += o.Len {
			pieces = append(pieces, Piece{doc, from, min(o.Len, n+1-from)})
		}
	}
	if len(pieces) >= 1<<31-1 {
		return nil, fmt.Errorf("plan: %d pieces", len(pieces))
	}
	order := newOrder(o.Seed, uint64(o.Epoch))
	order.shuffle(len(pieces), func(i, j int) { pieces[i], pieces[j] = pieces[j], pieces[i] })
	row := make([]int32, len(pieces)) // of each piece
	rows := 0
	if o.Single {
		for i := range pieces {
			row[i] = int32(i)
		}
		rows = len(pieces)
	} else {
		rows = pack(pieces, row, o.Len)
	}
	place := make([]int32, rows)
	for i := range place {
		place[i] = int32(i)
	}
	order.shuffle(rows, func(i, j int) { place[i], place[j] = place[j], place[i] })
	return gather(pieces, row, place, o.Len), nil
}

// pack sorts pieces within windows and gives each a row; it tells the number of rows.
func pack(pieces []Piece, row []int32, length int) int {
	open := newShelf(length)
	rows := int32(0)
	for at := 0; at < len(pieces); at += window {
		group := pieces[at:min(at+window, len(pieces))]
		slices.SortStableFunc(group, func(a, b Piece) int { return b.Len - a.Len })
		for i, p := range group {
			r, room, ok := open.take(p.Len)
			if !ok {
				r, room = rows, length
				rows++
			}
			row[at+i] = r
			open.put(r, room-p.Len)
		}
	}
	return int(rows)
}

// gather sorts pieces by where their rows stand.
func gather(pieces []Piece, row, place []int32, length int) *Plan {
	p := &Plan{length: length, pieces: make([]Piece, len(pieces)), starts: make([]int32, len(place)+1)}
	for _, r := range row {
		p.starts[place[r]+1]++
	}
	for i := range place {
		p.starts[i+1] += p.starts[i]
	}
	next := slices.Clone(p.starts)
	for i, r := range row {
		p.pieces[next[place[r]]] = pieces[i]
		next[place[r]]++
	}
	return p
}

// Rows is the number of rows.
func (p *Plan) Rows() int { return len(p.starts) - 1 }

// Len is the number of positions of a row.
func (p *Plan) Len() int { return p.length }

// Row gives the pieces of a row, in their order. They are not to be changed.
func (p *Plan) Row(i int) []Piece { return p.pieces[p.starts[i]:p.starts[i+1]] }

// shelf holds rows by the room left in them.
type shelf struct {
	rows [][]int32 // by room; last in, first out
	some []uint64  // bit r: rows[r] is not empty
}

func newShelf(length int) *shelf {
	return &shelf{make([][]int32, length+1), make([]uint64, length/64+1)}
}

func (s *shelf) put(row int32, room int) {
	if room == 0 {
		return
	}
	s.rows[room] = append(s.rows[room], row)
	s.some[room/64] |= 1 << (room % 64)
}

// take gives the row with the least room that is enough.
func (s *shelf) take(need int) (row int32, room int, ok bool) {
	word := need / 64
	set := s.some[word] &^ (1<<(need%64) - 1)
	for set == 0 {
		if word++; word == len(s.some) {
			return 0, 0, false
		}
		set = s.some[word]
	}
	room = word*64 + bits.TrailingZeros64(set)
	n := len(s.rows[room]) - 1
	row = s.rows[room][n]
	if s.rows[room] = s.rows[room][:n]; n == 0 {
		s.some[room/64] &^= 1 << (room % 64)
	}
	return row, room, true
}

// order is a source of permutations that no release of Go changes: PCG, whose numbers are specified, and a shuffle of our own.
type order struct{ r *rand.PCG }

func newOrder(seed, stream uint64) order { return order{rand.NewPCG(seed, stream)} }

// below gives a number in [0, n) with the same chance each (multiply and reject, Lemire 2019).
func (o order) below(n uint64) uint64 {
	hi, lo := bits.Mul64(o.r.Uint64(), n)
	if lo < n {
		for least := -n % n; lo < least; {
			hi, lo = bits.Mul64(o.r.Uint64(), n)
		}
	}
	return hi
}

func (o order) shuffle(n int, swap func(i, j int)) {
	for i := n - 1; i > 0; i-- {
		swap(i, int(o.below(uint64(i)+1)))
	}
}
