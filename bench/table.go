package bench

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"strings"

	"winnow/bench/meter"
	"winnow/report"
)

// Table lays figures of one bench out for reading.
func Table(figures []meter.Figure, l report.Lang) *report.Table {
	t := &report.Table{Head: []string{l.T("figure", "指标"), ">" + l.T("median", "中位数"), ">" + l.T("least", "最小"), ">" + l.T("greatest", "最大"), l.T("unit", "单位")}}
	for _, f := range figures {
		t.Add(f.Name, number(f.Value), number(f.Min), number(f.Max), f.Unit)
	}
	return t
}

// Markdown gives a bench's section of BENCHMARKS.md.
func Markdown(b Bench, figures []meter.Figure, l report.Lang) string {
	return fmt.Sprintf("### %s: %s\n\n%s\n", b.Name, l.T(b.EN, b.ZH), Table(figures, l).Markdown())
}

// number writes a value with about three digits that count.
func number(v float64) string {
	switch {
	case v >= 1000:
		return report.Count(int64(v + .5))
	case v >= 100 || v == float64(int64(v)):
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	case v > 0 && v < 1:
		return fmt.Sprintf("%.3f", v)
	}
	return fmt.Sprintf("%.2f", v)
}

// Machine describes what figures were measured on: cores, processor, system, Go.
func Machine(l report.Lang) string {
	return fmt.Sprintf(l.T("%d cores, %s, %s/%s, %s", "%d 核，%s，%s/%s，%s"), runtime.NumCPU(), processor(), runtime.GOOS, runtime.GOARCH, runtime.Version())
}

// processor is the model that Linux tells, else the architecture.
func processor() string {
	f, err := os.Open("/proc/cpuinfo")
	if err != nil {
		return runtime.GOARCH
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if key, value, ok := strings.Cut(lines.Text(), ":"); ok && strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}
