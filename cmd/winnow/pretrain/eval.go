package pretrain

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"winnow/cmd/winnow/cli"
	"winnow/filter/lang"
	"winnow/pipelines"
	"winnow/shard"
	"winnow/train/bpe"
	"winnow/train/checkpoint"
	"winnow/train/eval"
	"winnow/train/llm"
	"winnow/train/rows"
)

// evalFlags are the flags of train eval.
type evalFlags struct {
	data, texts                   []string
	mc, trivia, capitals          string
	memorisation, overlap, kernel string
	limit, threads, candidates    int
	words                         int
	bytes                         int64
	seed                          uint64
	holdout                       float64
	seedGiven, holdoutGiven       bool
	baselines                     bool
}

func (a *app) trainEval() *cobra.Command {
	var f evalFlags
	cmd := &cobra.Command{
		Use: "eval [MODEL]", Args: cli.ExactArgs(0, 1),
		Short: a.Lang.T("measure what a model knows", "评估模型"),
		Long: a.Lang.T(`Measure a model: a model folder (config.json, model.safetensors, tokenizer.json) or a .gguf file.

  --data RUN            bits per byte on the part of a run that training left out, by language, beside n-grams counted on the
                        other part and compressors, all on the same bytes
  --texts FILE          bits per byte on texts of any file that winnow reads
  --mc, --trivia FILE   multiple choice by likelihood: MMLU's CSV, OpenTriviaQA's JSON lines
  --capitals FILE       where the right capital (en) or country (zh) stands among all
  --memorisation FILE   verbatim continuation and exposure by number of copies: JSON lines with prefix, secret, copies; or a
                        run, whose documents are the probes
  --overlap RUN         how much of the questions and held-out texts stands in the training texts; needs no MODEL`,
			`评估模型：模型文件夹（config.json、model.safetensors、tokenizer.json）或 .gguf 文件。

  --data RUN            在训练时留出的部分上按语言计算每字节比特数，并与同一批字节上的 n 元模型（在其余部分上计数）和压缩器比较
  --texts FILE          在 winnow 可读的任何文件的文本上计算每字节比特数
  --mc、--trivia FILE   按似然做选择题：MMLU 的 CSV、OpenTriviaQA 的 JSON 行
  --capitals FILE       正确的首都（英文）或国家（中文）在全部候选中的名次
  --memorisation FILE   按副本数统计逐字续写率与暴露度：含 prefix、secret、copies 的 JSON 行；或一个运行，以其文档为探针
  --overlap RUN         题目与留出文本在训练文本中的重合程度；无需 MODEL`) + cli.ExitCodes,
		RunE: func(cmd *cobra.Command, args []string) error {
			f.seedGiven, f.holdoutGiven = cmd.Flags().Changed("seed"), cmd.Flags().Changed("holdout")
			return a.evaluate(cmd.Context(), args, f)
		},
	}
	t, fl := a.Lang.T, cmd.Flags()
	fl.StringArrayVar(&f.data, "data", nil, t("run whose held-out part is scored; may be given more than once", "对其留出部分评分的运行；可多次给出"))
	fl.StringArrayVar(&f.texts, "texts", nil, t("files of texts to score", "要评分的文本文件"))
	fl.StringVar(&f.mc, "mc", "", t("CSV file of questions, or folder of such files (MMLU)", "选择题 CSV 文件或其文件夹（MMLU）"))
	fl.StringVar(&f.trivia, "trivia", "", t("JSON lines of questions: q, a, choices, cat", "选择题 JSON 行：q、a、choices、cat"))
	fl.StringVar(&f.capitals, "capitals", "", t("JSON lines: country, capital, zh", "JSON 行：country、capital、zh"))
	fl.StringVar(&f.memorisation, "memorisation", "", t("JSON lines of probes, or a run", "探针的 JSON 行，或一个运行"))
	fl.StringVar(&f.overlap, "overlap", "", t("run of the training texts", "训练文本所属的运行"))
	fl.IntVar(&f.limit, "limit", 500, t("questions of each set at most, chosen by --seed; 0: all", "每组最多题数，按 --seed 抽取；0 为全部"))
	fl.Int64Var(&f.bytes, "bytes", 256<<10, t("bytes of each language to score at most; 0: all", "每种语言最多评分的字节数；0 为全部"))
	fl.IntVar(&f.candidates, "candidates", 128, t("candidates among which a memorised text is ranked", "为记忆内容排名的候选数"))
	fl.IntVar(&f.words, "words", eval.DefaultWords, t("words of an n-gram of --overlap", "--overlap 所用 n 元的词数"))
	fl.BoolVar(&f.baselines, "baselines", true, t("count n-grams and compress the same bytes", "在同一批字节上计 n 元模型并压缩"))
	fl.Uint64Var(&f.seed, "seed", 1, t("of the split; default: the model's", "划分的种子；默认取模型所记"))
	fl.Float64Var(&f.holdout, "holdout", .05, t("share that training left out; default: the model's", "训练时留出的比例；默认取模型所记"))
	fl.IntVar(&f.threads, "threads", 0, t("0: one for each core", "0 为核数"))
	fl.StringVar(&f.kernel, "kernel", "", t("instruction set: avx512, avx2, portable; default: the best", "指令集：avx512、avx2、portable；默认最快者"))
	return cmd
}

// Evaluation is all that was measured.
type Evaluation struct {
	Model     string          `json:"model,omitempty"`
	Hash      string          `json:"hash,omitempty"` // of the weights
	Data      []heldResult    `json:"data,omitempty"`
	Questions []choiceResult  `json:"questions,omitempty"`
	Capitals  []eval.Ranks    `json:"capitals,omitempty"`
	Memory    []eval.Memory   `json:"memorisation,omitempty"`
	Overlap   []overlapResult `json:"overlap,omitempty"`
}

type heldResult struct {
	Name      string          `json:"name"`
	Bits      []eval.Bits     `json:"bits"`
	Depths    []eval.Depth    `json:"by_position"`
	Baselines []eval.Baseline `json:"baselines,omitempty"`
	Counted   *eval.Counted   `json:"baselines_counted_on,omitempty"`
}

type choiceResult struct {
	Name string         `json:"name"`
	Sets []eval.Choices `json:"sets"`
}

type overlapResult struct {
	Name string         `json:"name"`
	Sets []eval.Overlap `json:"sets"`
}

// examinee is a model with what it takes to ask it.
type examinee struct {
	app    *app
	flags  evalFlags
	model  *llm.Model
	tok    *bpe.Tokenizer
	info   *checkpoint.Info
	pool   *llm.Pool
	start  int32
	length int
	probe  eval.Prober
	out    Evaluation
}

// evalRow is the most positions that are scored in one piece.
const evalRow = 2048

func (a *app) evaluate(ctx context.Context, args []string, f evalFlags) error {
	x := &examinee{app: a, flags: f}
	if len(args) == 1 {
		if err := x.load(args[0]); err != nil {
			return err
		}
		defer x.pool.Close()
	} else if f.overlap == "" || len(f.texts) > 0 || f.memorisation != "" {
		return cli.Usage("%s", a.Lang.T("name a MODEL; only --overlap works without one", "请给出 MODEL；只有 --overlap 不需要模型"))
	}
	if len(f.data)+len(f.texts) == 0 && f.mc+f.trivia+f.capitals+f.memorisation+f.overlap == "" {
		return cli.Usage("%s --data, --texts, --mc, --trivia, --capitals, --memorisation, --overlap", a.Lang.T("nothing to measure: give one of", "没有要评估的内容：请至少给出其一"))
	}
	parts := []func(context.Context) error{x.overlaps}
	if x.model != nil {
		parts = []func(context.Context) error{x.held, x.texts, x.questions, x.capitals, x.memory, x.overlaps}
	}
	for _, part := range parts {
		if err := part(ctx); err != nil {
			return err
		}
	}
	if a.JSON {
		e := json.NewEncoder(a.Out)
		e.SetIndent("", "  ")
		return e.Encode(x.out)
	}
	return a.printEvaluation(&x.out)
}

func (x *examinee) load(path string) (err error) {
	if x.model, x.tok, x.info, err = checkpoint.LoadModel(path); err != nil {
		return err
	}
	if x.tok == nil {
		return fmt.Errorf("%s: has no tokenizer", path)
	}
	x.start = x.tok.BOS()
	if x.start < 0 {
		x.start = x.tok.EOS()
	}
	if x.start < 0 {
		return fmt.Errorf("%s: the tokenizer has no token that begins or ends a text", path)
	}
	if x.pool, err = llm.NewPool(x.flags.threads, x.flags.kernel); err != nil {
		return cli.Usage("%v", err)
	}
	x.length = min(x.model.Context, evalRow)
	x.probe = eval.Prober{Scorer: eval.Scorer{Model: llm.NewTrainer(x.model, x.pool), Len: x.length, Pad: x.start}, Tokenizer: x.tok, Start: x.start, Progress: x.app.counter()}
	x.out.Model, x.out.Hash = path, x.info.Hash
	var config struct {
		Asked struct {
			Seed    *uint64  `json:"seed"`
			Holdout *float64 `json:"holdout"`
		} `json:"asked"`
	}
	if json.Unmarshal(x.info.Config, &config) == nil {
		if s := config.Asked.Seed; s != nil && !x.flags.seedGiven {
			x.flags.seed = *s
		}
		if h := config.Asked.Holdout; h != nil && !x.flags.holdoutGiven {
			x.flags.holdout = *h
		}
	}
	return nil
}

// counter says at most every 30 seconds how far something is.
func (a *app) counter() func(done, total int) {
	last := time.Now()
	return func(done, total int) {
		if done < total && time.Since(last) >= cli.PlainEvery {
			last = time.Now()
			a.Say("  %d of %d", "  %d / %d", done, total)
		}
	}
}

// split opens a run and divides it as training did.
func (x *examinee) split(ctx context.Context, name string) (f *shard.Folder, t *rows.Tokens, train, held []int, err error) {
	if f, err = x.app.Find(name); err != nil {
		return
	}
	if t, err = rows.Of(ctx, f, "", x.tok, rows.TokenizeOptions{Threads: x.flags.threads}); err != nil {
		return
	}
	train, held = rows.Holdout(t, x.flags.holdout, x.flags.seed)
	return
}

// knows tells whether a run is in the lineage of a model.
func knows(i checkpoint.Info, run string) bool {
	return slices.ContainsFunc(i.Data, func(d checkpoint.Data) bool { return d.Run == run }) ||
		slices.ContainsFunc(i.Parents, func(p checkpoint.Info) bool { return knows(p, run) })
}

// held scores the held-out parts of runs.
func (x *examinee) held(ctx context.Context) error {
	for _, name := range x.flags.data {
		f, t, train, out, err := x.split(ctx, name)
		if err != nil {
			return err
		}
		defer t.Close()
		if !knows(*x.info, f.Run.ID) {
			x.app.Say("%s: the model's lineage does not name this run; its held-out part is scored all the same", "%s：模型谱系中没有这一运行；仍对其留出部分评分", f.Run.ID)
		}
		h, err := eval.NewHeld(t, out, x.tok, eval.HeldOptions{Len: x.length, Start: x.start, Limit: x.flags.bytes})
		if err != nil {
			return err
		}
		if h.Bytes() == 0 {
			return fmt.Errorf("%s: nothing is held out with a share of %g", f.Run.ID, x.flags.holdout)
		}
		if err := x.score(f.Run.ID, h, t.All(train)); err != nil {
			return err
		}
	}
	return nil
}

// texts scores files.
func (x *examinee) texts(ctx context.Context) error {
	for _, path := range x.flags.texts {
		documents := rows.FromSource(pipelines.Documents(ctx, []string{path}))
		h, err := eval.NewHeldTexts(identified(documents), x.tok, eval.HeldOptions{Len: x.length, Start: x.start, Limit: x.flags.bytes})
		if err != nil {
			return err
		}
		if h.Bytes() == 0 {
			return fmt.Errorf("%s: no text", path)
		}
		if err := x.score(path, h, nil); err != nil {
			return err
		}
	}
	return nil
}

// identified gives a language to documents that have none.
func identified(docs iter.Seq2[rows.Document, error]) iter.Seq2[rows.Document, error] {
	return func(yield func(rows.Document, error) bool) {
		for d, err := range docs {
			if d.Language == "" && err == nil {
				d.Language, _, _ = lang.Identify(d.Text)
			}
			if !yield(d, err) {
				return
			}
		}
	}
}

// score measures bits per byte of a model and of what is without one. Without training texts n-grams are left out.
func (x *examinee) score(name string, h *eval.Held, train iter.Seq2[[]int32, error]) (err error) {
	x.app.Say("%s: bits per byte on %d tokens", "%s：在 %d 个 token 上计算每字节比特数", name, h.Tokens())
	r := heldResult{Name: name}
	if r.Bits, r.Depths, err = eval.BitsPerByte(x.probe.Model, h); err != nil {
		return err
	}
	switch {
	case !x.flags.baselines:
	case train == nil:
		r.Baselines, err = eval.Compressors(h, x.tok)
	default:
		var counted eval.Counted
		r.Baselines, counted, err = eval.Baselines(h, x.tok, train, eval.BaselineOptions{})
		r.Counted = &counted
	}
	x.out.Data = append(x.out.Data, r)
	return err
}

// sets reads the questions that were asked for.
func (x *examinee) sets() (list []choiceResult, questions [][]eval.Question, err error) {
	for _, s := range []struct {
		path string
		read func(string) ([]eval.Question, error)
	}{{x.flags.mc, eval.ReadMMLU}, {x.flags.trivia, eval.ReadTrivia}} {
		if s.path == "" {
			continue
		}
		q, err := s.read(s.path)
		if err != nil {
			return nil, nil, err
		}
		list = append(list, choiceResult{Name: s.path})
		questions = append(questions, eval.Sample(q, x.flags.limit, x.flags.seed, func(q eval.Question) string { return q.Set + "\n" + q.Text }))
	}
	return list, questions, nil
}

func (x *examinee) questions(ctx context.Context) error {
	list, questions, err := x.sets()
	if err != nil {
		return err
	}
	for i := range list {
		x.app.Say("%s: %d questions", "%s：%d 道题", list[i].Name, len(questions[i]))
		if list[i].Sets, err = x.probe.MultipleChoice(ctx, questions[i]); err != nil {
			return err
		}
	}
	x.out.Questions = list
	return nil
}

func (x *examinee) capitals(ctx context.Context) error {
	if x.flags.capitals == "" {
		return nil
	}
	countries, err := eval.ReadCountries(x.flags.capitals)
	if err != nil {
		return err
	}
	x.app.Say("%s: %d countries", "%s：%d 个国家", x.flags.capitals, len(countries))
	x.out.Capitals, err = x.probe.Capitals(ctx, countries, min(x.flags.limit, capitalsAsked), x.flags.seed)
	return err
}

// capitalsAsked is how many countries are asked about: each takes a score of every candidate.
const capitalsAsked = 100

func (x *examinee) memory(ctx context.Context) error {
	name := x.flags.memorisation
	if name == "" {
		return nil
	}
	probes, err := x.probes(ctx, name)
	if err != nil {
		return err
	}
	if len(probes) == 0 {
		return fmt.Errorf("%s: no probe", name)
	}
	x.app.Say("%s: %d probes of memory", "%s：%d 个记忆探针", name, len(probes))
	d, err := llm.NewDecoder(x.model, x.pool, 1, x.length)
	if err != nil {
		return err
	}
	x.out.Memory, err = x.probe.Memorisation(ctx, eval.Greedy{Decoder: d}, probes, x.flags.candidates, x.flags.seed)
	return err
}

// probes reads a file of probes, or makes some of a run's documents.
func (x *examinee) probes(ctx context.Context, name string) ([]eval.Probe, error) {
	if info, err := os.Stat(name); err == nil && info.Mode().IsRegular() {
		return eval.ReadProbes(name)
	}
	_, t, train, held, err := x.split(ctx, name)
	if err != nil {
		return nil, err
	}
	defer t.Close()
	n := min(32, x.length/4) // tokens of prefix and of secret
	return eval.ProbesOf(t, train, held, x.tok, n, n, min(x.flags.limit, probesAsked), x.flags.seed)
}

// probesAsked is how many documents are probed for each doubling of copies.
const probesAsked = 50
