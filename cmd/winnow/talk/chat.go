package talk

import (
	"bufio"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"winnow/cmd/winnow/cli"
	"winnow/train/chat"
	"winnow/train/serve"
)

func (a *app) chatCmd() *cobra.Command {
	var s samplingFlags
	var m cli.MachineFlags
	var template, system string
	cmd := &cobra.Command{
		Use: "chat MODEL", Args: cli.ExactArgs(1, 1),
		Short: a.Lang.T("write with a model, line by line", "与模型逐行对写"),
		Long: a.Lang.T(`Write with a model, line by line. A base model knows no questions and answers: it goes on with the text so far, and each
line is added to that text. --template plain writes turns as "User: ..." and "AI: ..." lines instead.

In the session: /reset, /temp 0.8, /seed 1, /max 100, /help, /quit.`,
			`与模型逐行对写。基础模型不懂问答：它续写已有文本，每行输入都接在该文本之后。
--template plain 则把对话写成 "User: ..." 与 "AI: ..." 的行。

会话中可用：/reset、/temp 0.8、/seed 1、/max 100、/help、/quit。`) + cli.ExitCodes,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := s.check(); err != nil {
				return err
			}
			w, err := a.open(args[0], m, serve.Options{Slots: 1})
			if err != nil {
				return err
			}
			defer w.close()
			t, err := templateOf(w, template)
			if err != nil {
				return err
			}
			c := &session{app: a, writer: w, samplingFlags: s, template: t, system: system}
			return c.run(cmd.Context())
		},
	}
	cmd.Flags().StringVar(&template, "template", "", a.Lang.T("how turns are written: "+strings.Join(chat.Names(), ", ")+"; default: the model's own, else none", "对话的写法；默认用模型自带的，没有则不用"))
	cmd.Flags().StringVar(&system, "system", "", a.Lang.T("first message of a conversation", "对话的首条系统消息"))
	s.add(a, cmd, 128)
	m.Add(a.App, cmd)
	return cmd
}

// templateOf is the template that a model was trained on, which no other replaces. A model without one takes plain lines where they are
// asked for; one with a template of others that is not known, the one that is named. Nil: none.
func templateOf(w *writer, name string) (serve.Template, error) {
	if name != "" && !slices.Contains(chat.Names(), name) {
		return nil, cli.Usage("--template %s: write %s", name, strings.Join(chat.Names(), ", "))
	}
	if w.info.ChatTemplate == "" {
		switch name {
		case "":
			return nil, nil
		case chat.Lines{}.Name():
			return chat.Lines{}, nil
		}
		return nil, cli.Usage("--template %s: %s was trained on no template; plain can be tried", name, w.name)
	}
	t, err := chat.Choose(w.info, w.tok, name)
	if err != nil {
		return nil, cli.ExitWith(cli.ExitUsage, fmt.Errorf("%s: %w", w.name, err))
	}
	return t, nil
}

// session is a conversation at the terminal.
type session struct {
	*app
	*writer
	samplingFlags
	template serve.Template // nil: go on with the text
	system   string
	text     string
	turns    []serve.Message
}

func (c *session) run(ctx context.Context) error {
	what := c.Lang.T("it goes on with your text", "它续写你的文本")
	if c.template != nil {
		what = c.Lang.T("turns are written by the template ", "对话模板：") + c.template.Name()
	}
	c.Say("%s, %d parameters, context %d: %s. /help /quit", "%s，%d 个参数，上下文 %d：%s。/help /quit", c.name, c.model.Config.Params(), c.engine.Context(), what)
	c.reset()
	lines := make(chan string)
	failed := make(chan error, 1)
	go func() { // reading cannot be interrupted, but it can be left behind
		in := bufio.NewScanner(c.In)
		in.Buffer(nil, 1<<20)
		for in.Scan() {
			lines <- in.Text()
		}
		failed <- in.Err()
	}()
	for {
		if terminal(c.In) {
			fmt.Fprint(c.app.Err, "> ")
		}
		select {
		case <-ctx.Done():
			return nil
		case err := <-failed:
			return err
		case line := <-lines:
			if strings.HasPrefix(line, "/") {
				if c.command(line) {
					return nil
				}
				continue
			}
			if err := c.answer(ctx, line); err != nil {
				if ctx.Err() != nil {
					return nil
				}
				return err
			}
		}
	}
}

func (c *session) reset() {
	c.text, c.turns = "", nil
	if c.system != "" {
		c.text = c.system + "\n"
		c.turns = []serve.Message{{Role: "system", Content: c.system}}
	}
}

// command does what a line that begins with / says; true ends the session.
func (c *session) command(line string) (quit bool) {
	name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
	var err error
	switch name {
	case "/quit", "/exit":
		return true
	case "/reset":
		c.reset()
	case "/temp":
		s := c.Sampling
		if s.Temperature, err = strconv.ParseFloat(value, 64); err == nil {
			if err = s.Validate(); err == nil {
				c.Sampling = s
			}
		}
	case "/seed":
		c.Seed, err = strconv.ParseUint(value, 10, 64)
	case "/max":
		var n int
		if n, err = strconv.Atoi(value); err == nil && n != 0 {
			c.most = n
		}
	default:
		c.Say("/reset forgets the text; /temp 0.8, /seed 1, /max 100 set sampling; /quit", "/reset 清空文本；/temp 0.8、/seed 1、/max 100 设置采样；/quit 退出")
	}
	if err != nil {
		c.Say("%s: %v", "%s：%v", name, err)
	}
	return false
}

// answer lets the model write, and keeps what it wrote. Each answer takes the next seed.
func (c *session) answer(ctx context.Context, line string) error {
	r, trim, err := c.prompt(line)
	if err != nil {
		return err
	}
	c.Seed++
	begin := time.Now()
	job, err := c.engine.Submit(ctx, r)
	if err != nil {
		return err
	}
	var text string
	var count int
	for e, ok := job.Next(); ok; e, ok = job.Next() {
		if e.Err != nil {
			return e.Err
		}
		piece := e.Text
		if trim && text == "" {
			piece = strings.TrimLeft(piece, " \n")
		}
		text += piece
		count = e.Count
		c.app.write(piece)
	}
	fmt.Fprintln(c.Out)
	c.Say("(%d tokens, %.0f tokens/s)", "（%d 个 token，%.0f token/秒）", count, float64(count)/time.Since(begin).Seconds())
	c.text += text
	c.turns = append(c.turns, serve.Message{Role: "assistant", Content: text})
	return nil
}

// prompt adds the line, and drops what no longer fits: of a text its begin, of a conversation its oldest turns.
func (c *session) prompt(line string) (r serve.Request, trim bool, err error) {
	room := c.engine.Context() - min(max(c.most, 1), c.engine.Context()/2)
	c.text += line
	c.turns = append(c.turns, serve.Message{Role: "user", Content: line})
	if c.template == nil {
		ids := serve.Text(c.tok, c.text)
		if cut := len(ids) - room; cut > 0 {
			c.Say("(the context is full: the first %d tokens of the text are forgotten)", "（上下文已满：忘掉文本最前面的 %d 个 token）", cut)
			first := 0
			if c.tok.BOS() >= 0 {
				first = 1
			}
			c.text = string(c.tok.Decode(ids[first+cut:]))
			ids = slices.Delete(ids, first, first+cut)
		}
		return c.request(ids), false, nil
	}
	for {
		p, err := c.template.Prompt(c.tok, c.turns)
		if err != nil {
			return r, false, err
		}
		first := 0
		if c.system != "" {
			first = 1
		}
		if len(p.IDs) <= room || len(c.turns) <= first+1 {
			r = c.request(p.IDs)
			r.Stop, r.StopIDs = append(slices.Clone(r.Stop), p.Stop...), p.StopIDs
			return r, p.Trim, nil
		}
		c.Say("(the context is full: the oldest turn is forgotten)", "（上下文已满：忘掉最早的一轮）")
		c.turns = slices.Delete(c.turns, first, min(first+2, len(c.turns)-1))
	}
}
