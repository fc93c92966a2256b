package checkpoint

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"winnow/train/checkpoint/safetensors"
	"winnow/train/llm"
)

// Files of an adapter's folder, as PEFT names them, beside InfoName.
const (
	adapterConfigName = "adapter_config.json"
	adapterName       = "adapter_model.safetensors"
)

// adapterJSON is adapter_config.json: what is written, and what is read of others'.
type adapterJSON struct {
	Type          string          `json:"peft_type"`
	Task          string          `json:"task_type"`
	Base          string          `json:"base_model_name_or_path"`
	Rank          int             `json:"r"`
	Alpha         float64         `json:"lora_alpha"`
	Targets       json.RawMessage `json:"target_modules"`
	Dropout       float64         `json:"lora_dropout"`
	Bias          string          `json:"bias"`
	FanInFanOut   bool            `json:"fan_in_fan_out"`
	RankStable    bool            `json:"use_rslora"`
	DoRA          bool            `json:"use_dora"`
	LoRABias      bool            `json:"lora_bias"`
	Inference     bool            `json:"inference_mode"`
	Initialised   json.RawMessage `json:"init_lora_weights,omitempty"`
	RankPattern   json.RawMessage `json:"rank_pattern,omitempty"`
	AlphaPattern  json.RawMessage `json:"alpha_pattern,omitempty"`
	Saved         json.RawMessage `json:"modules_to_save,omitempty"`
	Layers        json.RawMessage `json:"layers_to_transform,omitempty"`
	LayersPattern json.RawMessage `json:"layers_pattern,omitempty"`
	Excluded      json.RawMessage `json:"exclude_modules,omitempty"`
	Tokens        json.RawMessage `json:"trainable_token_indices,omitempty"`
	Parameters    json.RawMessage `json:"target_parameters,omitempty"`
	Replicated    json.RawMessage `json:"layer_replication,omitempty"`
	Invocation    json.RawMessage `json:"alora_invocation_tokens,omitempty"`
	Arrow         json.RawMessage `json:"arrow_config,omitempty"`
	KaSA          json.RawMessage `json:"kasa_config,omitempty"`
	QALoRA        bool            `json:"use_qalora,omitempty"`
}

// AdapterWeights lists the adapters of a model under PEFT's names; their Data is the model's memory.
func AdapterWeights(m *llm.Model) []Tensor {
	var tensors []Tensor
	for _, w := range m.Adapters() {
		tensors = append(tensors, Tensor{Name: w.Name, Shape: shapeOf(w), Data: w.Data})
	}
	return tensors
}

// SaveAdapter writes the adapters of m to a folder that PEFT loads: float32 weights, configuration, lineage. base is where the
// adapted model lies: a folder, taken from the adapter's own where it is relative, or another program's name for it. It sets
// info's Hash; the lineage comes last.
func SaveAdapter(dir string, m *llm.Model, base string, info *Info) error {
	l := m.LoRA()
	if l == nil {
		return fmt.Errorf("%s: the model has no adapters", dir)
	}
	targets, err := json.Marshal(l.Targets)
	if err != nil {
		return err
	}
	j := adapterJSON{Type: "LORA", Task: "CAUSAL_LM", Base: base, Rank: l.Rank, Alpha: l.Alpha, Targets: targets, Bias: "none", Inference: true, Initialised: json.RawMessage("true")}
	tensors := AdapterWeights(m)
	info.Hash = Hash(tensors)
	for _, f := range []struct {
		name  string
		write func(io.Writer) error
	}{
		{adapterName, func(w io.Writer) error {
			return safetensors.Write(w, "F32", tensors, map[string]string{"format": "pt"})
		}},
		{adapterConfigName, writeJSON(j)},
	} {
		if err := replaceFile(filepath.Join(dir, f.name), f.write); err != nil {
			return fmt.Errorf("%s: %w", filepath.Join(dir, f.name), err)
		}
	}
	return WriteInfo(dir, info)
}

// IsAdapter reports whether dir is an adapter's folder.
func IsAdapter(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, adapterConfigName))
	return err == nil
}

// ReadAdapter adapts m, which must be the model that the adapters in dir were trained on, and reads them. The lineage of
// adapters from elsewhere has KindAdapter and no parents. What PEFT would compute otherwise is refused by the key's name.
func ReadAdapter(dir string, m *llm.Model) (*Info, error) {
	l, _, err := adapterConfig(dir)
	if err != nil {
		return nil, err
	}
	set, err := safetensors.Open(filepath.Join(dir, adapterName))
	if err != nil {
		return nil, err
	}
	defer set.Close()
	shapes := map[string][]int{}
	for _, e := range set.Entries() {
		shapes[e.Name] = e.Shape
	}
	if len(shapes) > 14*m.Layers || l.Rank > max(m.Dim, m.FFN, m.Heads*m.HeadDim) {
		return nil, fmt.Errorf("%s: %d tensors of rank %d for %d layers of width %d", dir, len(shapes), l.Rank, m.Layers, m.Dim)
	}
	if err := m.Adapt(l); err != nil {
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	tensors := AdapterWeights(m)
	for _, t := range tensors {
		if err := checkShape(shapes, t.Name, t.Shape...); err != nil {
			return nil, fmt.Errorf("%s: %w", dir, err)
		}
		if err := set.Read(t.Name, t.Data); err != nil {
			return nil, fmt.Errorf("%s: %w", dir, err)
		}
		delete(shapes, t.Name)
	}
	for name := range shapes {
		return nil, fmt.Errorf("%s: tensor %q has no place in this model", dir, name)
	}
	info, err := ReadInfo(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return &Info{Kind: KindAdapter, Hash: Hash(tensors)}, nil
	}
	return info, err
}

// ReadAdapterWeights reads the adapters in dir alone, under PEFT's names, and their lineage.
func ReadAdapterWeights(dir string) ([]Tensor, *Info, error) {
	set, err := safetensors.Open(filepath.Join(dir, adapterName))
	if err != nil {
		return nil, nil, err
	}
	defer set.Close()
	tensors, err := set.Tensors()
	if err != nil {
		return nil, nil, err
	}
	info, err := ReadInfo(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return tensors, &Info{Kind: KindAdapter, Hash: Hash(tensors)}, nil
	}
	return tensors, info, err
}

// adapterConfig reads adapter_config.json.
func adapterConfig(dir string) (l llm.LoRA, base string, err error) {
	path := filepath.Join(dir, adapterConfigName)
	b, err := os.ReadFile(path)
	if err != nil {
		return l, "", err
	}
	var j adapterJSON
	if err := json.Unmarshal(b, &j); err != nil {
		return l, "", fmt.Errorf("%s: %w", path, err)
	}
	l, err = j.lora()
	if err != nil {
		err = fmt.Errorf("%s: %w", path, err)
	}
	return l, j.Base, err
}

// lora is what j says, refused where this program would compute something else.
func (j *adapterJSON) lora() (llm.LoRA, error) {
	var bad []error
	refuse := func(when bool, format string, args ...any) {
		if when {
			bad = append(bad, fmt.Errorf(format+" is not supported", args...))
		}
	}
	refuse(j.Type != "LORA", "peft_type %q", j.Type)
	refuse(j.Bias != "" && j.Bias != "none", "bias %q", j.Bias)
	refuse(j.FanInFanOut, "fan_in_fan_out")
	refuse(j.DoRA, "use_dora")
	refuse(j.LoRABias, "lora_bias")
	refuse(j.QALoRA, "use_qalora")
	// The others take what they put into the adapters out of the model.
	refuse(!slices.Contains([]string{"", "null", "true", "false", `"gaussian"`, `"orthogonal"`, `"eva"`}, string(j.Initialised)), "init_lora_weights %s", j.Initialised)
	for _, part := range []struct {
		name string
		set  json.RawMessage
	}{{"rank_pattern", j.RankPattern}, {"alpha_pattern", j.AlphaPattern}, {"modules_to_save", j.Saved}, {"layers_to_transform", j.Layers}, {"layers_pattern", j.LayersPattern},
		{"exclude_modules", j.Excluded}, {"trainable_token_indices", j.Tokens}, {"target_parameters", j.Parameters}, {"layer_replication", j.Replicated}, {"alora_invocation_tokens", j.Invocation}, {"arrow_config", j.Arrow}, {"kasa_config", j.KaSA}} {
		refuse(!slices.Contains([]string{"", "null", "{}", "[]"}, string(part.set)), "%s %s", part.name, part.set)
	}
	l := llm.LoRA{Rank: j.Rank, Alpha: j.Alpha}
	if j.RankStable { // alpha over the root of the rank
		l.Alpha *= math.Sqrt(float64(j.Rank))
	}
	if err := json.Unmarshal(j.Targets, &l.Targets); err != nil {
		refuse(string(j.Targets) != `"all-linear"`, "target_modules %s", j.Targets)
	} else if len(l.Targets) == 0 {
		bad = append(bad, errors.New("target_modules is empty"))
	}
	for i, name := range l.Targets { // PEFT may list each layer's by its path; whether all are there, the tensors tell
		l.Targets[i] = name[strings.LastIndexByte(name, '.')+1:]
	}
	return l, errors.Join(bad...)
}

// loadAdapted reads the model that the adapters in dir belong to, and merges them.
func loadAdapted(dir string) (*llm.Model, string, *Info, error) {
	_, base, err := adapterConfig(dir)
	if err != nil {
		return nil, "", nil, err
	}
	if base == "" {
		return nil, "", nil, fmt.Errorf("%s: base_model_name_or_path is empty", filepath.Join(dir, adapterConfigName))
	}
	if !filepath.IsAbs(base) {
		base = filepath.Join(dir, filepath.FromSlash(base))
	}
	if IsAdapter(base) {
		return nil, "", nil, fmt.Errorf("%s: the model of these adapters, %s, is adapters too", dir, base)
	}
	m, _, err := loadWeights(base)
	if err != nil {
		return nil, "", nil, fmt.Errorf("%s: the model of these adapters: %w", dir, err)
	}
	info, err := ReadAdapter(dir, m)
	if err != nil {
		return nil, "", nil, err
	}
	pool, err := llm.NewPool(0, "")
	if err != nil {
		return nil, "", nil, err
	}
	defer pool.Close()
	m.Merge(pool)
	return m, base, info, nil
}
