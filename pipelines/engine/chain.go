package engine

import (
	"context"
	"fmt"
	"time"
	"unicode/utf8"

	"winnow"
	"winnow/pipelines/engine/compare"
	"winnow/shard"
)

// item is one input document on its way through a pass, with all that was derived from it.
type item struct {
	seq  int                // ordinal in the pass's input
	rows []*shard.Row       // the document, then those derived from it
	from int                // first step still to apply; len(Steps) for rows taken over whole
	old  []int              // for rows taken over whole: their index in the earlier run's spool
	sk   [][]compare.Sketch // by row, by Corpus stage of the pass; nil where the row is dropped
}

// newRow wraps a document at the start of a pass.
func newRow(d *winnow.Document) *shard.Row {
	return &shard.Row{Doc: *d, DropStage: shard.Alive, EditStage: shard.NoStage, FieldStage: shard.NoStage}
}

// chain applies the local steps of a pass to a batch of items.
type chain struct {
	*run
	pass  pass
	last  bool
	spent spent
}

func (c *chain) apply(ctx context.Context, items []*item, reused map[int]map[int]compare.Sketch, turn *turn) error {
	for _, i := range c.pass.local {
		if err := ctx.Err(); err != nil {
			return err
		}
		var err error
		begin := time.Now()
		switch s := c.Steps[i].Stage.(type) {
		case winnow.Each:
			err = c.each(ctx, i, s, items)
		case winnow.Batch:
			err = c.batch(ctx, i, s, items, turn)
		default:
			err = fmt.Errorf("stage %s is neither Each nor Batch nor Corpus", c.Steps[i].Label)
		}
		if err != nil {
			return fmt.Errorf("stage %s: %w", c.Steps[i].Label, err)
		}
		c.spent.add(c.Steps[i].Label, begin)
	}
	for _, it := range items {
		for n, row := range it.rows {
			if err := c.finish(it, n, row, reused); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *chain) each(ctx context.Context, i int, s winnow.Each, items []*item) error {
	for _, it := range items {
		if it.from > i {
			continue
		}
		for _, row := range it.rows {
			if row.DropStage != shard.Alive {
				continue
			}
			c.pad(row, i)
			before := stateOf(&row.Doc)
			v, edits, err := applyOne(ctx, s, &row.Doc)
			if err != nil {
				return fmt.Errorf("document %s: %w", row.Doc.ID, err)
			}
			c.settle(row, i, before, v, edits)
		}
	}
	return nil
}

// applyOne turns a panic of a stage into a verdict about the page that set it off.
func applyOne(ctx context.Context, s winnow.Each, d *winnow.Document) (v winnow.Verdict, edits []winnow.Edit, err error) {
	defer func() {
		if p := recover(); p != nil {
			v = winnow.Verdict{Drop: true, Rule: "error.panic", Value: winnow.NotMeasured, Bound: winnow.Any, Detail: fmt.Sprint(p)}
			edits, err = nil, nil
		}
	}()
	return s.Apply(ctx, d)
}

func (c *chain) batch(ctx context.Context, i int, s winnow.Batch, items []*item, turn *turn) error {
	var docs []*winnow.Document
	var rows []*shard.Row
	for _, it := range items {
		if it.from > i {
			continue
		}
		for _, row := range it.rows {
			if row.DropStage == shard.Alive {
				c.pad(row, i)
				docs, rows = append(docs, &row.Doc), append(rows, row)
			}
		}
	}
	if len(docs) == 0 {
		return c.skip(ctx, i, turn)
	}
	before := make([]state, len(docs))
	for k, d := range docs {
		before[k] = stateOf(d)
	}
	results, err := c.applyBatch(ctx, i, s, docs, turn)
	if err != nil {
		return err
	}
	if len(results) != len(docs) {
		return fmt.Errorf("%d results for %d documents", len(results), len(docs))
	}
	derived := map[*shard.Row]winnow.Result{}
	for k, res := range results {
		if res.Judged != nil && len(res.Judged) != len(res.Derived) {
			return fmt.Errorf("document %s: %d verdicts for %d derived documents", rows[k].Doc.ID, len(res.Judged), len(res.Derived))
		}
		c.settle(rows[k], i, before[k], res.Verdict, res.Edits)
		derived[rows[k]] = res
	}
	for _, it := range items {
		it.rows = c.insert(it.rows, derived, i)
	}
	return nil
}

// insert puts derived documents behind their origin.
func (c *chain) insert(rows []*shard.Row, derived map[*shard.Row]winnow.Result, i int) []*shard.Row {
	var out []*shard.Row
	for _, row := range rows {
		out = append(out, row)
		for k, d := range derived[row].Derived {
			r := newRow(d)
			r.Root, r.Seq, r.EditStage, r.FieldStage = row.Root, row.Seq, i, i
			c.pad(r, i+1)
			if judged := derived[row].Judged; judged != nil {
				c.settle(r, i, stateOf(d), judged[k], nil)
			}
			out = append(out, r)
		}
	}
	return out
}

// pad fills the signals up to the first column of step i with "not measured", or cuts them there.
func (c *run) pad(row *shard.Row, i int) {
	n := min(len(row.Doc.Signals), c.cols[i])
	s := row.Doc.Signals[:n:n]
	for len(s) < c.cols[i] {
		s = append(s, winnow.NotMeasured)
	}
	row.Doc.Signals = s
}

// state is what a stage may change about a document, beside its signals.
type state struct{ content, fields any }

func stateOf(d *winnow.Document) state {
	return state{
		content: [...]any{d.Text, d.Title, len(d.Meta), d.HTML == nil},
		fields:  [...]any{d.Language, d.LanguageScript, d.LangScore},
	}
}

// settle records what step i did to a row.
func (c *chain) settle(row *shard.Row, i int, before state, v winnow.Verdict, edits []winnow.Edit) {
	d := &row.Doc
	after := stateOf(d)
	if after.content != before.content {
		row.EditStage = i
	}
	if after.fields != before.fields {
		row.FieldStage = i
	}
	c.pad(row, i+1)
	row.Edits = append(row.Edits, edits...)
	if !v.Drop {
		return
	}
	if v.Stage == "" {
		v.Stage = c.Steps[i].Label
	}
	v.Rule = c.rename(i, v.Rule)
	row.Verdict, row.DropStage = v, i
	d.HTML = nil
}

// rename gives a rule the name of its column, see Plan.Column.
func (r *run) rename(i int, rule string) string {
	if name, ok := r.renamed[i][rule]; ok {
		return name
	}
	return rule
}

// finish counts what a row holds, and sketches it where it goes on to a Corpus stage.
func (c *chain) finish(it *item, n int, row *shard.Row, reused map[int]map[int]compare.Sketch) error {
	d := &row.Doc
	taken := it.from >= len(c.Steps) // taken over from an earlier run
	alive := row.DropStage == shard.Alive
	if !taken {
		row.Bytes, row.Chars = int64(len(d.Text)), int64(utf8.RuneCountInString(d.Text))
	}
	switch {
	case !alive && !taken:
		d.TokenCount, d.TokensEstimated = estimateTokens(d.Text), true
	case alive && c.last && (!taken || d.TokensEstimated):
		begin := time.Now()
		n, err := c.Tokens(d.Text)
		c.spent.add("tokens", begin)
		if err != nil {
			return fmt.Errorf("document %s: token count: %w", d.ID, err)
		}
		d.TokenCount, d.TokensEstimated = n, false
	case alive && !c.last:
		d.TokenCount, d.TokensEstimated = 0, true
	}
	if !alive {
		return nil
	}
	sk := make([]compare.Sketch, len(c.pass.corpora))
	for k, i := range c.pass.corpora {
		if taken {
			if s, ok := reused[k][it.old[n]]; ok {
				sk[k] = s
				continue
			}
		}
		begin := time.Now()
		s, err := compare.Make(c.Steps[i].Stage.(winnow.Corpus), d)
		c.spent.add(c.Steps[i].Label, begin)
		if err != nil {
			return fmt.Errorf("stage %s: document %s: %w", c.Steps[i].Label, d.ID, err)
		}
		sk[k] = s
	}
	for len(it.sk) < len(it.rows) {
		it.sk = append(it.sk, nil)
	}
	it.sk[n] = sk
	return nil
}

// estimateTokens is a guess at GPT-2's count for texts that are not kept: 4.3 bytes of ASCII a token, and 1.4 bytes of other
// UTF-8, as measured on English and Chinese texts (ARCHITECTURE.md).
func estimateTokens(s string) int64 {
	ascii := 0
	for i := 0; i < len(s); i++ {
		if s[i] < utf8.RuneSelf {
			ascii++
		}
	}
	return int64(float64(ascii)/4.3 + float64(len(s)-ascii)/1.4 + 0.5)
}
