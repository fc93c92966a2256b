package checkpoint

import (
	"fmt"
	"math"

	"winnow/train/bpe"
	"winnow/train/checkpoint/gguf"
	"winnow/train/checkpoint/half"
	"winnow/train/llm"
)

// Export writes a model to path in another form: format hf is a model folder with weights of type f32, f16 or bf16, format
// gguf a file of type f32, f16 or q8_0. The lineage written with it, which it gives, has the model as its parent, and as its
// hash that of the weights as they are stored. What was written is read again and compared.
func Export(path string, m *llm.Model, tok *bpe.Tokenizer, parent *Info, format, kind, program string) (*Info, error) {
	var round func(t Tensor) ([]float32, error)
	stored := map[string]string{"f32": "F32", "f16": "F16", "bf16": "BF16"}[kind]
	switch {
	case format != "hf" && format != "gguf":
		return nil, fmt.Errorf("format %q is not known; gguf and hf are", format)
	case format == "hf" && stored == "":
		return nil, fmt.Errorf("a model folder does not hold type %q; f32, f16 and bf16 are held", kind)
	case format == "hf":
		round = func(t Tensor) ([]float32, error) { return narrow(t.Data, stored) }
	case fileTypes[kind].weight == gguf.F32 && kind != "f32":
		return nil, fmt.Errorf("a GGUF file does not hold type %q; f32, f16 and q8_0 are held", kind)
	default:
		round = func(t Tensor) ([]float32, error) {
			if len(t.Shape) != 2 {
				return t.Data, nil
			}
			return gguf.Round(weightType(kind, t.Shape[1]), t.Data)
		}
	}
	rounded := Weights(m)
	for i, t := range rounded {
		var err error
		if rounded[i].Data, err = round(t); err != nil {
			return nil, fmt.Errorf("tensor %q: %w", t.Name, err)
		}
	}
	info := &Info{Kind: KindExport, Hash: Hash(rounded), Program: program, ChatTemplate: parent.ChatTemplate, Template: parent.Template, Parents: []Info{*parent}}
	if tok != nil {
		info.Tokenizer = tok.Hash()
	}
	write := func() error { return saveModel(path, m, tok, info, stored) }
	if format == "gguf" {
		write = func() error { return WriteGGUF(path, m, tok, info, kind) }
	}
	if err := write(); err != nil {
		return nil, err
	}
	return info, proveExport(path, m, info)
}

// proveExport reads an export again: it has the shape of the model, and the weights and the tokenizer that its lineage says.
func proveExport(path string, m *llm.Model, info *Info) error {
	back, tok, _, err := LoadModel(path)
	if err != nil {
		return fmt.Errorf("what was written cannot be read: %w", err)
	}
	same := back.Config
	if widen(float32(m.NormEps)) == same.NormEps && widen(float32(m.RopeTheta)) == same.RopeTheta { // GGUF holds float32
		same.NormEps, same.RopeTheta = m.NormEps, m.RopeTheta
	}
	if same != m.Config || Hash(Weights(back)) != info.Hash || tok != nil && tok.Hash() != info.Tokenizer {
		return fmt.Errorf("%s: read again it is another model", path)
	}
	return nil
}

// narrow gives values as a dtype of safetensors holds them; one that becomes infinite is an error.
func narrow(values []float32, dtype string) ([]float32, error) {
	through := func(v float32) float32 { return v }
	switch dtype {
	case "F16":
		through = func(v float32) float32 { return half.FromFloat16(half.ToFloat16(v)) }
	case "BF16":
		through = func(v float32) float32 { return half.FromBFloat16(half.ToBFloat16(v)) }
	}
	out := make([]float32, len(values))
	for i, v := range values {
		out[i] = through(v)
		if math.IsInf(float64(out[i]), 0) && !math.IsInf(float64(v), 0) {
			return nil, fmt.Errorf("%g is beyond %s", v, dtype)
		}
	}
	return out, nil
}
