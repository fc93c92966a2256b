package arrays

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"text/template"
	"time"

	"winnow/cmd/winnow/cli"
	"winnow/pipelines/engine"
)

// launchJobs is what a template of jobs is filled with.
type launchJobs struct {
	Run, Name           string // the run's id; the same as a name in DNS
	Target, Runs        string // folder of the run, and of all runs
	Begin               []string
	RecipeText, Dropped string
	Program, Dir, Logs  string
	CPUs                int
	MemoryMB            int64 // of a job
	LimitMB             int64 // at which Go collects garbage harder
	SortMB              int64 // for sorting
	Time                string
	Retries, Grace      int
	Partition, Account  string
	Extra               []string
	Image, Namespace    string
	PVC, Secret         string
	Waves               []launchWave
}

// launchWave is one array. Stage is empty for the job that begins, and the one that concludes.
type launchWave struct {
	engine.Wave
	Name, Var string // of the job; as a variable of a shell
	World     int    // shares
	Array     string // ranks that have something to do, as 0-7 or 1,5-6
	Parallel  int    // jobs at once; 0: any number
	Pods      int    // the same, and never 0
	Workers   int    // that share the recipe's rates, for waves that ask a network
	Args      []string
	First     bool
}

// worldOf is into how many shares a wave is dealt.
func (f *launchFlags) worldOf(w engine.Wave, shards int) int {
	tasks := w.Tasks
	switch {
	case w.Ordered:
		return 1
	case tasks < 0:
		tasks = shards // there are no more data files than shards
	}
	if f.perJob > 0 {
		return max(1, (tasks+f.perJob-1)/f.perJob)
	}
	return max(1, min(f.world, tasks))
}

// missingRanks lists the ranks that have tasks to do. Where nothing is begun, or the wave's tasks are not known, that is all.
func missingRanks(w *engine.Work, wave engine.Wave, world int) (ranks []int, err error) {
	for rank := range world {
		var tasks []int
		missing := w == nil
		if w != nil {
			tasks, err = w.Share(wave.Stage, rank, world)
			if errors.Is(err, engine.ErrNotYet) {
				err, missing = nil, true
			}
		}
		for _, n := range tasks {
			done, e := w.Done(wave.Stage, n)
			if err = e; e != nil || !done {
				missing = true
				break
			}
		}
		if err != nil {
			return nil, err
		}
		if missing {
			ranks = append(ranks, rank)
		}
	}
	return ranks, nil
}

// ranges writes ascending numbers as Slurm takes them: 0-3,7.
func ranges(n []int) string {
	var out []string
	for i := 0; i < len(n); {
		j := i
		for j+1 < len(n) && n[j+1] == n[j]+1 {
			j++
		}
		if i == j {
			out = append(out, fmt.Sprint(n[i]))
		} else {
			out = append(out, fmt.Sprintf("%d-%d", n[i], n[j]))
		}
		i = j + 1
	}
	return strings.Join(out, ",")
}

var notDNS = regexp.MustCompile("[^a-z0-9]+")

// dnsName makes a name that Kubernetes takes, of at most 50 characters, as pods add some of their own.
func dnsName(run, stage string) string {
	name := strings.Trim(notDNS.ReplaceAllString(strings.ToLower("winnow-"+run+"-"+stage), "-"), "-")
	if len(name) > 50 {
		h := fnv.New32a()
		h.Write([]byte(run + "/" + stage))
		name = strings.Trim(name[:41], "-") + fmt.Sprintf("-%08x", h.Sum32())
	}
	return name
}

// quote makes one word of a shell, whatever is in it.
func quoteWord(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// render fills a template: the one in a file, else the built-in one.
func (j *launchJobs) render(kind, file string) (string, error) {
	read := launchTemplates.ReadFile
	if file != "" {
		read = os.ReadFile
	} else {
		file = launchTemplate(kind)
	}
	b, err := read(file)
	if err != nil {
		return "", err
	}
	t, err := template.New(kind).Option("missingkey=error").Funcs(template.FuncMap{
		"quote": quoteWord,
		"yaml": func(s string) (string, error) { // JSON's strings are YAML's, but for what JSON escapes for browsers
			var b strings.Builder
			enc := json.NewEncoder(&b)
			enc.SetEscapeHTML(false)
			err := enc.Encode(s)
			return strings.TrimSpace(b.String()), err
		},
	}).Parse(string(b))
	var out strings.Builder
	if err == nil {
		err = t.Execute(&out, j)
	}
	if err != nil {
		return "", cli.Usage("%s: %v", file, err)
	}
	return out.String(), nil
}

// submitSlurm runs the script of sbatch commands.
func (a *app) submitSlurm(ctx context.Context, script string) error {
	cmd := exec.CommandContext(ctx, "bash", "-s")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(script), a.Out, a.Err
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("sbatch: %w", err)
	}
	return nil
}

// submitK8s applies one document after the other, and waits for each Job, for Kubernetes knows no order among them.
func (a *app) submitK8s(ctx context.Context, text, namespace string) error {
	named := regexp.MustCompile(`(?m)^kind: Job\nmetadata:\n  name: (\S+)`)
	for doc := range strings.SplitSeq(text, "\n---\n") {
		cmd := exec.CommandContext(ctx, "kubectl", "apply", "-f", "-")
		cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(doc), a.Out, a.Err
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("kubectl apply: %w", err)
		}
		if m := named.FindStringSubmatch(doc); m != nil {
			if err := a.awaitJob(ctx, m[1], namespace); err != nil {
				return err
			}
		}
	}
	return nil
}

// awaitJob looks after a Job until it is complete, or has failed for good.
func (a *app) awaitJob(ctx context.Context, name, namespace string) error {
	for pause := pollFirst; ; pause = min(2*pause, pollMost) {
		out, err := exec.CommandContext(ctx, "kubectl", "get", "job", name, "-n", namespace, "-o", "jsonpath={range .status.conditions[?(@.status==\"True\")]}{.type} {end}").Output()
		if err != nil {
			return fmt.Errorf("kubectl get job %s: %w", name, err)
		}
		for _, condition := range strings.Fields(string(out)) {
			switch condition {
			case "Complete":
				a.Say("%s  done", "%s  完成", name)
				return nil
			case "Failed":
				return fmt.Errorf(a.Lang.T("job %s failed: kubectl logs -n %s -l job-name=%[1]s; then launch again", "作业 %s 失败：kubectl logs -n %s -l job-name=%[1]s；之后重新 launch"), name, namespace)
			}
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
