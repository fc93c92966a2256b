package compare

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"iter"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"winnow"
)

// Whatever the memory and the keys, the order must be that of an ordinary sort.
func TestWordSorter(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	buffers := new(Buffers)
	for _, n := range []int{0, 1, 30, 5000} {
		for _, distinct := range []uint64{1, 7, 1 << 63} {
			for _, memory := range []int64{1, 20_000, 1 << 24} {
				var want [][3]uint64
				s := newWordSorter[[3]uint64](t.TempDir(), memory, buffers)
				for range n {
					w := [3]uint64{rng.Uint64N(distinct) * 0x9e3779b97f4a7c15, rng.Uint64N(5), rng.Uint64()}
					want = append(want, w)
					if err := s.add(w); err != nil {
						t.Fatal(err)
					}
				}
				slices.SortFunc(want, compareWords)
				var got [][3]uint64
				for w, err := range s.sorted() {
					if err != nil {
						t.Fatal(err)
					}
					got = append(got, w)
				}
				if memory == 1 && n > 64 && len(s.runs) < 2 {
					t.Errorf("%d records in %d runs", n, len(s.runs))
				}
				s.close()
				if !slices.Equal(got, want) {
					t.Fatalf("%d records of %d keys in %d bytes: not in order", n, distinct, memory)
				}
			}
		}
	}
}

// listed is a Corpus of synthetic records whose Group writes down what it is given.
type listed struct {
	winnow.Corpus
	got *[]winnow.Record
}

func (listed) Layout() winnow.Layout { return winnow.Layout{Partitions: 2, Keys: 1} }

func (c listed) Group(_ context.Context, sorted iter.Seq2[winnow.Record, error], _ func(winnow.Edge) error) error {
	for r, err := range sorted {
		if err != nil {
			return err
		}
		*c.got = append(*c.got, r)
	}
	return nil
}

// Whatever the memory, Group must be given the same records in the same order: from one sort, range after range, or merged
// from pieces on disk.
func TestGroupInAnyMemory(t *testing.T) {
	const rows = 20_000
	dir, rng := t.TempDir(), rand.New(rand.NewPCG(6, 6))
	j := &Job{Temp: dir, Buffers: new(Buffers)}
	for n := range 2 {
		path := filepath.Join(dir, fmt.Sprint(n))
		err := create(path, func(w io.Writer) error {
			s := NewSketches(NewSegments(w, SketchSegments(listed{}.Layout())), listed{}.Layout())
			for row := range rows {
				if err := s.Add(row, &Sketch{Records: []winnow.Record{{Key: [2]uint64{rng.Uint64() >> (16 * rng.IntN(2))}}}}); err != nil {
					return err
				}
			}
			return s.Close()
		})
		if err != nil {
			t.Fatal(err)
		}
		j.Shards = append(j.Shards, Shard{Sketch: path, Rows: rows, Out: Bits{1 << 5}})
	}
	var want []winnow.Record
	for _, c := range []struct {
		memory int64
		ranges int
	}{{1 << 24, 1}, {400_000, 2}, {100_000, 8}, {1, 1}} {
		var got []winnow.Record
		j.Stage, j.Memory = listed{got: &got}, c.memory
		n, _, err := j.Group(t.Context(), 0, io.Discard)
		if err != nil || int(n) != len(got) {
			t.Fatalf("%d records counted, %d given: %v", n, len(got), err)
		}
		if ranges, err := j.ranges(0, int(max(c.memory/32, 64))); err != nil || ranges != c.ranges {
			t.Errorf("%d bytes: %d ranges (%v), want %d", c.memory, ranges, err, c.ranges)
		}
		if want == nil {
			want = got
		}
		if !slices.Equal(got, want) || len(got) < rows*9/10 {
			t.Errorf("%d bytes: other records, or in another order", c.memory)
		}
	}
}

func TestByteSorter(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	for _, memory := range []int64{1, 1 << 20} {
		s := newByteSorter(t.TempDir(), memory)
		var want [][]byte
		for range 3000 {
			b := make([]byte, rng.IntN(40))
			for i := range b {
				b[i] = byte(rng.IntN(3))
			}
			want = append(want, b)
			if err := s.add(b); err != nil {
				t.Fatal(err)
			}
		}
		slices.SortFunc(want, bytes.Compare)
		next, err := s.reader()
		if err != nil {
			t.Fatal(err)
		}
		for i := range want {
			if b, ok, err := next(); err != nil || !ok || !bytes.Equal(b, want[i]) {
				t.Fatalf("string %d: %v %v %v, want %v", i, b, ok, err, want[i])
			}
		}
		if _, ok, err := next(); ok || err != nil {
			t.Error("more than was added")
		}
		s.close()
	}
}

func TestForest(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	for range 50 {
		n := 1 + rng.IntN(300)
		var pairs [][2]int
		f := newForest(n)
		label := make([]int, n)
		for i := range label {
			label[i] = i
		}
		for range rng.IntN(n) {
			a, b := rng.IntN(n), rng.IntN(n)
			pairs = append(pairs, [2]int{a, b})
			f.mark(a)
			f.mark(b)
			from, to := max(label[a], label[b]), min(label[a], label[b])
			for i := range label {
				if label[i] == from {
					label[i] = to
				}
			}
		}
		if err := f.seal(); err != nil {
			t.Fatal(err)
		}
		rng.Shuffle(len(pairs), func(i, j int) { pairs[i], pairs[j] = pairs[j], pairs[i] })
		for _, p := range pairs {
			f.join(p[0], p[1])
		}
		for i := range n {
			if !f.marks.Has(i) {
				continue
			}
			size := 0
			for _, l := range label {
				if l == label[i] {
					size++
				}
			}
			if root, got := f.cluster(i); got != size || root != f.place(label[i]) {
				t.Fatalf("document %d: root %d of %d, want %d of %d", i, root, got, f.place(label[i]), size)
			}
		}
	}
}

func TestBits(t *testing.T) {
	var b Bits
	b.Set(70)
	b.Set(3)
	b.Clear(3)
	b.Clear(1000)
	if !b.Has(70) || b.Has(3) || b.Has(1000) {
		t.Errorf("%b", b)
	}
}

// The order of members' bytes must be: cluster, earlier runs, score, id or place in the input.
func TestMemberOrder(t *testing.T) {
	member := func(root int32, own bool, id winnow.DocID, score float64, name string, byInput bool) []byte {
		return appendMember(nil, root, own, id, &ranked{id: []byte(name), rank: winnow.Rank{Score: score, ByInput: byInput, Data: []byte{1, 0, 0}}})
	}
	list := [][]byte{
		member(1, false, 9, -5, "z", false), member(1, true, 8, math.Inf(1), "z", false), member(1, true, 7, 2, "a", false),
		member(1, true, 7, 2, "a\x00", false), member(1, true, 6, 2, "a\x00b", false), member(1, true, 5, 2, "ab", false),
		member(1, true, 4, 0, "x", false), member(1, true, 3, -1, "x", false), member(1, true, 2, math.NaN(), "x", false),
		member(2, true, 1, 0, "z", true), member(2, true, 2, 0, "a", true),
	}
	if !slices.IsSortedFunc(list, bytes.Compare) {
		t.Error("not in order")
	}
	root, m := parseMember(list[4])
	if root != 1 || m.Doc != 6 || m.Rank.ID != "a\x00b" || m.Rank.Score != 2 || !bytes.Equal(m.Rank.Data, []byte{1, 0, 0}) {
		t.Errorf("%d %+v", root, m)
	}
	if _, m = parseMember(list[10]); m.Doc != 2 || m.Rank.ID != "a" || !m.Rank.ByInput {
		t.Errorf("%+v", m)
	}
	for _, x := range []float64{0, 1, -1, 3.5, math.Inf(1), math.Inf(-1)} {
		if got := unordered(ordered(x)); got != x {
			t.Errorf("%g became %g", x, got)
		}
	}
}

func TestSegments(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	s := NewSegments(f, 3)
	want := [3][]byte{}
	rng := rand.New(rand.NewPCG(4, 4))
	for range 3000 {
		k, entry := rng.IntN(3), bytes.Repeat([]byte{byte(rng.Uint32())}, rng.IntN(60))
		want[k] = append(want[k], entry...)
		if err := s.Append(k, func(b []byte) []byte { return append(b, entry...) }); err != nil {
			t.Fatal(err)
		}
	}
	if err := cmp.Or(s.Close(), f.Close()); err != nil {
		t.Fatal(err)
	}
	for k := range want {
		var got []byte
		for b, err := range readBlocks(nil, path, k) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, b...)
		}
		if !bytes.Equal(got, want[k]) {
			t.Errorf("segment %d: %d bytes, want %d", k, len(got), len(want[k]))
		}
	}
}

// A damaged file is an error, never a crash.
func FuzzDamagedFile(f *testing.F) {
	var good bytes.Buffer
	s := NewSketches(NewSegments(&good, 2), winnow.Layout{Partitions: 1, Keys: 1})
	s.Add(0, &Sketch{Rank: winnow.Rank{ID: "x", Data: []byte{1}}, Records: []winnow.Record{{Key: [2]uint64{5}}}})
	s.Close()
	f.Add(good.Bytes())
	f.Fuzz(func(t *testing.T, b []byte) {
		path := filepath.Join(t.TempDir(), "s")
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		Load(nil, path, winnow.Layout{Partitions: 1, Keys: 1})
		for _, err := range Outcomes(nil, path, 0) {
			if err != nil {
				break
			}
		}
		if e, err := openEvidence(nil, path); err == nil {
			e.read(0, nil)
			e.file.Close()
		}
	})
}

func TestOutcomesComeBack(t *testing.T) {
	for _, o := range []winnow.Outcome{
		{},
		{Cluster: "a", Size: 3, Similarity: 1, Weight: 2},
		{Cluster: "a", Size: 3, Similarity: .5, Verdict: winnow.Verdict{Drop: true, Rule: "dedup.near", Value: .5, Bound: winnow.Any, Detail: "a"}},
		{Cluster: "a", Verdict: winnow.Verdict{Drop: true, Stage: "s", Rule: "r", Bound: winnow.Below(1), Detail: "a of run b"}},
		{Edits: []winnow.Edit{{Rule: "r", Start: 1, End: 9, With: "x"}, {Rule: "q", Start: 10, End: 12}}},
	} {
		got, err := parseOutcome(appendOutcome(nil, &o))
		if err != nil || !reflect.DeepEqual(got, o) {
			t.Errorf("%+v became %+v (%v)", o, got, err)
		}
	}
}

func BenchmarkSortRecords(b *testing.B) {
	rng := rand.New(rand.NewPCG(5, 5))
	for _, n := range []int{100_000, 2_000_000} {
		a, tmp := make([][2]uint64, n), make([][2]uint64, n)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				for i := range a {
					a[i] = [2]uint64{rng.Uint64(), uint64(i)}
				}
				b.StartTimer()
				sortWords(a, tmp)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/record")
		})
	}
}
