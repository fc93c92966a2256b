package main

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"winnow"
	"winnow/shard"
)

// calm is an endpoint that answers everything by rewording, after a while, and counts.
type calm struct {
	mu           sync.Mutex
	whole        map[string]int // by request
	answers      int
	flying, most int
}

func newCalm(t *testing.T) (*calm, string) {
	c := &calm{whole: map[string]int{}}
	server := httptest.NewServer(c)
	t.Cleanup(func() { server.CloseClientConnections(); server.Close() })
	return c, server.URL + "/v1"
}

func (c *calm) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil { // cut off by a kill: no request
		return
	}
	c.mu.Lock()
	c.whole[string(body)]++
	c.answers++
	c.flying++
	c.most = max(c.most, c.flying)
	c.mu.Unlock()
	time.Sleep(4 * time.Millisecond)
	c.mu.Lock()
	c.flying--
	c.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	w.Write(completion(rewording(asked(body), [32]byte{31: 2}), "stop"))
}

func (c *calm) count() (distinct, answers int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.whole), c.answers
}

const calmRecipe = `name: calm
input: {jsonl: [%q], shard_size: 32KB}
stages:
  - language:
  - rephrase: {model: m, styles: [wikipedia], concurrency: 16, max_tokens: 400%s, guards: {copied: {}, copied_back: {}, repetition: {}}}
`

func winnowCommand(url string, args ...string) *exec.Cmd {
	cmd := exec.Command("winnow", append(args, "--lang", "en")...)
	cmd.Env = append(os.Environ(), "WINNOW_OPENAI_BASE_URL="+url, "OPENAI_API_KEY=none")
	return cmd
}

func mustDo(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %v\n%s", cmd.Args, err, out)
	}
	return string(out)
}

// TestRephraseKilledWithBudget kills a run with a budget of tokens at random moments. It ends at the same document as one that was left
// alone, with the same bytes; what was asked again was in flight at a kill; and what the run says that it spent was spent.
func TestRephraseKilledWithBudget(t *testing.T) {
	const budget = 300_000
	recipe := writeFile(t, "calm.yaml", fmt.Sprintf(calmRecipe, stormInput(t), fmt.Sprintf(", budget: {tokens: %d}", budget)))
	alone, url := newCalm(t)
	runs := t.TempDir()
	mustDo(t, winnowCommand(url, "run", "-j", "4", "--runs", runs, recipe))
	cut, tokens := cutOff(t, runs)
	distinct, answers := alone.count()
	if cut < 100 || cut > 900 || distinct != cut || answers != cut || tokens != int64(cut)*130 {
		t.Errorf("cut off at document %d, after %d answers to %d requests, %d tokens", cut, answers, distinct, tokens)
	}

	disturbed, url := newCalm(t)
	broken, kills := t.TempDir(), 0
	seed := uint64(time.Now().UnixNano())
	draw := rand.New(rand.NewPCG(seed, 0))
	for range 4 {
		_, before := disturbed.count()
		limit := before + 1 + draw.IntN(cut/4)
		cmd := winnowCommand(url, "run", "-j", "4", "--runs", broken, recipe)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan struct{})
		go func() { cmd.Wait(); close(ended) }()
		for done := false; !done; {
			select {
			case <-ended:
				done = true
			case <-time.After(time.Millisecond):
				_, n := disturbed.count()
				done = n >= limit
			}
		}
		time.Sleep(time.Duration(draw.IntN(20)) * time.Millisecond)
		cmd.Process.Kill()
		if <-ended; cmd.ProcessState.ExitCode() == -1 {
			kills++
		}
	}
	mustDo(t, winnowCommand(url, "run", "-j", "4", "--runs", broken, recipe))
	compareRuns(t, runs, broken)
	cutAgain, tokensAgain := cutOff(t, broken)
	distinct, answers = disturbed.count()
	if cutAgain != cut || tokensAgain != tokens || kills < 2 || distinct != cut || answers-distinct > 16*kills || disturbed.most > 2*16 {
		t.Errorf("seed %d, %d kills: cut off at %d, %d tokens, %d answers to %d requests, %d at once", seed, kills, cutAgain, tokensAgain, answers, distinct, disturbed.most)
	}
	a, b := booked(t, runs), booked(t, broken)
	if a != b || a[0] != int64(cut) || a[1]+a[2] > budget || a[1]+a[2] < budget-2000 || a[3] != 1 {
		t.Errorf("booked: %v, and after kills %v", a, b)
	}
	t.Logf("cut off at document %d of 1000; %d kills, %d answers asked for again; booked %d of %d tokens", cut, kills, answers-distinct, a[1]+a[2], budget)
}

// cutOff is how many documents of a run were rewritten before the first that had no share, and what the rows say that they took.
func cutOff(t *testing.T, runs string) (cut int, tokens int64) {
	t.Helper()
	dirs, _ := filepath.Glob(filepath.Join(runs, "calm-*"))
	f, err := shard.Open(nil, dirs[0])
	if err != nil {
		t.Fatal(err)
	}
	unfunded := false
	count := func(d *winnow.Document) {
		var prompt, completion int64
		fmt.Sscan(d.Meta["rephrase_prompt_tokens"], &prompt)
		fmt.Sscan(d.Meta["rephrase_completion_tokens"], &completion)
		tokens += prompt + completion
	}
	for d, err := range f.Documents() {
		if err != nil {
			t.Fatal(err)
		}
		if d.Origin != "" {
			count(d)
			continue
		}
		poor := strings.Contains(d.Meta["rephrase_rejected"], "rephrase.unfunded=1")
		if unfunded && !poor {
			t.Fatalf("%s has a share behind one that has none", d.ID)
		}
		if unfunded = poor; !poor {
			cut++
		}
	}
	for row, err := range f.DroppedRows() {
		if err != nil {
			t.Fatal(err)
		}
		count(&row.Doc)
	}
	return cut, tokens
}

// booked is the most that a task of a run says that documents up to its last have reserved: requests, tokens of prompts and of answers, closed.
func booked(t *testing.T, runs string) (out [4]int64) {
	t.Helper()
	tasks, _ := filepath.Glob(filepath.Join(runs, "calm-*", "tasks", "map-*.json"))
	if len(tasks) < 3 {
		t.Fatalf("tasks %v", tasks)
	}
	for _, task := range tasks {
		m, err := shard.ReadManifest(nil, task)
		if err != nil {
			t.Fatal(err)
		}
		for i := range out {
			out[i] = max(out[i], m.Counts[fmt.Sprintf("booked.rephrase.%d", i)])
		}
	}
	return out
}

// TestRephraseByWorkers has four processes do the tasks of one run, as an array of jobs does, with one cache and the recipe's concurrency
// among them: the bytes are those of one process, and nothing was asked twice.
func TestRephraseByWorkers(t *testing.T) {
	recipe := writeFile(t, "calm.yaml", fmt.Sprintf(calmRecipe, stormInput(t), ""))
	_, url := newCalm(t)
	runs := t.TempDir()
	mustDo(t, winnowCommand(url, "run", "--runs", runs, recipe))

	c, url := newCalm(t)
	shared := t.TempDir()
	begun := strings.Fields(mustDo(t, winnowCommand(url, "task", "--begin", "--runs", shared, recipe)))
	asking := 0
	for i := 1; i+1 < len(begun) && begun[i] != "pack"; i += 2 { // a line is a stage and its tasks
		last := 0
		if _, to, more := strings.Cut(begun[i+1], ".."); more {
			fmt.Sscan(to, &last)
		}
		_, before := c.count()
		var g sync.WaitGroup
		for worker := range 4 {
			g.Go(func() {
				for n := worker; n <= last; n += 4 {
					cmd := winnowCommand(url, "task", begun[0], begun[i], fmt.Sprint(n))
					cmd.Env = append(cmd.Env, "WINNOW_WORKERS=4")
					if out, err := cmd.CombinedOutput(); err != nil {
						t.Errorf("task %s %d: %v\n%s", begun[i], n, err, out)
					}
				}
			})
		}
		g.Wait()
		if _, after := c.count(); after > before && last >= 3 {
			asking++
		}
	}
	if asking != 1 {
		t.Errorf("%d stages of several tasks asked: %v", asking, begun)
	}
	mustDo(t, winnowCommand(url, "run", "--runs", shared, recipe))
	compareRuns(t, runs, shared)
	if distinct, answers := c.count(); distinct != 1000 || answers != 1000 || c.most > 16 {
		t.Errorf("%d answers to %d requests, %d at once", answers, distinct, c.most)
	}
	cmd := winnowCommand(url, "task", begun[0], "map-0", "0")
	cmd.Env = append(cmd.Env, "WINNOW_WORKERS=many")
	if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), "WINNOW_WORKERS") {
		t.Errorf("WINNOW_WORKERS=many: %v\n%s", err, out)
	}
}

// TestRephraseByOllama rewrites through a server that others wrote, Ollama, with a model that this program exports as GGUF. It is of random
// weights: the wiring is shown, not the wit.
func TestRephraseByOllama(t *testing.T) {
	ollama := os.Getenv("WINNOW_OLLAMA")
	if ollama == "" {
		t.Skip("SKIPPED: WINNOW_OLLAMA names no binary; .ci/ollama/build FOLDER makes one")
	}
	dir := exported(t)
	const turn = "{{ if .System }}<|im_start|>system\n{{ .System }}<|im_end|>\n{{ end }}<|im_start|>user\n{{ .Prompt }}<|im_end|>\n<|im_start|>assistant\n"
	if err := os.WriteFile(filepath.Join(dir, "Modelfile"), []byte("FROM ./toy.gguf\nPARAMETER num_ctx 2048\nTEMPLATE \"\"\""+turn+"\"\"\"\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	address := freeAddress(t)
	command := func(args ...string) *exec.Cmd {
		cmd := exec.Command(ollama, args...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "OLLAMA_HOST="+address, "OLLAMA_MODELS="+filepath.Join(dir, "models"), "HOME="+dir)
		return cmd
	}
	underWay(t, command("serve"), "http://"+address+"/api/version")
	mustDo(t, command("create", "toy", "-f", filepath.Join(dir, "Modelfile")))
	rewrittenBy(t, "http://"+address+"/v1")
}

// TestRephraseByLlamaCpp does the same through the server of llama.cpp, as the Python package xllamacpp brings it.
func TestRephraseByLlamaCpp(t *testing.T) {
	python := os.Getenv("WINNOW_LLAMACPP")
	if python == "" {
		t.Skip("SKIPPED: WINNOW_LLAMACPP names no Python that has xllamacpp; see .ci/ollama/llamacpp.py")
	}
	dir, address := exported(t), freeAddress(t)
	_, port, _ := strings.Cut(address, ":")
	script, err := filepath.Abs("../../.ci/ollama/llamacpp.py")
	if err != nil {
		t.Fatal(err)
	}
	underWay(t, exec.Command(python, script, filepath.Join(dir, "toy.gguf"), "toy", port), "http://"+address+"/health")
	rewrittenBy(t, "http://"+address+"/v1")
}

// exported is a folder with toy.gguf, as winnow export makes it.
func exported(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	mustDo(t, exec.Command("winnow", "export", chatModel(t, "chatml", false), "--out", filepath.Join(dir, "toy.gguf")))
	return dir
}

// underWay starts a server and waits until it answers at a URL. It ends with the test.
func underWay(t *testing.T, server *exec.Cmd, url string) {
	t.Helper()
	log, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	server.Stdout, server.Stderr = log, log
	in, err := server.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		server.Process.Signal(os.Interrupt)
		server.Wait()
		if b, _ := os.ReadFile(log.Name()); t.Failed() {
			t.Logf("%s", b[max(0, len(b)-4000):])
		}
	})
	for range 600 {
		if res, err := http.Get(url); err == nil {
			res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return
			}
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatal("the server does not answer")
}

// rewrittenBy runs a recipe against an endpoint that serves the model toy: every document is rewritten or dropped with a reason, and none
// for want of an answer.
func rewrittenBy(t *testing.T, url string) {
	t.Helper()
	in := writeFile(t, "in.jsonl", `{"id":"en","text":"The old stone bridge at Harlow was built in 1784 and carried 1,200 carts a day. It has five arches, and the flood of 1912 took two of them away."}
{"id":"zh","text":"哈洛镇的老石桥建于1784年，每天有1200辆马车经过。桥有五个桥洞，一九一二年的洪水冲走了其中两个，镇上用了十八个月把它修好。"}
{"id":"short","text":"Too short."}
`)
	recipe := writeFile(t, "r.yaml", fmt.Sprintf("name: calm\ninput: {jsonl: [%q]}\nstages:\n  - language:\n  - rephrase: {endpoint: %q, model: toy, styles: [wikipedia, continue], segment: 80, max_tokens: 80, timeout: 10m}\n", in, url))
	runs := t.TempDir()
	mustDo(t, winnowCommand("", "run", "--runs", runs, recipe))
	dirs, _ := filepath.Glob(filepath.Join(runs, "calm-*"))
	f, err := shard.Open(nil, dirs[0])
	if err != nil {
		t.Fatal(err)
	}
	var fates []string
	for row, err := range f.Rows() {
		if err != nil {
			t.Fatal(err)
		}
		fates = append(fates, row.Doc.ID)
	}
	if got := strings.Join(fates, " "); got != "en en#wikipedia#0 en#continue#0 zh zh#wikipedia#0 zh#continue#0 short" {
		t.Errorf("documents: %s", got)
	}
	told := func(d *winnow.Document, v winnow.Verdict) {
		read, wrote := d.Meta["rephrase_prompt_tokens"], d.Meta["rephrase_completion_tokens"]
		if d.Meta["rephrase_model"] != "toy" || read == "" || read == "0" || wrote == "" || wrote == "0" || v.Rule == "rephrase.unanswered" {
			t.Errorf("%s: %v, %+v", d.ID, d.Meta, v)
		}
		t.Logf("%s: dropped %v %s, %s tokens read and %s written: %.60q", d.ID, v.Drop, v.Rule, read, wrote, d.Text)
	}
	for d, err := range f.Documents() {
		if err == nil && d.Origin != "" {
			told(d, winnow.Verdict{})
		} else if err != nil {
			t.Fatal(err)
		}
	}
	for row, err := range f.DroppedRows() {
		if err != nil {
			t.Fatal(err)
		}
		told(&row.Doc, row.Verdict)
	}
}

// freeAddress is a port of the loopback that nothing listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	s := httptest.NewUnstartedServer(nil)
	defer s.Listener.Close()
	return s.Listener.Addr().String()
}
