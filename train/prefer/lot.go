package prefer

import (
	"winnow/train/llm"
)

// most is how many positions go through one pass; a step of more goes through several, of which the gradients are added.
const most = 1 << 14

// lot is a batch of whole sequences: one row in which they stand one behind the other. Positions begin anew with each, so that none
// sees another, and nothing is padding.
type lot struct {
	llm.Batch
	parts []part
}

// part is where a sequence stands: positions from to to-1.
type part struct{ from, to int }

func (l *lot) reset() {
	l.IDs, l.Targets, l.Pos, l.parts = l.IDs[:0], l.Targets[:0], l.Pos[:0], l.parts[:0]
	l.Rows, l.Len = 1, 0
}

// add appends a sequence of which the counted ids are to be predicted; the last id is nobody's input.
func (l *lot) add(a *answer) {
	from := len(l.IDs)
	for i, id := range a.IDs[:len(a.IDs)-1] {
		target := int32(-1)
		if a.Targets[i+1] {
			target = a.IDs[i+1]
		}
		l.IDs, l.Targets, l.Pos = append(l.IDs, id), append(l.Targets, target), append(l.Pos, int32(i))
	}
	l.close(from)
}

// addWhole appends all ids of a sequence, of which none is predicted: for a head at the last one.
func (l *lot) addWhole(ids []int32) {
	from := len(l.IDs)
	for i, id := range ids {
		l.IDs, l.Targets, l.Pos = append(l.IDs, id), append(l.Targets, -1), append(l.Pos, int32(i))
	}
	l.close(from)
}

func (l *lot) close(from int) {
	l.parts = append(l.parts, part{from, len(l.IDs)})
	l.Len = len(l.IDs)
}

// sum is the sum of log-probabilities of a sequence's counted ids.
func (p part) sum(nats []float32) float64 { return -p.total(nats) }

// total is the sum of what is measured at a sequence's counted ids.
func (p part) total(list []float32) (sum float64) {
	for _, v := range list[p.from:p.to] {
		sum += float64(v)
	}
	return sum
}

// push hands the derivative for the sum to each counted id.
func (p part) push(l *lot, g []float32, slope float64) {
	for i := p.from; i < p.to; i++ {
		if l.Targets[i] >= 0 {
			g[i] = float32(-slope)
		}
	}
}

// passes cuts things into runs of at most most positions, of at least one thing each.
func passes[T any](list []T, size func(T) int) (out [][]T) {
	from, room := 0, most
	for i, x := range list {
		n := size(x)
		if i > from && n > room {
			out = append(out, list[from:i])
			from, room = i, most
		}
		room -= n
	}
	if from < len(list) {
		out = append(out, list[from:])
	}
	return out
}

func (d *duo) size() int { return len(d.chosen.IDs) + len(d.rejected.IDs) }

// positions is what duos cost.
func positions(list []*duo) (n int64) {
	for _, d := range list {
		n += int64(d.size())
	}
	return n
}
