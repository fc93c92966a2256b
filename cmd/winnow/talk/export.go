package talk

import (
	"cmp"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"winnow/cmd/winnow/cli"
	"winnow/train/checkpoint"
)

func (a *app) exportCmd() *cobra.Command {
	var format, kind, out string
	cmd := &cobra.Command{
		Use: "export MODEL --out PATH", Args: cli.ExactArgs(1, 1),
		Short: a.Lang.T("write a model for transformers, llama.cpp or Ollama", "把模型导出给 transformers、llama.cpp 或 Ollama"),
		Long: a.Lang.T(`Write a model in an open format. MODEL is a model folder, of this program or of transformers, or a .gguf file.

  --format hf     a folder that transformers loads; weights f32, f16 or bf16
  --format gguf   one file for llama.cpp and Ollama; weights f32, f16 or q8_0 (rows that are no multiple of 32 stay f16)`,
			`以开放格式写出模型。MODEL 为模型文件夹（本程序或 transformers 的），或 .gguf 文件。

  --format hf     transformers 可加载的文件夹；权重为 f32、f16 或 bf16
  --format gguf   供 llama.cpp 与 Ollama 使用的单个文件；权重为 f32、f16 或 q8_0（行长不是 32 的倍数者保持 f16）`) + cli.ExitCodes,
		RunE: func(_ *cobra.Command, args []string) error {
			if out == "" {
				return cli.Usage("%s", a.Lang.T("give --out", "请给出 --out"))
			}
			gguf := strings.EqualFold(filepath.Ext(out), ".gguf")
			if format == "" && gguf {
				format = "gguf"
			}
			format = cmp.Or(format, "hf")
			if gguf != (format == "gguf") {
				return cli.Usage(a.Lang.T("--out %s does not fit --format %s: a GGUF file ends in .gguf, a folder does not", "--out %s 与 --format %s 不符：GGUF 文件以 .gguf 结尾，文件夹则不然"), out, format)
			}
			return a.export(args[0], out, format, kind)
		},
	}
	fl := cmd.Flags()
	fl.StringVar(&format, "format", "", a.Lang.T("hf or gguf; default: by the name of --out", "hf 或 gguf；默认由 --out 的名称决定"))
	fl.StringVar(&kind, "type", "f32", a.Lang.T("of weights: f32, f16, bf16 (hf), q8_0 (gguf)", "权重类型：f32、f16、bf16（hf）、q8_0（gguf）"))
	fl.StringVar(&out, "out", "", a.Lang.T("folder or .gguf file to write", "写出的文件夹或 .gguf 文件"))
	return cmd
}

func (a *app) export(model, out, format, kind string) error {
	m, tok, info, err := checkpoint.LoadModel(model)
	if err != nil {
		return err
	}
	written, err := checkpoint.Export(out, m, tok, info, format, kind, cli.Version())
	if err != nil {
		return err
	}
	if a.JSON {
		return a.Line(map[string]any{"path": out, "format": format, "type": kind, "hash": written.Hash, "parent": info.Hash, "parameters": m.Config.Params()})
	}
	a.Say("%s: %s %s, %d parameters, weights %s", "%s：%s %s，%d 个参数，权重 %s", out, format, kind, m.Config.Params(), short(written.Hash))
	if tok == nil {
		a.Say("%s has no tokenizer; few programs load a model without one", "%s 没有分词器；没有它，多数程序无法加载模型", model)
	}
	return nil
}

// short is enough of a hash for people.
func short(hash string) string { return hash[:min(12, len(hash))] }
