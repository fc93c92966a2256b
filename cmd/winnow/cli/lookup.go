package cli

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"winnow"

	"winnow/shard"
	"winnow/shard/store"
)

// Find opens a run: by its folder, its id, the name of its recipe (the latest run of it), the beginning or the end of its
// id, or "latest", which is the default.
func (a *App) Find(name string) (*shard.Folder, error) {
	name, err := Cleaned(name, nil)
	if err != nil {
		return nil, err
	}
	if name != "" && name != "latest" {
		if a.Store.Exists(store.Join(name, "run.json")) {
			return shard.Open(a.Store, name)
		}
	}
	all, err := a.AllRuns()
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, Usage(a.Lang.T("there is no run in %s yet; start with: winnow run pipelines/quickstart.yaml", "%s 中还没有运行；先试：winnow run pipelines/quickstart.yaml"), a.Runs)
	}
	if name == "" || name == "latest" {
		return shard.Open(a.Store, all[0].Dir)
	}
	var hits []string
	for _, r := range all {
		if r.Run.ID == name || r.Run.Name == name {
			return shard.Open(a.Store, r.Dir)
		}
		if strings.HasPrefix(r.Run.ID, name) || strings.HasSuffix(r.Run.ID, name) {
			hits = append(hits, r.Dir)
		}
	}
	if len(hits) != 1 {
		return nil, Usage(a.Lang.T("%d runs in %s go by %q", "%[2]s 中有 %[1]d 个运行名为 %[3]q"), len(hits), a.Runs, name)
	}
	return shard.Open(a.Store, hits[0])
}

type found struct {
	Dir string
	Run *shard.Run
}

// AllRuns lists the runs of the folder, the one begun last first.
func (a *App) AllRuns() ([]found, error) {
	entries, err := a.Store.List(a.Runs)
	if err != nil {
		return nil, err
	}
	var out []found
	for _, e := range entries {
		if winnow.IsURL(a.Runs) && !e.Folder {
			continue // which to find out would be a request each
		}
		dir := store.Join(a.Runs, e.Name)
		if r, err := shard.ReadRun(a.Store, dir); err == nil {
			out = append(out, found{dir, r})
		}
	}
	slices.SortStableFunc(out, func(x, y found) int {
		return cmp.Or(cmp.Compare(y.Run.Started, x.Run.Started), cmp.Compare(x.Run.ID, y.Run.ID))
	})
	return out, nil
}

// Arg gives an argument, or empty where there are fewer.
func Arg(args []string, i int) string {
	if i < len(args) {
		return args[i]
	}
	return ""
}

// NotStored is for commands that need texts which the run did not store.
func NotStored(f *shard.Folder) error {
	return fmt.Errorf("run %s stores %s of its dropped texts", f.Run.ID, f.Run.Dropped)
}
