package pipelines

import (
	"errors"
	"strings"
	"testing"
)

const trainRecipe = `name: x
input: {jsonl: [a.jsonl]}
stages:
  - filter: {use: [gopher]}
train:
  - base: {depth: 1, tokens: 300k}
  - sft: {data: [chat.jsonl], lora: {rank: 4}, set: {name: winnow}, template: plain}
  - policy:
      method: dpo
      data: [pairs.jsonl]
`

func TestTrainStepsAreDecodedStrictly(t *testing.T) {
	r, err := Parse("r.yaml", []byte(trainRecipe))
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Train) != 3 || r.Train[0].Base.Tokens != 3e5 || r.Train[1].SFT.LoRA.Rank != 4 || r.Train[2].Policy.Parent != "sft" || r.Train[1].SFT.Set["name"] != "winnow" {
		t.Errorf("decoded %+v", r.Train)
	}
	for _, c := range []struct{ from, to, place, hint string }{
		{"lora:", "lroa:", "r.yaml:7:31", "lora"},
		{"method: dpo", "method: dop", "r.yaml:9:15", "dpo"},
		{"policy:", "polcy:", "r.yaml:8:5", "policy"},
		{"data: [pairs.jsonl]", "parent: sfd\n      data: [pairs.jsonl]", "r.yaml:10:15", "sft"},
		{"300k", "300 kilo", "r.yaml:6:30", ""},
		{"data: [chat.jsonl]", "dta: [chat.jsonl]", "r.yaml:7:11", "data"},
	} {
		_, err := Parse("r.yaml", []byte(strings.Replace(trainRecipe, c.from, c.to, 1)))
		var e *RecipeError
		if !errors.As(err, &e) || !strings.HasPrefix(e.Error(), c.place) || e.Hint != c.hint {
			t.Errorf("%s: %v", c.to, err)
		}
	}
}
