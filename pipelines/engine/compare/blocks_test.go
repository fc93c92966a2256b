package compare

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"winnow"
)

// twoShards writes sketch files of so many rows each, and gives a job over them.
func twoShards(t *testing.T, rows int) *Job {
	t.Helper()
	dir, rng := t.TempDir(), rand.New(rand.NewPCG(7, 7))
	l := listed{}.Layout()
	j := &Job{Temp: dir, Buffers: new(Buffers), Memory: 1 << 24}
	for n := range 2 {
		path := filepath.Join(dir, fmt.Sprint(n))
		err := create(path, func(w io.Writer) error {
			s := NewSketches(NewSegments(w, SketchSegments(l)), l)
			for row := range rows {
				if err := s.Add(row, &Sketch{Records: []winnow.Record{{Key: [2]uint64{rng.Uint64N(1 << 16)}}}}); err != nil {
					return err
				}
			}
			return s.Close()
		})
		if err != nil {
			t.Fatal(err)
		}
		j.Shards = append(j.Shards, Shard{Sketch: path, Rows: rows})
	}
	return j
}

func blocksOf(t *testing.T, j *Job, part int) (all [][]byte) {
	t.Helper()
	for n, s := range j.Shards {
		err := ReadBlocks(nil, s.Sketch, listed{}.Layout(), n, []int{part}, func(at int, b []byte) error {
			if at != part || len(b) > MaxBlock {
				t.Fatalf("partition %d, %d bytes", at, len(b))
			}
			all = append(all, b)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// Blocks stand for the sketch files, whatever the order in which they come, how often, and how many of them fit into memory.
func TestBlocksStandForFiles(t *testing.T) {
	const rows = 300_000 // two blocks and a bit of each shard
	j := twoShards(t, rows)
	rng := rand.New(rand.NewPCG(8, 8))
	for part := range 2 {
		var want, got []winnow.Record
		j.Stage, j.Blocks = listed{got: &want}, nil
		if _, _, err := j.Group(t.Context(), part, io.Discard); err != nil {
			t.Fatal(err)
		}
		all := blocksOf(t, j, part)
		if len(all) < 4 {
			t.Fatalf("only %d blocks", len(all))
		}
		for _, limit := range []int64{1 << 30, 1 << 20, 0} {
			j.Blocks = NewBlocks(listed{}.Layout(), part, limit, t.TempDir())
			twice := append(append(slices.Clone(all), all...), nil)
			rng.Shuffle(len(twice), func(a, b int) { twice[a], twice[b] = twice[b], twice[a] })
			for _, b := range twice {
				if err := j.Blocks.Add(b); err != nil {
					t.Fatal(err)
				}
			}
			got = got[:0]
			j.Stage = listed{got: &got}
			if _, _, err := j.Group(t.Context(), part, io.Discard); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(got, want) || len(got) == 0 {
				t.Errorf("partition %d, %d bytes of memory: other records", part, limit)
			}
			if err := j.Blocks.Close(); err != nil {
				t.Fatal(err)
			}
			if left, _ := os.ReadDir(j.Blocks.folder); len(left) > 0 {
				t.Errorf("%s is left behind", left[0])
			}
		}
	}
}

func TestBlocksAreWhole(t *testing.T) {
	j := twoShards(t, 300_000)
	j.Stage = listed{got: new([]winnow.Record)}
	all := blocksOf(t, j, 0)
	j.Blocks = NewBlocks(listed{}.Layout(), 0, 1<<30, "")
	for _, b := range all[1:] {
		if err := j.Blocks.Add(b); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err := j.Group(t.Context(), 0, io.Discard); err == nil || !strings.Contains(err.Error(), "never came") {
		t.Errorf("a block is missing: %v", err)
	}
	other, err := ParseBlock(all[1])
	if err != nil {
		t.Fatal(err)
	}
	other.Records = other.Records[:len(other.Records)-12]
	if err := j.Blocks.Add(other.Append(nil)); err == nil {
		t.Error("another block of the same number passed")
	}
	for at := range blockHead + 3 {
		b := bytes.Clone(all[0])
		b[at] ^= 0x40
		if _, err := ParseBlock(b); err == nil && (at == 0 || at > 3) {
			t.Errorf("byte %d is damaged, and the block passed", at)
		}
	}
}

func BenchmarkBlocks(b *testing.B) {
	in := Block{Shard: 1, Of: 1, Records: make([]byte, MaxBlock-blockHead)}
	b.SetBytes(MaxBlock)
	for b.Loop() {
		if _, err := ParseBlock(in.Append(make([]byte, 0, MaxBlock))); err != nil {
			b.Fatal(err)
		}
	}
}

func FuzzParseBlock(f *testing.F) {
	f.Add(Block{Shard: 3, Sequence: 1, Of: 2, Records: []byte("records of a shard")}.Append(nil))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if b, err := ParseBlock(raw); err == nil && !bytes.Equal(b.Append(nil)[4:], raw[4:]) {
			t.Errorf("%x is read as %+v", raw, b)
		}
	})
}
