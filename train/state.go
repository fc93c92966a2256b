package train

import (
	"encoding/json"
	"fmt"

	"winnow/train/checkpoint"
	"winnow/train/llm"
)

// rest is what a checkpoint holds of a Loop beside weights, moments, step and row.
type rest struct {
	Tokens int64  `json:"tokens"`
	Guard  *Guard `json:"guard"`
}

// state is the loop as a checkpoint stores it: everything that the next step depends on.
func (l *Loop) state(p *Plan) (*checkpoint.State, error) {
	extra, err := json.Marshal(rest{l.Tokens, l.Guard})
	if err != nil {
		return nil, err
	}
	config, err := json.Marshal(l.Model)
	if err != nil {
		return nil, err
	}
	s := &checkpoint.State{Step: int64(l.Step), Cursor: l.Row, Extra: extra, Config: config, Kernel: l.Pool.Kernel(),
		Hashes: map[string]string{"tokenizer": p.Tokenizer}, Weights: checkpoint.Weights(l.Params)}
	for _, d := range p.Asked.Data {
		s.Hashes["data "+d.Run] = d.Hash
	}
	s.M, s.V = moments(l.Params, l.Adam)
	return s, nil
}

// restore puts the loop where a checkpoint stood.
func (l *Loop) restore(s *checkpoint.State) error {
	var extra rest
	if err := json.Unmarshal(s.Extra, &extra); err != nil || extra.Guard == nil {
		return fmt.Errorf("checkpoint of step %d: no state of this loop (%v)", s.Step, err)
	}
	if err := checkpoint.Restore(checkpoint.Weights(l.Params), s.Weights); err != nil {
		return fmt.Errorf("checkpoint of step %d: %w", s.Step, err)
	}
	m, v := moments(l.Params, l.Adam)
	if err := checkpoint.Restore(m, s.M); err != nil {
		return fmt.Errorf("checkpoint of step %d: %w", s.Step, err)
	}
	if err := checkpoint.Restore(v, s.V); err != nil {
		return fmt.Errorf("checkpoint of step %d: %w", s.Step, err)
	}
	l.Step, l.Row, l.Tokens, l.Guard = int(s.Step), s.Cursor, extra.Tokens, extra.Guard
	return nil
}

// moments are AdamW's, one vector for each trained tensor, sharing its memory.
func moments(m *llm.Model, o *llm.AdamW) (first, second []checkpoint.Tensor) {
	for i, p := range m.Params() {
		shape := []int{len(p.Value)}
		first = append(first, checkpoint.Tensor{Name: p.Name, Shape: shape, Data: o.M[i]})
		second = append(second, checkpoint.Tensor{Name: p.Name, Shape: shape, Data: o.V[i]})
	}
	return first, second
}
