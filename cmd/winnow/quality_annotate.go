package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"winnow/filter/quality"
	"winnow/pipelines"
	"winnow/rephrase/openai"
)

// annotation is a line of labels. Score is 0 to 5.
type annotation struct {
	ID    string `json:"id"`
	Text  string `json:"text"`
	Score int    `json:"score"`
}

func (a *app) qualityAnnotate() *cobra.Command {
	var f endpointFlags
	var data []string
	var out, model string
	var limit, characters int
	cmd := &cobra.Command{
		Use: "annotate --data FILE --endpoint URL --model M --out LABELS", Args: exactArgs(0, 0),
		Short: a.lang.T("ask a language model how much texts teach, 0 to 5", "请语言模型按 0 到 5 分评定文本的教育价值"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if len(data) == 0 {
				return usage("%s", a.lang.T("give --data", "请给出 --data"))
			}
			f.name = model
			e, err := f.open(a, cmd.Context(), out)
			if err != nil {
				return err
			}
			defer e.client.Close()
			var rows []annotation
			var asked []openai.Request
			for d, err := range pipelines.Documents(cmd.Context(), data) {
				if err != nil {
					return err
				}
				if d.Text == "" || limit > 0 && len(rows) == limit {
					continue
				}
				rows = append(rows, annotation{ID: d.ID, Text: d.Text})
				asked = append(asked, openai.Request{Model: e.model, TopP: 1, MaxTokens: 300,
					Messages: []openai.Message{{Role: "user", Content: quality.Prompt(d.Text, characters)}}})
			}
			answers, err := e.client.CompleteAll(cmd.Context(), asked)
			if err != nil {
				return err
			}
			return a.annotated(out, rows, answers, e.client.Usage())
		},
	}
	f.add(a, cmd)
	fl := cmd.Flags()
	fl.StringArrayVar(&data, "data", nil, a.lang.T("files of texts (JSONL, parquet)", "文本文件（JSONL、parquet）"))
	fl.StringVar(&model, "model", "", a.lang.T("model to ask; default: the only one served", "所问的模型；默认为唯一提供的模型"))
	fl.StringVar(&out, "out", "labels.jsonl", a.lang.T("file for the labels", "标注文件"))
	fl.IntVar(&limit, "limit", 0, a.lang.T("first texts to annotate; 0: all", "只标注前若干篇；0 为全部"))
	fl.IntVar(&characters, "characters", 3000, a.lang.T("of a text that are shown", "每篇给出的字符数"))
	return cmd
}

// annotated writes the labels of what was answered in the form asked for, and tells what was not.
func (a *app) annotated(out string, rows []annotation, answers []openai.Answer, u openai.Usage) (err error) {
	f, err := os.Create(out)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	enc := json.NewEncoder(f)
	enc.SetEscapeHTML(false)
	labelled, unclear, failed := 0, 0, 0
	var counts [6]int
	for i, answer := range answers {
		score, ok := quality.ParseVerdict(answer.Response.Text)
		switch {
		case answer.Err != nil:
			failed++
		case !ok || answer.Response.Finish == "length":
			unclear++
		default:
			labelled++
			counts[score]++
			rows[i].Score = score
			if err := enc.Encode(rows[i]); err != nil {
				return err
			}
		}
	}
	a.say("%s: %d texts labelled (0 to 5: %v), %d without a verdict, %d unanswered", "%s：标注 %d 篇（0 到 5 分：%v），%d 篇无有效评分，%d 篇无应答", out, labelled, counts, unclear, failed)
	a.say("%d requests, %d from the cache; %d + %d tokens", "%d 次请求，%d 次取自缓存；%d + %d 个 token", u.Requests, u.CacheHits, u.PromptTokens, u.CompletionTokens)
	return nil
}

func (a *app) qualityAgree() *cobra.Command {
	cmd := &cobra.Command{
		Use: "agree LABELS LABELS", Args: exactArgs(2, 2),
		Short: a.lang.T("how far two annotators agree on the texts that both labelled", "两位标注者在共同文本上的一致程度"),
		RunE: func(_ *cobra.Command, args []string) error {
			var scores [2]map[string]int
			var order []string
			for i, path := range args {
				rows, err := readLabels(path)
				if err != nil {
					return err
				}
				scores[i] = map[string]int{}
				for _, r := range rows {
					scores[i][r.ID] = r.Score
					if i == 0 {
						order = append(order, r.ID)
					}
				}
			}
			var first, second []int
			for _, id := range order {
				if s, ok := scores[1][id]; ok {
					first, second = append(first, scores[0][id]), append(second, s)
				}
			}
			g := quality.Agree(first, second, 6)
			if a.json {
				return a.line(g)
			}
			a.say("%d texts: equal %.3f, kappa %.3f, quadratic kappa %.3f, Spearman %.3f", "%d 篇：相同 %.3f，kappa %.3f，平方加权 kappa %.3f，Spearman %.3f", g.Texts, g.Exact, g.Kappa, g.Quadratic, g.Spearman)
			return nil
		},
	}
	return cmd
}

// readLabels reads what annotate wrote.
func readLabels(path string) (rows []annotation, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	dec := json.NewDecoder(bufio.NewReader(f))
	for {
		var r annotation
		if err := dec.Decode(&r); err == io.EOF {
			return rows, nil
		} else if err != nil || r.Score < 0 || r.Score > 5 {
			return nil, errors.Join(fmt.Errorf("%s: label %d: score %d", path, len(rows)+1, r.Score), err)
		}
		rows = append(rows, r)
	}
}
