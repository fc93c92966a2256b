package look

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	"winnow"
	"winnow/cmd/winnow/cli"
	"winnow/crawl/extract"
	"winnow/pipelines"
	"winnow/pipelines/engine"
)

// trace sends one page or text through a recipe, and tells what each stage does.
func (a *app) trace(ctx context.Context, recipe, path string) error {
	r, raw, err := pipelines.Load(recipe)
	if err != nil {
		return cli.ExitWith(cli.ExitUsage, err)
	}
	p, err := pipelines.Build(r, raw, cli.Version())
	if err != nil {
		return cli.ExitWith(cli.ExitUsage, err)
	}
	b, err := a.readArg(path)
	if err != nil {
		return err
	}
	d := &winnow.Document{ID: path, File: path, RawBytes: int64(len(b))}
	if looksLikeHTML(b) {
		d.HTML = b
		d.SetMeta(winnow.MetaContentType, "text/html")
	} else {
		d.Text = string(bytes.ToValidUTF8(b, []byte("\uFFFD")))
	}
	blocks := decisions(p, d)
	v, err := pipelines.Trace(ctx, p, d, false, func(s pipelines.Step) {
		a.step(s, d)
		if s.Label == "extract" && !a.JSON {
			a.facts(d)
			a.blocks(blocks)
		}
	})
	if err != nil {
		return err
	}
	if a.JSON {
		return a.Line(map[string]any{"drop": v.Drop, "stage": v.Stage, "rule": v.Rule, "value": finite(v.Value), "bound": v.Bound.String(), "detail": v.Detail,
			"language": d.Language, "title": d.Title, "text": d.Text, "blocks": blockObjects(blocks)})
	}
	if !v.Drop {
		fmt.Fprintln(a.Out, a.Lang.T("kept, as far as one document alone can tell", "保留（就单篇所能判断）"))
	}
	fmt.Fprintf(a.Out, "\n%s\n", d.Text)
	return nil
}

func (a *app) step(s pipelines.Step, d *winnow.Document) {
	if a.JSON {
		return
	}
	fmt.Fprintf(a.Out, a.Lang.T("%-12s %d characters, %d edits", "%-12s %d 字符，%d 处编辑"), s.Label, s.Chars, len(s.Edits))
	if d.Language != "" {
		fmt.Fprintf(a.Out, ", %s %.2f", d.LanguageScript, d.LangScore)
	}
	fmt.Fprintln(a.Out)
	for i, sig := range s.Signals {
		if i < len(s.Values) && winnow.Measured(s.Values[i]) {
			mark := " "
			if s.Verdict.Drop && s.Verdict.Rule == sig.ID {
				mark = "x"
			}
			fmt.Fprintf(a.Out, "  %s %-26s %10.4g  %s\n", mark, sig.ID, s.Values[i], a.Lang.T(sig.EN, sig.ZH))
		}
	}
	if s.Verdict.Drop {
		fmt.Fprintf(a.Out, a.Lang.T("  dropped by %s: %v, allowed %s  %s\n", "  被 %s 丢弃：%v，允许 %s  %s\n"), s.Verdict.Rule, finite(s.Verdict.Value), s.Verdict.Bound, s.Verdict.Detail)
	}
}

// decisions are what the plan's extraction does with each block of a page; none where it has no extraction.
func decisions(p *engine.Plan, d *winnow.Document) []extract.Decision {
	for _, s := range p.Steps {
		if x, ok := s.Stage.(*extract.Stage); ok && d.HTML != nil {
			return x.Explain(d.HTML, d.Meta[winnow.MetaContentType])
		}
	}
	return nil
}

// facts prints what the page says of itself.
func (a *app) facts(d *winnow.Document) {
	for _, f := range [...][3]string{
		{d.Title, "title", "标题"}, {d.Meta[winnow.MetaAuthor], "author", "作者"}, {d.Meta[winnow.MetaPublished], "published", "发布日期"},
		{d.Meta[winnow.MetaSite], "site", "网站"}, {d.Meta[winnow.MetaCanonical], "canonical address", "规范网址"},
		{d.Meta[winnow.MetaLicense], "license (hint)", "许可（线索）"}, {d.Meta[winnow.MetaLangHint], "language (claimed)", "语言（自称）"},
	} {
		if f[0] != "" {
			fmt.Fprintf(a.Out, "  %s: %s\n", a.Lang.T(f[1], f[2]), shortened(f[0], 100))
		}
	}
}

// blocks prints what extraction kept (+) and cut (-) of a page, with the probability of each block being main text, and why.
func (a *app) blocks(list []extract.Decision) {
	kept := 0
	for _, b := range list {
		if b.Kept {
			kept++
		}
	}
	if len(list) > 0 {
		fmt.Fprintf(a.Out, a.Lang.T("  %d of %d blocks kept: + kept, - cut, the probability of being main text, what spoke against it\n",
			"  %d/%d 块保留：+ 保留，- 切除；数字是属于正文的概率，下一行是理由\n"), kept, len(list))
	}
	for _, b := range list {
		mark := "-"
		if b.Kept {
			mark = "+"
		}
		fmt.Fprintf(a.Out, "  %s %.2f  %s\n", mark, b.Score, shortened(b.Text, 80))
		if why := a.why(b); why != "" {
			fmt.Fprintf(a.Out, "           %s\n", why)
		}
	}
}

// why is empty for a block that was kept.
func (a *app) why(b extract.Decision) string {
	switch {
	case b.Kept:
		return ""
	case b.Hidden:
		return a.Lang.T("not shown on the page", "页面上不显示")
	case b.Repeats:
		return a.Lang.T("repeats an earlier block", "与前面的块重复")
	}
	var parts []string
	if !b.Rules {
		parts = append(parts, a.Lang.T("rules say no", "规则判为非正文"))
	}
	for _, r := range b.Reasons {
		if r.Logit >= 0 && len(parts) > 0 {
			continue // it speaks for the block
		}
		parts = append(parts, fmt.Sprintf("%s = %.3g (%+.2f)", a.Lang.T(r.EN, r.ZH), r.Value, r.Logit))
	}
	return strings.Join(parts, "; ")
}

func blockObjects(list []extract.Decision) []object {
	out := []object{}
	for _, b := range list {
		var o object
		o.add("text", b.Text)
		o.add("kept", b.Kept)
		o.add("score", b.Score)
		o.add("hidden", b.Hidden)
		o.add("repeats", b.Repeats)
		o.add("rules", b.Rules)
		reasons := []object{}
		for _, r := range b.Reasons {
			var x object
			x.add("feature", r.EN)
			x.add("value", r.Value)
			x.add("logit", r.Logit)
			reasons = append(reasons, x)
		}
		o.add("reasons", reasons)
		out = append(out, o)
	}
	return out
}

// shortened is the beginning of text in one line.
func shortened(text string, chars int) string {
	line := []rune(strings.Join(strings.Fields(text), " "))
	if len(line) > chars {
		line = append(line[:chars-1], '…')
	}
	return string(line)
}

// looksLikeHTML tells a page from plain text by its first tag.
func looksLikeHTML(b []byte) bool {
	head := bytes.ToLower(bytes.TrimSpace(b[:min(len(b), 1024)]))
	for _, tag := range []string{"<!doctype", "<html", "<head", "<body", "<?xml", "<div", "<p>", "<p ", "<article"} {
		if bytes.HasPrefix(head, []byte(tag)) || bytes.Contains(head, []byte("<html")) {
			return true
		}
	}
	return false
}
