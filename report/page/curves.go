package page

import (
	"bytes"
	"fmt"
	"html/template"
	"io"
	"math"
	"os"

	"github.com/go-analyze/charts"

	"winnow/report"
)

// Curves are charts of lines, on a page that stands alone like a report's.
type Curves struct {
	Title, Lead string
	Facts       [][2]string
	Graphs      []Graph
}

// Graph is one chart: some lines over one axis.
type Graph struct {
	ID    string // of the section, lower case
	Title string
	Axis  string // what X is
	Note  string
	Log   bool // X by powers of ten; X must be above 0
	Lines []Line
}

// Line is a curve: points with ascending X. Values that are no numbers are left out.
type Line struct {
	Name string
	X, Y []float64
}

const (
	graphColumns = 160 // places along the axis; of more points, the mean is drawn
	graphHeight  = 320
	graphRows    = 12 // of the table beneath
)

// lineInks are the colours of lines, by number of ink: these follow light and dark, and symbols tell them apart as well.
var lineInks = []uint8{3, 6, 2, 7}

// WriteCurves writes the page.
func WriteCurves(w io.Writer, c Curves, l report.Lang) error {
	v := newView(l, c.Title, c.Lead)
	v.Facts = c.Facts
	for _, g := range c.Graphs {
		xs, rows := g.sampled()
		if len(xs) == 0 {
			continue
		}
		svg, err := g.svg(xs, rows)
		if err != nil {
			return err
		}
		b := newBlock(report.Section{ID: g.ID, Title: g.Title, Note: g.Note, Table: g.table(xs, rows)})
		b.Figures = []template.HTML{template.HTML(svg)}
		v.Blocks = append(v.Blocks, b)
	}
	return v.write(w)
}

// WriteCurvesFile writes the page as a file.
func WriteCurvesFile(path string, c Curves, l report.Lang) error {
	var b bytes.Buffer
	if err := WriteCurves(&b, c, l); err != nil {
		return err
	}
	return os.WriteFile(path, b.Bytes(), 0o644)
}

// sampled puts all lines on common places of the axis: the mean of the points that belong to a place, else what lies on
// the way between their neighbours; charts.GetNullValue beyond a line's ends.
func (g Graph) sampled() (xs []float64, rows [][]float64) {
	low, high, most := math.Inf(1), math.Inf(-1), 0
	for _, line := range g.Lines {
		for i, x := range line.X {
			if number(g.scale(x)) && number(line.Y[i]) {
				low, high = min(low, g.scale(x)), max(high, g.scale(x))
			}
		}
		most = max(most, len(line.X))
	}
	if low > high {
		return nil, nil
	}
	n := min(most, graphColumns)
	if low == high {
		n = 1
	}
	for i := range n {
		x := low + (high-low)*float64(i)/float64(max(n-1, 1))
		if g.Log {
			x = math.Pow(10, x)
		}
		xs = append(xs, x)
	}
	for _, line := range g.Lines {
		sums, counts := make([]float64, n), make([]int, n)
		for i, x := range line.X {
			if y := line.Y[i]; number(g.scale(x)) && number(y) {
				k := 0
				if high > low {
					k = int(math.Round((g.scale(x) - low) / (high - low) * float64(n-1)))
				}
				sums[k] += y
				counts[k]++
			}
		}
		rows = append(rows, filled(sums, counts))
	}
	return xs, rows
}

func (g Graph) scale(x float64) float64 {
	if g.Log {
		return math.Log10(x)
	}
	return x
}

func number(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// filled makes means of sums, and draws straight lines across places without a point.
func filled(sums []float64, counts []int) []float64 {
	out := make([]float64, len(sums))
	last := -1
	for i := range sums {
		out[i] = charts.GetNullValue()
		if counts[i] == 0 {
			continue
		}
		out[i] = sums[i] / float64(counts[i])
		for k := last + 1; last >= 0 && k < i; k++ {
			out[k] = out[last] + (out[i]-out[last])*float64(k-last)/float64(i-last)
		}
		last = i
	}
	return out
}

func (g Graph) svg(xs []float64, rows [][]float64) (string, error) {
	font := charts.FontStyle{FontSize: 10, FontColor: ink(2)}
	o := charts.NewLineChartOptionWithData(rows)
	colors := make([]charts.Color, len(rows))
	names := make([]string, len(rows))
	shapes, size := []charts.SymbolShape{charts.SymbolCircle, charts.SymbolDiamond, charts.SymbolSquare, charts.SymbolDot}, 2.0
	if len(rows) == 1 {
		shapes = []charts.SymbolShape{charts.SymbolNone}
	} else if len(xs) > graphColumns/4 {
		size = 1
	}
	for i := range rows {
		colors[i], names[i] = ink(lineInks[i%len(lineInks)]), g.Lines[i].Name
		o.SeriesList[i].Symbol = charts.Symbol{Shape: shapes[i%len(shapes)], Size: size}
	}
	o.Theme = charts.MakeTheme(charts.ThemeOption{AxisStrokeColor: ink(0), AxisSplitLineColor: ink(1), TextColor: ink(2),
		BackgroundColor: charts.ColorTransparent, SeriesColors: colors})
	labels := make([]string, len(xs)) // the library's own, which are empty, would stay in front of appended ones
	for i, x := range xs {
		labels[i] = short(x)
	}
	o.XAxis.Labels = labels
	o.XAxis.Title, o.XAxis.TitleFontStyle, o.XAxis.LabelFontStyle, o.XAxis.LabelCount = g.Axis, font, font, min(len(xs), 8)
	o.YAxis = []charts.ValueAxisOption{{LabelFontStyle: font}}
	o.ValueFormatter = short
	o.LineStrokeWidth = 1.5
	o.Legend.SeriesNames, o.Legend.FontStyle = names, font
	p := charts.NewPainter(charts.PainterOptions{OutputFormat: charts.ChartOutputSVG, Width: chartWidth, Height: graphHeight})
	if err := p.LineChart(o); err != nil {
		return "", fmt.Errorf("chart %s: %w", g.ID, err)
	}
	drawn, err := p.Bytes()
	if err != nil {
		return "", fmt.Errorf("chart %s: %w", g.ID, err)
	}
	return chart{id: "c-" + g.ID, title: g.Title, says: g.says()}.dress(string(drawn)), nil
}

// says tells where each line begins and ends.
func (g Graph) says() string {
	var out string
	for _, line := range g.Lines {
		if n := len(line.Y) - 1; n >= 0 {
			out += fmt.Sprintf("%s: %s → %s; ", line.Name, short(line.Y[0]), short(line.Y[n]))
		}
	}
	return out
}

func (g Graph) table(xs []float64, rows [][]float64) report.Table {
	t := report.Table{Head: []string{">" + g.Axis}}
	for _, line := range g.Lines {
		t.Head = append(t.Head, ">"+line.Name)
	}
	n := min(len(xs), graphRows)
	for i := range n {
		k := i * (len(xs) - 1) / max(n-1, 1)
		cells := []string{short(xs[k])}
		for _, row := range rows {
			cell := "–"
			if row[k] != charts.GetNullValue() {
				cell = fmt.Sprintf("%.4g", row[k])
			}
			cells = append(cells, cell)
		}
		t.Add(cells...)
	}
	return t
}
