package bench

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"winnow"
	"winnow/bench/meter"
	"winnow/dedup"
	"winnow/pipelines/engine/compare"
)

// shardDocs is how many documents one synthetic sketch file holds.
const shardDocs = 100_000

// prepareScale measures grouping and clustering with FineWeb's parameters on synthetic sketches of o.Docs documents.
func prepareScale(_ context.Context, o meter.Options) (meter.Once, error) {
	return func(ctx context.Context) ([]meter.Figure, error) {
		s, err := measureScale(ctx, o.Docs, o.Memory)
		if err != nil {
			return nil, err
		}
		docs := float64(o.Docs)
		return []meter.Figure{
			{Name: "documents", Value: docs},
			{Name: "documents in clusters", Unit: "%", Value: 100 * float64(s.counts.Clustered) / docs},
			{Name: "band hashes and four-bit signatures on disk", Unit: "bytes a document", Value: float64(s.sketchBytes) / docs},
			{Name: "ids and ranks on disk", Unit: "bytes a document", Value: float64(s.rankBytes) / docs},
			{Name: "edges on disk", Unit: "bytes a document", Value: float64(s.edgeBytes) / docs},
			{Name: "grouping", Unit: "docs/s per core", Value: docs / s.group},
			{Name: "clustering", Unit: "docs/s per core", Value: docs / s.resolve},
			{Name: "grouping and clustering", Unit: "docs/s per core", Value: docs / (s.group + s.resolve)},
			{Name: "processor time", Unit: "s", Value: s.group + s.resolve},
			{Name: "wall time", Unit: "s", Value: s.wall},
			{Name: "peak memory", Unit: "MB resident", Value: float64(meter.PeakMemory()) / 1e6},
		}, nil
	}, nil
}

// scale is what was measured.
type scale struct {
	sketchBytes, rankBytes, edgeBytes int64
	group, resolve, wall              float64 // seconds; group and resolve of the processor
	counts                            compare.Counts
}

func measureScale(ctx context.Context, docs int, memory int64) (s scale, err error) {
	stage, err := dedup.New(dedup.Options{Method: dedup.MinHash})
	if err != nil {
		return s, err
	}
	dir, err := os.MkdirTemp("", "winnow-bench-")
	if err != nil {
		return s, err
	}
	defer os.RemoveAll(dir)
	j := &compare.Job{Stage: stage, Temp: dir, Memory: memory, Buffers: new(compare.Buffers)}
	if err := s.sketch(ctx, j, docs); err != nil {
		return s, err
	}
	wall, begin := time.Now(), meter.ProcessorTime()
	var files []string
	for part := range stage.Layout().Partitions {
		path := filepath.Join(dir, fmt.Sprintf("edges-%d", part))
		files = append(files, path)
		f, err := os.Create(path)
		if err != nil {
			return s, err
		}
		_, edges, err := j.Group(ctx, part, f)
		s.edgeBytes += 16 * edges
		if err := f.Close(); err != nil {
			return s, err
		}
		if err != nil {
			return s, err
		}
	}
	s.group = (meter.ProcessorTime() - begin).Seconds()
	begin = meter.ProcessorTime()
	f, err := os.Create(filepath.Join(dir, "outcomes"))
	if err != nil {
		return s, err
	}
	defer f.Close()
	s.counts, err = j.Resolve(ctx, files, compare.NewSegments(f, len(j.Shards)))
	s.resolve, s.wall = (meter.ProcessorTime() - begin).Seconds(), time.Since(wall).Seconds()
	return s, err
}

// sketch writes synthetic sketches: three documents in ten repeat one of the 100,000 before them, and share each band with it
// with the probability .8^8 that Jaccard similarity .8 has; all else is drawn at random.
func (s *scale) sketch(ctx context.Context, j *compare.Job, docs int) error {
	l := j.Stage.Layout()
	random := rand.New(rand.NewPCG(1, 2))
	const bands = 14
	recent := make([][bands]uint64, shardDocs)
	for first := 0; first < docs; first += shardDocs {
		if err := ctx.Err(); err != nil {
			return err
		}
		n := min(shardDocs, docs-first)
		path := filepath.Join(j.Temp, fmt.Sprintf("sketch-%d", first/shardDocs))
		f, err := os.Create(path)
		if err != nil {
			return err
		}
		w := compare.NewSketches(compare.NewSegments(f, compare.SketchSegments(l)), l)
		for row := range n {
			var keys [bands]uint64
			old := &recent[random.IntN(shardDocs)]
			repeats := first+row > 0 && random.IntN(10) < 3
			for b := range keys {
				if keys[b] = random.Uint64(); repeats && old[b] != 0 && random.Float64() < .168 {
					keys[b] = old[b]
				}
			}
			recent[(first+row)%shardDocs] = keys
			if err := s.add(w, row, keys[:], random); err != nil {
				return err
			}
		}
		if err := w.Close(); err != nil {
			return err
		}
		if err := f.Close(); err != nil {
			return err
		}
		j.Shards = append(j.Shards, compare.Shard{Sketch: path, Rows: n})
	}
	return nil
}

func (s *scale) add(w *compare.Sketches, row int, keys []uint64, random *rand.Rand) error {
	sk := compare.Sketch{Records: make([]winnow.Record, len(keys))}
	for i, k := range keys {
		sk.Records[i].Key[0] = k
	}
	data := make([]byte, 0, 56)
	for range 7 {
		data = binary.LittleEndian.AppendUint64(data, random.Uint64())
	}
	sk.Rank = winnow.Rank{Score: float64(random.IntN(100_000)), Data: data,
		ID: fmt.Sprintf("<urn:uuid:%08x-%04x-%04x-%04x-%012x>", random.Uint32(), random.Uint32()>>16, random.Uint32()>>16, random.Uint32()>>16, random.Uint64()>>16)}
	s.sketchBytes += int64(12*len(keys) + len(data))
	s.rankBytes += int64(15 + len(sk.Rank.ID))
	return w.Add(row, &sk)
}
