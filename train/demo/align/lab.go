package align

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"math/rand/v2"
	"path/filepath"
	"slices"

	"github.com/zeebo/xxh3"

	"winnow/train"
	"winnow/train/bpe"
	"winnow/train/chat"
	"winnow/train/checkpoint"
	"winnow/train/demo"
	"winnow/train/llm"
	"winnow/train/rows"
)

// Lab is what all experiments share: a tokenizer, a world of people, base models, the machine.
type Lab struct {
	Pool  *llm.Pool
	Cache string                           // base models stay here, each in a folder named by the hash of what it is made from
	Work  string                           // for what an experiment leaves behind
	Quick bool                             // fewer people, tokens and steps: shows that it works, not what it says
	Say   func(format string, args ...any) // tells how far it is; may be nil

	scale    scale
	world    world
	tok      *bpe.Tokenizer
	template *chat.Template
	made     []string // folders of the experiment that is running
}

// scale is how large experiments are.
type scale struct {
	people int   // told of, in each language; as many are not
	tokens int64 // of a base model
	divide int   // of steps and prompts
	depth  int   // of models
}

func full() scale  { return scale{people: 96, tokens: 2_000_000, divide: 1, depth: 2} }
func quick() scale { return scale{people: 32, tokens: 500_000, divide: 4, depth: 2} }

// vocabulary is small, since at these widths the head would else be most of the model; with it the question that a judge is asked, with
// two answers, has about 110 tokens.
const vocabulary = 1536

// positions is the number of positions of a row in every experiment but those of judges, whose questions are long; batch the rows of a
// step of pretraining.
const (
	positions = 128
	judged    = 256
	batch     = 8
)

// Open trains the tokenizer, on people whom no experiment meets, so that every name is cut alike.
func (l *Lab) Open() error {
	if l.Quick {
		return l.open(quick())
	}
	return l.open(full())
}

func (l *Lab) open(s scale) (err error) {
	l.scale, l.world = s, newWorld(s.people)
	learn, err := texts()
	if err != nil {
		return err
	}
	if l.tok, err = bpe.Train(slices.Values(learn), bpe.TrainOptions{Vocab: vocabulary}); err != nil {
		return err
	}
	l.template, err = chat.New("chatml", l.tok)
	return err
}

// texts are what the tokenizer learns from: biographies of strangers, what is asked about them, and what judges are asked.
func texts() (out []string, err error) {
	random := rand.New(rand.NewPCG(strangerSeed, 1))
	var strangers []demo.Person
	for _, lang := range languages {
		for i, p := range demo.People(strangerSeed, 400, lang) {
			out = append(out, p.Biography(random, everyWording), asked(p, demo.Fact(i%demo.Facts), random.IntN(ways)).question,
				request(p, 1+i%demo.Facts), "user\n", "assistant\n")
			strangers = append(strangers, p)
		}
	}
	list := tasks(random, strangers, 160)
	pairs, err := comparisons(context.Background(), choices(random, list, strangers))
	if err != nil {
		return nil, err
	}
	points, err := pointed(context.Background(), list, mixed(random, list, strangers, flawed))
	if err != nil {
		return nil, err
	}
	for _, c := range append(pairs, points...) {
		out = append(out, c.Messages[0].Content)
	}
	return out, nil
}

// everyWording lists all wordings in which facts are told.
var everyWording = []int{0, 1, 2, 3, 4}

// pretraining is what a base model is made from, and with the tokenizer all that it depends on.
type pretraining struct {
	Depth    int
	Layers   int `json:",omitempty"` // in place of the depth's own, at its width
	People   int // of each language
	Wordings []int
	Sheets   bool  `json:",omitempty"` // it has read of the examined too, and sheets about them
	Tokens   int64 // positions
	Kernel   string
	Program  int // raised where the making changes
}

// main is the base model of most experiments: it has read of the told people in every wording.
func (l *Lab) main() pretraining {
	return pretraining{Depth: l.scale.depth, People: l.scale.people, Wordings: everyWording, Tokens: l.scale.tokens}
}

// base gives the folder of a base model, made now or before.
func (l *Lab) base(ctx context.Context, p pretraining) (string, error) {
	p.Kernel, p.Program = l.Pool.Kernel(), 3
	wish, err := json.Marshal(p)
	if err != nil {
		return "", err
	}
	sum := xxh3.Hash128(fmt.Append(wish, l.tok.Hash())).Bytes()
	dir := filepath.Join(l.Cache, "base-"+hex.EncodeToString(sum[:8]))
	if _, _, _, err := checkpoint.LoadModel(dir); err == nil || !errors.Is(err, fs.ErrNotExist) {
		return dir, err
	}
	m, err := l.pretrain(ctx, p)
	if err != nil {
		return "", fmt.Errorf("base model: %w", err)
	}
	return dir, checkpoint.SaveModel(dir, m, l.tok, &checkpoint.Info{Kind: checkpoint.KindBase, Config: wish, Seed: worldSeed, Kernel: p.Kernel})
}

func (l *Lab) pretrain(ctx context.Context, p pretraining) (*llm.Model, error) {
	const times = 40
	docs := biographies(worldSeed, l.world.told, times, p.Wordings)
	if p.Sheets {
		docs = append(docs, biographies(worldSeed, l.world.examined, times, p.Wordings)...)
		docs = append(docs, sheets(worldSeed, l.world.examined, times*len(l.world.examined)/2)...)
	}
	tokens, err := rows.Tokenize(ctx, l.Work, fmt.Sprintf("base of %d people %v %v", p.People, p.Wordings, p.Sheets), l.tok, all(docs), rows.TokenizeOptions{})
	if err != nil {
		return nil, err
	}
	defer tokens.Close()
	stream, err := rows.NewStream([]rows.Source{{Name: "biographies", Tokens: tokens}},
		rows.Options{Len: positions, Seed: worldSeed, BOS: l.tok.BOS(), EOS: l.tok.EOS(), PAD: l.tok.PAD()})
	if err != nil {
		return nil, err
	}
	c, rate, err := l.shape(p.Depth)
	if err != nil {
		return nil, err
	}
	steps := max(int(p.Tokens/(batch*positions)), 2)
	s := train.Setup{Model: c, Seed: worldSeed, Rows: stream, Len: positions, Batch: batch, Clip: 1, Decay: .1, Pool: l.Pool,
		Schedule: train.Schedule{Shape: "cosine", Peak: rate, Floor: .1, Warmup: steps / 20, Steps: steps}}
	loop, err := train.Run(ctx, s, func(_ *train.Loop, m train.Metric) error {
		if m.Step%200 == 0 || m.Step == steps {
			l.say("base model: step %d of %d, loss %.3f", m.Step, steps, m.Loss)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return loop.Params, nil
}

// shape is the model of a depth.
func (l *Lab) shape(depth int) (llm.Config, float64, error) {
	p, err := train.Depth(depth)
	c := p.Config(l.tok.Size())
	c.Context = judged
	return c, p.Rate, err
}

func (l *Lab) say(format string, args ...any) {
	if l.Say != nil {
		l.Say(format, args...)
	}
}

// all streams documents.
func all(docs []rows.Document) iter.Seq2[rows.Document, error] {
	return func(yield func(rows.Document, error) bool) {
		for _, d := range docs {
			if !yield(d, nil) {
				return
			}
		}
	}
}
