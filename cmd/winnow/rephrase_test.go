package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"winnow/shard"
)

// asked is the passage in the prompt of a request.
func asked(body []byte) string {
	var req struct{ Messages []struct{ Content string } }
	if json.Unmarshal(body, &req) != nil || len(req.Messages) == 0 {
		return ""
	}
	_, after, _ := strings.Cut(req.Messages[len(req.Messages)-1].Content, "<text>\n")
	passage, _, _ := strings.Cut(after, "\n</text>")
	return passage
}

func completion(text, finish string) []byte {
	b, _ := json.Marshal(text)
	return fmt.Appendf(nil, `{"id":"1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"finish_reason":%q,`+
		`"message":{"role":"assistant","content":%s}}],"usage":{"prompt_tokens":90,"completion_tokens":40,"total_tokens":130}}`, finish, b)
}

// scripted is a model for sessions: it refuses passages about secrets, makes a year up where it reads of a mill, and answers
// tasks and rewritings about a bridge well.
func scripted(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	passage := asked(body)
	answer := "Harlow's stone bridge, completed in 1784, once served some 1200 carts daily. Two of the five arches were lost to flooding in 1912; reconstruction by the town took 18 months."
	switch {
	case strings.Contains(passage, "secret"):
		answer = "I'm sorry, but I can't help with that request."
	case strings.Contains(passage, "mill"):
		answer = "A mill stands below the weir at Denholm and grinds 40 sacks a week for the bakers. It was built in 1655, say the papers, and has one wheel."
	case bytes.Contains(body, []byte("Instruction: ...")):
		answer = "Instruction: How many carts used the bridge at Harlow?\nAnswer: It carried 1,200 carts a day."
	}
	w.Header().Set("Content-Type", "application/json")
	w.Write(completion(answer, "stop"))
}

// storm is an endpoint in bad weather. What it does to a request follows from the request's hash and from how often it came, so that
// two runs meet the same: of 1,000 requests 200 are answered 429 at first, 50 with 500, 20 are cut inside the body, 20 have broken JSON
// (half of them for good), 10 never get an answer.
type storm struct {
	t   *testing.T
	key string

	mu      sync.Mutex
	came    map[[32]byte]int
	whole   map[[32]byte]int
	flying  int
	most    int
	classes map[string]int
}

func newStorm(t *testing.T, key string) (*storm, *httptest.Server) {
	s := &storm{t: t, key: key, came: map[[32]byte]int{}, whole: map[[32]byte]int{}, classes: map[string]int{}}
	server := httptest.NewServer(s)
	t.Cleanup(func() { server.CloseClientConnections(); server.Close() })
	return s, server
}

func (s *storm) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	if r.Header.Get("Authorization") != "Bearer "+s.key {
		s.t.Errorf("the key was not sent")
	}
	k := sha256.Sum256(body)
	s.mu.Lock()
	n := s.came[k]
	s.came[k]++
	s.flying++
	s.most = max(s.most, s.flying)
	s.mu.Unlock()
	defer func() { s.mu.Lock(); s.flying--; s.mu.Unlock() }()
	w.Header().Set("Content-Type", "application/json")
	full := completion(rewording(asked(body), k), "stop")
	switch draw := binary.LittleEndian.Uint32(k[:]) % 1000; {
	case draw < 200 && n == 0:
		s.count("429")
		if draw < 100 {
			w.Header().Set("Retry-After", "0")
		} else {
			w.Header().Set("Retry-After", time.Now().UTC().Add(-time.Second).Format(http.TimeFormat))
		}
		http.Error(w, `{"error":{"message":"slow down, `+s.key+`"}}`, http.StatusTooManyRequests)
	case draw >= 200 && draw < 250 && n == 0:
		s.count("500")
		http.Error(w, `{"error":{"message":"broken"}}`, http.StatusInternalServerError)
	case draw >= 250 && draw < 270 && n == 0:
		s.count("cut")
		w.Header().Set("Content-Length", fmt.Sprint(len(full)))
		w.Write(full[:len(full)/2])
	case draw >= 270 && draw < 290 && (n == 0 || draw < 280):
		s.count("json")
		w.Write(append([]byte(`{"id":"1",,`), full...))
	case draw >= 290 && draw < 300:
		s.count("never")
		<-r.Context().Done()
	default:
		if r.Context().Err() != nil {
			return
		}
		s.mu.Lock()
		s.whole[k]++
		s.mu.Unlock()
		w.Write(full)
	}
}

func (s *storm) count(class string) { s.mu.Lock(); s.classes[class]++; s.mu.Unlock() }

// twice counts the whole answers that were asked for again.
func (s *storm) twice() (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, times := range s.whole {
		n += times - 1
	}
	return n
}

// rewording says a passage in another order; one in thirty is refused, one in thirty has another year.
func rewording(passage string, k [32]byte) string {
	parts := strings.Split(strings.TrimSpace(passage), ". ")
	for i, j := 0, len(parts)-1; i < j; i, j = i+1, j-1 {
		parts[i], parts[j] = parts[j], parts[i]
	}
	switch k[31] % 30 {
	case 0:
		return "I'm sorry, but I can't help with that request."
	case 1:
		return "In 3999, " + strings.Join(parts, ", and ")
	}
	return "It is told that " + strings.Join(parts, ", and so ")
}

func stormInput(t *testing.T) string {
	var b strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&b, "{\"id\":\"doc-%04d\",\"text\":\"House number %d stands at the old market of Harlow. In %d a family of %d moved in with two dogs. "+
			"They sold bread on Mondays and wool on Fridays. Nobody in town knew where they had come from, and nobody asked them.\"}\n", i, i+1, 1500+i%400, 3+i%7)
	}
	return writeFile(t, "in.jsonl", b.String())
}

const stormRecipe = `name: storm
input: {jsonl: [%q], shard_size: 64KB}
stages:
  - language:
  - rephrase: {model: m, styles: [wikipedia], concurrency: 64, timeout: 8s, retries: 1, backoff: 5ms, guards: {copied: {}, copied_back: {}, repetition: {}, new_numbers: {max: 0}}}
`

// TestRephraseStorm sends a thousand documents through an endpoint that fails in every way. Each document ends rewritten or dropped
// for a reason beside its original, no whole answer is asked for twice, the key is nowhere, and bytes are the same after the cache alone
// answers, and after kills.
func TestRephraseStorm(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for answers that never come")
	}
	const key = "sk-of-the-storm-4b1d"
	t.Setenv("OPENAI_API_KEY", key)
	weather, server := newStorm(t, key)
	recipe := writeFile(t, "storm.yaml", fmt.Sprintf(stormRecipe, stormInput(t)))
	command := func(url, runs string) *exec.Cmd {
		cmd := exec.Command("winnow", "run", "--lang", "en", "--runs", runs, "-j", "8", recipe)
		cmd.Env = append(os.Environ(), "WINNOW_OPENAI_BASE_URL="+url+"/v1")
		return cmd
	}
	finish := func(url, runs string) string {
		t.Helper()
		out, err := command(url, runs).CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return string(out)
	}
	runs := t.TempDir()
	told := finish(server.URL, runs)
	for class, least := range map[string]int{"429": 120, "500": 25, "cut": 5, "json": 10, "never": 3} {
		if weather.classes[class] < least {
			t.Errorf("only %d of class %s", weather.classes[class], class)
		}
	}
	if n := weather.twice(); n > 0 {
		t.Errorf("%d whole answers were asked for twice", n)
	}
	accounted(t, runs)
	again := t.TempDir()
	if err := os.CopyFS(filepath.Join(again, ".cache"), os.DirFS(filepath.Join(runs, ".cache"))); err != nil {
		t.Fatal(err)
	}
	told += finish(server.URL, again)
	compareRuns(t, runs, again)
	if n := weather.twice(); n > 0 {
		t.Errorf("the second run asked for %d whole answers again", n)
	}

	other, slow := newStorm(t, key)
	broken, kills := t.TempDir(), 0
	for limit := 100; limit <= 700; limit += 300 {
		cmd := command(slow.URL, broken)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		for done := false; !done; time.Sleep(2 * time.Millisecond) {
			other.mu.Lock()
			done = len(other.whole) >= limit
			other.mu.Unlock()
		}
		cmd.Process.Kill()
		if cmd.Wait(); cmd.ProcessState.ExitCode() == -1 {
			kills++
		}
	}
	told += finish(slow.URL, broken)
	compareRuns(t, runs, broken)
	if n := other.twice(); kills < 2 || n > 64*kills || other.most > 2*64 {
		t.Errorf("after %d kills with at most 64 in flight, %d answers were asked for again; %d at once", kills, n, other.most)
	}
	t.Logf("%d kills, %d whole answers asked for again, at most %d at once", kills, other.twice(), other.most)
	for _, dir := range []string{runs, again, broken} {
		filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if b, _ := os.ReadFile(path); err != nil || bytes.Contains(b, []byte(key)) {
				t.Errorf("%s: holds the key, or %v", path, err)
			}
			return nil
		})
	}
	if strings.Contains(told, key) || !strings.Contains(told, "requests (") {
		t.Errorf("the key, or no forecast: %s", told)
	}
}

// accounted checks that every document of a run in the storm ended for a reason.
func accounted(t *testing.T, runs string) {
	t.Helper()
	dirs, _ := filepath.Glob(filepath.Join(runs, "storm-*"))
	f, err := shard.Open(nil, dirs[0])
	if err != nil {
		t.Fatal(err)
	}
	originals, rewritten, dropped := 0, 0, map[string]int{}
	last := ""
	for row, err := range f.Rows() {
		switch {
		case err != nil:
			t.Fatal(err)
		case row.Doc.Origin == "":
			if want := fmt.Sprintf("doc-%04d", originals); row.Doc.ID != want || row.Verdict.Drop {
				t.Fatalf("original %s, want %s: %+v", row.Doc.ID, want, row.Verdict)
			}
			originals++
			last = row.Doc.ID
		case row.Doc.Origin != last || row.Doc.ID != last+"#wikipedia#0":
			t.Fatalf("%s does not stand behind its origin", row.Doc.ID)
		case row.Verdict.Drop:
			dropped[row.Verdict.Rule]++
		default:
			rewritten++
		}
	}
	sum := 0
	for _, n := range dropped {
		sum += n
	}
	if originals != 1000 || rewritten+sum != 1000 || rewritten < 850 || dropped["rephrase.unanswered"] < 8 || dropped["rephrase.refused"] < 10 || dropped["rephrase.new_numbers"] < 10 {
		t.Errorf("%d originals, %d rewritten, dropped %v", originals, rewritten, dropped)
	}
	t.Logf("%d rewritten, dropped %v", rewritten, dropped)
}

// TestRephraseByServe rewrites through this program's own server. A model of random weights says nothing of worth: the wiring is shown.
func TestRephraseByServe(t *testing.T) {
	url, _ := served(t, chatModel(t, "chatml", false))
	in := writeFile(t, "in.jsonl", `{"id":"en","text":"The old stone bridge at Harlow was built in 1784 and carried 1,200 carts a day. It has five arches, and the flood of 1912 took two of them away."}
{"id":"zh","text":"哈洛镇的老石桥建于1784年，每天有1200辆马车经过。桥有五个桥洞，一九一二年的洪水冲走了其中两个，镇上用了十八个月把它修好。"}
`)
	var any []string
	for _, name := range []string{"truncated_answer", "malformed", "preamble", "length_ratio", "script_overlap", "repetition", "new_numbers", "new_urls", "kept_numbers", "kept_names"} {
		any = append(any, name+": {}")
	}
	recipe := writeFile(t, "r.yaml", fmt.Sprintf("name: own\ninput: {jsonl: [%q]}\nstages:\n  - language:\n  - rephrase: {endpoint: %q, model: talker, styles: [wikipedia, continue], max_tokens: 300, segment: 200, guards: {%s}}\n",
		in, url+"v1", strings.Join(any, ", ")))
	runs := t.TempDir()
	said(t, 0, "", "run", "--runs", runs, recipe)
	dirs, _ := filepath.Glob(filepath.Join(runs, "own-*"))
	f, err := shard.Open(nil, dirs[0])
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for d, err := range f.Documents() {
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, d.ID)
		if d.Origin != "" && (d.Text == "" || d.Meta["rephrase_model"] != "talker" || d.Meta["rephrase_completion_tokens"] != "300") {
			t.Errorf("%s %v", d.ID, d.Meta)
		}
	}
	if got := strings.Join(ids, " "); got != "en en#wikipedia#0 en#continue#0 zh zh#wikipedia#0 zh#continue#0" {
		t.Errorf("documents: %s", got)
	}
}
