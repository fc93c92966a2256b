package page

import (
	"fmt"
	"html"
	"regexp"
	"slices"
	"strings"

	"github.com/go-analyze/charts"

	"winnow/report"
)

// chart is a set of horizontal bars: one row for each label, one value of each series.
type chart struct {
	id, title, says string
	labels          []string
	series          []series
	stacked         bool
}

type series struct {
	name   string
	values []float64
}

// lettering is the font that the library measures texts in. The page's own, which may be wider, is set smaller.
var lettering = regexp.MustCompile(`font-size:[0-9.]+px;font-family:[^;"]*`)

const (
	chartWidth = 640
	labelChars = 30
)

// ink makes the colours that stand for the page's own: the library writes numbers, the page needs names that follow light
// and dark, and patterns beside colours.
func ink(n uint8) charts.Color { return charts.Color{R: n, G: 2, B: 3, A: 255} }

// inks are what the colours of ink become, by number.
var inks = []string{"var(--line)", "var(--grid)", "var(--ink)", "var(--kept)", "url(#hatch)", "url(#dots)", "var(--drop)", "var(--soft)"}

// empty tells whether there is nothing to draw.
func (c chart) empty() bool {
	for _, s := range c.series {
		if slices.ContainsFunc(s.values, func(v float64) bool { return v > 0 }) {
			return false
		}
	}
	return true
}

// svg draws the bars, with title and description for those who do not see them.
func (c chart) svg() (string, error) {
	rows := make([][]float64, len(c.series))
	names := make([]string, len(c.series))
	for i, s := range c.series {
		names[i] = s.name
		for k := range s.values { // the library draws from the bottom up
			rows[i] = append(rows[i], s.values[len(s.values)-1-k])
		}
	}
	labels := make([]string, len(c.labels))
	for i, s := range c.labels {
		labels[len(labels)-1-i] = clip(s, labelChars)
	}
	o := charts.NewBarChartOptionWithData(rows)
	font := charts.FontStyle{FontSize: 10, FontColor: ink(2)}
	o.Theme = charts.MakeTheme(charts.ThemeOption{AxisStrokeColor: ink(0), AxisSplitLineColor: ink(1), TextColor: ink(2),
		BackgroundColor: charts.ColorTransparent, SeriesColors: []charts.Color{ink(3), ink(4), ink(5)}})
	o.Horizontal, o.StackSeries = true, &c.stacked
	o.CategoryAxis.Labels, o.CategoryAxis.LabelFontStyle = labels, font
	o.CategoryAxis.LabelCount = len(labels)
	o.ValueAxis = []charts.ValueAxisOption{{LabelFontStyle: font}}
	o.ValueFormatter = short
	o.Legend.SeriesNames, o.Legend.FontStyle = names, font
	height := 80 + 24*len(labels)
	if !c.stacked {
		height += 16 * (len(c.series) - 1) * len(labels)
	}
	p := charts.NewPainter(charts.PainterOptions{OutputFormat: charts.ChartOutputSVG, Width: chartWidth, Height: height})
	if err := p.BarChart(o); err != nil {
		return "", fmt.Errorf("chart %s: %w", c.id, err)
	}
	drawn, err := p.Bytes()
	if err != nil {
		return "", fmt.Errorf("chart %s: %w", c.id, err)
	}
	return c.dress(string(drawn)), nil
}

// dress puts the page's colours, font and descriptions into what the library drew.
func (c chart) dress(svg string) string {
	for i, name := range inks {
		svg = strings.ReplaceAll(svg, fmt.Sprintf("rgb(%d,2,3)", i), name)
	}
	svg = lettering.ReplaceAllString(svg, "font-size:11.5px;font-family:inherit")
	_, body, _ := strings.Cut(svg, ">")
	head := fmt.Sprintf(`<svg class="bars" role="img" aria-labelledby="%s-t %[1]s-d" viewBox="0 0 %d %d"><title id="%[1]s-t">%[4]s</title><desc id="%[1]s-d">%[5]s</desc>`,
		c.id, chartWidth, viewHeight(svg), html.EscapeString(c.title), html.EscapeString(c.says))
	return head + body
}

// viewHeight reads the last number of the view box.
func viewHeight(svg string) (h int) {
	_, rest, _ := strings.Cut(svg, `viewBox="0 0 `)
	fmt.Sscanf(rest, "%d %d", new(int), &h)
	return h
}

// short writes numbers of an axis: 1.2M.
func short(v float64) string {
	switch {
	case v >= 1e9:
		return fmt.Sprintf("%.3gG", v/1e9)
	case v >= 1e6:
		return fmt.Sprintf("%.3gM", v/1e6)
	case v >= 1e4:
		return fmt.Sprintf("%.3gk", v/1e3)
	}
	return fmt.Sprintf("%.4g", v)
}

const chartRows = 12

// groupChart sets kept beside dropped documents in each group of a slice.
func groupChart(r *report.Report, by, title string, l report.Lang) chart {
	c := chart{id: "c-" + by, title: title, stacked: true}
	kept, dropped := series{name: l.T("kept", "保留")}, series{name: l.T("dropped", "丢弃")}
	var said []string
	for i, g := range r.By[by] {
		if i == chartRows {
			break
		}
		c.labels = append(c.labels, g.Key)
		kept.values = append(kept.values, float64(g.Kept.Documents))
		dropped.values = append(dropped.values, float64(g.Read.Documents-g.Kept.Documents))
		said = append(said, fmt.Sprintf(l.T("%s: %s of %s kept", "%s：%[3]s 中保留 %[2]s"), g.Key, report.Count(g.Kept.Documents), report.Count(g.Read.Documents)))
	}
	c.series, c.says = []series{kept, dropped}, strings.Join(said, "; ")
	return c
}

// ruleChart sets beside each other how often a rule drops at all, first, and alone.
func ruleChart(r *report.Report, title string, l report.Lang) chart {
	c := chart{id: "c-rules", title: title}
	first, solo, any := series{name: l.T("first", "首因")}, series{name: l.T("solo", "独因")}, series{name: l.T("any", "任一")}
	var said []string
	for i, x := range r.Rules {
		if i == chartRows {
			break
		}
		c.labels = append(c.labels, x.ID)
		first.values = append(first.values, float64(x.First))
		solo.values = append(solo.values, float64(x.Solo))
		any.values = append(any.values, float64(x.Any))
		said = append(said, fmt.Sprintf(l.T("%s: first %d, solo %d, any %d", "%s：首因 %d，独因 %d，任一 %d"), x.ID, x.First, x.Solo, x.Any))
	}
	c.series, c.says = []series{first, solo, any}, strings.Join(said, "; ")
	return c
}

func timeChart(r *report.Report, title string, l report.Lang) chart {
	c := chart{id: "c-times", title: title}
	s := series{name: l.T("seconds of one worker", "单线程秒数")}
	var said []string
	for _, t := range r.Times() {
		c.labels = append(c.labels, t.Label)
		s.values = append(s.values, t.Seconds)
		said = append(said, fmt.Sprintf("%s: %.2f s", t.Label, t.Seconds))
	}
	c.series, c.says = []series{s}, strings.Join(said, "; ")
	return c
}
