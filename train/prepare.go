package train

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"

	"winnow/shard"
	"winnow/train/bpe"
	"winnow/train/checkpoint"
	"winnow/train/checkpoint/safetensors"
	"winnow/train/eval"
	"winnow/train/llm"
	"winnow/train/rows"
)

// Source is a run to train on.
type Source struct {
	Folder *shard.Folder
	Weight float64 // share of the rows beside other sources
}

// Options are for Base. Data in Asked is set by it.
type Options struct {
	Asked
	Out           string
	Sources       []Source
	Tokenizer     *bpe.Tokenizer   // nil: one is trained
	TokenizerInfo *checkpoint.Info // what a given one was made from
	Pool          *llm.Pool
	Save          int         // steps between checkpoints; 0: a tenth of all, and at least every five minutes
	Fresh         bool        // begin anew
	Program       string      // version
	Tell          func(Event) // may be nil
}

// base is a run of Base.
type base struct {
	Options
	plan    *Plan
	tok     *bpe.Tokenizer
	stream  *rows.Stream
	trained []rows.Source
	held    *eval.Held
	loop    *Loop
	logs    logs
	resumed bool
}

// tokenizerName is the tokenizer's file in a model folder.
const tokenizerName = "tokenizer.json"

// prepare decides everything before step 1, or finds it decided.
func prepare(ctx context.Context, o Options) (*base, error) {
	b := &base{Options: o}
	if err := b.settle(); err != nil {
		return nil, err
	}
	if err := b.tokenizer(ctx); err != nil {
		return nil, err
	}
	if err := b.read(ctx); err != nil {
		return nil, err
	}
	if b.plan == nil {
		if err := b.decide(ctx); err != nil {
			return nil, err
		}
	} else if b.plan.Tokenizer != b.tok.Hash() {
		return nil, fmt.Errorf("%s: its tokenizer is not the one that the run was begun with", b.Out)
	}
	return b, b.begin()
}

// settle finds a plan that is in OUT, and refuses what is another's.
func (b *base) settle() (err error) {
	if len(b.Sources) == 0 {
		return errors.New("no data")
	}
	b.Asked.Data = nil
	for _, s := range b.Sources {
		b.Asked.Data = append(b.Asked.Data, Part{s.Folder.Run.ID, checkpoint.DataOf(s.Folder.Run).Hash, s.Weight})
	}
	if b.Options.Tokenizer != nil {
		b.Asked.Tokenizer = b.Options.Tokenizer.Hash()
	}
	if b.Fresh {
		if err := Clean(b.Out, made...); err != nil {
			return err
		}
	}
	if b.plan, err = readPlan(b.Out); err != nil {
		return err
	}
	if b.plan == nil {
		if _, err := os.Stat(filepath.Join(b.Out, safetensors.FileName)); err == nil {
			return &ChangedError{b.Out, nil}
		}
		return nil
	}
	changed, err := Differences(b.plan.Asked, b.Asked)
	if err == nil && len(changed) > 0 {
		err = &ChangedError{b.Out, changed}
	}
	return err
}

// made are the names that Base gives to what it writes.
var made = []string{planName, metricsName, samplesName, eventsName, "checkpoints", tokenizerName, "tokenizer.winnow.json", safetensors.FileName, "config.json",
	"generation_config.json", "tokenizer_config.json", "special_tokens_map.json", checkpoint.InfoName}

// tokenizer finds the one of the run, takes the one given, or trains one on all kept texts.
func (b *base) tokenizer(ctx context.Context) (err error) {
	path := filepath.Join(b.Out, tokenizerName)
	if f, err := os.Open(path); err == nil && b.plan != nil {
		defer f.Close()
		if b.tok, err = bpe.ReadJSON(f); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		return nil
	} else if err == nil {
		f.Close()
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if b.tok = b.Options.Tokenizer; b.tok == nil {
		var size int64
		var runs []*shard.Folder
		for _, s := range b.Sources {
			size += s.Folder.Run.Totals.Bytes
			runs = append(runs, s.Folder)
		}
		vocab := b.Vocab
		if vocab == 0 {
			vocab = bpe.AutoVocab(size)
		}
		b.tell(Event{Type: "tokenizer", Vocab: vocab, Bytes: size})
		var failed error
		b.tok, err = bpe.Train(Texts(ctx, runs, &failed), bpe.TrainOptions{Vocab: vocab, Threads: b.Pool.Threads()})
		if err = errors.Join(failed, err); err != nil {
			return fmt.Errorf("tokenizer: %w", err)
		}
	}
	t, err := shard.Create(nil, path)
	if err != nil {
		return err
	}
	if err := b.tok.WriteJSON(t); err != nil {
		t.Abort()
		return err
	}
	if err := t.Commit(); err != nil {
		return err
	}
	info := b.TokenizerInfo
	if b.Options.Tokenizer == nil {
		info = &checkpoint.Info{Kind: checkpoint.KindTokenizer, Hash: b.tok.Hash(), Program: b.Program, Data: b.dataInfo()}
	}
	if info == nil {
		return nil
	}
	return checkpoint.WriteTokenizerInfo(path, info)
}

// dataInfo names the kept shards of all sources.
func (b *base) dataInfo() (data []checkpoint.Data) {
	for _, s := range b.Sources {
		data = append(data, checkpoint.DataOf(s.Folder.Run))
	}
	return data
}

// Texts are all kept texts of runs; an error ends them and is left in failed.
func Texts(ctx context.Context, runs []*shard.Folder, failed *error) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, f := range runs {
			for d, err := range f.Documents() {
				if err = errors.Join(err, ctx.Err()); err != nil {
					*failed = err
					return
				}
				if !yield(d.Text) {
					return
				}
			}
		}
	}
}

// read tokenises, divides documents into those trained on and those held out, and lays them out in rows.
func (b *base) read(ctx context.Context) error {
	length, err := b.length()
	if err != nil {
		return err
	}
	o := rows.Options{Len: length, Seed: b.Seed, BOS: b.tok.BOS(), EOS: b.tok.EOS(), PAD: b.tok.PAD()}
	var held []rows.Source
	for _, s := range b.Sources {
		t, err := rows.Of(ctx, s.Folder, "", b.tok, rows.TokenizeOptions{Threads: b.Pool.Threads(), Progress: func(docs, bytes int64) {
			b.tell(Event{Type: "tokens", Documents: docs, Bytes: bytes})
		}})
		if err != nil {
			return err
		}
		docs, out := rows.Holdout(t, b.Holdout, b.Seed)
		b.trained = append(b.trained, rows.Source{Name: s.Folder.Run.ID, Tokens: t, Docs: docs, Weight: s.Weight})
		held = append(held, rows.Source{Name: s.Folder.Run.ID, Tokens: t, Docs: out})
	}
	if b.stream, err = rows.NewStream(b.trained, o); err != nil {
		return err
	}
	b.held, err = heldOut(held, b.tok, length)
	return err
}

// length is T.
func (b *base) length() (int, error) {
	switch {
	case b.plan != nil:
		return b.plan.Len, nil
	case b.Config != nil:
		return b.Config.Context, nil
	}
	p, err := Depth(b.Depth)
	return p.Context, err
}

// decide makes the plan, counts the n-grams that the model is compared with, and stores both.
func (b *base) decide(ctx context.Context) error {
	p, err := b.proposal(ctx)
	if err != nil {
		return err
	}
	if p.Grams, err = grams(b.held, b.trained, b.tok); err != nil {
		return err
	}
	b.plan = p
	return p.write(b.Out)
}

// proposal is the plan that the depth, the data and what was asked for give.
func (b *base) proposal(ctx context.Context) (*Plan, error) {
	p := &Plan{Asked: b.Asked, Len: b.stream.Len(), Tokenizer: b.tok.Hash(), Kernel: b.Pool.Kernel()}
	preset, err := nearest(b.Asked)
	if err != nil {
		return nil, err
	}
	if p.Model = preset.Config(b.tok.Size()); b.Config != nil {
		p.Model = *b.Config
		p.Model.Vocab = b.tok.Size()
	}
	p.Batch, p.Accumulate = cmp.Or(b.Batch, preset.Rows), max(b.Accumulate, 1)
	p.Schedule = Schedule{Shape: cmp.Or(b.Shape, "cosine"), Peak: cmp.Or(b.Rate, preset.Rate), Floor: .1, Steps: 1}
	epochRows, err := b.epochRows()
	if err != nil {
		return nil, err
	}
	n, err := p.steps(epochRows, func() (float64, error) {
		b.tell(Event{Type: "measure"})
		return Speed(ctx, b.setup(p), min(measureSeconds, b.Minutes*60*measureShare))
	})
	if err != nil {
		return nil, err
	}
	p.Schedule.Steps = n
	if p.Schedule.Warmup = b.Warmup; b.Warmup < 0 {
		p.Schedule.Warmup = n / 20
	}
	if p.Schedule.Shape == "wsd" {
		p.Schedule.Decay = n / 5
	}
	p.Eval, p.Sample = cmp.Or(b.Eval, max(n/10, 1)), cmp.Or(b.Sample, max(n/4, 1))
	if err := errors.Join(p.Model.Validate(), p.Schedule.Validate()); err != nil {
		return nil, err
	}
	return p, nil
}

// nearest is the preset of the depth, or, of a model by configuration, of the depth that has as many layers or the next fewer.
func nearest(a Asked) (Preset, error) {
	if a.Config == nil {
		return Depth(a.Depth)
	}
	best := Depths()[0]
	for _, d := range Depths() {
		if d <= a.Config.Layers {
			best = d
		}
	}
	return Depth(best)
}

// epochRows is the number of rows after which the first source has been read as often as it may be; 0: no limit.
func (b *base) epochRows() (int64, error) {
	if b.Epochs == 0 {
		return 0, nil
	}
	var sum float64
	for _, s := range b.Sources {
		sum += cmp.Or(s.Weight, 1)
	}
	least := 0.0
	for i, s := range b.Sources {
		n, err := b.stream.EpochRows(i, 0)
		if err != nil {
			return 0, err
		}
		if rows := b.Epochs * float64(n) * sum / cmp.Or(s.Weight, 1); least == 0 || rows < least {
			least = rows
		}
	}
	return max(int64(least), 1), nil
}

// setup is the loop of a plan.
func (b *base) setup(p *Plan) Setup {
	return Setup{Model: p.Model, Seed: b.Seed, Rows: b.stream, Len: p.Len, Batch: p.Batch, Accumulate: p.Accumulate, Schedule: p.Schedule,
		Clip: b.Clip, Decay: b.Decay, Limit: b.Spike, Skip: b.Skip, Pool: b.Pool}
}
