package compare

import (
	"encoding/binary"
	"errors"
	"iter"
	"math"

	"winnow"
	"winnow/shard/store"
)

func appendOutcome(b []byte, o *winnow.Outcome) []byte {
	v := &o.Verdict
	detail, same := v.Detail, bit(v.Detail == o.Cluster) // which it mostly is
	if same == 1 {
		detail = ""
	}
	b = append(b, bit(v.Drop)|same<<1)
	for _, s := range [...]string{v.Stage, v.Rule, detail, o.Cluster} {
		b = append(binary.AppendUvarint(b, uint64(len(s))), s...)
	}
	for _, x := range [...]float32{v.Value, v.Bound.Min, v.Bound.Max, o.Similarity} {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(x))
	}
	for _, n := range [...]int{int(o.Size), int(o.Weight), len(o.Edits)} {
		b = binary.AppendUvarint(b, uint64(n))
	}
	for i := range o.Edits {
		e := &o.Edits[i]
		b = append(binary.AppendUvarint(b, uint64(len(e.Rule))), e.Rule...)
		b = binary.AppendUvarint(binary.AppendUvarint(b, uint64(e.Start)), uint64(e.End))
		b = append(binary.AppendUvarint(b, uint64(len(e.With))), e.With...)
	}
	return b
}

// decoder takes values off the front of b; what is not there is zero, and sets bad.
type decoder struct {
	b   []byte
	bad bool
}

func (d *decoder) string() string {
	s, rest, ok := cut(d.b)
	d.b, d.bad = rest, d.bad || !ok
	return string(s)
}

func (d *decoder) uint() int {
	n, k := binary.Uvarint(d.b)
	if k <= 0 || n > math.MaxInt32 {
		d.b, d.bad = nil, true
		return 0
	}
	d.b = d.b[k:]
	return int(n)
}

func (d *decoder) float() float32 {
	if len(d.b) < 4 {
		d.b, d.bad = nil, true
		return 0
	}
	x := math.Float32frombits(binary.LittleEndian.Uint32(d.b))
	d.b = d.b[4:]
	return x
}

var errOutcome = errors.New("damaged outcome")

func parseOutcome(b []byte) (o winnow.Outcome, err error) {
	if len(b) == 0 {
		return o, errOutcome
	}
	v := &o.Verdict
	v.Drop = b[0]&1 != 0
	d := &decoder{b: b[1:]}
	v.Stage, v.Rule, v.Detail, o.Cluster = d.string(), d.string(), d.string(), d.string()
	if b[0]&2 != 0 {
		v.Detail = o.Cluster
	}
	v.Value, v.Bound.Min, v.Bound.Max, o.Similarity = d.float(), d.float(), d.float(), d.float()
	o.Size, o.Weight = int32(d.uint()), int32(d.uint())
	for n := d.uint(); n > 0 && !d.bad; n-- {
		o.Edits = append(o.Edits, winnow.Edit{Rule: d.string(), Start: d.uint(), End: d.uint(), With: d.string()})
	}
	if d.bad || len(d.b) > 0 {
		return o, errOutcome
	}
	return o, nil
}

// Settled is the outcome of one row.
type Settled struct {
	Row     int
	Outcome winnow.Outcome
}

// Outcomes reads back what Resolve wrote about one shard, by row.
func Outcomes(s *store.Store, path string, shard int) iter.Seq2[Settled, error] {
	return entries(s, path, shard, (*Settled).parse)
}

func (s *Settled) parse(b []byte) ([]byte, error) {
	if len(b) < 4 {
		return nil, errOutcome
	}
	s.Row = int(binary.LittleEndian.Uint32(b))
	raw, rest, ok := cut(b[4:])
	if !ok {
		return nil, errOutcome
	}
	var err error
	s.Outcome, err = parseOutcome(raw)
	return rest, err
}
