package checkpoint

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"winnow/train/llm"
)

// Architectures of transformers that a model can be.
const (
	llamaArchitecture = "LlamaForCausalLM"
	qwen2Architecture = "Qwen2ForCausalLM"
	causalSuffix      = "ForCausalLM"
	rewardSuffix      = "ForSequenceClassification" // in its place: the architecture of a reward model
)

// ropeJSON is rope_parameters (transformers 5) or rope_scaling (before).
type ropeJSON struct {
	Type    string   `json:"rope_type,omitempty"`
	OldType string   `json:"type,omitempty"`
	Theta   float64  `json:"rope_theta,omitempty"`
	Partial *float64 `json:"partial_rotary_factor,omitempty"`
}

// plain says why the positions are not those of this program.
func (r *ropeJSON) plain() error {
	if r == nil {
		return nil
	}
	for _, name := range []string{r.Type, r.OldType} {
		if name != "" && name != "default" {
			return fmt.Errorf("rope_scaling %q is not supported", name)
		}
	}
	if r.Partial != nil && *r.Partial != 1 {
		return fmt.Errorf("partial_rotary_factor %g is not supported", *r.Partial)
	}
	return nil
}

// configJSON is config.json: what is written, and what is read of others' (pointers: may be missing or null).
type configJSON struct {
	Architectures     []string        `json:"architectures"`
	ModelType         string          `json:"model_type"`
	Vocab             int             `json:"vocab_size"`
	Dim               int             `json:"hidden_size"`
	FFN               int             `json:"intermediate_size"`
	Layers            int             `json:"num_hidden_layers"`
	Heads             int             `json:"num_attention_heads"`
	KVHeads           *int            `json:"num_key_value_heads"`
	HeadDim           *int            `json:"head_dim"`
	Context           int             `json:"max_position_embeddings"`
	NormEps           *float64        `json:"rms_norm_eps"`
	RopeTheta         *float64        `json:"rope_theta,omitempty"`
	RopeParameters    *ropeJSON       `json:"rope_parameters,omitempty"`
	RopeScaling       *ropeJSON       `json:"rope_scaling,omitempty"`
	Tied              bool            `json:"tie_word_embeddings"`
	Activation        string          `json:"hidden_act"`
	AttentionBias     bool            `json:"attention_bias"`
	MLPBias           bool            `json:"mlp_bias"`
	UseSlidingWindow  *bool           `json:"use_sliding_window,omitempty"`
	SlidingWindow     *int            `json:"sliding_window,omitempty"`
	LayerTypes        []string        `json:"layer_types,omitempty"`
	RopeInterleaved   bool            `json:"rope_interleaved,omitempty"`
	Quantisation      json.RawMessage `json:"quantization_config,omitempty"`
	BOS               *int32          `json:"bos_token_id,omitempty"`
	EOS               *int32          `json:"eos_token_id,omitempty"`
	PAD               *int32          `json:"pad_token_id,omitempty"`
	TorchType         string          `json:"torch_dtype,omitempty"`
	Type              string          `json:"dtype,omitempty"`
	InitialisedWithin float64         `json:"initializer_range,omitempty"`

	Labels   map[string]string `json:"id2label,omitempty"` // of a classifier
	LabelIDs map[string]int    `json:"label2id,omitempty"`
}

// encodeConfig gives config.json of a model whose weights are stored as torchType ("float32", "float16", "bfloat16").
// reward makes it a classifier's with one label.
func encodeConfig(c llm.Config, ids specials, torchType string, reward bool) ([]byte, error) {
	no := false
	j := configJSON{
		Architectures: []string{llamaArchitecture}, ModelType: "llama", Vocab: c.Vocab, Dim: c.Dim, FFN: c.FFN, Layers: c.Layers, Heads: c.Heads,
		KVHeads: &c.KVHeads, HeadDim: &c.HeadDim, Context: c.Context, NormEps: &c.NormEps, RopeTheta: &c.RopeTheta,
		RopeParameters: &ropeJSON{Type: "default", Theta: c.RopeTheta}, Tied: c.Tied, Activation: "silu",
		BOS: ids.bos, EOS: ids.eos, PAD: ids.pad, TorchType: torchType, Type: torchType, InitialisedWithin: 0.02,
	}
	if c.QKVBias {
		j.Architectures, j.ModelType, j.UseSlidingWindow = []string{qwen2Architecture}, "qwen2", &no
	}
	if reward {
		j.Architectures[0] = strings.TrimSuffix(j.Architectures[0], causalSuffix) + rewardSuffix
		j.Labels, j.LabelIDs = map[string]string{"0": "LABEL_0"}, map[string]int{"LABEL_0": 0}
	}
	return indent(j)
}

// readConfig reads a folder's config.json, without judging it.
func readConfig(dir string) (*configJSON, error) {
	path := filepath.Join(dir, configName)
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	j := new(configJSON)
	if err := json.Unmarshal(b, j); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return j, nil
}

// decodeConfig reads a config.json. What would make this program compute something else than transformers does is refused
// by its name: another architecture or activation, scaled or partial rotary positions, a sliding window in use, biases on
// other layers, quantised weights.
func decodeConfig(b []byte) (llm.Config, string, error) {
	var j configJSON
	if err := json.Unmarshal(b, &j); err != nil {
		return llm.Config{}, "", err
	}
	return j.model()
}

// model is the shape that j says, and the architecture.
func (j *configJSON) model() (llm.Config, string, error) {
	architecture, err := j.architecture()
	if err != nil {
		return llm.Config{}, "", err
	}
	if err := j.supported(architecture); err != nil {
		return llm.Config{}, "", err
	}
	c := llm.Config{
		Vocab: j.Vocab, Context: j.Context, Dim: j.Dim, FFN: j.FFN, Layers: j.Layers, Heads: j.Heads, KVHeads: j.Heads,
		NormEps: 1e-6, RopeTheta: 10000, Tied: j.Tied, QKVBias: architecture == qwen2Architecture,
	}
	if j.KVHeads != nil {
		c.KVHeads = *j.KVHeads
	}
	if j.NormEps != nil {
		c.NormEps = *j.NormEps
	}
	switch {
	case j.RopeParameters != nil && j.RopeParameters.Theta != 0:
		c.RopeTheta = j.RopeParameters.Theta
	case j.RopeTheta != nil:
		c.RopeTheta = *j.RopeTheta
	}
	switch {
	case j.HeadDim != nil:
		c.HeadDim = *j.HeadDim
	case j.Heads > 0 && j.Dim%j.Heads == 0:
		c.HeadDim = j.Dim / j.Heads
	default:
		return llm.Config{}, "", fmt.Errorf("hidden_size %d does not divide into num_attention_heads %d", j.Dim, j.Heads)
	}
	return c, architecture, c.Validate()
}

// architecture names the class of transformers, from architectures or, where that is missing, from model_type.
func (j *configJSON) architecture() (string, error) {
	byType := map[string]string{"llama": llamaArchitecture, "qwen2": qwen2Architecture}[j.ModelType]
	switch {
	case len(j.Architectures) == 0 && byType != "":
		return byType, nil
	case len(j.Architectures) == 0:
		return "", fmt.Errorf("model_type %q is not supported; llama and qwen2 are", j.ModelType)
	case len(j.Architectures) == 1 && strings.HasSuffix(j.Architectures[0], rewardSuffix):
		return "", fmt.Errorf("architecture %q: this is a reward model, which judges answers and writes none", j.Architectures[0])
	case len(j.Architectures) > 1 || j.Architectures[0] != llamaArchitecture && j.Architectures[0] != qwen2Architecture:
		return "", fmt.Errorf("architecture %q is not supported; %s and %s are", j.Architectures, llamaArchitecture, qwen2Architecture)
	case j.ModelType != "" && byType != j.Architectures[0]:
		return "", fmt.Errorf("model_type %q does not fit architecture %q", j.ModelType, j.Architectures[0])
	}
	return j.Architectures[0], nil
}

func (j *configJSON) supported(architecture string) error {
	var bad []error
	refuse := func(format string, args ...any) { bad = append(bad, fmt.Errorf(format+" is not supported", args...)) }
	if j.Activation != "" && j.Activation != "silu" {
		refuse("hidden_act %q", j.Activation)
	}
	bad = append(bad, j.RopeParameters.plain(), j.RopeScaling.plain())
	if j.RopeInterleaved {
		refuse("rope_interleaved")
	}
	// Llama has no window of its own; Qwen2 has one that a second key turns on.
	inUse := architecture == llamaArchitecture
	if j.UseSlidingWindow != nil {
		inUse = *j.UseSlidingWindow
	}
	if inUse && j.SlidingWindow != nil {
		refuse("sliding_window %d", *j.SlidingWindow)
	}
	for _, layer := range j.LayerTypes {
		if layer != "full_attention" {
			refuse("layer_types %q", layer)
		}
	}
	if j.AttentionBias && architecture == llamaArchitecture {
		refuse("attention_bias")
	}
	if j.MLPBias {
		refuse("mlp_bias")
	}
	if len(j.Quantisation) > 0 && string(j.Quantisation) != "null" {
		refuse("quantization_config")
	}
	return errors.Join(bad...)
}

// indent gives JSON for people, without escapes for HTML, and a line's end.
func indent(v any) ([]byte, error) {
	b, err := json.MarshalIndent(v, "", "  ")
	return append(b, '\n'), err
}
