package pipelines

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"strings"

	"winnow/pipelines/engine"
	"winnow/shard"
	"winnow/shard/store"
)

// Cluster is what a large run would have.
type Cluster struct {
	Nodes, Cores int
	Crawl        int64 // bytes of input, compressed as the sample's
	ShardBytes   int64
	Sort         int64 // bytes in which one process sorts
}

// Scaled is a run of another size, every figure in proportion to the bytes of a finished run.
type Scaled struct {
	Sample        string       `json:"sample"`
	SampleBytes   int64        `json:"sample_bytes"`
	SampleDocs    int64        `json:"sample_documents"`
	Bytes         int64        `json:"bytes"`
	Factor        float64      `json:"factor"`
	Shards        int64        `json:"shards"`
	Documents     int64        `json:"documents"`
	Kept          int64        `json:"kept"`
	KeptBytes     int64        `json:"kept_bytes"`
	Waves         []ScaledWave `json:"waves"`
	Hours         float64      `json:"hours"` // of the whole run, one wave after the other
	Disk          int64        `json:"disk_bytes"`
	Shuffle       int64        `json:"shuffle_bytes"` // sketches, which Group tasks read
	Partition     int64        `json:"partition_bytes"`
	SegmentReads  int64        `json:"segment_reads"` // a segment of each shard for each partition
	ManifestReads int64        `json:"manifest_reads"`
	ResolveMemory int64        `json:"resolve_memory_bytes"` // at most: all documents in clusters
	MapMemory     int64        `json:"map_memory_bytes"`     // of a process that does as many tasks as it has cores
}

// ScaledWave is one wave of it.
type ScaledWave struct {
	Stage      string  `json:"stage"`
	Tasks      int64   `json:"tasks"`
	Bytes      int64   `json:"bytes"`       // that its tasks leave
	CPUHours   float64 `json:"cpu_hours"`   //
	TaskHours  float64 `json:"task_hours"`  // of one core, for one task
	WaveHours  float64 `json:"wave_hours"`  // with all cores that it can use
	WidestJobs int64   `json:"widest_jobs"` // cores that it can use
}

// Scale works out what a finished run would take on more input and more machines.
func Scale(f *shard.Folder, c Cluster) (*Scaled, error) {
	if f.Run.State != shard.Done || len(f.Run.Waves) == 0 {
		return nil, fmt.Errorf("run %s is %s: figures come from a finished run of this version", f.Run.ID, f.Run.State)
	}
	s := &Scaled{Sample: f.Run.ID, Bytes: c.Crawl, SampleDocs: f.Run.Totals.Documents, Shards: max(1, c.Crawl/c.ShardBytes)}
	for _, x := range f.Run.Shards {
		s.SampleBytes += x.Bytes()
	}
	if s.SampleBytes == 0 {
		return nil, fmt.Errorf("run %s read nothing", f.Run.ID)
	}
	s.Factor = float64(c.Crawl) / float64(s.SampleBytes)
	times := func(n int64) int64 { return int64(math.Round(float64(n) * s.Factor)) }
	s.Documents, s.Kept, s.KeptBytes = times(s.SampleDocs), times(f.Run.Totals.Kept), times(f.Run.Totals.Bytes)
	progress, err := shard.ReadProgress(f.Store, f.Dir, f.Run)
	if err != nil {
		return nil, err
	}
	alive, corpora := int64(0), int64(0)
	for _, w := range progress.Waves {
		sum, err := sumWave(f, w)
		if err != nil {
			return nil, err
		}
		v := ScaledWave{Stage: w.Stage, Tasks: int64(w.Tasks), CPUHours: sum.cpu * s.Factor / 3600, Bytes: times(sum.bytes)}
		if strings.HasPrefix(w.Stage, "map-") || strings.HasPrefix(w.Stage, "evidence-") {
			v.Tasks = s.Shards
		}
		switch {
		case w.Stage == "pack":
			v.Tasks = max(1, min(s.Shards, s.KeptBytes/(512<<20)))
		case strings.HasPrefix(w.Stage, "map-"):
			s.Shuffle += times(sum.sketches)
			alive = max(alive, times(sum.alive))
		case strings.HasPrefix(w.Stage, "group-"):
			corpora++
			s.SegmentReads += v.Tasks * s.Shards
			s.ManifestReads += v.Tasks * s.Shards
			s.Partition = max(s.Partition, int64(w.Tasks))
		}
		v.WidestJobs = min(v.Tasks, int64(c.Nodes*c.Cores))
		v.TaskHours = v.CPUHours / float64(v.Tasks)
		v.WaveHours = v.TaskHours * math.Ceil(float64(v.Tasks)/float64(v.WidestJobs))
		s.Hours += v.WaveHours
		s.Disk += v.Bytes
		s.Waves = append(s.Waves, v)
	}
	if corpora > 0 {
		s.Partition = s.Shuffle / corpora / s.Partition
		s.ResolveMemory = baseMemory + c.Sort + 5*alive
	}
	s.MapMemory = baseMemory + int64(c.Cores)*memoryPerJob + c.Sort
	return s, nil
}

// waveSum is what the manifests of a wave say of the sample.
type waveSum struct {
	cpu                    float64
	bytes, sketches, alive int64
}

func sumWave(f *shard.Folder, w shard.WaveProgress) (out waveSum, err error) {
	for n := range w.Tasks {
		name := engine.TaskName(w.Stage, n)
		m, err := shard.ReadManifest(f.Store, store.Join(f.Dir, "tasks", name+".json"))
		if errors.Is(err, fs.ErrNotExist) {
			return out, fmt.Errorf("run %s has no manifest of task %s any more", f.Run.ID, name)
		}
		if err != nil {
			return out, err
		}
		out.cpu += m.CPUSeconds
		out.alive += m.Counts["alive"]
		for _, o := range m.Outputs {
			out.bytes += o.Bytes
			if strings.HasPrefix(o.Name, "sketches/") {
				out.sketches += o.Bytes
			}
		}
	}
	return out, nil
}
