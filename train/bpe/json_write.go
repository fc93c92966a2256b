package bpe

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
)

// WriteJSON writes the tokenizer as a tokenizer.json (version 1.0 of Hugging Face's tokenizers), the same bytes each time:
// vocabulary by id, merges by rank as pairs. What Train was told is kept in model.trained, which other readers pass over.
func (t *Tokenizer) WriteJSON(w io.Writer) error {
	b := bufio.NewWriter(w)
	j := jsonWriter{b: b}
	j.text(`{"version":"1.0","truncation":null,"padding":null,"added_tokens":`)
	added := t.added
	if added == nil {
		added = []Added{}
	}
	j.value(added)
	j.text(`,"normalizer":`)
	if t.nfc {
		j.text(`{"type":"NFC"}`)
	} else {
		j.text(`null`)
	}
	j.text(`,"pre_tokenizer":`)
	j.value(t.splitter.preTokenizer())
	j.text(`,"post_processor":`)
	j.value(t.postProcessor())
	j.text(`,"decoder":`)
	j.value(byteLevel(true))
	j.text(`,"model":{"type":"BPE","dropout":null,"unk_token":null,"continuing_subword_prefix":null,"end_of_word_suffix":null,"fuse_unk":false,"byte_fallback":false,"ignore_merges":`)
	j.value(t.whole != nil)
	if t.trained != nil {
		j.text(`,"trained":`)
		j.value(t.trained)
	}
	j.text(`,"vocab":{`)
	sep := "\n"
	for id, name := range t.Tokens() {
		if t.kinds[id] != hole {
			j.text(sep)
			j.value(name)
			j.text(fmt.Sprintf(":%d", id))
			sep = ",\n"
		}
	}
	j.text(`},"merges":[`)
	sep = "\n"
	for _, m := range t.Merges() {
		j.text(sep)
		j.value(m)
		sep = ",\n"
	}
	j.text("]}}\n")
	if j.err != nil {
		return fmt.Errorf("tokenizer.json: %w", j.err)
	}
	return b.Flush()
}

// jsonWriter keeps the first error.
type jsonWriter struct {
	b   *bufio.Writer
	err error
}

func (j *jsonWriter) text(s string) {
	if j.err == nil {
		_, j.err = j.b.WriteString(s)
	}
}

func (j *jsonWriter) value(v any) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil && j.err == nil {
		j.err = err
	}
	j.text(string(bytes.TrimSpace(buf.Bytes())))
}

type byteLevelStep struct {
	Type           string `json:"type"`
	AddPrefixSpace bool   `json:"add_prefix_space"`
	TrimOffsets    bool   `json:"trim_offsets"`
	UseRegex       bool   `json:"use_regex"`
}

func byteLevel(regex bool) byteLevelStep { return byteLevelStep{"ByteLevel", false, true, regex} }

type splitStep struct {
	Type     string            `json:"type"`
	Pattern  map[string]string `json:"pattern"`
	Behavior string            `json:"behavior"`
	Invert   bool              `json:"invert"`
}

type sequenceStep struct {
	Type  string `json:"type"`
	Steps []any  `json:"pretokenizers"`
}

// preTokenizer is the splitter as tokenizer.json has it: its patterns, of which ByteLevel knows GPT-2's itself.
func (s *splitter) preTokenizer() any {
	seq := sequenceStep{Type: "Sequence"}
	regex := false
	for _, p := range s.patterns {
		if p == gpt2Pattern {
			regex = true
			continue
		}
		seq.Steps = append(seq.Steps, splitStep{"Split", map[string]string{"Regex": p}, "Isolated", false})
	}
	if len(seq.Steps) == 0 {
		return byteLevel(regex)
	}
	seq.Steps = append(seq.Steps, byteLevel(regex))
	return seq
}

// postProcessor is that of the file read, or one that puts bos before a text when asked for special tokens.
func (t *Tokenizer) postProcessor() any {
	if t.post != nil {
		return t.post
	}
	if t.trained == nil || t.bos < 0 {
		return byteLevel(true)
	}
	type object = map[string]any
	bos := t.tokens[t.bos]
	part := object{"SpecialToken": object{"id": bos, "type_id": 0}}
	sequence := func(id string, typ int) object { return object{"Sequence": object{"id": id, "type_id": typ}} }
	return object{
		"type":           "TemplateProcessing",
		"single":         []object{part, sequence("A", 0)},
		"pair":           []object{part, sequence("A", 0), object{"SpecialToken": object{"id": bos, "type_id": 1}}, sequence("B", 1)},
		"special_tokens": object{bos: object{"id": bos, "ids": []int32{t.bos}, "tokens": []string{bos}}},
	}
}
