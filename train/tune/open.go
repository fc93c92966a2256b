package tune

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"winnow/train"
	"winnow/train/bpe"
	"winnow/train/chat"
	"winnow/train/checkpoint"
	"winnow/train/journal"
	"winnow/train/llm"
)

// Names of the journals in OUT, as train.Base has them.
const (
	metricsName = "metrics.jsonl"
	samplesName = "samples.jsonl"
	eventsName  = "events.out.tfevents.winnow"
)

// Run is a fine-tuning as it stands between two updates. What a checkpoint holds of it: Step, Row, Tokens, the parameters and their
// moments, the guard, what was validated, and Work.Extra.
type Run struct {
	Options
	Kind      string
	Model     *llm.Model
	Tokenizer *bpe.Tokenizer
	Template  *chat.Template   // nil only with Options.Bare
	Info      *checkpoint.Info // the parent's lineage
	Plan      *Plan            // from Begin on
	Trainer   *llm.Trainer
	Adam      *llm.AdamW
	Guard     *train.Guard
	Step      int   // updates done
	Row       int64 // the method's cursor in its data; it moves it
	Tokens    int64 // counted targets so far
	Resumed   bool

	work     Work
	config   json.RawMessage
	params   []llm.Param
	lock     io.Closer
	metrics  *journal.File
	samples  *journal.File
	events   *journal.Events
	progress progress
	clock    clock
	failed   error
	stopped  error // why ctx ended
}

// Work is what a method knows when its data are made.
type Work struct {
	Data    []checkpoint.File                 // what the data were: DataOf
	Parents []checkpoint.Info                 // models beside the parent that the result depends on: a teacher, a reward model
	Epoch   int                               // updates of one pass over the data; needed where Settings count in epochs
	Join    []llm.Param                       // trained beside the model's: a head's
	Scores  map[string]bool                   // what Settings.Score may name, and whether more of it is better; nil: the loss alone
	Extra   any                               // pointer to state of the method's own, of which a checkpoint keeps the JSON
	Publish func(info *checkpoint.Info) error // writes OUT in place of a model folder, and sets info.Hash; may be nil
}

// TemplateError says that a parent has no chat template and none was named.
type TemplateError struct{ Parent string }

// Error names the parent.
func (e *TemplateError) Error() string {
	return e.Parent + ": the model was trained on no chat template, and none is named"
}

// ForeignError says that a model reads with another tokenizer than it must.
type ForeignError struct{ Model, Has, Want string }

// Error names the model and both hashes.
func (e *ForeignError) Error() string {
	return fmt.Sprintf("%s: its tokenizer is %.12s, it must be %.12s", e.Model, e.Has, e.Want)
}

// Open locks Out and loads the parent, its tokenizer and its template. kind is the method's checkpoint.Kind, config what the method was
// told beside the Settings; its JSON form is an object, and is compared when a run goes on. Whoever opens a Run closes it.
//
// Errors that a user acts on: *train.BusyError, *TemplateError, *ForeignError; another template than the parent's own.
func Open(o Options, kind string, config any) (*Run, error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	if o.Out == "" || o.Parent == "" {
		return nil, errors.New("a parent and an output folder are needed")
	}
	if a, err := filepath.Abs(o.Out); err != nil {
		return nil, err
	} else if b, err := filepath.Abs(o.Parent); err != nil || a == b {
		return nil, errors.Join(err, &train.ChangedError{Out: o.Out})
	}
	r := &Run{Options: o, Kind: kind}
	var err error
	if r.config, err = json.Marshal(config); err != nil {
		return nil, fmt.Errorf("what %s is told: %w", kind, err)
	}
	if r.lock, err = train.Occupy(o.Out); err != nil {
		return nil, err
	}
	if err := r.load(); err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return r, nil
}

// load reads the parent and everything that depends on it.
func (r *Run) load() (err error) {
	if r.Model, r.Tokenizer, r.Info, err = checkpoint.LoadModel(r.Parent); err != nil {
		return err
	}
	if r.Tokenizer == nil {
		return fmt.Errorf("%s: the model has no tokenizer beside it", r.Parent)
	}
	if err := Same(r.Parent, r.Info, r.Tokenizer, r.Tokenizer.Hash()); err != nil {
		return err
	}
	if r.Template, err = chat.Choose(r.Info, r.Tokenizer, r.Options.Template); err != nil {
		return fmt.Errorf("%s: %w", r.Parent, err)
	}
	if r.Template == nil && !r.Bare {
		return &TemplateError{r.Parent}
	}
	if r.LoRA != nil {
		if err := r.Model.Adapt(*r.LoRA); err != nil {
			return err
		}
	}
	r.Trainer = llm.NewTrainer(r.Model, r.Pool)
	r.Adam = &llm.AdamW{Beta1: .9, Beta2: .95, Eps: 1e-8, WeightDecay: r.Decay}
	r.Guard = train.NewGuard(r.Spike)
	r.clock.seconds = map[string]float64{}
	r.clock.begin = time.Now()
	return nil
}

// Same tells whether a model reads with the tokenizer of that hash: what lies beside it, and what its lineage says. Else it is a
// *ForeignError.
func Same(model string, info *checkpoint.Info, tok *bpe.Tokenizer, want string) error {
	if tok != nil && tok.Hash() != want {
		return &ForeignError{model, tok.Hash(), want}
	}
	if info != nil && info.Tokenizer != "" && info.Tokenizer != want {
		return &ForeignError{model, info.Tokenizer, want}
	}
	return nil
}

// Begin makes the plan, or finds it, and puts the run where the last checkpoint stood. *train.ChangedError: Out holds something else.
func (r *Run) Begin(w Work) error {
	r.work = w
	if w.Scores == nil {
		w.Scores = map[string]bool{"loss": false}
	}
	higher, known := w.Scores[cmp.Or(r.Score, "loss")]
	if r.Higher = higher; !known {
		return fmt.Errorf("the best cannot be kept by %q: this method validates %s", r.Score, strings.Join(slices.Sorted(maps.Keys(w.Scores)), ", "))
	}
	asked := Asked{Kind: r.Kind, Parent: r.Info.Hash, Tokenizer: r.Tokenizer.Hash(), LoRA: r.LoRA, Config: r.config, Settings: r.Settings, Data: []string{}}
	if r.Template != nil {
		asked.Template = r.Template.Hash()
	}
	for _, p := range w.Parents {
		asked.Parents = append(asked.Parents, p.Hash)
	}
	for _, d := range w.Data {
		asked.Data = append(asked.Data, d.SHA256)
	}
	if err := r.settle(asked, w.Epoch); err != nil {
		return err
	}
	r.params = append(r.Model.Params(), w.Join...)
	r.Adam.Prepare(r.params)
	step, err := r.resume()
	if err != nil {
		return err
	}
	if r.metrics, err = journal.Open(filepath.Join(r.Out, metricsName), step); err != nil {
		return err
	}
	if r.samples, err = journal.Open(filepath.Join(r.Out, samplesName), step); err != nil {
		return err
	}
	if r.events, err = journal.OpenEvents(filepath.Join(r.Out, eventsName), step); err != nil {
		return err
	}
	var trained int64
	for _, p := range r.params {
		trained += int64(len(p.Value))
	}
	r.tell(Event{Type: "start", Plan: r.Plan, Model: &r.Model.Config, Trained: trained, Resumed: r.Resumed})
	r.clock.start()
	return nil
}

// resume takes up the last checkpoint, and gives the step behind which the journals go on: -1 at the begin.
func (r *Run) resume() (int, error) {
	s, warnings, err := checkpoint.Latest(r.Out, r.Pool.Kernel())
	for _, w := range warnings {
		r.Warn(w.EN, w.ZH)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return -1, nil
	case err != nil:
		return 0, err
	}
	if err := r.restore(s); err != nil {
		return 0, fmt.Errorf("checkpoint of step %d: %w", s.Step, err)
	}
	r.Resumed = true
	return r.Step, nil
}

// Close lets go of Out. It may be called more than once.
func (r *Run) Close() error {
	var all []error
	if r.metrics != nil {
		all = append(all, r.metrics.Close(), r.samples.Close())
	}
	if r.events != nil {
		all = append(all, r.events.Close())
	}
	if r.lock != nil {
		all = append(all, r.lock.Close())
	}
	r.metrics, r.samples, r.events, r.lock = nil, nil, nil, nil
	return errors.Join(all...)
}
