package monitor

import (
	"fmt"
	"slices"
	"strings"
)

// Method is what is trained; some alarms belong to some methods alone.
type Method string

// The methods, by the names of their commands.
const (
	SFT       Method = "sft"
	RewardFit Method = "reward"
	DPO       Method = "dpo"
	KTO       Method = "kto"
	Reinforce Method = "reinforce"
	RLOO      Method = "rloo"
	GRPO      Method = "grpo"
	PPO       Method = "ppo"
)

// Level says what an alarm asks for.
type Level string

// Note explains a number that looks wrong and is not; Warn is a run that goes wrong; Stop is one that has to end.
const (
	Note Level = "note"
	Warn Level = "warning"
	Stop Level = "stop"
)

// Alarm is something about a run that its user should know, with its cause.
type Alarm struct {
	ID    string `json:"id"`
	Level Level  `json:"level"`
	Step  int    `json:"step"`
	Text
}

// Values are the measures of one step by id. A value that is no number is left out by whoever measures.
type Values map[string]float64

// Limits are what a run was told, where alarms depend on it; 0: not told.
type Limits struct {
	KLBudget  float64 `json:"kl_budget,omitempty"`  // nats a response
	MaxTokens float64 `json:"max_tokens,omitempty"` // of an answer
	Group     int     `json:"group,omitempty"`      // answers a prompt
}

// Watch looks at a run step by step. All of it is stored with a checkpoint, so that a run that goes on judges as one that never
// stopped.
type Watch struct {
	Method Method         `json:"method"`
	Limits Limits         `json:"limits"`
	First  []Values       `json:"first,omitempty"`  // the first begin steps
	Recent []Values       `json:"recent,omitempty"` // the last window steps, oldest first
	Best   Values         `json:"best,omitempty"`   // greatest mean of late steps so far
	Raised map[string]int `json:"raised,omitempty"` // by alarm, the step at which it was last raised
}

const (
	begin  = 3  // steps that what comes later is compared with
	late   = 3  // last steps that are looked at together
	window = 32 // steps remembered
	again  = 50 // steps for which an alarm that was raised is silent
)

// New makes a watch that has seen nothing.
func New(m Method, l Limits) *Watch { return &Watch{Method: m, Limits: l} }

// Look takes a step's measures in and gives the alarms that they raise. An alarm that was raised is silent for 50 steps, a note for
// good, a stop never.
func (w *Watch) Look(step int, v Values) (raised []Alarm) {
	if len(w.First) < begin {
		w.First = append(w.First, v)
	}
	w.Recent = append(w.Recent, v)
	if len(w.Recent) > window {
		w.Recent = slices.Clone(w.Recent[len(w.Recent)-window:])
	}
	s := sight{Watch: w, step: step, now: v}
	for _, r := range rules() {
		if len(r.methods) > 0 && !slices.Contains(r.methods, w.Method) {
			continue
		}
		before, seen := w.Raised[r.id]
		if seen && (r.level == Note || r.level == Warn && step-before < again) {
			continue
		}
		if !r.when(s) {
			continue
		}
		if w.Raised == nil {
			w.Raised = map[string]int{}
		}
		w.Raised[r.id] = step
		raised = append(raised, Alarm{ID: r.id, Level: r.level, Step: step, Text: r.says(s)})
	}
	s.remember()
	return raised
}

// sight is what a rule looks at.
type sight struct {
	*Watch
	step int
	now  Values
}

// has tells whether the step measured all of the ids.
func (s sight) has(ids ...string) bool {
	for _, id := range ids {
		if _, ok := s.now[id]; !ok {
			return false
		}
	}
	return true
}

// first is the mean of the measure over the run's first steps.
func (s sight) first(id string) float64 { return mean(s.First, id) }

// late is the mean over the last steps.
func (s sight) late(id string) float64 { return mean(s.lately(late), id) }

// lately is the last n steps, fewer where there are not so many.
func (s sight) lately(n int) []Values { return s.Recent[max(0, len(s.Recent)-n):] }

// past tells whether the run is past its begin and at least late steps further.
func (s sight) past() bool { return len(s.First) == begin && len(s.Recent) >= begin+late }

// all tells whether the last n steps, which must be there, all measured id and hold the condition.
func (s sight) all(n int, id string, holds func(v float64) bool) bool {
	if len(s.Recent) < n {
		return false
	}
	for _, v := range s.lately(n) {
		if x, ok := v[id]; !ok || !holds(x) {
			return false
		}
	}
	return true
}

// remember keeps the greatest late mean of the measures that are to rise, for those that fall from it later.
func (s sight) remember() {
	if len(s.Recent) < late {
		return
	}
	for _, id := range []string{True, Accuracy} {
		if !s.has(id) {
			continue
		}
		m := s.late(id)
		if best, ok := s.Best[id]; !ok || m > best {
			if s.Best == nil {
				s.Watch.Best = Values{}
			}
			s.Watch.Best[id] = m
		}
	}
}

// mean is over the steps that measured id; 0 where none did.
func mean(steps []Values, id string) float64 {
	var sum float64
	n := 0
	for _, v := range steps {
		if x, ok := v[id]; ok {
			sum += x
			n++
		}
	}
	if n == 0 {
		return 0
	}
	return sum / float64(n)
}

// Line shows the measures of a step in both languages, in the order of Measures; with ids those alone.
func Line(v Values, ids ...string) Text {
	var en, zh []string
	for _, m := range Measures() {
		x, ok := v[m.ID]
		if !ok || len(ids) > 0 && !slices.Contains(ids, m.ID) {
			continue
		}
		text := m.Show(x)
		en, zh = append(en, m.Name.EN+" "+text), append(zh, m.Name.ZH+" "+text)
	}
	return Text{strings.Join(en, "  "), strings.Join(zh, "  ")}
}

// Show writes a value of the measure.
func (m Measure) Show(x float64) string {
	if m.Share {
		return fmt.Sprintf("%.0f%%", 100*x)
	}
	return fmt.Sprintf(m.Format, x)
}
