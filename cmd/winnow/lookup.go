package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"winnow"

	"winnow/shard"
	"winnow/shard/store"
)

// find opens a run: by its folder, its id, the name of its recipe (the latest run of it), the beginning or the end of its
// id, or "latest", which is the default.
func (a *app) find(name string) (*shard.Folder, error) {
	name, err := cleaned(name, nil)
	if err != nil {
		return nil, err
	}
	if name != "" && name != "latest" {
		if a.store.Exists(store.Join(name, "run.json")) {
			return shard.Open(a.store, name)
		}
	}
	all, err := a.allRuns()
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, usage(a.lang.T("there is no run in %s yet; start with: winnow run pipelines/quickstart.yaml", "%s 中还没有运行；先试：winnow run pipelines/quickstart.yaml"), a.runs)
	}
	if name == "" || name == "latest" {
		return shard.Open(a.store, all[0].dir)
	}
	var hits []string
	for _, r := range all {
		if r.run.ID == name || r.run.Name == name {
			return shard.Open(a.store, r.dir)
		}
		if strings.HasPrefix(r.run.ID, name) || strings.HasSuffix(r.run.ID, name) {
			hits = append(hits, r.dir)
		}
	}
	if len(hits) != 1 {
		return nil, usage(a.lang.T("%d runs in %s go by %q", "%[2]s 中有 %[1]d 个运行名为 %[3]q"), len(hits), a.runs, name)
	}
	return shard.Open(a.store, hits[0])
}

type found struct {
	dir string
	run *shard.Run
}

// allRuns lists the runs of the folder, the one begun last first.
func (a *app) allRuns() ([]found, error) {
	entries, err := a.store.List(a.runs)
	if err != nil {
		return nil, err
	}
	var out []found
	for _, e := range entries {
		if winnow.IsURL(a.runs) && !e.Folder {
			continue // which to find out would be a request each
		}
		dir := store.Join(a.runs, e.Name)
		if r, err := shard.ReadRun(a.store, dir); err == nil {
			out = append(out, found{dir, r})
		}
	}
	slices.SortStableFunc(out, func(x, y found) int {
		return cmp.Or(cmp.Compare(y.run.Started, x.run.Started), cmp.Compare(x.run.ID, y.run.ID))
	})
	return out, nil
}

// arg gives an argument, or empty where there are fewer.
func arg(args []string, i int) string {
	if i < len(args) {
		return args[i]
	}
	return ""
}

func notStored(f *shard.Folder) error {
	return fmt.Errorf("run %s stores %s of its dropped texts", f.Run.ID, f.Run.Dropped)
}
