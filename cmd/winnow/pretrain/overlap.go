package pretrain

import (
	"context"
	"iter"

	"winnow/cmd/winnow/cli"
	"winnow/train/eval"
	"winnow/train/rows"
)

// overlaps looks for the questions, and for texts that are held out of --data, in the training texts of a run.
func (x *examinee) overlaps(ctx context.Context) error {
	if x.flags.overlap == "" {
		return nil
	}
	f, err := x.app.Find(x.flags.overlap)
	if err != nil {
		return err
	}
	var items []eval.Item
	sets, questions, err := x.sets()
	if err != nil {
		return err
	}
	for i, list := range questions {
		for _, q := range list {
			items = append(items, eval.Item{Set: sets[i].Name, Text: q.Text + " " + q.Choices[q.Answer]})
		}
	}
	held, err := x.heldTexts(ctx, &items)
	if err != nil {
		return err
	}
	if len(items) == 0 {
		return cli.Usage("--overlap: %s --data, --mc, --trivia", x.app.Lang.T("nothing to look for: give one of", "没有要查找的内容：请至少给出其一"))
	}
	x.app.Say("%s: looking for %d items", "%s：查找 %d 项", f.Run.ID, len(items))
	result, err := eval.FindOverlap(items, without(rows.Documents(f), held), x.flags.words)
	x.out.Overlap = []overlapResult{{f.Run.ID, result}}
	return err
}

// heldTexts adds the held-out documents of --data to items and tells their names.
func (x *examinee) heldTexts(ctx context.Context, items *[]eval.Item) (map[string]bool, error) {
	held := map[string]bool{}
	for _, name := range x.flags.data {
		f, t, out, err := x.heldOf(ctx, name)
		if err != nil {
			return nil, err
		}
		for _, id := range out {
			held[id] = true
		}
		sizes := map[string]int64{}
		for d, err := range t {
			if err != nil {
				return nil, err
			}
			if limit := x.flags.bytes; held[d.ID] && (limit == 0 || sizes[d.Language] < limit) {
				sizes[d.Language] += int64(len(d.Text))
				*items = append(*items, eval.Item{Set: f + " " + d.Language, Text: d.Text})
			}
		}
	}
	return held, nil
}

// heldOf gives a run's name, its documents, and the names of those that are held out.
func (x *examinee) heldOf(ctx context.Context, name string) (string, iter.Seq2[rows.Document, error], []string, error) {
	if x.model == nil {
		return "", nil, nil, cli.Usage("%s", x.app.Lang.T("--overlap with --data needs a MODEL: its tokenizer and its split", "--overlap 与 --data 同用需要 MODEL：取其分词器与划分"))
	}
	f, t, _, out, err := x.split(ctx, name)
	if err != nil {
		return "", nil, nil, err
	}
	defer t.Close()
	var ids []string
	for _, doc := range out {
		ids = append(ids, t.ID(doc))
	}
	return f.Run.ID, rows.Documents(f), ids, nil
}

// without leaves out documents by name.
func without(docs iter.Seq2[rows.Document, error], names map[string]bool) iter.Seq2[rows.Document, error] {
	return func(yield func(rows.Document, error) bool) {
		for d, err := range docs {
			if err == nil && names[d.ID] {
				continue
			}
			if !yield(d, err) {
				return
			}
		}
	}
}
