package cli

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"winnow/train"
	"winnow/train/bpe"
)

// Refused is for a folder that is another's: nothing was started.
func (a *App) Refused(err error) error {
	var changed *train.ChangedError
	var busy *train.BusyError
	switch {
	case errors.As(err, &changed) && len(changed.Fields) == 0:
		return ExitWith(ExitUsage, fmt.Errorf(a.Lang.T("%w\n(give another --out)", "%w\n（其中已有别的模型，请换 --out）"), err))
	case errors.As(err, &changed):
		return ExitWith(ExitUsage, fmt.Errorf(a.Lang.T("%w\n(give the same flags to go on, another --out, or --fresh to begin anew)", "%w\n（用相同参数继续，或换 --out，或用 --fresh 从头开始）"), err))
	case errors.As(err, &busy):
		return ExitWith(ExitUsage, fmt.Errorf(a.Lang.T("%w\n(wait for it, or give another --out)", "%w\n（该文件夹正被另一进程用于训练：请等待，或换 --out）"), err))
	}
	return nil
}

// Stopped says why a run did not come to its end, and what is left of it.
func (a *App) Stopped(err error) error {
	var diverged *train.DivergedError
	switch {
	case errors.As(err, &diverged) && diverged.Saved > 0:
		return fmt.Errorf(a.Lang.T("the training diverged: %w\n(the folder holds the model of step %d, the last checkpoint; begin anew with --fresh and a lower --lr, a longer --warmup or --skip-spikes)",
			"训练发散：%w\n（文件夹中是最后一个检查点即第 %d 步的模型；请加 --fresh 从头开始，并降低 --lr、延长 --warmup 或加 --skip-spikes）"), err, diverged.Saved)
	case errors.As(err, &diverged):
		return fmt.Errorf(a.Lang.T("the training diverged before its first checkpoint: %w\n(begin anew with --fresh and a lower --lr or a longer --warmup)",
			"训练在首个检查点之前发散：%w\n（请加 --fresh 从头开始，并降低 --lr 或延长 --warmup）"), err)
	case err != nil && !errors.Is(err, context.Canceled):
		return ExitWith(ExitFailed, err) // also when stopped: then it is the saving that failed
	}
	return err
}

// Source is a run to train on: RUN, or RUN=WEIGHT. A folder may have '=' in its name.
func (a *App) Source(name string) (s train.Source, err error) {
	run := name
	if _, err := os.Stat(filepath.Join(name, "run.json")); err != nil {
		if i := strings.LastIndexByte(name, '='); i >= 0 {
			run = name[:i]
			if s.Weight, err = strconv.ParseFloat(name[i+1:], 64); err != nil || !(s.Weight > 0) || math.IsInf(s.Weight, 0) {
				return s, Usage(a.Lang.T("--data %s: %q is no weight", "--data %s：%q 不是权重"), name, name[i+1:])
			}
		}
	}
	s.Folder, err = a.Find(run)
	return s, err
}

// ReadTokenizer reads a tokenizer.json, or the one in a folder.
func ReadTokenizer(path string) (*bpe.Tokenizer, error) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		path = filepath.Join(path, "tokenizer.json")
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	t, err := bpe.ReadJSON(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return t, nil
}
