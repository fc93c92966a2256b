package engine

import (
	"os"
	"path/filepath"

	"winnow"
	"winnow/pipelines/engine/compare"
	"winnow/shard"
)

// mapOutput writes what a Map task leaves: the spool of all its rows, and one sketch file for each Corpus stage.
type mapOutput struct {
	c     *chain
	spool *shard.Temp
	rows  *shard.SpoolWriter
	sk    []*compare.Sketches
	files []*shard.Temp // of the sketches
	n     int           // rows written
	p     int           // the pass
	count map[string]int64
}

func (r *run) newMapOutput(c *chain, p, n int) (*mapOutput, error) {
	o := &mapOutput{c: c, p: p, count: map[string]int64{}}
	var err error
	if o.spool, err = shard.Create(filepath.Join(r.dir, "tasks", mapName(p, n)+".spool")); err != nil {
		return nil, err
	}
	o.rows = shard.NewSpoolWriter(o.spool)
	for _, i := range c.pass.corpora {
		f, err := shard.Create(filepath.Join(r.dir, "sketches", mapName(p, n)+"-"+r.Steps[i].Label))
		if err != nil {
			o.abort()
			return nil, err
		}
		l := r.Steps[i].Stage.(winnow.Corpus).Layout()
		o.files = append(o.files, f)
		o.sk = append(o.sk, compare.NewSketches(compare.NewSegments(f, compare.SketchSegments(l)), l))
	}
	return o, nil
}

func (o *mapOutput) write(items []*item) error {
	for _, it := range items {
		for k, row := range it.rows {
			alive := row.DropStage == shard.Alive
			if !alive && o.c.Dropped == DroppedNone {
				row.Doc.Text = ""
			}
			if alive {
				for j := range it.sk[k] {
					if err := o.sk[j].Add(o.n, &it.sk[k][j]); err != nil {
						return err
					}
				}
				o.count["alive"]++
				o.count["alive_bytes"] += row.Bytes
			}
			if err := o.rows.Write(row); err != nil {
				return err
			}
			o.n++
		}
	}
	o.c.progress.add(o.p, items)
	return nil
}

func (o *mapOutput) commit(m *shard.Manifest) error {
	if err := o.rows.Close(); err != nil {
		return err
	}
	for _, s := range o.sk {
		if err := s.Close(); err != nil {
			return err
		}
	}
	m.Counts = o.count
	m.Counts["rows"] = int64(o.n)
	if err := o.c.addOutput(m, "tasks", o.spool, o.n); err != nil {
		return err
	}
	for _, f := range o.files {
		if err := o.c.addOutput(m, "sketches", f, 0); err != nil {
			return err
		}
	}
	return nil
}

func (o *mapOutput) abort() {
	o.spool.Abort()
	for _, f := range o.files {
		f.Abort()
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
