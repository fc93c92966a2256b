package look

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/diff"
	"github.com/spf13/cobra"

	"winnow"
	"winnow/cmd/winnow/cli"
	"winnow/filter"
	"winnow/pipelines"
	"winnow/report"
	"winnow/report/tune"
	"winnow/shard"
)

// tuneFlags say what `winnow tune` does.
type tuneFlags struct {
	addr, token, stage   string
	target, labels, unit string
	recipe               string
	save                 bool
}

func (a *app) tuneCmd() *cobra.Command {
	var f tuneFlags
	cmd := &cobra.Command{
		Use: "tune [RUN]", Args: cli.ExactArgs(0, 1),
		Short: a.Lang.T("see what other bounds would keep, in the browser or by target", "换一组界限会保留什么：网页调参，或按目标建议"),
		Long: a.Lang.T(`A local web page on which bounds move and the documents that flip are read. Nothing is written until a label is given or
the recipe is saved; then a new recipe appears beside the run's, and running it takes over what was measured.
With --target or --labels, bounds are proposed here, with what each costs; --save writes them to a new recipe.`,
			`本地网页：移动界限，阅读因此改变去留的文档。标注或保存配方之前不写任何文件；保存时在原配方旁新建一个，运行它会沿用已测得的数值。
用 --target 或 --labels 时，在命令行给出建议的界限及各自代价；--save 把它们写入新配方。`),
		RunE: func(cmd *cobra.Command, args []string) error {
			folder, err := a.Find(cli.Arg(args, 0))
			if err != nil {
				return err
			}
			t, err := tune.Load(folder, f.stage)
			if err != nil {
				return err
			}
			save := func(ch tune.Changes, want filter.Bounds) (tune.Saved, error) {
				return SaveRecipe(RecipeOf(folder, f.recipe), filepath.Dir(filepath.Clean(folder.Dir)), ch, want)
			}
			if f.target != "" || f.labels != "" {
				return a.propose(t, f, save)
			}
			return a.serveTune(cmd.Context(), folder, t, f, save)
		},
	}
	fl := cmd.Flags()
	fl.StringVar(&f.addr, "addr", "127.0.0.1:7777", a.Lang.T("host:port to listen on; other than loopback needs --token; port 0 picks one", "监听的地址；非本机地址须配 --token；端口 0 为任选"))
	fl.StringVar(&f.token, "token", "", a.Lang.T("secret that the address must carry: ?token=", "访问口令：网址须带 ?token="))
	fl.StringVar(&f.stage, "stage", "", a.Lang.T("label of the filter stage; the first", "过滤阶段的名称；默认第一个"))
	fl.StringVar(&f.recipe, "recipe", "", a.Lang.T("recipe to write a new one beside; RUN/recipe.yaml", "在此配方旁新建；默认 RUN/recipe.yaml"))
	fl.StringVar(&f.target, "target", "", a.Lang.T("propose bounds that keep this much of the stage: retained=40%", "建议使该阶段保留此比例的界限：retained=40%"))
	fl.StringVar(&f.labels, "labels", "", a.Lang.T("propose bounds from a file of labels (JSONL: id, label)", "按标注文件（JSONL：id、label）建议界限"))
	fl.StringVar(&f.unit, "unit", "documents", "documents, characters, tokens")
	fl.BoolVar(&f.save, "save", false, a.Lang.T("write the proposed bounds to a new recipe", "把建议的界限写入新配方"))
	return cmd
}

func (a *app) serveTune(ctx context.Context, folder *shard.Folder, t *tune.Table, f tuneFlags, save func(tune.Changes, filter.Bounds) (tune.Saved, error)) error {
	if !tune.Loopback(f.addr) && f.token == "" {
		return cli.Usage(a.Lang.T("--addr %s: other machines could read the run; give --token too", "--addr %s：其他机器也能读到，请同时给出 --token"), f.addr)
	}
	if winnow.IsURL(folder.Dir) {
		return cli.Usage(a.Lang.T("%s: labels are kept beside the run: copy it to the disk first; --target works on it as it is", "%s：标注存于运行旁：请先复制到本地磁盘；--target 可直接使用"), folder.Dir)
	}
	labels, err := tune.ReadLabels(filepath.Join(folder.Dir, "labels.jsonl"))
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", f.addr)
	if err != nil {
		return err
	}
	host, _, _ := net.SplitHostPort(f.addr)
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	addr := net.JoinHostPort(host, port)
	handler, err := tune.Handler(t, tune.Options{Lang: a.Lang, Labels: labels, Addr: addr, Token: f.token, Save: save})
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	query := ""
	if f.token != "" {
		query = "?token=" + f.token
	}
	a.Say("%s: %s documents reached %s, %d measures", "%s：%s 篇到达 %s，%d 项度量", folder.Run.ID, report.Count(int64(t.Docs)), t.Stage, len(t.Rules))
	fmt.Fprintf(a.Out, "http://%s/%s\n", addr, query)
	a.Say("Ctrl-C to stop; no recipe is written until you press Save", "Ctrl-C 停止；按“保存配方”之前不写配方")
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	context.AfterFunc(ctx, func() { server.Close() })
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// propose prints bounds and what each costs.
func (a *app) propose(t *tune.Table, f tuneFlags, save func(tune.Changes, filter.Bounds) (tune.Saved, error)) error {
	unit := tune.Unit(f.unit)
	if unit != tune.Documents && unit != tune.Characters && unit != tune.Tokens {
		return cli.Usage(a.Lang.T("--unit %s: write documents, characters or tokens", "--unit %s：应写 documents、characters 或 tokens"), f.unit)
	}
	p, err := a.proposal(t, f, unit)
	if err != nil && p == nil {
		return err
	}
	if err != nil {
		a.Say("%v", "%v", err)
	}
	if a.JSON {
		if err := a.Line(proposed(t, p, unit)); err != nil {
			return err
		}
	} else {
		a.printProposal(t, p, unit)
	}
	if !f.save || len(p.Changes) == 0 {
		return nil
	}
	saved, err := save(p.Changes, t.With(p.Changes))
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(a.Out, "\n%s\n%s\n", saved.Diff, saved.Command)
	return err
}

func (a *app) proposal(t *tune.Table, f tuneFlags, unit tune.Unit) (*tune.Proposal, error) {
	if f.target != "" && f.labels != "" {
		return nil, cli.Usage("%s", a.Lang.T("--target, --labels: give one of them", "--target 与 --labels 只能给一个"))
	}
	if f.target != "" {
		share, err := tune.ParseTarget(f.target)
		if err != nil {
			return nil, cli.Usage(a.Lang.T("--target %v", "--target：%v"), err)
		}
		return t.Target(share, unit)
	}
	if _, err := os.Stat(f.labels); err != nil {
		return nil, cli.Usage(a.Lang.T("--labels: %v", "--labels：%v"), err)
	}
	labels, err := tune.ReadLabels(f.labels)
	if err != nil {
		return nil, cli.Usage(a.Lang.T("--labels: %v", "--labels：%v"), err)
	}
	return t.FromLabels(labels, unit)
}

// proposed is a proposal for machines.
func proposed(t *tune.Table, p *tune.Proposal, unit tune.Unit) (o object) {
	moves := []object{}
	for _, m := range p.Moves {
		x := object{}
		x.add("rule", m.Rule)
		x.add("language", m.Lang)
		x.add("side", m.Side)
		x.add("from", side(m.From))
		x.add("to", side(m.To))
		x.add("gained", m.Gained)
		x.add("lost", m.Lost)
		moves = append(moves, x)
	}
	o.add("stage", t.Stage)
	o.add("unit", unit)
	o.add("moves", moves)
	o.add("reached", p.Sum.Reached)
	o.add("kept_by_run", p.Sum.Was)
	o.add("kept", p.Sum.Now)
	o.add("gained", p.Sum.Gained)
	o.add("lost", p.Sum.Lost)
	o.add("good_labelled", p.Good.Of)
	o.add("good_kept", p.Good.Right)
	o.add("bad_labelled", p.Bad.Of)
	o.add("bad_dropped", p.Bad.Right)
	return o
}

func (a *app) printProposal(t *tune.Table, p *tune.Proposal, unit tune.Unit) {
	l := a.Lang
	table := report.Table{Head: []string{l.T("rule", "规则"), "", "", l.T(">now", ">现在"), l.T(">proposed", ">建议"), l.T(">gains alone", ">单独增加"), l.T(">loses alone", ">单独减少")}}
	for _, m := range p.Moves {
		table.Add(m.Rule, m.Lang, m.Side, fmt.Sprint(m.From), fmt.Sprint(m.To), report.Count(m.Gained), report.Count(m.Lost))
	}
	fmt.Fprint(a.Out, table.Text())
	fmt.Fprintf(a.Out, l.T("together: %s keeps %s of %s %s (%s; the run %s), +%s -%s\n", "合计：%s 保留 %s / %s %s（%s；原运行 %s），+%s -%s\n"), t.Stage,
		report.Count(p.Sum.Now), report.Count(p.Sum.Reached), unit, report.Percent(p.Sum.Now, p.Sum.Reached), report.Percent(p.Sum.Was, p.Sum.Reached),
		report.Count(p.Sum.Gained), report.Count(p.Sum.Lost))
	for _, x := range []struct {
		en, zh string
		p      tune.Precision
	}{{"good ones kept", "好的被保留", p.Good}, {"bad ones dropped", "坏的被丢弃", p.Bad}} {
		if x.p.Of > 0 {
			low, high := x.p.Interval()
			fmt.Fprintf(a.Out, "%s: %d / %d (%.0f-%.0f%%)\n", l.T(x.en, x.zh), x.p.Right, x.p.Of, 100*low, 100*high)
		}
	}
}

// RecipeOf is the recipe that a new one is made of.
func RecipeOf(folder *shard.Folder, path string) string {
	if path != "" {
		return path
	}
	return filepath.Join(folder.Dir, "recipe.yaml")
}

// SaveRecipe writes a recipe with changes under a new name beside the old one, after checking that it gives the bounds
// wanted. runs is the folder of the run, where its measures are.
func SaveRecipe(path, runs string, ch tune.Changes, want filter.Bounds) (tune.Saved, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return tune.Saved{}, err
	}
	changed, err := pipelines.WithBounds(raw, ch)
	if err != nil {
		return tune.Saved{}, err
	}
	r, err := pipelines.Parse(path, changed)
	if err != nil {
		return tune.Saved{}, err
	}
	plan, err := pipelines.Build(r, changed, cli.Version())
	if err != nil {
		return tune.Saved{}, err
	}
	defer plan.Close()
	if err := sameBounds(plan.Bounds, want); err != nil {
		return tune.Saved{}, fmt.Errorf("%s: %w: is it the run's recipe?", path, err)
	}
	name, err := writeNew(filepath.Dir(path), r.Name, changed)
	if err != nil {
		return tune.Saved{}, err
	}
	command := "winnow run " + name
	if runs != filepath.Clean(plan.Root) {
		command += " --runs " + runs
	}
	return tune.Saved{Path: name, Diff: string(diff.Diff(path, raw, name, changed)), Command: command}, nil
}

// sameBounds compares what a recipe gives with what was promised.
func sameBounds(got, want filter.Bounds) error {
	for _, rule := range slices.Sorted(maps.Keys(want)) {
		for _, lang := range slices.Sorted(maps.Keys(want[rule])) {
			if b := got.Of(rule, lang); b != want[rule][lang] {
				return fmt.Errorf("%s %s would be %s, not %s", rule, lang, b, want[rule][lang])
			}
		}
	}
	return nil
}

// writeNew creates name-2.yaml, or the next number that is free.
func writeNew(dir, name string, content []byte) (string, error) {
	for n := 2; ; n++ {
		path := filepath.Join(dir, fmt.Sprintf("%s-%d.yaml", strings.TrimSuffix(name, ".yaml"), n))
		f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
		if errors.Is(err, os.ErrExist) {
			continue
		}
		if err != nil {
			return "", err
		}
		_, err = f.Write(content)
		return path, errors.Join(err, f.Close())
	}
}
