package sft

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/zeebo/xxh3"

	"winnow/train/chat"
	"winnow/train/checkpoint"
	"winnow/train/llm"
	"winnow/train/rows"
	"winnow/train/tune"
)

// Teaching is what distillation is told beside Config. The zero value but for Divergence.Temperature is forward KL on the data.
type Teaching struct {
	Divergence llm.Divergence `json:"divergence"`
	Lambda     float64        `json:"lambda"`             // share of the steps, 0..1, on answers that the student samples itself (GKD: Agarwal et al. 2023, arXiv 2306.13649)
	Most       int            `json:"most_tokens"`        // of a sampled answer
	Sampling   float64        `json:"sample_temperature"` // of sampled answers
}

// UsualTeaching is forward KL on the data at temperature 1; Lambda .5 makes it GKD as TRL has it, but for TRL's temperature of .9.
func UsualTeaching() Teaching {
	return Teaching{Divergence: llm.Divergence{Temperature: 1}, Most: 128, Sampling: 1}
}

// DistillOptions are for Distill. Options.Select, ResponseOnly and Know work as in Run.
type DistillOptions struct {
	Options
	Teaching
	Teacher string // model folder or .gguf file, of the same tokenizer
}

// student is what a step of distillation needs.
type student struct {
	*DistillOptions
	r       *tune.Run
	data    *material
	teacher *llm.Trainer
	reach   int          // the teacher's context
	decoder *llm.Decoder // of the student; nil until it is needed
	b       *llm.Batch
	weights []float32
}

// Distill tunes a model towards a teacher's distributions at the assistants' tokens, of the data and, in a share of the steps, of answers
// that the model samples itself. Its validated loss is the divergence. It goes on and ends as Run does.
func Distill(ctx context.Context, o DistillOptions) (*tune.Result, error) {
	if o.Lambda < 0 || o.Lambda > 1 || o.Most < 1 || o.Sampling <= 0 {
		return nil, fmt.Errorf("distillation: lambda %g, %d tokens at temperature %g", o.Lambda, o.Most, o.Sampling)
	}
	if err := errors.Join(o.Divergence.Validate(), o.check()); err != nil {
		return nil, err
	}
	files, err := o.Train.describe()
	if err != nil {
		return nil, err
	}
	if err := o.record(); err != nil {
		return nil, err
	}
	r, s, info, err := open(&o)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	if s.data, err = gather(ctx, r, &o.Options, files); err != nil {
		return nil, err
	}
	if s.data.len > s.reach {
		return nil, fmt.Errorf("rows of %d positions, the teacher %s has a context of %d", s.data.len, o.Teacher, s.reach)
	}
	if err := r.Begin(tune.Work{Data: s.data.files, Epoch: s.data.epoch, Parents: []checkpoint.Info{*info}, Scores: scores("nats")}); err != nil {
		return nil, err
	}
	if err := s.data.write(r.Out); err != nil {
		return nil, err
	}
	if r.Step == 0 {
		if err := s.validate(ctx); err != nil {
			return nil, err
		}
	}
	s.b = newBatch(o.Batch*o.Accumulate, s.data.len)
	for r.Next(ctx) {
		m, err := s.step(ctx)
		if err != nil {
			return nil, err
		}
		if _, err := r.Update(m); err != nil {
			return nil, err
		}
		if r.Due() {
			if err := s.validate(ctx); err != nil {
				return nil, err
			}
		}
	}
	return r.Finish()
}

// open opens the run and its teacher, whose template the student takes where it has none.
func open(o *DistillOptions) (*tune.Run, *student, *checkpoint.Info, error) {
	model, tok, info, err := checkpoint.LoadModel(o.Teacher)
	if err != nil {
		return nil, nil, nil, err
	}
	if tok == nil {
		return nil, nil, nil, fmt.Errorf("%s: the model has no tokenizer beside it", o.Teacher)
	}
	own, err := chat.Of(info, tok)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("%s: %w", o.Teacher, err)
	}
	if own != nil && o.Template == "" {
		if parent, err := checkpoint.ReadInfo(o.Parent); err != nil || parent.ChatTemplate == "" {
			o.Template = own.Name()
		}
	}
	r, err := tune.Open(o.Options.Options, Kind, struct {
		Config
		Teaching
	}{o.Config, o.Teaching})
	if err != nil {
		return nil, nil, nil, err
	}
	if err = tune.Same(o.Teacher, info, tok, r.Tokenizer.Hash()); err == nil && own != nil && own.Hash() != r.Template.Hash() {
		err = fmt.Errorf("%s: the teacher was trained on template %s, the student on %s", o.Teacher, own.Name(), r.Template.Name())
	}
	if err != nil {
		return nil, nil, nil, errors.Join(err, r.Close())
	}
	return r, &student{DistillOptions: o, r: r, teacher: llm.NewTrainer(model, r.Pool), reach: model.Config.Context}, info, nil
}

// step adds the gradient of the mean divergence of a batch.
func (s *student) step(ctx context.Context) (m tune.Metric, err error) {
	r := s.r
	own := s.own(r.Step)
	b := s.b
	if own {
		begin := time.Now()
		if b, err = s.sampled(ctx); err != nil {
			return m, err
		}
		r.Spent("sample answers", begin)
	} else if err := s.data.train.Fill(r.Row, b.IDs, b.Targets, b.Pos); err != nil {
		return m, err
	}
	begin := time.Now()
	defer func() { r.Spent("learn", begin) }()
	counted := 0
	for _, t := range b.Targets {
		if t >= 0 {
			counted++
		}
	}
	if counted == 0 {
		return m, errors.New("no target counts in a batch")
	}
	parts := 1 // sampled answers fill few rows
	if !own {
		parts = s.Accumulate
	}
	var sum float64
	for i := range parts {
		part := cut(b, i*b.Rows/parts, b.Rows/parts)
		s.weights = s.weights[:0]
		for range part.IDs {
			s.weights = append(s.weights, 1/float32(counted))
		}
		nats, err := r.Trainer.AccumulateDivergence(part, s.weights, s.teacher, s.Divergence)
		if err != nil {
			return m, err
		}
		for _, v := range nats {
			sum += float64(v)
		}
	}
	m = tune.Metric{Loss: sum / float64(counted), Tokens: int64(counted), Values: map[string]float64{"own answers": 0}}
	if err := s.data.told(&m, r.Row, s.b.Rows); err != nil {
		return m, err
	}
	if own {
		m.Values["own answers"], m.Positions = 1, int64(len(b.IDs))
	}
	r.Row += int64(s.b.Rows)
	return m, nil
}

// own tells whether a step is on the student's own answers: by chance, the same for the same seed.
func (s *student) own(step int) bool {
	h := xxh3.HashSeed(binary.LittleEndian.AppendUint64([]byte("own"), uint64(step)), s.r.Seed)
	return float64(h>>11)/(1<<53) < s.Lambda
}

// sampled lets the student answer the first prompts of the conversations that the next rows hold, and lays prompts and answers out in rows.
func (s *student) sampled(ctx context.Context) (*llm.Batch, error) {
	r := s.r
	var asks []Ask
	for i := range s.b.Rows {
		parts, err := s.data.train.Parts(r.Row + int64(i))
		if err != nil {
			return nil, err
		}
		for _, p := range parts {
			asked, _ := opening(s.data.talks[p.Index])
			prompt, err := r.Template.PromptOf(asked)
			if err != nil {
				return nil, err
			}
			if len(prompt.IDs) > s.data.len-2 {
				continue
			}
			seed := xxh3.HashSeed(binary.LittleEndian.AppendUint64([]byte(p.Document), uint64(r.Step)), r.Seed)
			asks = append(asks, Ask{Prompt: prompt.IDs, Texts: []llm.Sampling{{Temperature: s.Sampling, Seed: seed}}, Most: min(s.Most, s.data.len-1-len(prompt.IDs)), StopIDs: prompt.StopIDs})
		}
	}
	if err := s.refresh(); err != nil {
		return nil, err
	}
	answers := make([][]int32, len(asks))
	if err := Write(context.WithoutCancel(ctx), s.decoder, r.Tokenizer, asks, func(i, _ int, t Text) error {
		answers[i] = t.IDs
		if t.Finish == llm.FinishStop {
			answers[i] = append(answers[i], r.Template.End())
		}
		return nil
	}); err != nil {
		return nil, err
	}
	all := &rows.Sequences{}
	for i, a := range asks {
		ids := append(append([]int32(nil), a.Prompt...), answers[i]...)
		targets := make([]bool, len(ids))
		for k := len(a.Prompt); k < len(ids); k++ {
			targets[k] = true
		}
		if err := all.Add(fmt.Sprint(i), "", ids, targets); err != nil {
			return nil, err
		}
	}
	packed, err := rows.NewMasked(all, nil, rows.Options{Len: s.data.len, PAD: r.Tokenizer.PAD()})
	if err != nil {
		return nil, err
	}
	n, err := packed.EpochRows(0)
	if err != nil {
		return nil, err
	}
	b := newBatch(int(n), s.data.len)
	return b, packed.Fill(0, b.IDs, b.Targets, b.Pos)
}

// decoderSlots is how many answers are sampled at a time.
const decoderSlots = 16

// refresh packs the student's weights as they are now.
func (s *student) refresh() (err error) {
	if s.decoder == nil {
		s.decoder, err = llm.NewDecoder(s.r.Model, s.r.Pool, decoderSlots, s.data.len)
		return err
	}
	s.decoder.Reload()
	return nil
}

// validate measures the divergence at held-out targets, beside what Run measures.
func (s *student) validate(ctx context.Context) error {
	h := s.data.held
	if h == nil {
		return nil
	}
	begin := time.Now()
	scores, err := h.measure(s.r.Trainer)
	if err != nil {
		return err
	}
	scores["nats"] = scores["loss"]
	var sum float64
	targets := 0
	err = h.each(func(b *llm.Batch) error {
		nats, err := s.r.Trainer.Divergences(b, s.teacher, s.Divergence)
		for i, t := range b.Targets {
			if t >= 0 && err == nil {
				sum += float64(nats[i])
				targets++
			}
		}
		return err
	})
	if err != nil {
		return err
	}
	scores["loss"] = sum / float64(targets)
	s.r.Spent("validate", begin)
	if err := s.r.Validated(scores); err != nil {
		return err
	}
	return h.answer(ctx, s.r)
}
