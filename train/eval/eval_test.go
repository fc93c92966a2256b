package eval

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/zeebo/xxh3"

	"winnow/train/llm"
	"winnow/train/rows"
)

// bytesOnly gives each byte its own id; 256 begins and ends texts.
type bytesOnly struct{}

func (bytesOnly) Encode(dst []int32, text string) []int32 { return symbols(dst, []byte(text)) }
func (bytesOnly) Size() int                               { return 257 }
func (bytesOnly) Decode(ids []int32) []byte {
	b := make([]byte, len(ids))
	for i, id := range ids {
		b[i] = byte(id)
	}
	return b
}

// exact is a model whose nats for a target are a function of the whole context that it is given.
type exact func(context []int32, target int32) float32

func (f exact) Nats(b *llm.Batch) ([]float32, error) {
	if len(b.IDs) != b.Rows*b.Len || len(b.Targets) != len(b.IDs) || len(b.Pos) != len(b.IDs) {
		return nil, errors.New("a batch of another shape")
	}
	out := make([]float32, len(b.IDs))
	start := 0
	for i := range b.IDs {
		if i%b.Len == 0 || b.Pos[i] != b.Pos[i-1]+1 {
			start = i
			if b.Pos[i] != 0 {
				return nil, errors.New("a span that does not begin at 0")
			}
		}
		if b.Targets[i] >= 0 {
			out[i] = f(b.IDs[start:i+1], b.Targets[i])
		}
	}
	return out, nil
}

// mixed depends on every id of the context and on the target.
func mixed(context []int32, target int32) float32 {
	var b []byte
	for _, id := range append(slices.Clone(context), target) {
		b = append(b, byte(id), byte(id>>8))
	}
	return float32(xxh3.Hash(b)%1000) / 100
}

func TestScorer(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	var list []Sequence
	for range 300 {
		ids := make([]int32, 1+r.IntN(33))
		for i := range ids {
			ids[i] = int32(r.IntN(257))
		}
		list = append(list, Sequence{ids, 1 + r.IntN(len(ids))})
	}
	for _, batch := range []int{1, 100, 4096} {
		got, err := Scorer{Model: exact(mixed), Len: 32, Batch: batch}.Nats(list)
		if err != nil {
			t.Fatal(err)
		}
		for i, q := range list {
			if len(got[i]) != len(q.IDs)-q.From {
				t.Fatalf("sequence %d: %d values for %d targets", i, len(got[i]), len(q.IDs)-q.From)
			}
			for k, x := range got[i] {
				if want := mixed(q.IDs[:q.From+k], q.IDs[q.From+k]); x != want {
					t.Fatalf("sequence %d, target %d: %v, not %v", i, k, x, want)
				}
			}
		}
	}
	for _, bad := range []Sequence{{make([]int32, 34), 1}, {make([]int32, 3), 0}, {make([]int32, 3), 4}} {
		if _, err := (Scorer{Model: exact(mixed), Len: 32}).Nats([]Sequence{bad}); err == nil {
			t.Errorf("%d ids from %d on: no error", len(bad.IDs), bad.From)
		}
	}
	broken := errors.New("broken")
	if _, err := (Scorer{Model: failing{broken}, Len: 32}).Nats(list); !errors.Is(err, broken) {
		t.Errorf("error %v", err)
	}
}

type failing struct{ err error }

func (f failing) Nats(*llm.Batch) ([]float32, error) { return nil, f.err }

func documents(list ...rows.Document) func(func(rows.Document, error) bool) {
	return func(yield func(rows.Document, error) bool) {
		for _, d := range list {
			if !yield(d, nil) {
				return
			}
		}
	}
}

// TestBitsPerByte: a uniform model costs log2 V bits a token; ends are not counted; languages stand apart and add up.
func TestBitsPerByte(t *testing.T) {
	docs := documents(rows.Document{Language: "zh", Text: "天地玄黄"}, rows.Document{Language: "en", Text: "the quick brown fox jumps over it"},
		rows.Document{Language: "en", Text: "a"}, rows.Document{Language: "en"})
	h, err := NewHeldTexts(docs, bytesOnly{}, HeldOptions{Len: 8, Start: 256})
	if err != nil {
		t.Fatal(err)
	}
	uniform := exact(func([]int32, int32) float32 { return float32(math.Log(257)) })
	got, _, err := BitsPerByte(uniform, h)
	if err != nil {
		t.Fatal(err)
	}
	want := []Bits{{Language: "en", Documents: 2, Bytes: 34, Tokens: 34}, {Language: "zh", Documents: 1, Bytes: 12, Tokens: 12},
		{Language: "all", Documents: 3, Bytes: 46, Tokens: 46}}
	for i, w := range want {
		g := got[i]
		if g.Language != w.Language || g.Documents != w.Documents || g.Bytes != w.Bytes || g.Tokens != w.Tokens ||
			math.Abs(g.PerByte-math.Log2(257)) > 1e-6 || g.Error > 1e-6 {
			t.Errorf("%+v, not as %+v", g, w)
		}
	}
	// Each token is predicted from the piece of its own document alone.
	got, depths, err := BitsPerByte(exact(mixed), h)
	if err != nil {
		t.Fatal(err)
	}
	total, tokens := 0.0, int64(0)
	for _, text := range []string{"天地玄黄", "the quick brown fox jumps over it", "a"} {
		ids := append([]int32{256}, symbols(nil, []byte(text))...)
		for i := 1; i < len(ids); i++ {
			total += float64(mixed(ids[(i-1)/8*8:i], ids[i]))
		}
	}
	if math.Abs(got[2].Nats-total) > 1e-3 || got[2].Error == 0 {
		t.Errorf("%v nats, not %v", got[2].Nats, total)
	}
	for i, d := range depths {
		tokens += d.Tokens
		if d.From != []int{0, 1, 3, 7}[i] || d.To != []int{1, 3, 7, 8}[i] {
			t.Errorf("range %+v", d)
		}
	}
	if tokens != 46 {
		t.Errorf("%d tokens over all depths", tokens)
	}
}

func TestHeldLimit(t *testing.T) {
	long := rows.Document{Language: "en", Text: string(make([]byte, 100))}
	h, err := NewHeldTexts(documents(long, long, long, rows.Document{Language: "zh", Text: "天"}), bytesOnly{}, HeldOptions{Len: 8, Limit: 150})
	if err != nil {
		t.Fatal(err)
	}
	if h.Bytes() != 153 || h.Tokens() != 153 {
		t.Fatalf("%d bytes, %d tokens", h.Bytes(), h.Tokens())
	}
}

// TestBaselines: on a text with structure, higher orders cost less, all beat the uniform model, and languages add up.
func TestBaselines(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 9))
	words := []string{"red ", "green ", "blue ", "house ", "tree ", "and "}
	write := func(n int) (s string) {
		w := 0
		for range n {
			w = (w + 1 + r.IntN(2)) % len(words)
			s += words[w]
		}
		return s
	}
	h, err := NewHeldTexts(documents(rows.Document{Language: "en", Text: write(200)}, rows.Document{Language: "zh", Text: "红绿蓝"}), bytesOnly{}, HeldOptions{Len: 8})
	if err != nil {
		t.Fatal(err)
	}
	text := symbols(nil, []byte(write(3000)))
	list, counted, err := Baselines(h, bytesOnly{}, texts(text, text), BaselineOptions{Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	if counted.Documents != 1 || counted.Bytes != int64(len(text)) {
		t.Errorf("counted %+v", counted)
	}
	by := map[string]Bits{}
	for _, b := range list {
		by[b.ID] = b.Bits[0]
		if len(b.Bits) != 3 || b.Bits[0].Language != "en" || math.Abs(b.Bits[0].Nats+b.Bits[1].Nats-b.Bits[2].Nats) > 1e-6 && b.ID[0] != 'g' && b.ID[0] != 'z' {
			t.Errorf("%s: %+v", b.ID, b.Bits)
		}
	}
	for i, id := range []string{"byte-1", "byte-2", "byte-3", "byte-4"} {
		before := 8.0
		if i > 0 {
			before = by[[]string{"byte-1", "byte-2", "byte-3"}[i-1]].PerByte
		}
		if by[id].PerByte >= before {
			t.Errorf("%s: %.3f bits per byte, not under %.3f", id, by[id].PerByte, before)
		}
	}
	// Of bytes as tokens, the two alphabets differ by one symbol (256 is a token of its own): nearly the same costs.
	if math.Abs(by["token-2"].PerByte-by["byte-2"].PerByte) > 1e-3 {
		t.Errorf("tokens %.4f, bytes %.4f", by["token-2"].PerByte, by["byte-2"].PerByte)
	}
	if z := by["zstd"].PerByte; z <= 0 || z > 4 {
		t.Errorf("zstd %.3f bits per byte", z)
	}
}
