package page

import (
	"bytes"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"winnow/report"
)

func TestCurves(t *testing.T) {
	var loss, held Line
	for i := 1; i <= 1000; i++ {
		loss.X, loss.Y = append(loss.X, float64(i)), append(loss.Y, 8/math.Sqrt(float64(i)))
	}
	loss.Y[500] = math.NaN()
	loss.Name = hostile
	held = Line{Name: "held out", X: []float64{250, 500, 1000}, Y: []float64{4, 3, 2}}
	c := Curves{Title: hostile, Lead: hostile, Facts: [][2]string{{"model", hostile}}, Graphs: []Graph{
		{ID: "loss", Title: hostile, Axis: "steps", Note: hostile, Lines: []Line{loss, held}},
		{ID: "log", Title: "log", Axis: "steps", Log: true, Lines: []Line{loss}},
		{ID: "one", Title: "one", Axis: "steps", Lines: []Line{{Name: "a", X: []float64{5}, Y: []float64{6}}}},
		{ID: "none", Title: "nothing is drawn", Lines: []Line{{Name: "a"}}},
	}}
	for _, l := range []report.Lang{"en", "zh"} {
		var b bytes.Buffer
		if err := WriteCurves(&b, c, l); err != nil {
			t.Fatal(err)
		}
		page := b.String()
		if _, err := html.Parse(&b); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(page, "<script>alert") || strings.Contains(page, "<img") || strings.Contains(page, "nothing is drawn") {
			t.Error("markup of a name is markup of the page, or an empty chart is drawn")
		}
		for _, name := range []string{"var(--kept)", "var(--drop)", "var(--grid)"} {
			if !strings.Contains(page, "stroke:"+name) {
				t.Errorf("no line in %s", name)
			}
		}
		right := 0 // the curve reaches to the right end of its axis
		for _, path := range regexp.MustCompile(`<path d="([^"]*)" style="[^"]*stroke:var\(--kept\)`).FindAllStringSubmatch(page, -1) {
			for _, m := range regexp.MustCompile(`L (\d+) `).FindAllStringSubmatch(path[1], -1) {
				x, _ := strconv.Atoi(m[1])
				right = max(right, x)
			}
		}
		if right < chartWidth*9/10 {
			t.Errorf("the curve ends at %d of %d", right, chartWidth)
		}
		if n := strings.Count(page, `<svg class="bars"`); n != 3 {
			t.Errorf("%d charts", n)
		}
	}
}

func TestSampled(t *testing.T) {
	g := Graph{Lines: []Line{
		{Name: "dense", X: []float64{0, 1, 2, 3, 4}, Y: []float64{1, 2, 3, 4, 5}},
		{Name: "sparse", X: []float64{1, 3}, Y: []float64{10, 20}},
	}}
	xs, rows := g.sampled()
	if len(xs) != 5 || rows[0][2] != 3 || rows[1][2] != 15 || rows[1][3] != 20 || rows[1][0] < 1e300 || rows[1][4] < 1e300 {
		t.Errorf("%v %v", xs, rows)
	}
}
