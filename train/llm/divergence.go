package llm

import (
	"fmt"
	"math"

	"winnow/train/internal/kernel"
)

// Divergence is a distance between a teacher's and a student's distribution of the next token, T and S: the generalised
// Jensen-Shannon divergence Beta·KL(T‖M) + (1-Beta)·KL(S‖M) with M = (1-Beta)·S + Beta·T (Agarwal et al. 2023); at Beta 0 it is
// the forward KL(T‖S), at 1 the reverse KL(S‖T), as in TRL's GKD.
type Divergence struct {
	Beta        float64 `json:"beta"`        // 0 .. 1
	Temperature float64 `json:"temperature"` // divides the logits of both; above 0
}

// Validate says which field is out of range.
func (d Divergence) Validate() error {
	if !(d.Beta >= 0 && d.Beta <= 1) {
		return fmt.Errorf("divergence: beta %g is not between 0 and 1", d.Beta)
	}
	if !(d.Temperature > 0) || math.IsInf(d.Temperature, 0) {
		return fmt.Errorf("divergence: temperature %g is not above 0", d.Temperature)
	}
	return nil
}

// AccumulateDivergence adds d(sum of weights·divergence) to the gradients, one weight for each position of b, and returns the
// divergence at each counted target, in nats, 0 elsewhere; which id the target is does not matter. The teacher may be of another
// shape, but must have as many ids. Logits of both exist for one chunk of positions at a time.
func (t *Trainer) AccumulateDivergence(b *Batch, weights []float32, teacher *Trainer, d Divergence) (nats []float32, err error) {
	if len(weights) != len(b.Targets) {
		return nil, fmt.Errorf("train: %d weights for %d positions", len(weights), len(b.Targets))
	}
	return t.diverge(b, weights, teacher, d)
}

// Divergences is AccumulateDivergence without gradients.
func (t *Trainer) Divergences(b *Batch, teacher *Trainer, d Divergence) ([]float32, error) {
	return t.diverge(b, nil, teacher, d)
}

func (t *Trainer) diverge(b *Batch, weights []float32, teacher *Trainer, d Divergence) ([]float32, error) {
	if err := d.Validate(); err != nil {
		return nil, err
	}
	if mine, other := t.model.Vocab, teacher.model.Vocab; mine != other {
		return nil, fmt.Errorf("train: a teacher of %d ids for a student of %d", other, mine)
	}
	if err := b.check(teacher.model.Config); err != nil {
		return nil, fmt.Errorf("teacher: %w", err)
	}
	if err := b.check(t.model.Config); err != nil {
		return nil, err
	}
	nats := make([]float32, len(b.Targets))
	counted := b.counted()
	if len(counted) == 0 {
		return nats, nil
	}
	from := teacher.last(b, counted, nil, false)
	hidden := data(from.x)
	to := t.last(b, counted, weights, weights != nil)
	to.rule = to.divergences(&teacherHead{hidden: hidden, w: values(from.w), dim: from.dim}, d)
	var err error
	if weights != nil {
		nats, err = t.finish(to, nil)
	} else {
		out := run(to)
		copy(nats, data(out))
		t.arena.put(data(out))
		t.arena.next()
	}
	teacher.arena.put(hidden)
	teacher.arena.next()
	return nats, err
}

// teacherHead is where a teacher's logits come from.
type teacherHead struct {
	hidden []float32 // [rows, dim], normalised
	w      []float32 // [V, dim]
	dim    int
}

// divergences is the rule of d: each chunk's logits of the teacher are computed beside the student's.
func (o *crossEntropy) divergences(teacher *teacherHead, d Divergence) lossRule {
	v, td := o.vocab, teacher.dim
	return func(nats, weights []float32) func(rows []int32, logits []float32) {
		return func(rows []int32, logits []float32) {
			m := len(rows)
			gathered, other := o.arena.get(m*td), o.arena.get(m*v)
			room := o.arena.get(o.pool.Threads() * v)
			xs, _ := gather(gathered, teacher.hidden, rows, td)
			o.pool.NT(m, v, td, xs, td, teacher.w, td, 0, other, v)
			o.pool.Range(m, 8, func(w *kernel.Worker, low, high int) {
				for i := low; i < high; i++ {
					r := rows[i]
					var weight float64
					if weights != nil {
						weight = float64(weights[r])
					}
					value := d.row(w, logits[i*v:(i+1)*v], other[i*v:(i+1)*v], room[w.ID()*v:(w.ID()+1)*v], weight)
					if nats != nil {
						nats[r] = float32(max(0, value))
					}
				}
			})
			o.arena.put(gathered, other, room)
		}
	}
}

// row is the divergence of one position from logits z of the student and y of the teacher. It leaves weight times the gradient
// in z; y and s are overwritten.
//
// With s = softmax(z/T), e = log t - log s and u = log(s/m), the divergence is sum β·t·(e+u) + (1-β)·s·u, and its derivative by
// z is s·(g - sum s·g)/T with g = (1-β)·u. At β 0 the derivative is (s - t)/T, at 1 g is -e.
func (d Divergence) row(w *kernel.Worker, z, y, s []float32, weight float64) (value float64) {
	w.Scale(z, float32(1/d.Temperature))
	w.Scale(y, float32(1/d.Temperature))
	shift := w.Softmax(s, z, 1)
	top := w.LogSumExp(y, 1)
	between := float64(shift) - float64(top)
	for j := range z {
		z[j] = float32(float64(y[j]) - float64(z[j]) + between)
	}
	w.Exp(y, y, 1, top)
	scale := weight / d.Temperature
	switch d.Beta {
	case 0:
		for j, e := range z {
			value += float64(y[j]) * float64(e)
			z[j] = float32(scale * (float64(s[j]) - float64(y[j])))
		}
		return value
	case 1:
		for j, e := range z {
			value -= float64(s[j]) * float64(e)
		}
		for j, e := range z {
			z[j] = float32(scale * float64(s[j]) * (-float64(e) - value))
		}
		return value
	}
	var mean float64 // sum of s·u
	for j, e := range z {
		u := d.logShare(float64(e))
		value += d.Beta * float64(y[j]) * (float64(e) + u)
		mean += float64(s[j]) * u
		z[j] = float32(u)
	}
	for j, u := range z {
		z[j] = float32(scale * (1 - d.Beta) * float64(s[j]) * (float64(u) - mean))
	}
	return value + (1-d.Beta)*mean
}

// logShare is log(s/m) where log(t/s) is e.
func (d Divergence) logShare(e float64) float64 {
	if e > 40 { // s has vanished in m
		return -math.Log(d.Beta) - e
	}
	return -math.Log(1 - d.Beta + d.Beta*math.Exp(e))
}
