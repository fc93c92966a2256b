package feedback

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"

	"winnow/train/chat"
	"winnow/train/chat/source"
)

var model = Model{Name: "tiny", Hash: "aa", Tokenizer: "bb", Template: "chatml", TemplateHash: "cc"}

func open(t testing.TB, dir string) *Log {
	t.Helper()
	l, err := Open(dir, model)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func asked(s string) []chat.Message { return []chat.Message{{Role: chat.User, Content: s}} }

func thumb(name, answer string, good bool) Judgement {
	return Judgement{Kind: Thumb, Subject: name, Prompt: asked("ask " + name), Answer: answer, Good: good, Drawn: &Sampling{Temperature: .7, TopP: 1, Seed: 1<<53 - 1, MaxTokens: 9, Finish: "stop"}}
}

func pick(name, better, worse string) Judgement {
	return Judgement{Kind: Pick, Subject: name, Prompt: asked("ask " + name), Better: better, Worse: worse, Drawn: &Sampling{Seed: 1}, Other: &Sampling{Seed: 2}}
}

func edit(name, was, is string) Judgement {
	return Judgement{Kind: Edit, Subject: name, Prompt: asked("ask " + name), Worse: was, Answer: is, Drawn: &Sampling{Seed: 3}}
}

func add(t testing.TB, l *Log, list ...Judgement) {
	t.Helper()
	for _, j := range list {
		if err := l.Add(j); err != nil {
			t.Fatal(err)
		}
	}
}

func file(t testing.TB, parts ...string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(parts...))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	return string(b)
}

// TestReadByTraining reads the files as fine-tuning does: texts that look like transcripts, placeholders or markup come back as they
// were, and nothing is refused.
func TestReadByTraining(t *testing.T) {
	dir := t.TempDir()
	odd := []string{"Human: hi\n\nAssistant: no", "{{name}} {{ x }}", "<|im_end|>\nUser: <b>&amp;", " 你好\n\n", "\u2028\"\\"}
	l := open(t, dir)
	for i, s := range odd {
		name := fmt.Sprint(i)
		long := thumb(name, s, i%2 == 0)
		long.Prompt = []chat.Message{{Role: chat.System, Content: s}, {Role: chat.User, Content: s}, {Role: chat.Assistant, Content: ""}, {Role: chat.User, Content: s}}
		add(t, l, long, pick(name, s, s+"!"), edit(name, "", s))
	}
	if a, b, c := l.Counts(); a != 5 || b != 10 || c != 5 {
		t.Errorf("counts %d %d %d", a, b, c)
	}
	n := 0
	for j, err := range source.Feedback([]string{filepath.Join(dir, ThumbsName)}, source.Options{}) {
		if err != nil {
			t.Fatal(err)
		}
		if len(j.Prompt) != 4 || j.Prompt[0].Content != odd[n] || j.Prompt[3].Content != odd[n] || len(j.Answer) != 1 || j.Answer[0].Content != odd[n] || j.Good != (n%2 == 0) || j.Shape != "prompt-completion-label" {
			t.Errorf("thumb %d: %+v", n, j)
		}
		n++
	}
	pairs := 0
	for p, err := range source.Pairs([]string{filepath.Join(dir, PairsName)}, source.Options{}) {
		if err != nil {
			t.Fatal(err)
		}
		s, worse := odd[pairs/2], odd[pairs/2]+"!"
		if pairs%2 == 1 {
			worse = ""
		}
		want := chat.Pair{Place: p.Place, Prompt: asked(fmt.Sprint("ask ", pairs/2)), Chosen: []chat.Message{{Role: chat.Assistant, Content: s}}, Rejected: []chat.Message{{Role: chat.Assistant, Content: worse}}}
		if !reflect.DeepEqual(*p, want) {
			t.Errorf("pair %d: %+v", pairs, p)
		}
		pairs++
	}
	edits, both := 0, 0
	for c, err := range source.Conversations([]string{filepath.Join(dir, EditsName)}, source.Options{}) {
		if err != nil || len(c.Messages) != 2 || c.Messages[1].Content != odd[edits] {
			t.Errorf("edit: %+v %v", c, err)
		}
		edits++
	}
	for _, err := range source.Feedback([]string{filepath.Join(dir, ThumbsName), filepath.Join(dir, PairsName)}, source.Options{}) {
		if err != nil {
			t.Fatal(err)
		}
		both++
	}
	if n != 5 || pairs != 10 || edits != 5 || both != 25 {
		t.Errorf("%d thumbs, %d pairs, %d edits, %d judged answers of both files", n, pairs, edits, both)
	}
}

func TestLine(t *testing.T) {
	dir := t.TempDir()
	add(t, open(t, dir), thumb("a", "yes", false), pick("p", "x", "y"))
	lines := strings.SplitAfter(file(t, dir, LogName), "\n")
	var got map[string]any
	if err := json.Unmarshal([]byte(lines[0]), &got); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]any{"kind": "thumb", "subject": "a", "model": "tiny", "model_hash": "aa", "tokenizer_hash": "bb", "template": "chatml", "template_hash": "cc", "label": false, "literal": true} {
		if got[name] != want {
			t.Errorf("%s: %v, want %v in %s", name, got[name], want, lines[0])
		}
	}
	if s := got["sampling"].(map[string]any); s["seed"] != float64(1<<53-1) || s["temperature"] != .7 || s["finish_reason"] != "stop" {
		t.Errorf("sampling %v", s)
	}
	if !strings.HasPrefix(lines[0], lineBegin) || !strings.Contains(lines[1], `"rejected_sampling":{"temperature":0,"top_p":0,"seed":2}`) {
		t.Errorf("%s", lines)
	}
}

// TestLastCounts: a judgement takes the place of an earlier one on the same subject, or takes it back; the log keeps all.
func TestLastCounts(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir)
	add(t, l, thumb("a", "yes", true), thumb("b", "no", true), thumb("a", "yes", false), edit("a", "yes", "sure"), Judgement{Kind: Thumb, Subject: "b", Undone: true}, edit("a", "yes", "of course"))
	check := func() {
		t.Helper()
		thumbs, pairs, edits := file(t, dir, ThumbsName), file(t, dir, PairsName), file(t, dir, EditsName)
		if strings.Count(thumbs, "\n") != 1 || !strings.Contains(thumbs, `"label":false`) || strings.Count(pairs, "\n") != 1 || !strings.Contains(pairs, "of course") || pairs != edits {
			t.Errorf("thumbs %s pairs %s edits %s", thumbs, pairs, edits)
		}
	}
	check()
	if n := strings.Count(file(t, dir, LogName), "\n"); n != 6 {
		t.Errorf("the log has %d lines", n)
	}
	l.Close()
	for _, name := range []string{ThumbsName, PairsName, EditsName} { // lost, cut, or of an earlier day
		os.WriteFile(filepath.Join(dir, name), []byte(file(t, dir, name) + "{}\n")[:len(name)], 0o666)
	}
	os.Remove(filepath.Join(dir, EditsName))
	l = open(t, dir)
	check()
	if l.Cut != 0 || l.Skipped != 0 {
		t.Errorf("cut %d, skipped %d", l.Cut, l.Skipped)
	}
}

// TestTorn ends the log at every byte, as a crash does: what was whole stays, what was torn is cut off, and writing goes on.
func TestTorn(t *testing.T) {
	whole := t.TempDir()
	list := []Judgement{thumb("a", "yes", true), pick("p", "x", "y"), edit("a", "yes", "sure"), thumb("a", "yes", false)}
	l := open(t, whole)
	var ends []int
	for _, j := range list {
		add(t, l, j)
		ends = append(ends, len(file(t, whole, LogName)))
	}
	all := file(t, whole, LogName)
	for n := range len(all) + 1 {
		if n > 10 && n%61 != 0 && n < len(all)-3 {
			continue
		}
		dir := t.TempDir()
		for _, name := range []string{ThumbsName, PairsName, EditsName} {
			os.WriteFile(filepath.Join(dir, name), []byte(file(t, whole, name)), 0o666)
		}
		os.WriteFile(filepath.Join(dir, LogName), []byte(all[:n]), 0o666)
		l, err := Open(dir, model)
		if err != nil {
			t.Fatalf("%d bytes: %v", n, err)
		}
		kept := 0
		for _, end := range ends {
			if end <= n {
				kept = end
			}
		}
		add(t, l, thumb("z", "again", true))
		thumbs, pairs, edits := l.Counts()
		got := file(t, dir, LogName)
		if l.Cut != int64(n-kept) || got[:kept] != all[:kept] || strings.Count(got[kept:], "\n") != 1 || !json.Valid([]byte(got[kept:])) {
			t.Errorf("%d bytes, %d whole: cut %d, then %q", n, kept, l.Cut, got[kept:])
		}
		for name, rows := range map[string]int{ThumbsName: thumbs, PairsName: pairs, EditsName: edits} {
			if strings.Count(file(t, dir, name), "\n") != rows {
				t.Errorf("%d bytes: %s has not %d rows", n, name, rows)
			}
		}
		l.Close()
	}
}

func TestOthersFilesAreLeftAlone(t *testing.T) {
	for text, ok := range map[string]bool{"a poem": false, "{\"prompt\":1}": false, "\x00\x00\x00": true, `{"ts":"20`: true, "": true} {
		dir := t.TempDir()
		os.WriteFile(filepath.Join(dir, LogName), []byte(text), 0o666)
		l, err := Open(dir, model)
		if (err == nil) != ok {
			t.Errorf("%q: %v", text, err)
		}
		if err == nil {
			l.Close()
		} else if file(t, dir, LogName) != text {
			t.Errorf("%q was changed", text)
		}
	}
	dir := t.TempDir()
	os.WriteFile(filepath.Join(dir, LogName), []byte("a note\n"), 0o666)
	l := open(t, dir)
	add(t, l, thumb("a", "b", true))
	if l.Skipped != 1 || !strings.HasPrefix(file(t, dir, LogName), "a note\n"+lineBegin) || strings.Count(file(t, dir, ThumbsName), "\n") != 1 {
		t.Errorf("skipped %d: %s", l.Skipped, file(t, dir, LogName))
	}
}

func TestOneWriter(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir)
	if _, err := Open(dir, model); !errors.Is(err, ErrInUse) {
		t.Errorf("a second writer: %v", err)
	}
	var wait sync.WaitGroup
	for i := range 20 {
		wait.Go(func() {
			for k := range 5 {
				if err := l.Add(thumb(fmt.Sprint(i%7), strings.Repeat("long ", 200), k%2 == 0)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wait.Wait()
	for line := range strings.Lines(file(t, dir, LogName)) {
		if !json.Valid([]byte(line)) {
			t.Errorf("%q", line)
		}
	}
	if n := strings.Count(file(t, dir, LogName), "\n"); n != 100 || strings.Count(file(t, dir, ThumbsName), "\n") != 7 {
		t.Errorf("%d lines", n)
	}
	l.Close()
	if err := l.Add(thumb("a", "b", true)); err == nil {
		t.Error("a closed log was written")
	}
	open(t, dir)
}

func TestCheck(t *testing.T) {
	l := open(t, t.TempDir())
	for _, bad := range []func(*Judgement){
		func(j *Judgement) { j.Kind = "star" }, func(j *Judgement) { j.Subject = "" }, func(j *Judgement) { j.Subject = strings.Repeat("x", 201) },
		func(j *Judgement) { j.Prompt = nil }, func(j *Judgement) { j.Prompt[0].Role = "judge" }, func(j *Judgement) { j.Prompt[0].Content = " " },
		func(j *Judgement) { j.Prompt = append(j.Prompt, chat.Message{Role: chat.Assistant, Content: "x"}) },
		func(j *Judgement) { j.Answer = "\n" }, func(j *Judgement) { *j = pick("a", "", "y") }, func(j *Judgement) { *j = pick("a", "y", "y") }, func(j *Judgement) { *j = edit("a", "y", "y") },
	} {
		j := thumb("a", "yes", true)
		bad(&j)
		var invalid *InvalidError
		if err := l.Add(j); !errors.As(err, &invalid) {
			t.Errorf("%+v: %v", j, err)
		}
	}
	if l.size != 0 {
		t.Error("something was written")
	}
}

// TestViewsFollowTheLog judges at random and holds the files to what reading the log alone says.
func TestViewsFollowTheLog(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	dir := t.TempDir()
	l := open(t, dir)
	for i := range 60 {
		name := fmt.Sprint(r.IntN(12))
		switch r.IntN(5) {
		case 0:
			add(t, l, pick(name, fmt.Sprint(i), "w"))
		case 1:
			add(t, l, edit(name, "w", fmt.Sprint(i)))
		case 2:
			add(t, l, Judgement{Kind: []string{Thumb, Pick, Edit}[r.IntN(3)], Subject: name, Undone: true})
		default:
			add(t, l, thumb(name, fmt.Sprint(i), r.IntN(2) == 0))
		}
		if i%20 == 19 {
			l.Close()
			l = open(t, dir)
		}
	}
	last := map[subject]string{}
	var order []subject
	for line := range strings.Lines(file(t, dir, LogName)) {
		var j Judgement
		if err := json.Unmarshal([]byte(line), &j); err != nil {
			t.Fatal(err)
		}
		key := subject{j.Kind, j.Subject}
		for i, k := range order {
			if k == key {
				order = append(order[:i:i], order[i+1:]...)
				break
			}
		}
		if !j.Undone {
			order = append(order, key)
		}
		last[key] = line
	}
	for name, kinds := range map[string]string{ThumbsName: "thumb", PairsName: "pick edit", EditsName: "edit"} {
		var want bytes.Buffer
		for _, k := range order {
			if strings.Contains(kinds, k.kind) {
				want.WriteString(last[k])
			}
		}
		if got := file(t, dir, name); got != want.String() || got == "" {
			t.Errorf("%s: %d bytes, want %d", name, len(got), want.Len())
		}
	}
}

// FuzzOpen opens logs of any bytes: never a panic, never less of what was whole.
func FuzzOpen(f *testing.F) {
	dir := f.TempDir()
	l, err := Open(dir, model)
	if err != nil {
		f.Fatal(err)
	}
	add(f, l, thumb("a", "b", true), pick("p", "x", "y"), edit("e", "x", "z"), Judgement{Kind: Edit, Subject: "e", Undone: true})
	l.Close()
	f.Add([]byte(file(f, dir, LogName)))
	f.Fuzz(func(t *testing.T, b []byte) {
		dir := t.TempDir()
		os.WriteFile(filepath.Join(dir, LogName), b, 0o666)
		l, err := Open(dir, model)
		if err != nil {
			return
		}
		add(t, l, thumb("new", "x", true))
		l.Close()
		got := []byte(file(t, dir, LogName))
		if whole := b[:bytes.LastIndexByte(b, '\n')+1]; !bytes.HasPrefix(got, whole) {
			t.Errorf("%q became %q", b, got)
		}
		again := open(t, dir)
		if again.Cut != 0 {
			t.Errorf("%q: cut again", b)
		}
	})
}

func BenchmarkAdd(b *testing.B) {
	l := open(b, b.TempDir())
	for i := 0; b.Loop(); i++ {
		add(b, l, thumb(fmt.Sprint(i), "an answer of some length, as they are", true))
	}
	b.SetBytes(l.size / int64(b.N))
}
