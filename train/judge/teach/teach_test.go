package teach

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"winnow/train/chat"
	"winnow/train/chat/source"
)

// teacher answers by what it is asked, and counts.
type teacher struct {
	mu    sync.Mutex
	asked int
	stop  int // requests after which it is gone; 0: never
}

var errGone = errors.New("budget is spent")

func (t *teacher) Answer(_ context.Context, messages []chat.Message, s Sampling) (Answer, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.asked++
	if t.stop > 0 && t.asked > t.stop {
		return Answer{}, errGone
	}
	last := messages[len(messages)-1].Content
	a := Answer{Text: "About " + last, Finish: "stop", PromptTokens: int64(len(messages)), CompletionTokens: 2}
	switch {
	case strings.HasSuffix(last, " 7"):
		a.Finish = finishLength
	case strings.HasSuffix(last, " 8"):
		a.Finish = finishFilter
	case strings.HasSuffix(last, " 9"):
		a.Text = " \n"
	case strings.HasSuffix(last, " 6"):
		return Answer{}, fmt.Errorf("status 500: %w", ErrUnanswered)
	}
	return a, nil
}

func tasks(n int) (out []Task) {
	for i := range n {
		out = append(out, Task{Prompt: user(fmt.Sprintf("{{q}} %d", i)), Origin: fmt.Sprint("list:", i+1)})
	}
	return out
}

func options() Options {
	return Options{Teacher: "big", System: "Be brief.", Sampling: Sampling{Temperature: .5, TopP: 1, Seed: 3, MaxTokens: 9}}
}

func TestTeach(t *testing.T) {
	path := filepath.Join(t.TempDir(), "answers.jsonl")
	all := append(tasks(20), tasks(2)...)
	r, err := Teach(t.Context(), path, &teacher{}, all, options())
	if err != nil || *r != (Report{Tasks: 22, Rows: 16, Twice: 2, Cut: 1, Withheld: 1, Empty: 1, Unanswered: 1, Why: "status 500: the teacher did not answer", Prompt: 32, Completion: 32}) {
		t.Fatalf("%+v %v", r, err)
	}
	n := 0
	for c, err := range source.Conversations([]string{path}, source.Options{}) {
		if err != nil || len(c.Messages) != 2 || c.Messages[1].Content != "About "+c.Messages[0].Content || !strings.HasPrefix(c.Messages[0].Content, "{{q}} ") {
			t.Fatalf("%+v %v", c, err)
		}
		n++
	}
	b, _ := os.ReadFile(path)
	if n != 16 || !strings.Contains(string(b), `"teacher":{"model":"big","prompt_hash":"`) || !strings.Contains(string(b), `"prompt_tokens":2,"completion_tokens":2,"finish_reason":"stop","origin":"list:1"}`) || strings.Contains(string(b), "Be brief") {
		t.Errorf("%d rows: %s", n, b)
	}
	again := &teacher{}
	if r, err := Teach(t.Context(), path, again, all, options()); err != nil || r.Before != 16 || r.Rows != 16 || again.asked != 4 {
		t.Errorf("%+v %v, asked %d", r, err, again.asked)
	}
	other := options()
	other.KeepCut, other.Sampling.Seed = true, 4
	if r, err := Teach(t.Context(), path, &teacher{}, all, other); err != nil || r.Before != 0 || r.Rows != 17 {
		t.Errorf("another seed: %+v %v", r, err)
	}
}

// TestGoesOn ends the teaching after every number of requests, and at every byte of the last line: what comes of going on is the same.
func TestGoesOn(t *testing.T) {
	whole := filepath.Join(t.TempDir(), "whole.jsonl")
	all := tasks(150)
	if _, err := Teach(t.Context(), whole, &teacher{}, all, options()); err != nil {
		t.Fatal(err)
	}
	want, _ := os.ReadFile(whole)
	for _, stop := range []int{1, 63, 64, 65, 130, 149} {
		path := filepath.Join(t.TempDir(), "answers.jsonl")
		o := options()
		o.Parallel = 1
		if _, err := Teach(t.Context(), path, &teacher{stop: stop}, all, o); !errors.Is(err, errGone) {
			t.Fatalf("after %d: %v", stop, err)
		}
		if b, _ := os.ReadFile(path); len(b) > 30 {
			os.WriteFile(path, b[:len(b)-stop%30-1], 0o666)
		}
		if _, err := Teach(t.Context(), path, &teacher{}, all, options()); err != nil {
			t.Fatal(err)
		}
		if got, _ := os.ReadFile(path); string(got) != string(want) {
			t.Errorf("after %d requests: %d bytes, want %d", stop, len(got), len(want))
		}
	}
	for _, text := range []string{"a poem\n", `{"prompt":"x","completion":"y"}` + "\n", "a poem"} {
		path := filepath.Join(t.TempDir(), "mine.jsonl")
		os.WriteFile(path, []byte(text), 0o666)
		if _, err := Teach(t.Context(), path, &teacher{}, all, options()); err == nil || !strings.Contains(err.Error(), "line 1") {
			t.Errorf("%q was written to: %v", text, err)
		}
		if b, _ := os.ReadFile(path); string(b) != text {
			t.Errorf("%q became %q", text, b)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Teach(ctx, filepath.Join(t.TempDir(), "x"), &teacher{}, all, options()); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

func TestInstructions(t *testing.T) {
	const list = "What is rain?\n\n" + `{"prompt":"q"}` + "\n" + `{"instruction":"Sum","input":"1 2"}` + "\n" + `{"question":"为什么？"}` + "\n" +
		`{"messages":[{"role":"system","content":"s"},{"role":"user","content":"u"},{"role":"assistant","content":"a"}]}`
	got, err := Instructions(strings.NewReader(list), "list")
	if err != nil {
		t.Fatal(err)
	}
	want := []Task{{Prompt: user("What is rain?"), Origin: "list:1"}, {Prompt: user("q"), Origin: "list:3"}, {Prompt: user("Sum\n1 2"), Origin: "list:4"}, {Prompt: user("为什么？"), Origin: "list:5"},
		{Prompt: append([]chat.Message{{Role: chat.System, Content: "s"}}, user("u")...), Origin: "list:6"}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%+v", got)
	}
	for _, bad := range []string{`{`, `{"prompt":3}`, `{"prompt":""}`, `{"prompt":[]}`, `{"text":"x"}`, `{"messages":[{"role":"assistant","content":"a"}]}`} {
		if _, err := Instructions(strings.NewReader("a\n"+bad), "list"); err == nil || !strings.HasPrefix(err.Error(), "list:2: ") {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

func TestContinuation(t *testing.T) {
	for _, c := range []struct{ text, first string }{
		{"One sentence here. Another sentence there. And a third one. The end of it.", "One sentence here. Another sentence there."},
		{"第一句话在这里。第二句话在那里。第三句话也有。最后一句话。", "第一句话在这里。第二句话在那里。"},
		{"no sentence at all but words and more words", "no sentence at all but"},
		{"无标点的一行文字没有地方可断", "无标点的一行文"},
		{"version 1.2.3 of a.b.c and version 4.5.6 of d.e.f", "version 1.2.3 of a.b.c"},
	} {
		task, ok := Continuation(c.text, "id", "en", 5)
		if !ok || task.Prompt[0].Content != c.first || !strings.HasSuffix(task.Asked[0].Content, "\n\n"+c.first) || task.Origin != "id" {
			t.Errorf("%q: %+v %v", c.text, task, ok)
		}
	}
	if _, ok := Continuation("short", "id", "en", 6); ok {
		t.Error("a text that is too short")
	}
	zh, _ := Continuation(strings.Repeat("很好。", 20), "id", "zh", 5)
	if !strings.HasPrefix(zh.Asked[0].Content, "下面") {
		t.Errorf("%+v", zh)
	}
}

func FuzzContinuation(f *testing.F) {
	f.Add("One. Two. Three. 四。五！", 3)
	f.Add("\xff\xfe", 0)
	f.Fuzz(func(t *testing.T, text string, least int) {
		text = strings.ToValidUTF8(text, "?")
		task, ok := Continuation(text, "id", "en", least)
		if ok && (!utf8.ValidString(task.Prompt[0].Content) || !strings.HasPrefix(strings.TrimSpace(text), task.Prompt[0].Content)) {
			t.Errorf("%q: %q", text, task.Prompt[0].Content)
		}
	})
}
