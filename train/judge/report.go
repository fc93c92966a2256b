package judge

import "unicode/utf8"

// Report says how far verdicts can be trusted.
type Report struct {
	Model      string `json:"model"`
	Question   string `json:"question"` // hash
	Items      int    `json:"items"`
	Rows       int    `json:"rows"`
	Ties       int    `json:"ties"`                     // items of which no answer is better by enough, or of equal answers
	Failed     int    `json:"unjudged"`                 // verdicts in which the judge named no label
	Unanswered int    `json:"unanswered"`               // items of which a question failed for good
	Why        string `json:"why_unanswered,omitempty"` // the first of these failures

	Likelihood int     `json:"by_likelihood"` // verdicts
	Text       int     `json:"by_text"`
	Bias       float64 `json:"position_bias"` // mean of Verdict.Bias; 0: none
	Unsteady   int     `json:"unsteady"`      // verdicts whose orders contradict each other
	Mass       float64 `json:"label_mass"`    // mean probability of the labels together

	Score float64 `json:"score,omitempty"`     // mean over all answers, where answers are scored
	Gap   float64 `json:"score_gap,omitempty"` // mean of the chosen answer's over the rejected one's

	Known  int `json:"known"`  // rows and ties of which someone else's preference is known
	Agrees int `json:"agrees"` // of these, the judge prefers the same answer

	Longer float64 `json:"longer_chosen"` // share of rows whose chosen answer is the longer one
	Chosen float64 `json:"chosen_characters"`
	Other  float64 `json:"rejected_characters"`
}

// unanswered counts an item, and keeps why where it is the first.
func (r *Report) unanswered(err error) {
	if r.Unanswered++; r.Why == "" && err != nil {
		r.Why = err.Error()
	}
}

func (r *Report) verdict(v *Verdict) {
	if v.By == ByLikelihood {
		r.Likelihood++
	} else {
		r.Text++
	}
	r.Bias += v.Bias()
	if (v.Orders[0]-.5)*(v.Orders[1]-.5) > 0 {
		r.Unsteady++
	}
	r.Mass += (v.Mass[0] + v.Mass[1]) / 2
	if v.Mass[0] == 0 || v.Mass[1] == 0 {
		r.Failed++
	}
}

func (r *Report) score(s Score) {
	if s.By == ByLikelihood {
		r.Likelihood++
	} else {
		r.Text++
	}
	r.Score += s.Value
	r.Mass += s.Mass
	if s.Mass == 0 {
		r.Failed++
	}
}

// given compares with what someone else said of the two. Half a point is not given: a tie agrees with no one.
func (r *Report) given(it Item, best, worst int, probability float64) {
	if it.Better != best && it.Better != worst || len(it.Answers) != 2 {
		return
	}
	r.Known++
	if it.Better == best && probability > .5 {
		r.Agrees++
	}
}

func (r *Report) length(chosen, rejected string) {
	c, o := utf8.RuneCountInString(chosen), utf8.RuneCountInString(rejected)
	r.Chosen += float64(c)
	r.Other += float64(o)
	if c > o {
		r.Longer++
	}
}

// finish makes means of sums.
func (r *Report) finish() {
	if n := float64(r.Likelihood + r.Text); n > 0 {
		r.Bias /= n
		r.Mass /= n
		r.Score /= n
	}
	if n := float64(r.Rows); n > 0 {
		r.Longer /= n
		r.Gap /= n
		r.Chosen /= n
		r.Other /= n
	}
}
