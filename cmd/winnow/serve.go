package main

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/spf13/cobra"

	"winnow/train/serve"
)

func (a *app) serveCmd() *cobra.Command {
	var m machineFlags
	var o serve.Options
	var addr, name, template string
	var grace time.Duration
	cmd := &cobra.Command{
		Use: "serve MODEL", Args: exactArgs(1, 1),
		Short: a.lang.T("serve a model over OpenAI's HTTP interface", "以 OpenAI 兼容的 HTTP 接口提供模型"),
		Long: a.lang.T(`Serve a model over OpenAI's HTTP interface: /v1/completions, /v1/chat/completions, /v1/models, and /health. MODEL is a
model folder or a .gguf file. Requests are worked off together; the same seed gives the same text alone or among others.

There is no authentication: the default address is this machine's own.`,
			`以 OpenAI 兼容的 HTTP 接口提供模型：/v1/completions、/v1/chat/completions、/v1/models 与 /health。MODEL 为模型文件夹
或 .gguf 文件。并发请求合并处理；相同种子无论单独或并发都得到相同文本。

没有身份验证：默认只监听本机地址。`) + exitCodes,
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.Slots < 1 || o.Queue < 1 {
				return usage("--slots %d, --queue %d: at least 1", o.Slots, o.Queue)
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
			return a.serve(cmd.Context(), w, l, t, grace)
		},
	}
	fl := cmd.Flags()
	fl.StringVar(&addr, "addr", "127.0.0.1:8080", a.lang.T("address and port; port 0: any that is free", "地址与端口；端口 0 为任选空闲端口"))
	fl.StringVar(&name, "name", "", a.lang.T("name of the model; default: the folder's", "模型名；默认为文件夹名"))
	fl.StringVar(&template, "template", "", a.lang.T("how conversations are written; default: the model's own template, else plain", "对话的写法；默认用模型自带的模板，没有则为 plain"))
	fl.IntVar(&o.Slots, "slots", 8, a.lang.T("texts made at once", "同时生成的文本数"))
	fl.IntVar(&o.Queue, "queue", 64, a.lang.T("texts that may wait; more are refused with 429", "可排队的文本数；超出者以 429 拒绝"))
	fl.IntVar(&o.Context, "context", 0, a.lang.T("tokens of a slot; 0: the model's", "每个槽的 token 数；0 为模型的上下文"))
	fl.DurationVar(&grace, "grace", 10*time.Second, a.lang.T("how long running requests may go on after Ctrl-C", "Ctrl-C 后正在处理的请求可继续多久"))
	m.add(a, cmd)
	return cmd
}

// serve answers until it is told to end, which is how a server ends well.
func (a *app) serve(ctx context.Context, w *writer, l net.Listener, t serve.Template, grace time.Duration) error {
	url := "http://" + l.Addr().String() + "/v1"
	if a.json {
		fmt.Fprintf(a.err, `{"type":"serving","url":%q,"model":%q}`+"\n", url, w.name)
	} else {
		a.say("%s   model: %s   context: %d   kernel: %s", "%s   模型：%s   上下文：%d   内核：%s", url, w.name, w.engine.Context(), w.pool.Kernel())
		a.say("export OPENAI_BASE_URL=%s OPENAI_API_KEY=none", "export OPENAI_BASE_URL=%s OPENAI_API_KEY=none", url)
	}
	if at, err := netip.ParseAddrPort(l.Addr().String()); err == nil && !at.Addr().IsLoopback() {
		a.say("warning: whoever reaches %s can use it: there is no authentication", "警告：凡能访问 %s 者均可使用：没有身份验证", at)
	}
	return serve.NewServer(w.engine, w.name, t, fmt.Sprintf("%.12s-%s", w.info.Hash, w.pool.Kernel())).Serve(ctx, l, grace)
}
