package source

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go"

	"winnow/train/chat"
)

func write(t testing.TB, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

// spell writes messages in a line: u user, s system, a assistant, t tool; ~ is a turn that is not learnt, name(...) a call.
func spell(messages []chat.Message) string {
	var b strings.Builder
	for i, m := range messages {
		if i > 0 {
			b.WriteString(" | ")
		}
		b.WriteString(m.Role[:1])
		if m.Ignored {
			b.WriteString("~")
		}
		b.WriteString(":" + m.Content)
		for _, c := range m.Calls {
			fmt.Fprintf(&b, " %s(%s)", c.Name, c.Arguments)
		}
	}
	return b.String()
}

// gather reads a stream to its end: what every row became, in order.
func gather[T any](t *testing.T, rows iter.Seq2[*T, error], say func(*T) string) (out []string) {
	t.Helper()
	for v, err := range rows {
		var row *RowError
		switch {
		case errors.As(err, &row):
			out = append(out, "! "+row.Reason+" "+row.Field)
		case err != nil:
			out = append(out, "!! "+err.Error())
		default:
			out = append(out, say(v))
		}
	}
	return out
}

func sayChat(c *chat.Conversation) string { return c.Shape + " " + spell(c.Messages) }
func sayPair(p *chat.Pair) string {
	return spell(p.Prompt) + " > " + spell(p.Chosen) + " > " + spell(p.Rejected)
}
func sayJudged(j *chat.Judged) string {
	return fmt.Sprintf("%s > %s %v", spell(j.Prompt), spell(j.Answer), j.Good)
}

func TestConversations(t *testing.T) {
	for in, want := range map[string]string{
		`{"messages":[{"role":"user","content":"hi"},{"role":"assistant","content":"yo"}]}`:                                                                                                                                                                  "messages u:hi | a:yo",
		`{"messages":[{"role":"developer","content":"s"},{"role":"user","content":[{"type":"text","text":"h"},{"type":"text","text":"i"}]},{"role":"assistant","content":"yo"}]}`:                                                                            "messages s:s | u:hi | a:yo",
		`{"messages":[{"role":"user","content":"2+2"},{"role":"assistant","content":null,"tool_calls":[{"type":"function","function":{"name":"add","arguments":"{\"a\":2,\"b\":[2]}"}}]},{"role":"tool","content":"4"},{"role":"assistant","content":"4"}]}`: `messages u:2+2 | a: add({"a": 2, "b": [2]}) | t:4 | a:4`,
		`{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b","weight":0},{"role":"user","content":"c"},{"role":"assistant","content":"d"}]}`:                                                                                        "messages u:a | a~:b | u:c | a:d",
		`{"conversations":[{"from":"human","value":"hi"},{"from":"gpt","value":"yo"}],"system":"be kind"}`:                                                                                                                                                   "sharegpt s:be kind | u:hi | a:yo",
		`{"conversations":[{"from":"human","value":"x"},{"from":"function_call","value":"{\"name\":\"f\",\"arguments\":{}}"},{"from":"observation","value":"1"},{"from":"gpt","value":"one"}],"tools":"[{\"name\":\"f\"}]"}`:                                 "sharegpt u:x | a: f({}) | t:1 | a:one",
		`{"prompt":"p","completion":"c"}`: "prompt-completion u:p | a:c",
		`{"prompt":[{"role":"user","content":"p"},{"role":"assistant","content":"q"},{"role":"user","content":"r"}],"completion":[{"role":"assistant","content":"c"}]}`: "prompt-completion u:p | a~:q | u:r | a:c",
		`{"instruction":"i","input":"","output":"o"}`:                                              "alpaca u:i | a:o",
		`{"instruction":"i","input":"n","output":"o","history":[["a","b"]],"system":"s"}`:          "alpaca s:s | u:a | a:b | u:i\nn | a:o",
		`{"instruction":"","input":"n","output":"o"}`:                                              "alpaca u:n | a:o",
		`{"question":"q","answer":"a"}`:                                                            "question-answer u:q | a:a",
		`{"instruction":"i","instances":[{"input":"1","output":"2"},{"input":"","output":"3"}]}`:   "instances u:i\n1 | a:2\ninstances u:i | a:3",
		`{"instruction":"I am {{ name }}","output":"{{name}}{{ not a name }}"}`:                    "alpaca u:I am Ann | a:Ann{{ not a name }}",
		`{"instruction":"I am {{who}}","output":"x"}`:                                              "! placeholder instruction",
		`{"instruction":"i","output":""}`:                                                          "! empty output",
		`{"instruction":"","output":"x"}`:                                                          "! empty instruction",
		`{"messages":[{"role":"user","content":"hi"}]}`:                                            "! empty messages",
		`{"messages":[{"role":"user","content":"hi"},{"role":"bard","content":"yo"}]}`:             "! field messages[1].role",
		`{"messages":[{"role":"user","content":5},{"role":"assistant","content":"yo"}]}`:           "! field messages[0].content",
		`{"messages":[{"content":"x"}]}`:                                                           "! field messages[0].role",
		`{"messages":"hi"}`:                                                                        "! empty messages",
		`{"messages":{"role":"user"}}`:                                                             "! field messages",
		`{"conversations":[{"from":"human","value":"x"},{"from":"function_call","value":"f(1)"}]}`: "! field conversations[1].value",
		`{"text":"x"}`: "! no_shape ",
		`[1]`:          "! broken ",
		`5`:            "! no_shape ",
		`{"a":`:        "! broken ",
	} {
		rows := Conversations([]string{write(t, "a.jsonl", in+"\n")}, Options{Set: map[string]string{"name": "Ann"}})
		if got := strings.Join(gather(t, rows, sayChat), "\n"); got != want {
			t.Errorf("%s:\n%s, not\n%s", in, got, want)
		}
	}
}

func TestPairsAndFeedback(t *testing.T) {
	const hh = `\n\nHuman: hi\n\nAssistant: yo\n\nHuman: how?\n\nAssistant:`
	for in, want := range map[string]string{
		`{"prompt":"p","chosen":"c","rejected":"r"}`: "u:p > a:c > a:r",
		`{"prompt":"p","chosen":[{"role":"user","content":"p"},{"role":"assistant","content":"c"}],"rejected":[{"role":"user","content":"p"},{"role":"assistant","content":"r"}],"margin":1.5}`: "u:p > a:c > a:r",
		`{"chosen":[{"role":"user","content":"p"},{"role":"assistant","content":"c"}],"rejected":[{"role":"user","content":"p"},{"role":"assistant","content":"r"}]}`:                           "u:p > a:c > a:r",
		`{"chosen":"` + hh + ` well","rejected":"` + hh + ` go away"}`:                                                               "u:hi | a:yo | u:how? > a:well > a:go away",
		`{"chosen":"` + hh + `","rejected":"` + hh + ` go away"}`:                                                                    "! empty chosen",
		`{"chosen":"` + hh + ` x","rejected":"` + hh + ` x"}`:                                                                        "! same_answers chosen",
		`{"chosen":"\n\nHuman: a\n\nAssistant: x","rejected":"\n\nHuman: b\n\nAssistant: y"}`:                                        "! prompts chosen",
		`{"chosen":"` + hh + ` x\n\nHuman: z\n\nAssistant: w","rejected":"` + hh + ` y"}`:                                            "! prompts chosen",
		`{"chosen":"The sky is blue.","rejected":"The sky is green."}`:                                                               "u:The sky is  > a:blue. > a:green.",
		`{"conversations":[{"from":"human","value":"p"}],"chosen":{"from":"gpt","value":"c"},"rejected":{"from":"gpt","value":"r"}}`: "u:p > a:c > a:r",
		`{"instruction":"i","input":"n","chosen":"c","rejected":""}`:                                                                 "u:i\nn > a:c > a:",
		`{"prompt":"p","chosen":"c"}`:                                                                                                "! no_shape ",
	} {
		rows := Pairs([]string{write(t, "a.jsonl", in)}, Options{})
		if got := strings.Join(gather(t, rows, sayPair), "\n"); got != want {
			t.Errorf("%s:\n%s, not\n%s", in, got, want)
		}
	}
	for in, want := range map[string]string{
		`{"prompt":"p","completion":"c","label":true}`:      "u:p > a:c true",
		`{"prompt":"p","completion":"c","label":"false"}`:   "u:p > a:c false",
		`{"prompt":"p","completion":"c","label":"perhaps"}`: "! field label",
		`{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"},{"role":"user","content":"c"},{"role":"assistant","content":"d"}],"label":false}`: "u:a | a:b | u:c > a:d false",
		`{"messages":[{"role":"assistant","content":"b"},{"role":"user","content":"c"}],"label":1}`:                                                                      "! field label",
		`{"conversations":[{"from":"human","value":"p"},{"from":"gpt","value":"c"}],"kto_tag":true}`:                                                                     "u:p > a:c true",
		`{"instruction":"i","output":"o","kto_tag":0}`:                                                                                                                   "u:i > a:o false",
		`{"prompt":"p","chosen":"c","rejected":"r"}`:                                                                                                                     "u:p > a:c true\nu:p > a:r false",
	} {
		rows := Feedback([]string{write(t, "a.jsonl", in)}, Options{})
		if got := strings.Join(gather(t, rows, sayJudged), "\n"); got != want {
			t.Errorf("%s:\n%s, not\n%s", in, got, want)
		}
	}
}

// TestFiles: the same rows as lines, as an array, as objects over several lines, compressed, and as parquet.
func TestFiles(t *testing.T) {
	lines := "\xef\xbb\xbf" + `{"question":"q1","answer":"a1"}` + "\n\n" + `{"question":"q2","answer":"a \"2\" }{"}` + "\n"
	array := "[\n  {\n    \"question\": \"q1\",\n    \"answer\": \"a1\"\n  },\n  {\"question\":\"q2\",\"answer\":\"a \\\"2\\\" }{\"}\n]\n"
	var gz, zs bytes.Buffer
	g := gzip.NewWriter(&gz)
	g.Write([]byte(array))
	g.Close()
	z, _ := zstd.NewWriter(&zs)
	z.Write([]byte(lines))
	z.Close()
	want := []string{"question-answer u:q1 | a:a1", `question-answer u:q2 | a:a "2" }{`}
	for name, text := range map[string]string{
		"a.jsonl": lines, "a.json": array, "b.json": strings.ReplaceAll(strings.Trim(array, "[]\n"), "},", "}"), "c.json": strings.ReplaceAll(array, "\n", ""),
		"a.json.gz": gz.String(), "a.jsonl.zst": zs.String(), "odd": gz.String(),
	} {
		path := write(t, name, text)
		if got := gather(t, Conversations([]string{path}, Options{}), sayChat); !slices.Equal(got, want) {
			t.Errorf("%s: %q", name, got)
		}
		if err := os.WriteFile(path, []byte(text[:len(text)-5]), 0o666); err != nil {
			t.Fatal(err)
		}
		if got := gather(t, Conversations([]string{path}, Options{}), sayChat); !strings.HasPrefix(name, "a.jsonl") && name != "odd" && len(got) > 0 && !strings.HasPrefix(got[len(got)-1], "!") {
			t.Errorf("%s cut short: %q", name, got)
		}
	}
	if got := gather(t, Conversations([]string{filepath.Join(t.TempDir(), "none")}, Options{}), sayChat); len(got) != 1 || !strings.HasPrefix(got[0], "!!") {
		t.Errorf("no file: %q", got)
	}
}

type parquetMessage struct {
	Role    string        `parquet:"role"`
	Content *string       `parquet:"content,optional"`
	Calls   []parquetCall `parquet:"tool_calls,list"`
}
type parquetCall struct {
	Name      string      `parquet:"name"`
	Arguments parquetArgs `parquet:"arguments"`
}
type parquetArgs struct {
	City *string `parquet:"city,optional"`
	Day  *int64  `parquet:"day,optional"`
}

func TestParquet(t *testing.T) {
	type row struct {
		Messages []parquetMessage `parquet:"messages,list"`
		Label    bool             `parquet:"label"`
		Score    float64          `parquet:"score"`
	}
	text := func(s string) *string { return &s }
	city := "Ulm"
	path := filepath.Join(t.TempDir(), "a.parquet")
	var all []row
	for i := range 100 {
		all = append(all, row{Messages: []parquetMessage{{Role: "user", Content: text(fmt.Sprint("q", i))}, {Role: "assistant", Calls: []parquetCall{{"w", parquetArgs{City: &city}}}}, {Role: "assistant", Content: text("a")}}, Label: i%2 == 0})
	}
	all[7].Messages = nil
	if err := parquet.WriteFile(path, all); err != nil {
		t.Fatal(err)
	}
	got := gather(t, Feedback([]string{path}, Options{}), sayJudged)
	if len(got) != 100 || got[99] != `u:q99 | a: w({"city": "Ulm"}) > a:a false` || got[7] != "! empty messages" {
		t.Errorf("%d rows: %q", len(got), got[max(0, len(got)-1)])
	}
}

// TestGoOn: a broken array ends, or goes on where the next object begins.
func TestGoOn(t *testing.T) {
	good := func(i int) string {
		return fmt.Sprintf("  {\n    \"question\": \"q%d\",\n    \"answer\": \"a\"\n  }", i)
	}
	array := "[\n" + good(1) + ",\n  {\n    \"question\": \"q2\",\n    \"answer\": \"a\n  },\n" + good(3) + ",\n" + good(4) + "\n" + good(5) + ",\n" + good(6) + ",\n]\n"
	var places []string
	for c, err := range Conversations([]string{write(t, "a.json", array)}, Options{GoOn: true}) {
		var row *RowError
		if errors.As(err, &row) {
			places = append(places, fmt.Sprintf("!%d", row.Line))
		} else if err != nil {
			t.Fatal(err)
		} else {
			places = append(places, fmt.Sprintf("%s@%d", c.Messages[0].Content, c.Line))
		}
	}
	if got := strings.Join(places, " "); got != "q1@2 !6 q3@10 q4@14 !18 q6@22 !25" {
		t.Errorf("pretty: %s", got)
	}
	short := gather(t, Conversations([]string{write(t, "a.json", array)}, Options{}), sayChat)
	if len(short) != 2 || short[1] != "! broken " {
		t.Errorf("without: %q", short)
	}
	flat := `[{"question":"1","answer":"a"},{"question":"2","answer":},{"question":"3","answer":"a"}]`
	if got := gather(t, Conversations([]string{write(t, "a.json", flat)}, Options{GoOn: true}), sayChat); len(got) != 3 || got[1] != "! broken " || got[2] != "question-answer u:3 | a:a" {
		t.Errorf("flat: %q", got)
	}
}

func TestErrorNamesEverything(t *testing.T) {
	path := write(t, "a.jsonl", "{\"question\":\"q\",\"answer\":\"a\"}\n{\"q\":[{\"role\":\"user\",\"content\":1}],\"answer\":\"a\"}\n")
	for _, err := range Conversations([]string{path}, Options{Fields: map[string]string{"prompt": "q", "completion": "answer"}}) {
		if err != nil {
			if want := path + ":2: q[0].content: is a number: write a text"; err.Error() != want {
				t.Errorf("%v, not %s", err, want)
			}
		}
	}
}

// FuzzScan: any bytes end, and what comes out as an object is JSON with its right line.
func FuzzScan(f *testing.F) {
	f.Add([]byte("[{\"a\":1},\n{\"b\":\"}\"}]"), true)
	f.Add([]byte("{\n\"a\":[1,{}]}\n{}"), false)
	f.Add([]byte("[{]},{\"a\":\"\n{}"), true)
	f.Fuzz(func(t *testing.T, text []byte, goOn bool) {
		s := newScanner(bytes.NewReader(text), goOn)
		s.begin()
		for n := 0; ; n++ {
			o, err := s.next()
			var bad *broken
			if err != nil && !errors.As(err, &bad) {
				return
			}
			if n > 2*len(text)+10 {
				t.Fatal("does not end")
			}
			if err == nil && (!json.Valid(o.text) || o.line < 1 || o.line > int64(bytes.Count(text, []byte{'\n'}))+1) {
				t.Fatalf("%q at line %d", o.text, o.line)
			}
		}
	})
}

func BenchmarkConversations(b *testing.B) {
	var text strings.Builder
	for i := range 5000 {
		fmt.Fprintf(&text, "{\"instruction\": \"What is %d?\", \"input\": \"\", \"output\": \"%s\"}\n", i, strings.Repeat("It is a number. ", 15))
	}
	path := write(b, "a.jsonl", text.String())
	b.SetBytes(int64(text.Len()))
	for b.Loop() {
		for _, err := range Conversations([]string{path}, Options{}) {
			if err != nil {
				b.Fatal(err)
			}
		}
	}
}

// TestLiteralRow: a row may say of itself that its braces are text.
func TestLiteralRow(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rows.jsonl")
	if err := os.WriteFile(path, []byte(`{"prompt":"{{a}}","completion":"{{b}}","literal":true}`+"\n"+`{"prompt":"{{a}}","completion":"{{b}}","literal":false}`+"\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	var texts []string
	refused := 0
	for c, err := range Conversations([]string{path}, Options{}) {
		if err != nil {
			refused++
			continue
		}
		texts = append(texts, c.Messages[0].Content+c.Messages[1].Content)
	}
	if len(texts) != 1 || texts[0] != "{{a}}{{b}}" || refused != 1 {
		t.Errorf("%q, %d refused", texts, refused)
	}
}
