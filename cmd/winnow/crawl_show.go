package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"

	"winnow/cmd/winnow/cli"
	"winnow/crawl/polite"
	"winnow/report"
)

// crawlProgress shows a crawl's answers: one live line on a terminal, a plain line every 30 seconds elsewhere, JSON with --json.
type crawlProgress struct {
	app   *app
	live  bool
	bar   *progressbar.ProgressBar
	most  int64
	last  time.Time
	begun time.Time
	first int64 // pages of earlier runs
	told  bool
}

func (a *app) newCrawlProgress(o polite.Options) *crawlProgress {
	return &crawlProgress{app: a, live: a.Live(), most: o.MaxPages, begun: time.Now(), last: time.Now()}
}

func (p *crawlProgress) tell(e polite.Progress) {
	a := p.app
	if !p.told {
		p.told, p.first = true, max(e.Pages-1, 0)
		if e.Resumed && !a.JSON {
			a.Say("goes on where it stopped: %s pages so far, %s addresses to do", "从断点继续：已有 %s 页，待取 %s 个地址", report.Count(p.first), report.Count(e.Queue))
		}
	}
	switch {
	case a.Quiet:
	case a.JSON:
		if b, err := json.Marshal(map[string]any{"type": "page", "url": e.URL, "status": e.Status, "pages": e.Pages, "queue": e.Queue, "bytes": e.Bytes}); err == nil {
			fmt.Fprintln(a.Err, string(b))
		}
	case p.live:
		if p.bar == nil {
			p.bar = progressbar.NewOptions64(max(p.most, -1), progressbar.OptionSetWriter(a.Err), progressbar.OptionSetTheme(progressbar.ThemeASCII),
				progressbar.OptionSetWidth(24), progressbar.OptionSetPredictTime(false), progressbar.OptionSetElapsedTime(false),
				progressbar.OptionClearOnFinish(), progressbar.OptionThrottle(100*time.Millisecond))
			if p.most == 0 {
				p.bar.ChangeMax64(-1)
			}
		}
		p.bar.Describe(p.line(e))
		_ = p.bar.Set64(e.Pages)
	case time.Since(p.last) >= cli.PlainEvery:
		p.last = time.Now()
		fmt.Fprintln(a.Err, p.line(e))
	}
}

// line is how far a crawl is.
func (p *crawlProgress) line(e polite.Progress) string {
	rate := float64(e.Pages-p.first) / max(time.Since(p.begun).Seconds(), 1e-3)
	return fmt.Sprintf(p.app.Lang.T("%s pages  %.1f/s  %.1f MB  %s to do  %s", "%s 页  %.1f/秒  %.1f MB  待取 %s  %s"), report.Count(e.Pages), rate,
		float64(e.Bytes)/1e6, report.Count(e.Queue), shorten(e.URL, 60))
}

func (p *crawlProgress) close() {
	if p.bar != nil {
		_ = p.bar.Clear()
	}
}

// shorten cuts the middle out of a long address.
func shorten(s string, most int) string {
	r := []rune(strings.ToValidUTF8(s, "?"))
	if len(r) <= most {
		return s
	}
	return string(r[:most/2]) + "…" + string(r[len(r)-most/2+1:])
}

// showCrawl prints the summary.
func (a *app) showCrawl(o polite.Options, s polite.Summary) error {
	if a.JSON {
		enc := json.NewEncoder(a.Out)
		enc.SetIndent("", "  ")
		return enc.Encode(s)
	}
	t := a.Lang.T
	ends := map[string]string{polite.EndedDone: t("all done", "全部完成"), polite.EndedPages: t("--max-pages is reached", "已达 --max-pages"),
		polite.EndedBytes: t("--max-bytes is reached", "已达 --max-bytes"), polite.EndedTime: t("--max-time is reached", "已达 --max-time"),
		polite.EndedHosts: t("hosts do not answer, or ask for patience", "主机无响应或要求等待"), polite.EndedStopped: t("stopped", "已停止")}
	fmt.Fprintf(a.Out, t("%s: %s pages asked for, %s stored, %.1f MB, %s addresses left (%s)\n", "%s：请求 %s 页，保存 %s 页，%.1f MB，剩余 %s 个地址（%s）\n"), o.Out,
		report.Count(s.Pages), report.Count(s.Stored), float64(s.Bytes)/1e6, report.Count(s.Queue), ends[s.Ended])
	table := report.Table{Head: []string{t("what", "项目"), ">" + t("count", "数量"), t("means", "含义")}}
	part := func(title string, m map[string]int64, text func(string) string) {
		for _, k := range slices.Sorted(maps.Keys(m)) {
			table.Add(title+" "+k, report.Count(m[k]), text(k))
		}
	}
	none := func(string) string { return "" }
	part(t("status", "状态"), s.Status, none)
	part("revisit", s.Revisits, none)
	part(t("not stored:", "未保存："), s.Reasons, a.ruleText)
	part(t("link not followed:", "未跟踪的链接："), s.Links, a.ruleText)
	part("robots.txt", s.Robots, func(k string) string {
		if k == "0" {
			return t("no answer", "无响应")
		}
		return ""
	})
	part(t("sitemap", "站点地图"), s.Sitemaps, none)
	fmt.Fprint(a.Out, table.Text())
	return nil
}

// ruleText says what a rule of a crawl means.
func (a *app) ruleText(id string) string {
	for _, r := range polite.Rules() {
		if r[0] == id {
			return a.Lang.T(r[1], r[2])
		}
	}
	return ""
}
