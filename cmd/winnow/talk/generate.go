package talk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unicode"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"winnow/cmd/winnow/cli"
	"winnow/train/bpe"
	"winnow/train/checkpoint"
	"winnow/train/llm"
	"winnow/train/serve"
)

// writer is a model that makes texts, as generate, chat and serve open it.
type writer struct {
	engine *serve.Engine
	model  *llm.Model
	tok    *bpe.Tokenizer
	info   *checkpoint.Info
	pool   *llm.Pool
	name   string
}

func (w *writer) close() { w.engine.Close(); w.pool.Close() }

// open loads a model folder or a .gguf file.
func (a *app) open(path string, m cli.MachineFlags, o serve.Options) (*writer, error) {
	w := &writer{name: strings.TrimSuffix(filepath.Base(filepath.Clean(path)), ".gguf")}
	var err error
	if w.model, w.tok, w.info, err = checkpoint.LoadModel(path); err != nil {
		return nil, err
	}
	if w.tok == nil {
		return nil, fmt.Errorf("%s: the model has no tokenizer beside it", path)
	}
	begins, err := checkpoint.AddsBOS(w.tok)
	if err != nil {
		return nil, err
	}
	if w.tok.BOS() >= 0 && !begins { // such a model never saw bos before a text
		if w.tok, err = w.tok.WithRoles("", w.tok.Name(w.tok.EOS()), w.tok.Name(w.tok.PAD())); err != nil {
			return nil, err
		}
	}
	if w.pool, err = llm.NewPool(m.Threads, m.Kernel); err != nil {
		return nil, cli.ExitWith(cli.ExitUsage, err)
	}
	if w.engine, err = serve.NewEngine(w.model, w.tok, w.pool, o); err != nil {
		w.pool.Close()
		return nil, err
	}
	return w, nil
}

// samplingFlags say how tokens are drawn.
type samplingFlags struct {
	llm.Sampling
	most int
	stop []string
}

func (s *samplingFlags) add(a *app, cmd *cobra.Command, most int) {
	t, fl := a.Lang.T, cmd.Flags()
	fl.IntVar(&s.most, "max-tokens", most, t("most tokens of an answer; below 0: until the context is full", "最多生成的 token 数；负数为直到上下文用满"))
	fl.Float64Var(&s.Temperature, "temperature", .8, t("0: always the most likely token", "0 为总取最可能的 token"))
	fl.IntVar(&s.TopK, "top-k", 0, t("only the K most likely tokens; 0: all", "只取最可能的 K 个；0 为全部"))
	fl.Float64Var(&s.TopP, "top-p", .95, t("only the most likely tokens that together have this probability", "只取累计概率达到此值的最可能 token"))
	fl.Float64Var(&s.MinP, "min-p", 0, t("only tokens with at least this share of the most likely one's probability", "只取概率不低于最可能者此比例的 token"))
	fl.StringArrayVar(&s.stop, "stop", nil, t("text that ends the answer; may be given more than once", "遇到此文本即停止；可多次给出"))
	fl.Uint64Var(&s.Seed, "seed", 0, t("the same seed gives the same text; 0: by chance, and told", "相同种子得到相同文本；0 为随机并告知"))
}

func (s *samplingFlags) check() error {
	if err := s.Validate(); err != nil {
		return cli.ExitWith(cli.ExitUsage, err)
	}
	if s.most == 0 {
		return cli.Usage("--max-tokens 0: nothing to do")
	}
	for _, stop := range s.stop {
		if stop == "" {
			return cli.Usage("--stop: an empty text would stop at once")
		}
	}
	if s.Seed == 0 {
		s.Seed = uint64(rand.Uint32()) + 1
	}
	return nil
}

func (s *samplingFlags) request(prompt []int32) serve.Request {
	return serve.Request{Prompt: prompt, MaxTokens: s.most, Sampling: s.Sampling, Stop: s.stop, Logprobs: -1}
}

func (a *app) generateCmd() *cobra.Command {
	var s samplingFlags
	var m cli.MachineFlags
	var prompt string
	var n int
	var echo bool
	cmd := &cobra.Command{
		Use: "generate MODEL", Args: cli.ExactArgs(1, 1),
		Short: a.Lang.T("let a model go on with a text", "让模型续写文本"),
		Long: a.Lang.T(`Let a model go on with a text, from --prompt or from stdin. MODEL is a model folder or a .gguf file.
The text goes to stdout, the seed and the speed to stderr.`,
			`让模型续写 --prompt 或标准输入中的文本。MODEL 为模型文件夹或 .gguf 文件。
文本写到标准输出，种子与速度写到标准错误。`) + cli.ExitCodes,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := s.check(); err != nil {
				return err
			}
			if n < 1 {
				return cli.Usage(a.Lang.T("--n %d: at least 1", "--n %d：至少为 1"), n)
			}
			if !cmd.Flags().Changed("prompt") && !terminal(a.In) {
				b, err := io.ReadAll(a.In)
				if err != nil {
					return err
				}
				prompt = strings.TrimSuffix(string(b), "\n")
			}
			w, err := a.open(args[0], m, serve.Options{Slots: min(n, 8), Queue: n})
			if err != nil {
				return err
			}
			defer w.close()
			return a.generate(cmd.Context(), w, s, prompt, n, echo)
		},
	}
	cmd.Flags().StringVarP(&prompt, "prompt", "p", "", a.Lang.T("text to go on with; default: stdin", "要续写的文本；默认取标准输入"))
	cmd.Flags().IntVar(&n, "n", 1, a.Lang.T("texts, with seeds --seed, --seed + 1, ...", "生成几份，种子依次为 --seed、--seed + 1……"))
	cmd.Flags().BoolVar(&echo, "echo", false, a.Lang.T("print the prompt before the text", "先输出提示文本"))
	s.add(a, cmd, 128)
	m.Add(a.App, cmd)
	return cmd
}

// Generated is one text, as --json prints it.
type Generated struct {
	Index  int        `json:"index"`
	Seed   uint64     `json:"seed"`
	Text   string     `json:"text"`
	Tokens int        `json:"tokens"`
	Finish llm.Finish `json:"finish_reason"`
}

func (a *app) generate(ctx context.Context, w *writer, s samplingFlags, prompt string, n int, echo bool) error {
	ids := serve.Text(w.tok, prompt)
	var requests []serve.Request
	texts := make([]Generated, n)
	for i := range n {
		r := s.request(ids)
		r.Sampling.Seed += uint64(i)
		requests = append(requests, r)
		texts[i] = Generated{Index: i, Seed: r.Sampling.Seed}
		if echo {
			texts[i].Text = prompt
		}
	}
	begin := time.Now()
	job, err := w.engine.Submit(ctx, requests...)
	if err != nil {
		var long *serve.PromptError
		if errors.As(err, &long) {
			return cli.ExitWith(cli.ExitUsage, err)
		}
		return err
	}
	live := n == 1 && !a.JSON
	if live && echo {
		a.write(prompt)
	}
	total := 0
	for e, ok := job.Next(); ok; e, ok = job.Next() {
		if e.Err != nil {
			err = e.Err
			continue
		}
		t := &texts[e.Index]
		t.Text += e.Text
		t.Tokens, t.Finish = e.Count, e.Finish
		if live {
			a.write(e.Text)
		}
		if e.Finish != "" {
			total += e.Count
		}
	}
	if err != nil {
		return err
	}
	took := time.Since(begin).Seconds()
	if live {
		fmt.Fprintln(a.Out)
	} else if err := a.printTexts(texts); err != nil {
		return err
	}
	a.Say("%d tokens after %d of prompt, %.0f tokens/s, seed %d, %s", "提示 %[2]d 个 token，生成 %[1]d 个，%.0[3]f token/秒，种子 %[4]d，%[5]s",
		total, len(ids), float64(total)/took, s.Seed, texts[0].Finish)
	return nil
}

// printTexts prints several texts, or JSON lines.
func (a *app) printTexts(texts []Generated) error {
	enc := json.NewEncoder(a.Out)
	enc.SetEscapeHTML(false)
	for _, t := range texts {
		if a.JSON {
			if err := enc.Encode(t); err != nil {
				return err
			}
			continue
		}
		fmt.Fprintf(a.Out, "--- %d, %s\n", t.Index+1, t.Finish)
		a.write(t.Text)
		fmt.Fprintln(a.Out)
	}
	return nil
}

// write prints a model's text. What could steer a terminal does not reach one.
func (a *app) write(text string) {
	if terminal(a.Out) {
		text = strings.Map(func(r rune) rune {
			if unicode.IsControl(r) && r != '\n' && r != '\t' {
				return '\uFFFD'
			}
			return r
		}, text)
	}
	fmt.Fprint(a.Out, text)
}

func terminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
