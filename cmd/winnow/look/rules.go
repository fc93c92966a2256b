package look

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"winnow/cmd/winnow/cli"
	"winnow/filter"
	"winnow/report"
)

func (a *app) rulesCmd() *cobra.Command {
	var markdown, profiles, diff bool
	var language, on string
	cmd := &cobra.Command{
		Use: "rules [FAMILY | RULE] | rules --profiles | rules --diff PROFILE PROFILE", Args: cli.ExactArgs(0, 2),
		Short: a.Lang.T("every rule, what it measures, its default and its source; profiles and their differences",
			"列出所有规则：度量什么、默认界限、出处；以及各配置档及其差异"),
		RunE: func(cmd *cobra.Command, args []string) error {
			var t report.Table
			var err error
			switch {
			case diff && len(args) == 2 && on != "":
				t, err = a.diffDocuments(cmd.Context(), args[0], args[1], on)
			case diff && len(args) == 2:
				t, err = a.diffTable(args[0], args[1], language)
			case diff || len(args) > 1:
				return cli.Usage("%s", a.Lang.T("write `winnow rules --diff A B` with the names of two profiles; `winnow rules --profiles` lists them", "应写 `winnow rules --diff A B`，A、B 为两个 profile 的名称；`winnow rules --profiles` 列出全部"))
			case profiles:
				t, err = a.profileTable()
			default:
				t, err = a.ruleTable(strings.Join(args, ""))
			}
			if err != nil || a.JSON {
				return err
			}
			out := t.Text()
			if markdown {
				out = t.Markdown()
			}
			_, err = fmt.Fprint(a.Out, out)
			return err
		},
	}
	f := cmd.Flags()
	f.BoolVar(&markdown, "markdown", false, a.Lang.T("as a Markdown table", "输出 Markdown 表格"))
	f.BoolVar(&profiles, "profiles", false, a.Lang.T("list profiles", "列出配置档"))
	f.BoolVar(&diff, "diff", false, a.Lang.T("where two profiles differ", "两个配置档的差异"))
	f.StringVar(&language, "language", "", a.Lang.T("with --diff: also the bounds for one language, or all", "与 --diff 同用：并列出某一语言的界限，或 all"))
	f.StringVar(&on, "on", "", a.Lang.T("with --diff: the documents of this run on which the two decide differently", "与 --diff 同用：列出某次运行中两者裁决不同的文档"))
	return cmd
}

// ruleTable lists the rules of a family, one rule, or all.
func (a *app) ruleTable(name string) (report.Table, error) {
	t := report.Table{Head: []string{a.Lang.T("rule", "规则"), a.Lang.T("measures", "度量"), a.Lang.T("keeps", "保留"), a.Lang.T("by language", "按语言"), a.Lang.T("source", "出处")}}
	n := 0
	for _, f := range filter.Families() {
		for _, r := range f.Rules {
			if name != "" && name != f.Name && name != r.ID {
				continue
			}
			n++
			byLang := ""
			for _, lang := range slices.Sorted(maps.Keys(r.ByLang)) {
				byLang += fmt.Sprintf("%s %s  ", lang, r.ByLang[lang])
			}
			if a.JSON {
				if err := a.Line(map[string]any{"id": r.ID, "family": f.Name, "en": r.EN, "zh": r.ZH, "langs": r.Langs, "default": r.Default.String(), "by_language": byLang, "source": r.Source}); err != nil {
					return t, err
				}
				continue
			}
			if len(r.ByLang) > 3 && name != r.ID {
				byLang = fmt.Sprintf(a.Lang.T("zh %s; %d others", "zh %s；另有 %d 种"), r.Bound("zh"), len(r.ByLang)-1)
			}
			t.Add(r.ID, a.Lang.T(r.EN, r.ZH), r.Default.String(), byLang, r.Source)
		}
	}
	if n == 0 {
		return t, cli.Usage(a.Lang.T("no family or rule is called %q", "没有名为 %q 的规则族或规则"), name)
	}
	return t, nil
}

// profileTable lists the profiles.
func (a *app) profileTable() (report.Table, error) {
	t := report.Table{Head: []string{a.Lang.T("profile", "配置档"), a.Lang.T("what", "内容"), a.Lang.T("rules", "规则"), a.Lang.T("words", "词"), a.Lang.T("not in it", "未包含"), a.Lang.T("source", "出处")}}
	for _, p := range filter.Profiles() {
		if a.JSON {
			if err := a.Line(map[string]any{"profile": p.Name, "en": p.EN, "zh": p.ZH, "use": p.Options.Use, "words": p.Words, "missing": p.Missing, "source": p.Source}); err != nil {
				return t, err
			}
		}
		t.Add(p.Name, a.Lang.T(p.EN, p.ZH), strings.Join(p.Options.Use, " "), p.Words, strings.Join(p.Missing, "; "), p.Source)
	}
	return t, nil
}

// diffTable lists in what two profiles differ: for all languages, and for one or "all" of those with bounds of their own.
func (a *app) diffTable(nameA, nameB, language string) (report.Table, error) {
	t := report.Table{Head: []string{a.Lang.T("differs", "差异"), a.Lang.T("language", "语言"), nameA, nameB}}
	both, err := twoProfiles(nameA, nameB)
	if err != nil {
		return t, err
	}
	differences, err := filter.Diff(both[0], both[1])
	if err != nil {
		return t, err
	}
	hidden := 0
	for _, d := range differences {
		if a.JSON {
			if err := a.Line(d); err != nil {
				return t, err
			}
		}
		if d.Language != "" && d.Language != language && language != "all" {
			hidden++
			continue
		}
		t.Add(d.What, cmp.Or(d.Language, "*"), cmp.Or(d.A, "-"), cmp.Or(d.B, "-"))
	}
	if hidden > 0 {
		t.Add(a.Lang.T("by language", "按语言"), "", fmt.Sprintf(a.Lang.T("%d more: --language zh, or all", "另有 %d 项：--language zh 或 all"), hidden), "")
	}
	return t, nil
}
