package sft_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"winnow/train/checkpoint"
	"winnow/train/llm"
	"winnow/train/sft"
	"winnow/train/tune"
	"winnow/train/tune/tunetest"
)

// taught is a parent, and a teacher that was made of it.
func taught(t *testing.T, steps int) (base, teacher string) {
	base, teacher = parent(t, ""), t.TempDir()
	o := options(t, base, teacher)
	o.Steps, o.Eval, o.Rate, o.Holdout = steps, steps, 5e-3, 0
	if _, err := sft.Run(context.Background(), o); err != nil {
		t.Fatal(err)
	}
	return base, teacher
}

func student(t *testing.T, base, teacher, out string) sft.DistillOptions {
	o := sft.DistillOptions{Options: options(t, base, out), Teaching: sft.UsualTeaching(), Teacher: teacher}
	o.Most, o.Template = 12, ""
	return o
}

func TestDistill(t *testing.T) {
	base, teacher := taught(t, 150)
	pool := tunetest.Pool(t)
	for name, change := range map[string]func(*sft.DistillOptions){
		"forward, on the data":        func(o *sft.DistillOptions) {},
		"reverse, on its own answers": func(o *sft.DistillOptions) { o.Divergence.Beta, o.Lambda = 1, 1 },
		"between, half on its own, lora": func(o *sft.DistillOptions) {
			o.Divergence = llm.Divergence{Beta: .5, Temperature: .9}
			o.Lambda, o.LoRA = .5, &llm.LoRA{Rank: 8, Alpha: 16}
			o.Rate = 2e-2
		},
	} {
		o := student(t, base, teacher, t.TempDir())
		o.Pool, o.Steps, o.Eval, o.Rate = pool, 80, 80, 5e-3
		change(&o)
		var first, last, own float64
		o.Tell = func(e tune.Event) {
			switch {
			case e.Type == "eval" && e.Metric.Step == 0:
				first = e.Eval["loss"]
			case e.Type == "eval":
				last = e.Eval["loss"]
			case e.Type == "step":
				own += e.Metric.Values["own answers"]
			}
		}
		r, err := sft.Distill(context.Background(), o)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		most := .6 * first
		if o.LoRA != nil { // the head is frozen, and of random weights
			most = first
		}
		if !(last < most) || r.Eval["nats"] == 0 || o.Lambda == 0 && own != 0 || o.Lambda == 1 && own != 80 || o.Lambda == .5 && (own < 25 || own > 55) {
			t.Errorf("%s: divergence %g, was %g, %g steps on its own answers", name, last, first, own)
		}
		_, _, info, err := checkpoint.LoadModel(o.Out)
		if err != nil || len(info.Parents) != 2 || info.Parents[0].Kind != checkpoint.KindBase || info.Parents[1].Kind != checkpoint.KindSFT || info.Template == nil || info.Template.Name != "chatml" {
			t.Errorf("%s: %+v %v", name, info, err)
		}
	}
}

func TestDistillResume(t *testing.T) {
	base, teacher := taught(t, 1)
	pool := tunetest.Pool(t)
	tunetest.Resume(t, 3, func(ctx context.Context, out string, tell func(tune.Event)) error {
		o := student(t, base, teacher, out)
		o.Pool, o.Tell, o.Save, o.Lambda, o.Accumulate = pool, tell, 2, .5, 2
		_, err := sft.Distill(ctx, o)
		return err
	})
}

func TestDistillRefuses(t *testing.T) {
	base, teacher := taught(t, 1)
	other := tunetest.Parent(t, 64, "chatml", strings.ToUpper("what colour is the sky? the sky is blue and grass is green and the sea and the sun"))
	var foreign *tune.ForeignError
	if _, err := sft.Distill(context.Background(), student(t, base, other, t.TempDir())); !errors.As(err, &foreign) {
		t.Errorf("another tokenizer: %v", err)
	}
	o := student(t, base, teacher, t.TempDir())
	o.Template = "plain"
	if _, err := sft.Distill(context.Background(), o); err == nil || !strings.Contains(err.Error(), "the teacher was trained on template chatml") {
		t.Errorf("another template: %v", err)
	}
	o = student(t, base, teacher, t.TempDir())
	o.Lambda = 2
	if _, err := sft.Distill(context.Background(), o); err == nil {
		t.Error("lambda 2 is taken")
	}
}
