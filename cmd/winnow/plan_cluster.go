package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/spf13/pflag"

	"winnow/cmd/winnow/cli"
	"winnow/pipelines"
	"winnow/report"
)

// clusterFlags say how large a run is to be thought of.
type clusterFlags struct {
	nodes, cores                  int
	crawl, shardBytes, memory, of string
}

func (f *clusterFlags) add(a *app, fl *pflag.FlagSet) {
	t := a.Lang.T
	fl.IntVar(&f.nodes, "nodes", 0, t("size a run on so many machines, from the manifests of a finished run", "按这么多台机器估算规模，依据一次已完成运行的清单"))
	fl.IntVar(&f.cores, "cores", 32, t("with --nodes: cores of each", "配合 --nodes：每台的核数"))
	fl.StringVar(&f.crawl, "crawl-bytes", "", t("with --nodes: bytes of input, as 100TB; the recipe's own where it is not given", "配合 --nodes：输入的字节数，如 100TB；缺省为配方的输入"))
	fl.StringVar(&f.shardBytes, "shard-bytes", "1GB", t("with --nodes: bytes of a shard (the recipe's shard_size)", "配合 --nodes：每个分片的字节数（配方的 shard_size）"))
	fl.StringVar(&f.memory, "sort-memory", "2GB", t("with --nodes: what one process may sort in", "配合 --nodes：每个进程排序可用的内存"))
	fl.StringVar(&f.of, "measured", "", t("with --nodes: the finished run; the recipe's latest where it is not given", "配合 --nodes：已完成的运行；缺省为该配方最近一次"))
}

// planCluster shows what a recipe would take on a cluster.
func (a *app) planCluster(ctx context.Context, name string, rf cli.RecipeFlags, f clusterFlags) error {
	c := pipelines.Cluster{Nodes: f.nodes, Cores: f.cores}
	if f.nodes < 1 || f.cores < 1 {
		return cli.Usage("%s", a.Lang.T("--nodes and --cores are at least 1", "--nodes 与 --cores 至少为 1"))
	}
	for _, x := range []struct {
		flag, text string
		to         *int64
	}{{"crawl-bytes", f.crawl, &c.Crawl}, {"shard-bytes", f.shardBytes, &c.ShardBytes}, {"sort-memory", f.memory, &c.Sort}} {
		if x.text == "" {
			continue
		}
		size, err := pipelines.ParseSize(x.text)
		if err != nil || size < 1 {
			return cli.Usage(a.Lang.T("--%s %s: write a size such as 100TB", "--%s %s：应写大小，如 100TB"), x.flag, x.text)
		}
		*x.to = int64(size)
	}
	if f.of == "" || c.Crawl == 0 {
		r, _, err := pipelines.Load(name)
		if err != nil {
			return cli.ExitWith(cli.ExitUsage, err)
		}
		if f.of == "" {
			f.of = r.Name
		}
	}
	if c.Crawl == 0 {
		_, p, err := a.Load(ctx, name, rf)
		if err != nil {
			return err
		}
		defer p.Close()
		for _, s := range p.Shards {
			c.Crawl += s.Bytes()
		}
	}
	folder, err := a.Find(f.of)
	if err != nil {
		return err
	}
	s, err := pipelines.Scale(folder, c)
	if err != nil {
		return err
	}
	if a.JSON {
		enc := json.NewEncoder(a.Out)
		enc.SetIndent("", "  ")
		return enc.Encode(s)
	}
	a.showScaled(s, c)
	return nil
}

func (a *app) showScaled(s *pipelines.Scaled, c pipelines.Cluster) {
	l := a.Lang
	line := func(k, format string, args ...any) {
		fmt.Fprintf(a.Out, "%-10s "+format+"\n", append([]any{k}, args...)...)
	}
	line("measured", l.T("run %s: %s of input, %s documents; all below is in proportion to its bytes (x %.3g)", "运行 %s：输入 %s，%s 篇文档；以下均按其字节数成比例（× %.3g）"), s.Sample, report.Bytes(s.SampleBytes), report.Count(s.SampleDocs), s.Factor)
	line("input", l.T("%s -> %s shards of %s, %s documents", "%s -> %s 个分片，每片 %s，%s 篇文档"), report.Bytes(s.Bytes), report.Count(s.Shards), report.Bytes(c.ShardBytes), report.Count(s.Documents))
	line("kept", l.T("%s documents, %s of text", "%s 篇文档，文本 %s"), report.Count(s.Kept), report.Bytes(s.KeptBytes))
	t := report.Table{Head: []string{l.T("wave", "波"), l.T(">tasks", ">任务"), l.T(">CPU hours", ">CPU 小时"), l.T(">minutes a task", ">每任务分钟"), l.T(">hours", ">小时"), l.T(">leaves", ">留下")}}
	for _, w := range s.Waves {
		t.Add(w.Stage, report.Count(w.Tasks), fmt.Sprintf("%.1f", w.CPUHours), fmt.Sprintf("%.2f", 60*w.TaskHours), fmt.Sprintf("%.2f", w.WaveHours), report.Bytes(w.Bytes))
	}
	fmt.Fprint(a.Out, t.Text())
	line("time", l.T("%.1f hours with %d nodes of %d cores", "%.1f 小时（%d 台，每台 %d 核）"), s.Hours, c.Nodes, c.Cores)
	line("disk", l.T("%s, of it sketches %s", "%s，其中签名 %s"), report.Bytes(s.Disk), report.Bytes(s.Shuffle))
	if s.Partition > 0 {
		line("shuffle", l.T("%s; a partition has %s; %s reads of segments, %s of manifests", "%s；每个分区 %s；读段 %s 次，读清单 %s 次"), report.Bytes(s.Shuffle), report.Bytes(s.Partition), report.Count(s.SegmentReads), report.Count(s.ManifestReads))
		line("memory", l.T("%s a process of %d tasks; Resolve, one task: up to %s", "每进程 %s（%d 个任务）；Resolve 单任务：至多 %s"), report.Bytes(s.MapMemory), c.Cores, report.Bytes(s.ResolveMemory))
	}
	a.Say("CPU time is this machine's; network and storage are not in it. docs/scale.md says what would break first", "CPU 时间以本机为准，不含网络与存储。何处会先成为瓶颈见 docs/scale.zh.md")
}
