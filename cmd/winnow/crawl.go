package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/url"
	"time"

	"github.com/spf13/cobra"

	"winnow/cmd/winnow/cli"
	"winnow/crawl/polite"
	"winnow/pipelines"
)

// crawlFlags are the flags of crawl that are not an option as they stand.
type crawlFlags struct {
	options                   polite.Options
	maxBytes, maxPage, rotate string
	proxy                     string
	delay, backoff, hostWait  time.Duration
}

func (a *app) crawlCmd() *cobra.Command {
	var f crawlFlags
	t := a.Lang.T
	cmd := &cobra.Command{
		Use: "crawl SEED... --out site.warc.gz --contact MAIL", Args: cli.ExactArgs(1, 10_000),
		Short: t("crawl sites into a WARC file, politely", "礼貌地爬取网站，写成 WARC 文件"),
		Long: t(`Crawl the sites of the seeds into a WARC 1.1 file, which winnow run reads.

One request at a time to a host, --delay after each; robots.txt with Crawl-delay, Retry-After, noindex, nofollow and X-Robots-Tag
are obeyed, noai too. User-Agent names --contact, without which nothing is started. Private, loopback and link-local addresses
are refused when a connection is made. Proxies are taken from --proxy alone, never from the environment.

Stopped or killed, the same command goes on where it was; budgets may be raised. What is known lies in OUT.frontier.

  winnow crawl https://example.org/docs/ --scope prefix --out docs.warc.gz --contact me@example.org --max-pages 500
  winnow crawl https://example.org/docs/ --scope prefix --out docs-2.warc.gz --contact me@example.org --previous docs.warc.gz
`, `从种子地址爬取网站，写成 WARC 1.1 文件，可由 winnow run 读取。

对同一主机每次只发一个请求，之后等待 --delay；遵守 robots.txt（含 Crawl-delay）、Retry-After、noindex、nofollow、X-Robots-Tag 与 noai。
User-Agent 中写明 --contact，未给出则不启动。建立连接时拒绝私有、回环与链路本地地址。代理只取自 --proxy，不读环境变量。

停止或被杀死后，重新运行同一命令即从断点继续，预算可以调大。已知状态保存在 OUT.frontier。

  winnow crawl https://example.org/docs/ --scope prefix --out docs.warc.gz --contact me@example.org --max-pages 500
  winnow crawl https://example.org/docs/ --scope prefix --out docs-2.warc.gz --contact me@example.org --previous docs.warc.gz
`) + cli.ExitCodes,
		RunE: func(cmd *cobra.Command, seeds []string) error {
			f.options.Seeds = seeds
			return a.crawl(cmd.Context(), f)
		},
	}
	fl, o := cmd.Flags(), &f.options
	fl.StringVar(&o.Out, "out", "", t("archive: .warc.gz, .warc.zst or .warc", "归档文件：.warc.gz、.warc.zst 或 .warc"))
	fl.StringVar(&o.Contact, "contact", "", t("mail address or page of yours, for the owners of sites; required", "您的邮箱或网页，供网站所有者联系；必填"))
	fl.StringVar(&o.Agent, "agent", "winnow", t("product name in User-Agent, and the name that robots.txt is read for", "User-Agent 中的产品名，也是匹配 robots.txt 的名称"))
	fl.StringVar(&o.Scope, "scope", polite.ScopeHost, t("host, domain (by public suffix) or prefix", "范围：host、domain（按公共后缀）或 prefix"))
	fl.StringArrayVar(&o.Sitemaps, "sitemap", nil, t("a sitemap beside those in robots.txt; may be given more than once", "robots.txt 之外的站点地图；可多次给出"))
	fl.BoolVar(&o.NoMaps, "no-sitemaps", false, t("do not follow the sitemaps in robots.txt", "不使用 robots.txt 中的站点地图"))
	fl.Int64Var(&o.MaxPages, "max-pages", 0, t("pages asked for, over all runs of this crawl; 0: no limit", "请求的页面数（累计）；0 为不限"))
	fl.IntVar(&o.MaxDepth, "max-depth", -1, t("links from a seed; -1: no limit", "离种子的链接层数；-1 为不限"))
	fl.StringVar(&f.maxBytes, "max-bytes", "0", t("bytes of archive, such as 2GB; 0: no limit", "归档字节数，如 2GB；0 为不限"))
	fl.DurationVar(&o.MaxTime, "max-time", 0, t("time of this run; 0: no limit", "本次运行的时长；0 为不限"))
	fl.StringVar(&f.maxPage, "max-page", "8MB", t("bytes of one page; longer ones are cut", "单页字节数，超出截断"))
	fl.IntVar(&o.MaxQuery, "max-queries", 500, t("queries of one path, against calendars without end", "同一路径的查询数，防无尽日历"))
	fl.DurationVar(&o.Timeout, "timeout", time.Minute, t("for one page", "单页时限"))
	fl.StringSliceVar(&o.Types, "types", polite.DefaultTypes, t("media types that are stored", "保存的媒体类型"))
	fl.DurationVar(&f.delay, "delay", time.Second, t("between two requests to a host; a larger Crawl-delay counts instead", "对同一主机两次请求的间隔；Crawl-delay 更大时取后者"))
	fl.DurationVar(&f.backoff, "backoff", 10*time.Second, t("first wait after 429, 503 or no answer; it doubles", "429、503 或无响应后的首次等待，逐次加倍"))
	fl.DurationVar(&f.hostWait, "max-wait", 10*time.Minute, t("a host that asks for more patience is set aside", "主机要求等待更久时暂时搁置"))
	fl.IntVar(&o.Tries, "tries", 3, t("for one page without an answer", "单页无响应时的尝试次数"))
	fl.IntVar(&o.Concurrency, "concurrency", 8, t("hosts at a time", "同时访问的主机数"))
	fl.StringVar(&f.rotate, "rotate", "0", t("begin another file after so many bytes, such as 1GB; 0: one file", "超过该字节数另起文件，如 1GB；0 为单文件"))
	fl.StringVar(&o.Previous, "previous", "", t("archive of an earlier crawl: unchanged pages become revisit records", "上次爬取的归档：未变页面记为 revisit"))
	fl.StringVar(&f.proxy, "proxy", "", t("http or https proxy that may CONNECT", "支持 CONNECT 的 http/https 代理"))
	fl.BoolVar(&o.AllowPrivate, "allow-private", false, t("private, loopback and link-local addresses too", "允许私有、回环与链路本地地址"))
	fl.BoolVar(&o.Fresh, "fresh", false, t("drop an earlier archive and begin anew", "丢弃已有归档，重新开始"))
	return cmd
}

// crawl runs one, shows how it goes, and says what came of it.
func (a *app) crawl(ctx context.Context, f crawlFlags) error {
	o := f.options
	for _, size := range []struct {
		flag, value string
		into        *int64
	}{{"--max-bytes", f.maxBytes, &o.MaxBytes}, {"--max-page", f.maxPage, &o.MaxPage}, {"--rotate", f.rotate, &o.Rotate}} {
		n, err := pipelines.ParseSize(size.value)
		if err != nil || n < 0 || n > 1<<30 && size.into == &o.MaxPage {
			return cli.Usage(a.Lang.T("%s %s: a number of bytes, such as 200MB", "%s %s：应为字节数，如 200MB"), size.flag, size.value)
		}
		*size.into = int64(n)
	}
	if f.delay < 0 || f.backoff < 0 || o.Timeout <= 0 || o.Concurrency < 1 || o.Concurrency > 1000 || o.Tries < 1 || o.MaxPage == 0 {
		return cli.Usage("%s", a.Lang.T("--delay and --backoff must not be negative, --timeout, --tries, --max-page and --concurrency must be positive (concurrency up to 1000)",
			"--delay、--backoff 不能为负，--timeout、--tries、--max-page、--concurrency 须为正（concurrency 至多 1000）"))
	}
	if f.proxy != "" {
		u, err := url.Parse(f.proxy)
		if err != nil || u.Host == "" {
			return cli.Usage(a.Lang.T("--proxy %s: not an address", "--proxy %s：不是地址"), f.proxy)
		}
		o.Proxy = u
	}
	o.Version = cli.Version()
	o.Pace = polite.Pace{Delay: f.delay, Backoff: f.backoff, MaxWait: f.hostWait}
	log.SetOutput(io.Discard) // net/http tells there of servers that say more than they were asked
	show := a.newCrawlProgress(o)
	o.Tell = show.tell
	sum, err := polite.Run(ctx, o)
	show.close()
	var wrong *polite.OptionError
	if errors.As(err, &wrong) {
		return cli.ExitWith(cli.ExitUsage, errors.New(a.crawlMistake(wrong)))
	}
	if err != nil {
		return err
	}
	if err := a.showCrawl(o, sum); err != nil {
		return err
	}
	switch sum.Ended {
	case polite.EndedStopped:
		return context.Canceled
	case polite.EndedHosts:
		return cli.ExitWith(cli.ExitPartial, fmt.Errorf(a.Lang.T("%d addresses are left at %d hosts that do not answer or ask for patience; run the same command again to try them",
			"%d 个地址未取，其 %d 个主机无响应或要求等待；稍后重新运行同一命令即可再试"), sum.Queue, sum.Aside))
	}
	return nil
}

// crawlMistake says what is wrong with the command line.
func (a *app) crawlMistake(e *polite.OptionError) string {
	t := a.Lang.T
	switch e.Option {
	case "contact":
		return t("--contact is required: a mail address or page at which the owners of sites can reach you; it goes into User-Agent",
			"必须给出 --contact：供网站所有者联系您的邮箱或网页，会写入 User-Agent")
	case "plan":
		return t(e.Detail+"; use another --out, or --fresh to begin anew", "--out 属于参数不同的另一次爬取（"+e.Detail+"）；请换一个 --out，或用 --fresh 重新开始")
	case "out":
		return t("--out "+e.Detail+"; see --fresh", "--out 无效：须以 .warc.gz、.warc.zst 或 .warc 结尾，且不得覆盖没有 .frontier 的已有文件（"+e.Detail+"）；另见 --fresh")
	case "seed":
		return t("seed: "+e.Detail, "种子地址无效，只支持 http 与 https（"+e.Detail+"）")
	case "scope":
		return t(e.Detail, "--scope 只能是 host、domain 或 prefix（"+e.Detail+"）")
	}
	return e.Error()
}
