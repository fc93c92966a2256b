package arrays

import (
	"context"
	"embed"
	"fmt"
	"os"
	"path/filepath"
	"regexp"

	"github.com/spf13/cobra"

	"winnow/cmd/winnow/cli"
	"winnow/pipelines"
	"winnow/pipelines/engine"
	"winnow/shard"
	"winnow/shard/store"
)

//go:embed launch/*.tmpl
var launchTemplates embed.FS

// launchFlags say what the jobs of an array ask of a cluster.
type launchFlags struct {
	recipe               cli.RecipeFlags
	world, perJob        int
	parallel, network    int
	cpus, retries, grace int
	memory, time         string
	template, program    string
	submit               bool

	partition, account string   // Slurm
	extra              []string // Slurm: further #SBATCH lines

	image, namespace, pvc, secret, dir string // Kubernetes
}

const (
	launchLongEN = `Write the jobs that do a recipe's tasks on a cluster: one array for each wave of tasks, each behind the one before. What is done
already is left out. With --submit they are started as well.

  winnow launch slurm RECIPE              a script of sbatch commands; read it, then give --submit, or run it
  winnow launch k8s RECIPE --image IMAGE  Indexed Jobs; --submit applies one after the other, and waits for each

Recipe, input and the folder of runs must go by the same names on all machines: a shared file system, or s3:// URLs.
A wave that asks a network (rephrase) gets --network-workers at a time, and each of them that part of the recipe's rates
(WINNOW_WORKERS in its environment); one that shares out a budget is one job.
--template takes a file in place of the built-in one (Go's text/template; --print-template shows that).`
	launchLongZH = `写出在集群上执行配方各任务的作业：每一波任务一个阵列，依次相接。已完成的部分会省去。加 --submit 则一并提交。

  winnow launch slurm RECIPE              一个由 sbatch 命令组成的脚本；看过之后用 --submit 提交，或直接运行
  winnow launch k8s RECIPE --image IMAGE  Indexed Job；--submit 逐个提交并等待完成

配方、输入与运行文件夹在所有机器上必须同名：共享文件系统或 s3:// URL。访问网络的一波（rephrase）同时只有 --network-workers 个
工作者，各自分得配方速率的一份（环境变量 WINNOW_WORKERS）；分配预算的一波只用一个作业。
--template 以文件代替内置模板（Go 的 text/template；--print-template 可查看内置模板）。`
)

func (a *app) launchCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use: "launch slurm|k8s RECIPE|RUN", Args: cli.ExactArgs(0, 0),
		Short: a.Lang.T("write, or start, the jobs that do a recipe's tasks on a cluster", "写出或提交在集群上执行配方各任务的作业"),
		Long:  a.Lang.T(launchLongEN, launchLongZH),
	}
	for _, kind := range []string{"slurm", "k8s"} {
		cmd.AddCommand(a.launchOn(kind))
	}
	return cmd
}

func (a *app) launchOn(kind string) *cobra.Command {
	var f launchFlags
	name := map[string]string{"slurm": "Slurm", "k8s": "Kubernetes"}[kind]
	var show bool
	cmd := &cobra.Command{
		Use: kind + " RECIPE|RUN", Args: cli.ExactArgs(0, 1),
		Short: fmt.Sprintf(a.Lang.T("the jobs for %s", "%s 的作业"), name),
		Long:  a.Lang.T(launchLongEN, launchLongZH),
		RunE: func(cmd *cobra.Command, args []string) error {
			if show {
				b, err := launchTemplates.ReadFile(launchTemplate(kind))
				a.Out.Write(b)
				return err
			}
			if len(args) == 0 {
				return cli.Usage(a.Lang.T("winnow launch %s RECIPE", "用法：winnow launch %s RECIPE"), kind)
			}
			return a.launch(cmd.Context(), kind, args[0], &f)
		},
	}
	f.recipe.Add(a.App, cmd)
	fl, t := cmd.Flags(), a.Lang.T
	fl.IntVar(&f.world, "world", 16, t("jobs in an array, at most; tasks are dealt to them", "每个阵列最多几个作业；任务分配给它们"))
	fl.IntVar(&f.perJob, "tasks-per-job", 0, t("tasks of a job, instead of --world", "每个作业几个任务，代替 --world"))
	fl.IntVar(&f.parallel, "parallel", 0, t("jobs of an array that run at once, at most; 0: as many as the cluster takes", "阵列中同时运行的作业上限；0 由集群决定"))
	fl.IntVar(&f.network, "network-workers", 4, t("the same for waves that ask a network", "访问网络的各波的同时作业上限"))
	fl.IntVar(&f.cpus, "cpus", 4, t("cores of a job", "每个作业的核数"))
	fl.StringVar(&f.memory, "memory", "8GB", t("memory of a job; a quarter of it is for sorting", "每个作业的内存；其中四分之一用于排序"))
	fl.IntVar(&f.retries, "retries", 2, t("how often a job that fails is done again", "失败的作业重试几次"))
	fl.IntVar(&f.grace, "grace", 60, t("seconds between the signal to stop and the end", "停止信号与强制结束之间的秒数"))
	fl.StringVar(&f.template, "template", "", t("a template of one's own", "自己的模板文件"))
	fl.StringVar(&f.program, "program", "", t("path of winnow on the cluster; this program's where it is not given", "集群上 winnow 的路径；缺省为本程序的路径"))
	fl.StringVar(&f.dir, "dir", "", t("folder in which jobs begin", "作业的工作目录"))
	fl.BoolVar(&f.submit, "submit", false, t("start the jobs", "提交作业"))
	fl.BoolVar(&show, "print-template", false, t("print the built-in template", "打印内置模板"))
	if kind == "slurm" {
		fl.StringVar(&f.time, "time", "24:00:00", t("time limit of a job", "作业时限"))
		fl.StringVar(&f.partition, "partition", "", t("partition of Slurm", "Slurm 分区"))
		fl.StringVar(&f.account, "account", "", t("account of Slurm", "Slurm 账户"))
		fl.StringArrayVar(&f.extra, "sbatch", nil, t("a further option of sbatch, as --sbatch=--qos=low", "其他 sbatch 选项，如 --sbatch=--qos=low"))
		return cmd
	}
	fl.StringVar(&f.image, "image", "winnow:latest", t("container image that has winnow in its path", "路径中含有 winnow 的容器镜像"))
	fl.StringVarP(&f.namespace, "namespace", "n", "default", t("namespace of Kubernetes", "Kubernetes 命名空间"))
	fl.StringVar(&f.pvc, "pvc", "", t("a PersistentVolumeClaim that all may write, mounted at --dir", "可多机读写的 PersistentVolumeClaim，挂载于 --dir"))
	fl.StringVar(&f.secret, "secret", "", t("a Secret whose keys are set in the environment, as AWS_ACCESS_KEY_ID and OPENAI_API_KEY", "作为环境变量的 Secret，如 AWS_ACCESS_KEY_ID 与 OPENAI_API_KEY"))
	return cmd
}

func launchTemplate(kind string) string {
	return map[string]string{"slurm": "launch/slurm.sh.tmpl", "k8s": "launch/k8s.yaml.tmpl"}[kind]
}

// launch writes or starts the jobs.
func (a *app) launch(ctx context.Context, kind, name string, f *launchFlags) error {
	p, err := a.planOf(ctx, name, f.recipe)
	if err != nil {
		return err
	}
	defer p.Close()
	jobs, err := a.jobs(kind, name, p, f)
	if err != nil {
		return err
	}
	text, err := jobs.render(kind, f.template)
	if err != nil {
		return err
	}
	if len(jobs.Waves) == 0 {
		a.Say("%s: nothing is left to do", "%s：没有剩下要做的", jobs.Run)
		return nil
	}
	if !f.submit {
		_, err := fmt.Fprint(a.Out, text)
		return err
	}
	if kind == "slurm" {
		return a.submitSlurm(ctx, text)
	}
	return a.submitK8s(ctx, text, f.namespace)
}

// jobs is what the templates are filled with.
func (a *app) jobs(kind, name string, p *engine.Plan, f *launchFlags) (*launchJobs, error) {
	size, err := pipelines.ParseSize(f.memory)
	if err != nil || size < 64<<20 {
		return nil, cli.Usage(a.Lang.T("--memory %s: write a size of at least 64MB", "--memory %s：应写大小，至少 64MB"), f.memory)
	}
	if f.world < 1 || f.cpus < 1 || f.retries < 0 || f.network < 1 {
		return nil, cli.Usage("%s", a.Lang.T("--world, --cpus and --network-workers are at least 1", "--world、--cpus 与 --network-workers 至少为 1"))
	}
	j := &launchJobs{
		Run: p.RunID(), Name: dnsName(p.RunID(), ""), Target: store.Join(p.Root, p.RunID()), Runs: p.Root, RecipeText: string(p.Recipe),
		CPUs: f.cpus, MemoryMB: int64(size) >> 20, Time: f.time, Retries: f.retries, Grace: f.grace, Partition: f.partition, Account: f.account,
		Extra: f.extra, Image: f.image, Namespace: f.namespace, PVC: f.pvc, Secret: f.secret, Dir: f.dir, Program: f.program, Dropped: string(p.Dropped),
	}
	j.LimitMB, j.SortMB = j.MemoryMB*8/10, max(1, j.MemoryMB/4)
	j.Logs = filepath.Join("logs", j.Run)
	j.Begin = []string{name}
	for _, in := range f.recipe.Input {
		j.Begin = append(j.Begin, "--input", in)
	}
	if f.recipe.Dropped != "" {
		j.Begin = append(j.Begin, "--dropped", f.recipe.Dropped)
	}
	if kind == "slurm" {
		if j.Dir == "" {
			j.Dir, err = os.Getwd()
		}
		if j.Program == "" && err == nil {
			j.Program, err = os.Executable()
		}
		if err != nil {
			return nil, err
		}
	} else if j.Dir == "" {
		j.Dir = "/work"
	}
	j.Waves, err = a.launchWaves(p, f, kind, j.SortMB)
	return j, err
}

// launchWaves sizes the array of each wave that is not done. Of one that is done in part, Slurm gets the ranks with missing tasks.
func (a *app) launchWaves(p *engine.Plan, f *launchFlags, kind string, sortMB int64) (out []launchWave, err error) {
	waves := engine.Waves(p)
	var begun *engine.Work
	if folder, err := a.Find(store.Join(p.Root, p.RunID())); err == nil {
		if folder.Run.State == shard.Done {
			return nil, nil
		}
		if begun, err = engine.OpenWork(p, engine.Options{}); err != nil {
			return nil, err
		}
	}
	if kind == "k8s" && begun == nil {
		out = append(out, launchWave{Name: dnsName(p.RunID(), "begin"), World: 1, Pods: 1,
			Args: []string{"--begin", "--expect", p.RunID(), "--dropped", string(p.Dropped)}, First: true})
	}
	for _, w := range waves {
		v := launchWave{Wave: w, Name: dnsName(p.RunID(), w.Stage), World: f.worldOf(w, len(p.Shards))}
		v.Var = "job_" + regexp.MustCompile("[^a-z0-9]").ReplaceAllString(w.Stage, "_")
		v.Parallel = f.parallel
		if w.Network {
			v.Parallel, v.Workers = f.network, min(f.network, v.World)
		}
		ranks, err := missingRanks(begun, w, v.World)
		if err != nil {
			return nil, err
		}
		if len(ranks) == 0 {
			continue
		}
		v.Array = ranges(ranks)
		v.Pods = v.World
		if v.Parallel > 0 {
			v.Pods = min(v.World, v.Parallel)
		}
		v.Args = []string{"--stage", w.Stage, "--wait", "--jobs", fmt.Sprint(f.cpus), "--memory", fmt.Sprintf("%dMB", sortMB)}
		out = append(out, v)
	}
	last := launchWave{Name: dnsName(p.RunID(), "conclude"), Var: "job_conclude", World: 1, Array: "0", Pods: 1, Args: []string{"--conclude", "--wait", "--allow-lost"}}
	return append(out, last), nil
}
