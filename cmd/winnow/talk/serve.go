package talk

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"time"

	"github.com/spf13/cobra"

	"winnow/cmd/winnow/cli"
	"winnow/train/chat"
	"winnow/train/serve"
	"winnow/train/serve/feedback"
	"winnow/train/serve/page"
)

func (a *app) serveCmd() *cobra.Command {
	var m cli.MachineFlags
	var o serve.Options
	var addr, name, template string
	var f pageFlags
	var grace time.Duration
	cmd := &cobra.Command{
		Use: "serve MODEL", Args: cli.ExactArgs(1, 1),
		Short: a.Lang.T("serve a model over OpenAI's HTTP interface", "以 OpenAI 兼容的 HTTP 接口提供模型"),
		Long: a.Lang.T(`Serve a model over OpenAI's HTTP interface: /v1/completions, /v1/chat/completions, /v1/models, and /health. MODEL is a
model folder or a .gguf file. Requests are worked off together; the same seed gives the same text alone or among others.

With --chat the address is also a page on which to write with the model and to judge its answers: thumbs, the better of two, edits.
What is said there is kept in the folder --feedback, in files for training: thumbs.jsonl (train kto), pairs.jsonl (train dpo, train
reward), edits.jsonl (train sft); log.jsonl keeps everything, also what was taken back.

There is no authentication: the default address is this machine's own.`,
			`以 OpenAI 兼容的 HTTP 接口提供模型：/v1/completions、/v1/chat/completions、/v1/models 与 /health。MODEL 为模型文件夹
或 .gguf 文件。并发请求合并处理；相同种子无论单独或并发都得到相同文本。

加 --chat 后，该地址同时是一个网页：与模型对话并评价回答（赞或踩、二选一、修改）。评价保存在 --feedback 文件夹，可直接用于训练：
thumbs.jsonl（train kto）、pairs.jsonl（train dpo、train reward）、edits.jsonl（train sft）；log.jsonl 保存全部记录，包括撤回的。

没有身份验证：默认只监听本机地址。`) + cli.ExitCodes,
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.Slots < 1 || o.Queue < 1 {
				return cli.Usage(a.Lang.T("--slots %d, --queue %d: at least 1", "--slots %d、--queue %d：至少为 1"), o.Slots, o.Queue)
			}
			if !f.chat && cmd.Flags().Changed("feedback") {
				return cli.Usage("%s", a.Lang.T("--feedback needs --chat", "--feedback 需与 --chat 同用"))
			}
			l, err := net.Listen("tcp", addr)
			if err != nil {
				return err
			}
			defer l.Close()
			w, err := a.open(args[0], m, o)
			if err != nil {
				return err
			}
			defer w.close()
			t, err := templateOf(w, template)
			if err != nil {
				return err
			}
			if name != "" {
				w.name = name
			}
			f.addr = addr
			return a.serve(cmd.Context(), w, l, t, f, grace)
		},
	}
	fl := cmd.Flags()
	fl.StringVar(&addr, "addr", "127.0.0.1:8080", a.Lang.T("address and port; port 0: any that is free", "地址与端口；端口 0 为任选空闲端口"))
	fl.StringVar(&name, "name", "", a.Lang.T("name of the model; default: the folder's", "模型名；默认为文件夹名"))
	fl.StringVar(&template, "template", "", a.Lang.T("how conversations are written; default: the model's own template, else plain", "对话的写法；默认用模型自带的模板，没有则为 plain"))
	fl.IntVar(&o.Slots, "slots", 8, a.Lang.T("texts made at once", "同时生成的文本数"))
	fl.IntVar(&o.Queue, "queue", 64, a.Lang.T("texts that may wait; more are refused with 429", "可排队的文本数；超出者以 429 拒绝"))
	fl.IntVar(&o.Context, "context", 0, a.Lang.T("tokens of a slot; 0: the model's", "每个槽的 token 数；0 为模型的上下文"))
	fl.DurationVar(&grace, "grace", 10*time.Second, a.Lang.T("how long running requests may go on after Ctrl-C", "Ctrl-C 后正在处理的请求可继续多久"))
	fl.BoolVar(&f.chat, "chat", false, a.Lang.T("also a page to write with the model and judge its answers", "同时提供网页：与模型对话并评价回答"))
	fl.StringVar(&f.feedback, "feedback", "feedback", a.Lang.T("with --chat: folder for what is said of answers", "配合 --chat：保存评价的文件夹"))
	m.Add(a.App, cmd)
	return cmd
}

// pageFlags say whether there is a page, and where its judgements go.
type pageFlags struct {
	chat           bool
	feedback, addr string
}

// serve answers until it is told to end, which is how a server ends well.
func (a *app) serve(ctx context.Context, w *writer, l net.Listener, t serve.Template, f pageFlags, grace time.Duration) (err error) {
	at := "http://" + l.Addr().String()
	url := at + "/v1"
	var handler http.Handler = serve.NewServer(w.engine, w.name, t, fmt.Sprintf("%.12s-%s", w.info.Hash, w.pool.Kernel()))
	if f.chat {
		log, err := a.openFeedback(f.feedback, judgedModel(w, t))
		if err != nil {
			return err
		}
		defer log.Close()
		_, port, _ := net.SplitHostPort(l.Addr().String())
		host, _, _ := net.SplitHostPort(f.addr)
		o := page.Options{Recorder: log, Model: judgedModel(w, t), Context: w.engine.Context(), Addr: net.JoinHostPort(host, port), Lang: string(a.Lang)}
		if handler, err = page.Handler(handler, o); err != nil {
			return err
		}
	}
	if a.JSON {
		fmt.Fprintf(a.Err, `{"type":"serving","url":%q,"model":%q}`+"\n", url, w.name)
	} else {
		a.Say("%s   model: %s   context: %d   kernel: %s", "%s   模型：%s   上下文：%d   内核：%s", url, w.name, w.engine.Context(), w.pool.Kernel())
		a.Say("export OPENAI_BASE_URL=%s OPENAI_API_KEY=none", "export OPENAI_BASE_URL=%s OPENAI_API_KEY=none", url)
		if f.chat {
			a.Say("%s/   the page; judgements go to %s", "%s/   网页；评价保存到 %s", at, f.feedback)
		}
	}
	if at, err := netip.ParseAddrPort(l.Addr().String()); err == nil && !at.Addr().IsLoopback() {
		a.Say("warning: whoever reaches %s can use it: there is no authentication", "警告：凡能访问 %s 者均可使用：没有身份验证", at)
	}
	return serve.Listen(ctx, l, handler, grace)
}

// judgedModel is what stands beside each judgement.
func judgedModel(w *writer, t serve.Template) feedback.Model {
	m := feedback.Model{Name: w.name, Hash: w.info.Hash, Tokenizer: w.info.Tokenizer, Template: chat.Lines{}.Name()}
	if t != nil {
		m.Template = t.Name()
	}
	if own, ok := t.(*chat.Template); ok && own != nil {
		m.TemplateHash = own.Hash()
	}
	return m
}

func (a *app) openFeedback(dir string, m feedback.Model) (*feedback.Log, error) {
	log, err := feedback.Open(dir, m)
	switch {
	case errors.Is(err, feedback.ErrInUse):
		return nil, cli.ExitWith(cli.ExitUsage, fmt.Errorf(a.Lang.T("--feedback %s: another process writes there; give another folder", "--feedback %s：另一进程正在写入；请换一个文件夹"), dir))
	case err != nil:
		return nil, err
	}
	if log.Cut > 0 {
		a.Say("%s: a line that was not written to its end was cut off: %d bytes", "%s：截去了未写完的一行：%d 字节", dir, log.Cut)
	}
	if log.Skipped > 0 {
		a.Say("%s: %d lines of %s are no judgements: they are left alone", "%s：%[3]s 中有 %[2]d 行不是评价：保持原样", dir, log.Skipped, feedback.LogName)
	}
	return log, nil
}
