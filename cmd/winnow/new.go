package main

import (
	"bufio"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"

	"github.com/spf13/cobra"

	"winnow/cmd/winnow/cli"
	"winnow/crawl/remote"
	"winnow/pipelines"
)

// newFlags are what `winnow new` is told.
type newFlags struct {
	from, crawl, kind, paths, base, recipe, out string
	segments                                    int
}

func (a *app) newCmd() *cobra.Command {
	var f newFlags
	cmd := &cobra.Command{
		Use: "new --from commoncrawl --crawl CC-MAIN-2026-30 --segments N | new --from RECIPE", Args: cli.ExactArgs(0, 0),
		Short: a.Lang.T("write a recipe: for part of a Common Crawl, or a copy of one that is part of the program", "生成配方：选取 Common Crawl 的一部分，或复制内置配方"),
		Long: a.Lang.T(`Write a recipe to stdout, or to --out.

With --from commoncrawl it reads the list of a crawl's archives (warc.paths.gz or wet.paths.gz, from --base or out of the file
--paths) and takes --segments of them, evenly spread over the list, so that few stand for all. One WARC archive is about 1 GB,
one WET archive about 100 MB; they are read over the network when the recipe runs. Credentials, where an S3 server
wants some, come from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; AWS_ENDPOINT_URL names a server other than Amazon's.`,
			`将配方写到标准输出或 --out。

用 --from commoncrawl 时读取某次爬取的文件清单（warc.paths.gz 或 wet.paths.gz，取自 --base 或本地文件 --paths），从中均匀选取
--segments 个，以少代多。一个 WARC 文件约 1 GB，一个 WET 文件约 100 MB；运行配方时通过网络读取。S3 服务器若需凭据，
取自环境变量 AWS_ACCESS_KEY_ID 与 AWS_SECRET_ACCESS_KEY；AWS_ENDPOINT_URL 指定非 Amazon 的服务器。`) + cli.ExitCodes,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.newRecipe(cmd.Context(), f) },
	}
	fl := cmd.Flags()
	fl.StringVar(&f.from, "from", "", a.Lang.T("commoncrawl, or the name of a recipe: "+strings.Join(pipelines.Names(), ", "), "commoncrawl，或配方名："+strings.Join(pipelines.Names(), "、")))
	fl.StringVar(&f.crawl, "crawl", "", a.Lang.T("name of the crawl, CC-MAIN-2026-30 for instance", "爬取名，例如 CC-MAIN-2026-30"))
	fl.IntVar(&f.segments, "segments", 1, a.Lang.T("how many archives", "选取多少个文件"))
	fl.StringVar(&f.kind, "kind", "warc", a.Lang.T("warc (pages) or wet (their texts)", "warc（网页）或 wet（文本）"))
	fl.StringVar(&f.paths, "paths", "", a.Lang.T("list of archives, a file or a URL; default: the crawl's own", "文件清单：文件或 URL；默认取该次爬取自己的"))
	fl.StringVar(&f.base, "base", "https://data.commoncrawl.org/", a.Lang.T("where the archives lie: a URL, s3://commoncrawl/ for instance, or a folder", "文件所在：URL（如 s3://commoncrawl/）或文件夹"))
	fl.StringVar(&f.recipe, "recipe", "", a.Lang.T("recipe whose stages are taken; default: web-en, for wet: wet", "采用哪个配方的各阶段；默认 web-en，wet 则用 wet"))
	fl.StringVarP(&f.out, "out", "o", "", a.Lang.T("file to write; it must not be there", "写入的文件；须尚不存在"))
	return cmd
}

var crawlName = regexp.MustCompile(`^CC-MAIN-[0-9]{4}(-[0-9]{2,4})?$`)

func (a *app) newRecipe(ctx context.Context, f newFlags) error {
	var raw []byte
	var err error
	if f.from == "commoncrawl" {
		raw, err = a.fromCrawl(ctx, f)
	} else if b, ok := pipelines.Embedded(f.from); ok && f.from != "" {
		raw = b
	} else {
		return cli.Usage(a.Lang.T("--from %q: write commoncrawl, %s", "--from %q：应写 commoncrawl、%s"), f.from, strings.Join(pipelines.Names(), ", "))
	}
	if err != nil {
		return err
	}
	if f.out == "" {
		_, err = a.Out.Write(raw)
		return err
	}
	file, err := os.OpenFile(f.out, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return cli.Usage(a.Lang.T("--out: %v", "--out：%v"), err)
	}
	if _, err = file.Write(raw); err == nil {
		a.Say("%s    next: winnow check %[1]s   winnow plan %[1]s   winnow run %[1]s", "%s    接着：winnow check %[1]s   winnow plan %[1]s   winnow run %[1]s", f.out)
	}
	return errors.Join(err, file.Close())
}

// fromCrawl makes a recipe whose input is part of a crawl.
func (a *app) fromCrawl(ctx context.Context, f newFlags) ([]byte, error) {
	switch {
	case !crawlName.MatchString(f.crawl):
		return nil, cli.Usage(a.Lang.T("--crawl %q: write a name such as CC-MAIN-2026-30", "--crawl %q：应写名称，如 CC-MAIN-2026-30"), f.crawl)
	case f.kind != "warc" && f.kind != "wet":
		return nil, cli.Usage(a.Lang.T("--kind %q: write warc or wet", "--kind %q：应写 warc 或 wet"), f.kind)
	case f.segments < 1:
		return nil, cli.Usage(a.Lang.T("--segments %d: write 1 or more", "--segments %d：至少为 1"), f.segments)
	}
	base := strings.TrimSuffix(f.base, "/") + "/"
	list := f.paths
	if list == "" {
		list = base + "crawl-data/" + f.crawl + "/" + f.kind + ".paths.gz"
	}
	paths, err := pathsOf(ctx, list, f)
	if err != nil {
		return nil, err
	}
	if len(paths) < f.segments {
		return nil, cli.Usage(a.Lang.T("--segments %d: %s has %d", "--segments %d：%s 只有 %d 个"), f.segments, list, len(paths))
	}
	names := make([]string, f.segments)
	for i := range names {
		names[i] = base + paths[i*len(paths)/f.segments]
	}
	if f.recipe == "" {
		f.recipe = map[string]string{"warc": "web-en", "wet": "wet"}[f.kind]
	}
	_, raw, err := pipelines.Load(f.recipe)
	if err != nil {
		return nil, cli.ExitWith(cli.ExitUsage, err)
	}
	comment := fmt.Sprintf(a.Lang.T("%d of the %d %s archives of %s, evenly spread; stages of %s.", "%[4]s 的 %[2]d 个 %[3]s 文件中均匀选取 %[1]d 个；各阶段取自 %[5]s。"),
		len(names), len(paths), strings.ToUpper(f.kind), f.crawl, f.recipe)
	return pipelines.ForCrawl(raw, strings.ToLower(f.crawl)+"-"+f.kind, comment, names)
}

// pathsOf reads a list of archives, plain or gzipped. A line that names none of this crawl and kind is a mistake of the user's.
func pathsOf(ctx context.Context, list string, f newFlags) ([]string, error) {
	in, err := openList(ctx, list)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	r := bufio.NewReader(in)
	var text io.Reader = r
	if b, _ := r.Peek(2); string(b) == "\x1f\x8b" {
		if text, err = gzip.NewReader(r); err != nil {
			return nil, fmt.Errorf("%s: %w", list, err)
		}
	}
	end := map[string]string{"warc": ".warc.gz", "wet": ".warc.wet.gz"}[f.kind]
	var paths []string
	lines := bufio.NewScanner(text)
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		if line == "" {
			continue
		}
		if !strings.HasSuffix(line, end) || !strings.Contains(line, f.crawl+"/") || strings.ContainsAny(line, " \t\"'*?\\") {
			return nil, cli.Usage("%s: line %d: %.120q is no %s archive of %s", list, len(paths)+1, line, f.kind, f.crawl)
		}
		paths = append(paths, line)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", list, err)
	}
	return paths, nil
}

// openList opens a file or URL as a stream.
func openList(ctx context.Context, name string) (io.ReadCloser, error) {
	if !strings.Contains(name, "://") {
		return os.Open(name)
	}
	f, err := remote.New(remote.Options{}).Open(ctx, name)
	if err != nil {
		return nil, err
	}
	return struct {
		io.Reader
		io.Closer
	}{io.NewSectionReader(f, 0, f.Size()), f}, nil
}
