package rows

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// inventMasked makes sequences whose ids tell the sequence and the place: 1000*sequence + place.
func inventMasked(t testing.TB, n, longest int, seed uint64) *Sequences {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 2))
	s := &Sequences{}
	for i := range n {
		ids, targets := make([]int32, 3+r.IntN(longest-2)), []bool(nil)
		for k := range ids {
			ids[k] = int32(1000*(i+1) + k)
			targets = append(targets, k > 0 && (r.IntN(2) == 0 || k == len(ids)-1))
		}
		if err := s.Add(fmt.Sprint("c", i), fmt.Sprint("g", i/2), ids, targets); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// TestMasked: over two epochs every target is learnt twice behind its own prefix, nothing else is, sequences stand isolated and
// whole, every row has a target, and the ledger says what the rows hold, after every row.
func TestMasked(t *testing.T) {
	const length = 40
	all := inventMasked(t, 200, length+1, 1)
	for _, single := range []bool{false, true} {
		m, err := NewMasked(all, nil, Options{Len: length, Seed: 3, PAD: 7, Single: single})
		if err != nil {
			t.Fatal(err)
		}
		first, err := m.EpochRows(0)
		if err != nil {
			t.Fatal(err)
		}
		second, _ := m.EpochRows(1)
		if single != (first == 200) {
			t.Errorf("%d rows", first)
		}
		seen := map[int32]int{}
		var used, masked, padded int64
		for g := range first + second {
			ids, targets, pos := make([]int32, length), make([]int32, length), make([]int32, length)
			if err := m.Fill(g, ids, targets, pos); err != nil {
				t.Fatal(err)
			}
			counted := 0
			for i, id := range ids {
				switch {
				case id == 7:
					padded++
					if targets[i] != -1 || pos[i] != 0 {
						t.Fatal("padding that counts")
					}
					continue
				case id%1000 != pos[i], pos[i] > 0 && (i == 0 || ids[i-1] != id-1):
					t.Fatalf("row %d position %d: id %d at %d", g, i, id, pos[i])
				case targets[i] < 0:
					masked++
					continue
				case targets[i] != id+1:
					t.Fatalf("row %d: %d before %d", g, id, targets[i])
				}
				counted++
				seen[targets[i]]++
			}
			if counted == 0 {
				t.Fatalf("row %d has no target", g)
			}
			used += int64(counted)
			l, err := m.Ledger(g + 1)
			if err != nil || l.Used != used || l.Masked != masked || l.Padded != padded || l.Rows != g+1 {
				t.Fatalf("after row %d: %+v, not used %d masked %d padded %d: %v", g, l, used, masked, padded, err)
			}
			parts, _ := m.Parts(g)
			if len(parts) == 0 || all.ID(parts[0].Index) != parts[0].Document || int(ids[0]/1000-1) != parts[0].Index {
				t.Fatalf("row %d: parts %v", g, parts)
			}
		}
		for i := range all.Len() {
			ids, targets := all.Get(i)
			for k, id := range ids {
				if want := map[bool]int{true: 2}[targets[k]]; seen[id] != want {
					t.Fatalf("id %d was learnt %d times, not %d", id, seen[id], want)
				}
			}
		}
	}
}

// TestMaskedFrom: a row does not depend on what was read before it.
func TestMaskedFrom(t *testing.T) {
	all := inventMasked(t, 50, 20, 2)
	a, _ := NewMasked(all, nil, Options{Len: 32, Seed: 1})
	b, _ := NewMasked(all, nil, Options{Len: 32, Seed: 1})
	for _, g := range []int64{70, 3, 40, 0} {
		x, y := make([]int32, 32), make([]int32, 32)
		scratch := make([]int32, 32)
		if err := a.Fill(g, x, scratch, slices.Clone(scratch)); err != nil {
			t.Fatal(err)
		}
		for k := range g + 1 {
			if err := b.Fill(k, y, scratch, slices.Clone(scratch)); err != nil {
				t.Fatal(err)
			}
		}
		if !slices.Equal(x, y) {
			t.Errorf("row %d", g)
		}
	}
}

func TestMaskedFails(t *testing.T) {
	s := &Sequences{}
	for _, bad := range []struct {
		ids     []int32
		targets []bool
	}{{[]int32{1, 2}, []bool{false, true}}, {[]int32{1, 2, 3}, []bool{true, true, true}}, {[]int32{1, 2, 3}, []bool{false, true, false}}, {[]int32{1, 2, 3}, []bool{false, true}}} {
		if s.Add("x", "", bad.ids, bad.targets) == nil {
			t.Errorf("%v was taken", bad)
		}
	}
	if _, err := NewMasked(s, nil, Options{Len: 8}); err == nil {
		t.Error("no sequence was taken")
	}
	if _, err := NewMasked(inventMasked(t, 30, 30, 1), nil, Options{Len: 8}); err == nil {
		t.Error("sequences beyond a row were taken")
	}
}

func TestSplit(t *testing.T) {
	all := inventMasked(t, 400, 10, 1)
	train, held := all.Split(.1, 5)
	if len(train)+len(held) != 400 || len(held) < 15 || len(held) > 70 {
		t.Fatalf("%d and %d", len(train), len(held))
	}
	for _, i := range held { // groups are pairs
		if !slices.Contains(held, i^1) {
			t.Errorf("group of %d is divided", i)
		}
	}
	if _, held := all.Split(1e-9, 5); len(held) != 2 {
		t.Errorf("%d held at a tiny share, not one group", len(held))
	}
	if _, held := all.Split(0, 5); len(held) != 0 {
		t.Errorf("%d held at none", len(held))
	}
}

func BenchmarkMaskedFill(b *testing.B) {
	m, err := NewMasked(inventMasked(b, 5000, 120, 1), nil, Options{Len: 256})
	if err != nil {
		b.Fatal(err)
	}
	const n = 8 * 256
	ids, targets, pos := make([]int32, n), make([]int32, n), make([]int32, n)
	for g := int64(0); b.Loop(); g += 8 {
		if err := m.Fill(g, ids, targets, pos); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*n/b.Elapsed().Seconds(), "tokens/s")
}
