package look

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"winnow/cmd/winnow/cli"
	"winnow/report"
	"winnow/shard"
)

func (a *app) runsCmd() *cobra.Command {
	return &cobra.Command{
		Use: "runs [RUN]", Args: cli.ExactArgs(0, 1),
		Short: a.Lang.T("list runs and their state; of one run, its waves of tasks", "列出运行及其状态；给出某次运行时列出其各波任务"),
		Long: a.Lang.T(`List the runs with what is done of each, wherever its tasks are done. The state is that of run.json; "working on" names the first wave
that is not complete, and "active" says how long ago a task wrote anything.

With RUN: of each wave the tasks done and missing, attempts in work, killed and failed with the last error, and the time they took.
An attempt that is killed leaves its note of having begun; while its task is not done, it looks like one in work.`,
			`列出各次运行及其完成情况，无论任务在何处执行。状态取自 run.json；“进行中”是首个未完成的一波，“活动”是距任务最近一次写入的时间。

给出 RUN 时：各波已完成与缺少的任务，正在执行、被杀死与失败的尝试及最后的错误，以及所用时间。
被杀死的尝试会留下开始的记录；在其任务完成之前，它看上去就像仍在执行。`),
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 1 {
				return a.runWaves(args[0])
			}
			return a.listRuns()
		},
	}
}

// runState is one line of the list.
type runState struct {
	ID      string    `json:"id"`
	Dir     string    `json:"dir"`
	State   string    `json:"state"`
	Error   string    `json:"error,omitempty"`
	Started string    `json:"started"`
	Ended   string    `json:"finished,omitempty"`
	Active  time.Time `json:"active"`         // when a task wrote anything last
	Wave    string    `json:"wave,omitempty"` // the first that is not complete
	Done    int       `json:"tasks_done"`
	Tasks   int       `json:"tasks"`             // as far as they are known
	InWork  int       `json:"in_work,omitempty"` // attempts that left a note of having begun, and are not known to have ended
	Failed  int       `json:"failed,omitempty"`  // attempts
	Shards  int       `json:"shards"`
	Docs    int64     `json:"documents"`
	Kept    int64     `json:"kept"`
}

// state reads what the list says of a run. Of one that is not done, the documents are those of the first pass so far.
func (a *app) state(dir string, r *shard.Run) (runState, *shard.Progress, error) {
	s := runState{ID: r.ID, Dir: dir, State: r.State, Error: r.Error, Started: r.Started, Ended: r.Finished, Shards: len(r.Shards), Docs: r.Totals.Documents, Kept: r.Totals.Kept}
	p, err := shard.ReadProgress(a.Store, dir, r)
	if err != nil {
		return s, nil, err
	}
	s.Active = p.Active
	s.Done, s.Tasks = p.Tasks()
	for k := range p.Waves {
		w := &p.Waves[k]
		s.InWork, s.Failed = s.InWork+len(w.Begun), s.Failed+len(w.Failed)
		if r.State != shard.Done && s.Wave == "" && (w.Tasks < 0 || w.Done < w.Tasks) {
			s.Wave = w.Stage
		}
	}
	if r.State != shard.Done && len(p.Waves) > 0 {
		if err := p.Waves[0].ReadManifests(a.Store, dir); err != nil {
			return s, nil, err
		}
		s.Docs = p.Waves[0].Counts["rows"]
	}
	return s, p, nil
}

func (a *app) listRuns() error {
	all, err := a.AllRuns()
	if err != nil {
		return err
	}
	l := a.Lang
	t := report.Table{Head: []string{"run", l.T("state", "状态"), l.T("working on", "进行中"), l.T(">tasks", ">任务"), l.T(">failed", ">失败"), l.T(">shards", ">分片"),
		l.T(">documents", ">文档"), l.T(">kept", ">保留"), l.T(">age", ">已过"), l.T(">active", ">活动")}}
	for _, r := range all {
		s, _, err := a.state(r.Dir, r.Run)
		if err != nil {
			return err
		}
		if a.JSON {
			if err := a.Line(s); err != nil {
				return err
			}
			continue
		}
		kept := "-"
		if s.State == shard.Done {
			kept = report.Percent(s.Kept, s.Docs)
		}
		begun, _ := time.Parse(time.RFC3339, s.Started)
		t.Add(s.ID, s.State, s.Wave, fmt.Sprintf("%d/%d", s.Done, s.Tasks), fmt.Sprint(s.Failed), fmt.Sprint(s.Shards), report.Count(s.Docs), kept, age(begun), age(s.Active))
	}
	if a.JSON {
		return nil
	}
	_, err = fmt.Fprint(a.Out, t.Text())
	return err
}

// age is how long ago something was, in one unit.
func age(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	d := time.Since(t)
	switch {
	case d < 2*time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < 2*time.Hour:
		return fmt.Sprintf("%dm", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh", int(d.Hours()))
	}
	return fmt.Sprintf("%dd", int(d.Hours()/24))
}

// runWaves shows one run wave by wave.
func (a *app) runWaves(name string) error {
	f, err := a.Find(name)
	if err != nil {
		return err
	}
	s, p, err := a.state(f.Dir, f.Run)
	if err != nil {
		return err
	}
	for k := range p.Waves {
		if err := p.Waves[k].ReadManifests(a.Store, f.Dir); err != nil {
			return err
		}
	}
	if a.JSON {
		enc := json.NewEncoder(a.Out)
		enc.SetIndent("", "  ")
		return enc.Encode(struct {
			runState
			Waves []shard.WaveProgress `json:"waves"`
		}{s, p.Waves})
	}
	l := a.Lang
	fmt.Fprintf(a.Out, l.T("%s  %s  %d of %d tasks  %s documents in %d shards\n", "%s  %s  任务 %d/%d  %s 篇文档，%d 个分片\n"), s.ID, s.State, s.Done, s.Tasks, report.Count(s.Docs), s.Shards)
	if s.Error != "" {
		fmt.Fprintln(a.Out, s.Error)
	}
	t := report.Table{Head: []string{l.T("wave", "波"), l.T(">done", ">完成"), l.T(">missing", ">缺少"), l.T(">in work", ">执行中"), l.T(">killed", ">被杀"), l.T(">failed", ">失败"),
		l.T(">task time", ">任务时间"), l.T(">CPU time", ">CPU 时间"), l.T("slowest", "最慢")}}
	for _, w := range p.Waves {
		missing, slowest := "?", ""
		if w.Tasks >= 0 {
			missing = fmt.Sprint(w.Tasks - w.Done)
		}
		if len(w.Slowest) > 0 {
			slowest = w.Slowest[0].Task + " " + seconds(w.Slowest[0].Seconds)
		}
		t.Add(w.Stage, fmt.Sprint(w.Done), missing, fmt.Sprint(len(w.Begun)), fmt.Sprint(w.Killed), fmt.Sprint(len(w.Failed)), seconds(w.Seconds), seconds(w.CPUSeconds), slowest)
	}
	fmt.Fprint(a.Out, t.Text())
	a.notes(f.Dir, p)
	return nil
}

// notes tells of what is missing, who works, and what went wrong, of the first wave that is not complete.
func (a *app) notes(dir string, p *shard.Progress) {
	l := a.Lang
	for k := range p.Waves {
		w := &p.Waves[k]
		for _, name := range w.Begun[:min(5, len(w.Begun))] {
			n := shard.ReadNote(a.Store, dir, name)
			when, _ := time.Parse(time.RFC3339, n.Time)
			fmt.Fprintf(a.Out, l.T("begun    %s  %s:%d, %s ago\n", "已开始  %s  %s:%d，%s 前\n"), n.Task, n.Host, n.Process, age(when))
		}
		if last := len(w.Failed) - 1; last >= 0 {
			n := shard.ReadNote(a.Store, dir, w.Failed[last])
			fmt.Fprintf(a.Out, l.T("failed   %s  %s: %s\n", "失败    %s  %s：%s\n"), n.Task, n.Host, n.Error)
		}
		if w.Tasks >= 0 && w.Done < w.Tasks {
			fmt.Fprintf(a.Out, l.T("missing  %s\n", "缺少    %s\n"), strings.Join(w.Missing(8), " "))
			return
		}
	}
}

func seconds(s float64) string {
	d := time.Duration(s * float64(time.Second))
	if d > 10*time.Second {
		return d.Round(time.Second).String()
	}
	return d.Round(time.Millisecond).String()
}
