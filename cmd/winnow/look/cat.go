package look

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"winnow"
	"winnow/cmd/winnow/cli"
	"winnow/pipelines"
	"winnow/rephrase"
	"winnow/shard"
)

func (a *app) catCmd() *cobra.Command {
	var n int
	var chat bool
	cmd := &cobra.Command{
		Use: "cat PATH...", Args: cli.ExactArgs(1, 1<<20),
		Short: a.Lang.T("print documents or ledger rows of any file that winnow reads or writes", "打印文档或账本行"),
		Long: a.Lang.T(`Print documents of data files, WARC, WET, JSONL or HTML, or rows of a ledger. With --json, one JSON object a line with
the column names of the file.`, `打印数据文件、WARC、WET、JSONL、HTML 中的文档，或账本的行。--json 每行一个 JSON 对象，键即列名。`),
		RunE: func(cmd *cobra.Command, args []string) error {
			left := n
			for _, path := range args {
				show := a.catDocument
				if chat {
					show = a.catChat
				}
				path, err := cli.Cleaned(path, nil)
				if err != nil {
					return err
				}
				if err := a.catFile(cmd.Context(), path, &left, show); err != nil {
					return fmt.Errorf("%s: %w", path, err)
				}
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&chat, "chat", false, a.Lang.T("rows of messages that the rephrase stage made, as train sft reads them; other documents are left out", "输出 rephrase 阶段生成的对话行，供 train sft 读取；其他文档略去"))
	cmd.Flags().IntVarP(&n, "n", "n", 0, a.Lang.T("at most this many; 0: all", "最多几条；0 为全部"))
	return cmd
}

// take counts down what may still be printed.
func take(left *int) bool {
	if *left < 0 {
		return false
	}
	if *left > 0 {
		if *left--; *left == 0 {
			*left = -1
		}
	}
	return true
}

func (a *app) catFile(ctx context.Context, path string, left *int, show func(*winnow.Document) error) error {
	if filepath.Ext(path) == ".parquet" {
		if signals, err := shard.LedgerSignals(a.Store, path); err == nil {
			return a.catLedger(path, signals, left)
		}
	}
	for d, err := range pipelines.Documents(ctx, []string{path}) {
		if err != nil {
			fmt.Fprintln(a.Err, "winnow: "+err.Error())
			continue
		}
		if !take(left) {
			return nil
		}
		if err := show(d); err != nil {
			return err
		}
	}
	return nil
}

// catChat prints a row of training data, where the document is one.
func (a *app) catChat(d *winnow.Document) error {
	messages := d.Meta[rephrase.MetaMessages]
	if messages == "" || !json.Valid([]byte(messages)) {
		return nil
	}
	var o object
	o.add("messages", json.RawMessage(messages))
	o.add("id", d.ID)
	o.add("origin", d.Origin)
	o.add("language", d.Language)
	o.add("style", d.Meta[rephrase.MetaStyle])
	o.add("model", d.Meta[rephrase.MetaModel])
	return a.Line(o)
}

func (a *app) catDocument(d *winnow.Document) error {
	text := d.Text
	if d.HTML != nil {
		text = string(bytes.ToValidUTF8(d.HTML, []byte("\uFFFD")))
	}
	if !a.JSON {
		_, err := fmt.Fprintf(a.Out, "--- %s  %s\n%s\n", d.ID, d.URL, strings.TrimRight(text, "\n"))
		return err
	}
	o := object{}
	key := "text"
	if d.HTML != nil {
		key = "html"
	}
	o.add(key, text)
	o.add("id", d.ID)
	o.add("dump", d.Dump)
	o.add("url", d.URL)
	o.add("date", d.Date)
	o.add("file_path", d.File)
	o.add("language", d.Language)
	o.add("language_score", d.LangScore)
	o.add("token_count", d.TokenCount)
	o.add("language_script", d.LanguageScript)
	o.add("title", d.Title)
	o.add("origin", d.Origin)
	o.add("meta", d.Meta)
	return a.Line(o)
}

func (a *app) catLedger(path string, signals []winnow.Signal, left *int) error {
	for row, err := range shard.ReadLedger(a.Store, path) {
		if err != nil {
			return err
		}
		if !take(left) {
			return nil
		}
		if !a.JSON {
			verdict := "kept"
			if row.Verdict.Drop {
				verdict = row.Verdict.Stage + " " + row.Verdict.Rule
			}
			fmt.Fprintf(a.Out, "%s  %s  %s  %s\n", row.Doc.ID, row.Doc.Language, verdict, row.Doc.URL)
			continue
		}
		if err := a.Line(ledgerObject(row, signals)); err != nil {
			return err
		}
	}
	return nil
}

func ledgerObject(row *shard.Row, signals []winnow.Signal) object {
	d, v := &row.Doc, &row.Verdict
	o := object{}
	for _, kv := range []struct {
		k string
		v any
	}{
		{"id", d.ID}, {"origin", d.Origin}, {"url", d.URL}, {"domain", shard.Domain(d.URL)}, {"dump", d.Dump}, {"date", d.Date}, {"file_path", d.File}, {"offset", d.Offset},
		{"language", d.Language}, {"language_script", d.LanguageScript}, {"language_score", d.LangScore}, {"title", d.Title}, {"content_type", d.Meta[winnow.MetaContentType]},
		{"raw_bytes", d.RawBytes}, {"bytes", row.Bytes}, {"chars", row.Chars}, {"token_count", d.TokenCount}, {"token_estimated", d.TokensEstimated},
		{"kept", !v.Drop}, {"stage", v.Stage}, {"rule", v.Rule}, {"value", finite(v.Value)}, {"bound_min", side(v.Bound.Min)}, {"bound_max", side(v.Bound.Max)}, {"detail", v.Detail},
		{"edits", row.Edits}, {"cluster", row.Cluster}, {"cluster_size", row.ClusterSize}, {"similarity", finite(row.Similarity)},
	} {
		o.add(kv.k, kv.v)
	}
	for i, s := range signals {
		if i < len(d.Signals) {
			o.add(s.ID, finite(d.Signals[i]))
		}
	}
	return o
}

// side is one side of a bound for JSON: null where it is open.
func side(v float32) any {
	if v == winnow.Any.Min || v == winnow.Any.Max {
		return nil
	}
	return v
}

// object is a JSON object that keeps the order of its keys.
type object struct {
	keys   []string
	values []any
}

func (o *object) add(key string, value any) {
	o.keys, o.values = append(o.keys, key), append(o.values, value)
}

// MarshalJSON writes the keys in the order in which they were added.
func (o object) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, k := range o.keys {
		if i > 0 {
			b.WriteByte(',')
		}
		key, _ := json.Marshal(k)
		value, err := json.Marshal(o.values[i])
		if err != nil {
			return nil, err
		}
		b.Write(key)
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}
