package prefer

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"time"

	"winnow/train"
	"winnow/train/llm"
	"winnow/train/tune"
)

// referenceName holds the reference's sums of log-probabilities in OUT.
const referenceName = "reference.json"

// storeEvery is how often unfinished sums are written.
const storeEvery = time.Minute

// sums is the file: one sum for each sequence in order, as far as they are known.
type sums struct {
	Key  string    `json:"key"` // hash of the parent, the template, the kernel and the sequences
	Sums []float64 `json:"sums"`
}

// Progress is told while the reference reads, as More of an event of type "reference".
type Progress struct {
	Done int `json:"done"`
	All  int `json:"all"`
}

// remember fills in what the parent says of each sequence. It is computed once, by the same pass as the policy's, and kept in OUT under a
// key of all that it depends on: the parent's weights, the template, the kernel, the ids.
func remember(ctx context.Context, r *tune.Run, list []*answer) error {
	path := filepath.Join(r.Out, referenceName)
	known := sums{Key: sumsKey(r, list)}
	if old, err := readSums(path); err != nil {
		return err
	} else if old.Key == known.Key && len(old.Sums) <= len(list) {
		known.Sums = old.Sums
	}
	if len(known.Sums) < len(list) {
		reference, err := r.Reference()
		if err != nil {
			return err
		}
		if err := reference.Do(func(t *llm.Trainer) error { return known.extend(ctx, r, t, path, list) }); err != nil {
			return err
		}
	}
	for i, a := range list {
		a.before = known.Sums[i]
	}
	return nil
}

// extend computes what is missing; what is known when ctx ends is stored.
func (s *sums) extend(ctx context.Context, r *tune.Run, t *llm.Trainer, path string, list []*answer) error {
	var l lot
	stored := time.Now()
	for _, group := range passes(list[len(s.Sums):], func(a *answer) int { return len(a.IDs) }) {
		if ctx.Err() != nil {
			return errors.Join(s.write(path), context.Cause(ctx))
		}
		l.reset()
		for _, a := range group {
			l.add(a)
		}
		out, err := t.Outputs(&l.Batch, nil)
		if err != nil {
			return err
		}
		for _, p := range l.parts {
			s.Sums = append(s.Sums, p.sum(out.Nats))
		}
		r.Note("reference", Progress{len(s.Sums), len(list)})
		if time.Since(stored) > storeEvery {
			if err := s.write(path); err != nil {
				return err
			}
			stored = time.Now()
		}
	}
	return s.write(path)
}

func (s *sums) write(path string) error {
	b, err := json.Marshal(s)
	if err != nil {
		return err
	}
	return train.WriteWhole(path, append(b, '\n'))
}

// readSums gives nothing where there is no file, or none that can be read: it is made again.
func readSums(path string) (s sums, err error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	} else if err != nil {
		return s, err
	}
	if json.Unmarshal(b, &s) != nil {
		return sums{}, nil
	}
	return s, nil
}

func sumsKey(r *tune.Run, list []*answer) string {
	h := sha256.New()
	fmt.Fprintf(h, "1\x00%s\x00%s\x00%s\x00%s\x00", r.Info.Hash, r.Tokenizer.Hash(), r.Template.Hash(), r.Pool.Kernel())
	for _, a := range list {
		binary.Write(h, binary.LittleEndian, int64(len(a.IDs)))
		binary.Write(h, binary.LittleEndian, a.IDs)
		binary.Write(h, binary.LittleEndian, a.Targets)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// firstStep holds a first step to what it must be, since the policy still is its reference there.
func firstStep(r *tune.Run, got, want float64) error {
	if r.Step > 0 || math.Abs(got-want) <= 1e-6 {
		return nil
	}
	return fmt.Errorf("first step: loss %.7f, it must be %.7f while the policy is its reference: the log-probabilities of the reference are another model's, template's or data's", got, want)
}
