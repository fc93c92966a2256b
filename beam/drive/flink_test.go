package drive

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	pipepb "github.com/apache/beam/sdks/v2/go/pkg/beam/model/pipeline_v1"

	"winnow/beam/jobs"
)

// envFlink asks for the tests on a Flink that flink/run starts; its value is how many documents they run over, or "1" for 200,000.
const envFlink = "WINNOW_FLINK"

// flinkDocuments skips a test, loudly, where no Flink is asked for.
func flinkDocuments(t *testing.T) int {
	t.Helper()
	n, err := strconv.Atoi(os.Getenv(envFlink))
	if err != nil || n < 1 {
		t.Skipf("SKIPPED: not run on Flink: set %s=1 (it needs Java 17 and mvn, and takes minutes), or to a number of documents", envFlink)
	}
	if n == 1 {
		n = 200_000
	}
	return n
}

// flinkTime is how long a job on Flink may take.
const flinkTime = 15 * time.Minute

// flink starts one, local or cluster, and gives its job service's port and the folder of its process ids.
func flink(t *testing.T, kind string) (port int, dir string) {
	t.Helper()
	port, dir = freePort(t), t.TempDir()
	cmd := exec.Command("bash", "../flink/run", kind, dir, strconv.Itoa(port))
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() {
		syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM)
		select {
		case <-ended:
		case <-time.After(20 * time.Second):
			syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		}
	})
	for end := time.Now().Add(5 * time.Minute); ; time.Sleep(time.Second) {
		if c, err := net.Dial("tcp", fmt.Sprintf("localhost:%d", port)); err == nil {
			c.Close()
			break
		}
		select {
		case err := <-ended:
			t.Fatalf("flink/run ended: %v", err)
		default:
		}
		if time.Now().After(end) {
			t.Fatal("Flink did not start")
		}
	}
	if kind == "cluster" { // the TaskManagers come a little later
		time.Sleep(15 * time.Second)
	}
	return port, dir
}

func dial(t *testing.T, port int) *jobs.Service {
	t.Helper()
	s, err := jobs.Dial(fmt.Sprintf("localhost:%d", port))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// cpu is the CPU seconds of a process and its ended children, from /proc.
func cpu(pid string) float64 {
	b, err := os.ReadFile(filepath.Join("/proc", pid, "stat"))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(b), ") ")
	f := strings.Fields(rest)
	sum := 0.0
	for _, k := range []int{11, 12, 13, 14} {
		n, _ := strconv.ParseFloat(f[k], 64)
		sum += n / 100
	}
	return sum
}

func ownCPU() float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}

func TestFlink(t *testing.T) {
	docs := flinkDocuments(t)
	dir := t.TempDir()
	corpus(t, dir, 16, docs)
	begin := ownCPU()
	want := localOf(t, planOf(t, light, dir, t.TempDir(), "16MB"))
	t.Logf("local: %.1f CPU s", ownCPU()-begin)
	port, logs := flink(t, "local")
	java, err := os.ReadFile(filepath.Join(logs, "job.pid"))
	if err != nil {
		t.Fatal(err)
	}
	pid := strings.TrimSpace(string(java))
	for _, c := range []struct {
		name string
		env  *pipepb.Environment
	}{{"LOOPBACK", loopback(t)}, {"PROCESS", process(t)}} {
		p := planOf(t, light, dir, t.TempDir(), "16MB")
		begin, jvm, at := ownCPU(), cpu(pid), time.Now()
		info, err := Run(t.Context(), p, Options{Service: dial(t, port), Environment: c.env, Deadline: flinkTime})
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("Flink, %s: this process %.1f, Flink with its workers %.1f CPU s, %.0f s", c.name, ownCPU()-begin, cpu(pid)-jvm, time.Since(at).Seconds())
		sameRun(t, "Flink, "+c.name, filepath.Join(p.Root, info.ID), want)
	}
}

// kill ends one process that this test started, the way a machine does.
func kill(t *testing.T, pid int) {
	t.Helper()
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
}

// someWorker is a worker of this test: a process of this program below the cluster's.
func someWorker(t *testing.T) int {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(flinkTime); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		links, _ := filepath.Glob("/proc/[0-9]*/exe")
		for _, link := range links {
			pid, _ := strconv.Atoi(strings.Split(link, "/")[2])
			if exe, err := os.Readlink(link); err == nil && exe == self && pid != os.Getpid() {
				return pid
			}
		}
	}
	t.Fatal("no worker")
	return 0
}

// A real cluster loses a worker, a TaskManager and the submitter, each in the middle of a run.
func TestFlinkFaults(t *testing.T) {
	docs := flinkDocuments(t) / 20
	dir := t.TempDir()
	corpus(t, dir, 8, docs)
	want := localOf(t, planOf(t, light, dir, t.TempDir(), "300KB"))
	port, logs := flink(t, "cluster")
	faults := []struct {
		name   string
		strike func(root string)
	}{
		{"worker", func(string) { kill(t, someWorker(t)) }},
		{"TaskManager", func(string) {
			b, err := os.ReadFile(filepath.Join(logs, "tm-1.pid"))
			if err != nil {
				t.Fatal(err)
			}
			pid, err := strconv.Atoi(strings.TrimSpace(string(b)))
			if err != nil {
				t.Fatal(err)
			}
			kill(t, pid)
		}},
	}
	for _, f := range faults {
		root := t.TempDir()
		broken := make(chan struct{})
		go func() {
			defer close(broken)
			for manifests(root) < tasksBeforeDeath {
				time.Sleep(5 * time.Millisecond)
			}
			f.strike(root)
		}()
		at := time.Now()
		info, err := Run(t.Context(), planOf(t, light, dir, root, "300KB"), Options{Service: dial(t, port), Environment: process(t), Deadline: flinkTime, Attempts: 3})
		if err != nil {
			t.Fatalf("%s killed: %v", f.name, err)
		}
		<-broken
		t.Logf("%s killed: done after %.0f s", f.name, time.Since(at).Seconds())
		sameRun(t, f.name+" killed", filepath.Join(root, info.ID), want)
	}
	root := t.TempDir()
	killSubmitter(t, light, dir, root, port)
	before := attempts(t, root)
	info, err := Run(t.Context(), planOf(t, light, dir, root, "300KB"), Options{Service: dial(t, port), Environment: process(t), Deadline: flinkTime, Attempts: 3})
	if err != nil {
		t.Fatal(err)
	}
	got := filepath.Join(root, info.ID)
	sameRun(t, "submitter killed", got, want)
	keptTasks(t, before, attempts(t, root))
}
