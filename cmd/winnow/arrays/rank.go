package arrays

import (
	"context"
	"errors"
	"fmt"
	"time"

	"winnow/pipelines"
	"winnow/pipelines/engine"
	"winnow/shard"
)

// How often one who waits looks again. An object store answers some thousand requests a second, whoever asks.
const (
	pollFirst = 200 * time.Millisecond
	pollMost  = 15 * time.Second
)

// share does those of a rank's tasks that are missing.
func (a *app) share(ctx context.Context, w *engine.Work, stage string, rank, world int) error {
	tasks, err := w.Share(stage, rank, world)
	if err != nil {
		return err
	}
	var missing []int
	for _, n := range tasks {
		done, err := w.Done(stage, n)
		if err != nil {
			return err
		}
		if !done {
			missing = append(missing, n)
		}
	}
	if err := w.DoAll(ctx, stage, missing); err != nil {
		return err
	}
	a.Say("%s  rank %d of %d: %d tasks done, %d were done before", "%s  第 %d 份，共 %d 份：完成 %d 个任务，%d 个此前已完成", stage, rank, world, len(missing), len(tasks)-len(missing))
	return nil
}

// waitBefore waits until all waves before a stage are done; before none of that name, all waves.
func (a *app) waitBefore(ctx context.Context, w *engine.Work, stage string) error {
	waves := w.Waves()
	for k, wave := range waves {
		switch {
		case wave.Stage == stage && k == 0:
			return nil
		case wave.Stage == stage:
			return a.waitFor(ctx, w, waves[k-1])
		}
	}
	return a.waitFor(ctx, w, waves[len(waves)-1])
}

// waitFor waits until a wave, and so those before it, is done.
func (a *app) waitFor(ctx context.Context, w *engine.Work, wave engine.Wave) error {
	told := false
	for pause := pollFirst; ; pause = min(2*pause, pollMost) {
		complete, err := w.Complete(wave)
		if complete || err != nil && !errors.Is(err, engine.ErrNotYet) {
			return err
		}
		if !told {
			told = true
			a.Say("waiting for %s", "等待 %s", wave.Stage)
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// allWaves does a rank's share of every wave; rank 0 concludes.
func (a *app) allWaves(ctx context.Context, w *engine.Work, p *engine.Plan, rank, world int) error {
	for _, wave := range w.Waves() {
		if err := a.share(ctx, w, wave.Stage, rank, world); err != nil {
			return err
		}
		if err := a.waitFor(ctx, w, wave); err != nil {
			return err
		}
	}
	if rank != 0 {
		return nil
	}
	return a.conclude(ctx, w, p)
}

// conclude finishes a run whose tasks are done. Training, if the recipe goes on to it, is left to "winnow run".
func (a *app) conclude(ctx context.Context, w *engine.Work, p *engine.Plan) error {
	r, err := pipelines.Parse(w.ID(), p.Recipe)
	if err != nil {
		return err
	}
	info, err := w.Conclude(ctx)
	if errors.Is(err, engine.ErrNotYet) {
		return fmt.Errorf(a.Lang.T("%w: `winnow runs %s` says what is missing", "%w：用 winnow runs %s 查看还缺什么"), err, w.ID())
	}
	if err != nil {
		return err
	}
	if info.State != shard.Done {
		return fmt.Errorf("run %s is %s", info.ID, info.State)
	}
	if err := a.Concluded(r, p, info); err != nil {
		return err
	}
	if len(r.Train) > 0 {
		a.Say("the recipe goes on to train: winnow run RECIPE, on the machine that is to do it", "配方接着要训练模型：请在用于训练的机器上执行 winnow run RECIPE")
	}
	return a.Partial(p, info)
}
