// Package quality measures classifiers beside fastText, and KenLM models, for `winnow bench quality`.
package quality

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"winnow/bench/meter"
	"winnow/filter/quality/fasttext"
)

// models of the two shapes that are in use, with fewer buckets for pairs of words than DCLM's 2,000,000.
var fastTextModels = []struct{ name, arguments string }{
	{"as DCLM's: words and pairs, 100 numbers", "-dim 100 -wordNgrams 2 -bucket 500000 -loss softmax"},
	{"as lid.176: characters 2 to 4, 16 numbers", "-dim 16 -minn 2 -maxn 4 -bucket 2000000 -loss hs"},
}

// Prepare measures the classifiers on the main texts of the input, each text as one line. fastText's own program, where
// it is installed, trains the models and is measured on the same lines: its time is that of predicting them less that of
// predicting nothing, which loads the model. Without it there are the figures of KenLM's and winnow's own models alone. Where
// rows have a column label of 0 and 1, those are predicted too.
func Prepare(ctx context.Context, o meter.Options) (meter.Once, error) {
	program, missing := exec.LookPath("fasttext") // Debian: apt-get install fasttext
	docs, err := o.Documents(ctx)
	if err != nil {
		return nil, err
	}
	labels := humanLabels(docs)
	texts, err := meter.Extracted(ctx, docs)
	if err != nil {
		return nil, err
	}
	var lines, labelled []string
	for _, t := range texts {
		line := strings.Join(strings.Fields(t.Body), " ")
		lines = append(lines, line)
		labelled = append(labelled, "__label__"+t.Language+" "+line)
	}
	return func(ctx context.Context) (out []meter.Figure, err error) {
		dir, err := os.MkdirTemp("", "winnow-bench-")
		if err != nil {
			return nil, err
		}
		defer os.RemoveAll(dir)
		f := fastText{program: program, dir: dir, lines: lines}
		if err := f.write("train", labelled); err != nil {
			return nil, err
		}
		steps := []func() ([]meter.Figure, error){
			func() ([]meter.Figure, error) { return measureGrams(ctx, &o, lines) },
			func() ([]meter.Figure, error) { return measureOwn(ctx, &o, lines) },
		}
		if missing == nil {
			steps = append(steps, func() ([]meter.Figure, error) { return f.measure(ctx, &o) })
		}
		if len(labels.Texts) > 0 {
			steps = append(steps, func() ([]meter.Figure, error) { return measureJudged(ctx, labels, program) })
		}
		for _, step := range steps {
			figures, err := step()
			if err != nil {
				return nil, err
			}
			out = append(out, figures...)
		}
		return out, nil
	}, nil
}

// fastText is the program that winnow is compared with.
type fastText struct {
	program, dir string
	lines        []string
}

func (f *fastText) path(name string) string { return filepath.Join(f.dir, name) }

func (f *fastText) write(name string, lines []string) error {
	return os.WriteFile(f.path(name), []byte(strings.Join(lines, "\n")+"\n"), 0o666)
}

// seconds runs the program, and gives the time of the processor that it took.
func (f *fastText) seconds(ctx context.Context, args ...string) (float64, error) {
	cmd := exec.CommandContext(ctx, f.program, args...)
	if err := cmd.Run(); err != nil {
		return 0, fmt.Errorf("fasttext %s: %w", args[0], err)
	}
	return (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds(), nil
}

func (f *fastText) measure(ctx context.Context, o *meter.Options) (out []meter.Figure, err error) {
	size := int64(0)
	for _, l := range f.lines {
		size += int64(len(l) + 1)
	}
	passes := int(max(1, 8<<20/size)) // enough for the time to be told from that of loading
	var many []string
	for range passes {
		many = append(many, f.lines...)
	}
	if err := errors.Join(f.write("many", many), os.WriteFile(f.path("none"), nil, 0o666)); err != nil {
		return nil, err
	}
	for _, m := range fastTextModels {
		args := append([]string{"supervised", "-input", f.path("train"), "-output", f.path("model"), "-thread", "1", "-epoch", "1"}, strings.Fields(m.arguments)...)
		if _, err := f.seconds(ctx, args...); err != nil {
			return nil, err
		}
		none, err := f.seconds(ctx, "predict-prob", f.path("model.bin"), f.path("none"), "1")
		if err != nil {
			return nil, err
		}
		all, err := f.seconds(ctx, "predict-prob", f.path("model.bin"), f.path("many"), "1")
		if err != nil {
			return nil, err
		}
		model, err := fasttext.Open(f.path("model.bin"))
		if err != nil {
			return nil, err
		}
		own, err := o.PerPass(ctx, func() error {
			for _, l := range f.lines {
				model.Predict(l, 1)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		theirs := (all - none) / float64(passes)
		out = append(out,
			meter.Figure{Name: m.name + ": winnow", Unit: "MB/s per core", Value: meter.Rate(size, own)},
			meter.Figure{Name: m.name + ": fasttext", Unit: "MB/s per core", Value: meter.Rate(size, theirs)},
			meter.Figure{Name: m.name + ": times as fast", Value: theirs / own})
	}
	return out, nil
}
