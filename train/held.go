package train

import (
	"fmt"
	"math"
	"slices"

	"winnow/train/llm"
	"winnow/train/rows"
)

// Held is text that is not trained on, ready to be evaluated: rows in batches, and for each position the language whose sum
// it belongs to. Ends of documents have no bytes and belong to none.
type Held struct {
	Languages []string         // en, zh, other: those that there are, in this order
	Bytes     map[string]int64 // of text, by language and "all"
	Tokens    map[string]int64 // text tokens
	Texts     map[string][][]int32
	batches   []llm.Batch
	groups    [][]int8 // index in Languages; -1: does not count
}

// heldTokens is how many text tokens of a language are evaluated on, about: whole documents, in order, until there are so many.
const heldTokens = 1 << 15

// heldRows is how many rows are evaluated at once.
const heldRows = 8

// All is the name under which all languages are summed up.
const All = "all"

// languageGroup puts languages into those that are told apart.
func languageGroup(language string) string {
	switch language {
	case "en", "eng":
		return "en"
	case "zh", "zho", "cmn", "yue":
		return "zh"
	}
	return "other"
}

// NewHeld takes the held-out documents of some sources, each text token once.
func NewHeld(sources []rows.Source, o rows.Options) (*Held, error) {
	h := &Held{Bytes: map[string]int64{}, Tokens: map[string]int64{}, Texts: map[string][][]int32{}}
	var chosen []rows.Source
	for _, src := range sources {
		var docs []int
		for _, d := range src.Docs {
			g := languageGroup(src.Tokens.Language(d))
			if h.Tokens[g] >= heldTokens {
				continue
			}
			ids, err := src.Tokens.Doc(nil, d)
			if err != nil {
				return nil, err
			}
			h.Texts[g] = append(h.Texts[g], ids)
			for _, name := range []string{g, All} {
				h.Tokens[name] += int64(len(ids))
				h.Bytes[name] += src.Tokens.Bytes(d)
			}
			docs = append(docs, d)
		}
		if len(docs) > 0 {
			chosen = append(chosen, rows.Source{Name: src.Name, Tokens: src.Tokens, Docs: docs})
		}
	}
	for _, g := range []string{"en", "zh", "other"} {
		if h.Tokens[g] > 0 {
			h.Languages = append(h.Languages, g)
		}
	}
	for _, src := range chosen {
		if err := h.add(src, o); err != nil {
			return nil, fmt.Errorf("held out: %w", err)
		}
	}
	return h, nil
}

// add makes batches of one epoch of a source.
func (h *Held) add(src rows.Source, o rows.Options) error {
	stream, err := rows.NewStream([]rows.Source{src}, o)
	if err != nil {
		return err
	}
	n, err := stream.EpochRows(0, 0)
	if err != nil {
		return err
	}
	for first := int64(0); first < n; first += heldRows {
		count := int(min(heldRows, n-first))
		size := count * o.Len
		b := llm.Batch{Rows: count, Len: o.Len, IDs: make([]int32, size), Targets: make([]int32, size), Pos: make([]int32, size)}
		if err := stream.Fill(first, b.IDs, b.Targets, b.Pos); err != nil {
			return err
		}
		groups := make([]int8, 0, size)
		for i := range count {
			parts, err := stream.Parts(first + int64(i))
			if err != nil {
				return err
			}
			for _, p := range parts {
				g := int8(slices.Index(h.Languages, languageGroup(p.Language)))
				for k := range p.Len {
					if p.From+k == p.Pairs-1 {
						g = -1 // the end of the document
					}
					groups = append(groups, g)
				}
			}
			for len(groups) < (i+1)*o.Len {
				groups = append(groups, -1)
			}
		}
		h.batches, h.groups = append(h.batches, b), append(h.groups, groups)
	}
	return nil
}

// BitsPerByte is sum of nats / (ln 2 · bytes of text), by language and "all". nats gives -log p of each target of a batch.
func (h *Held) BitsPerByte(nats func(*llm.Batch) ([]float32, error)) (map[string]float64, error) {
	sums := make([]float64, len(h.Languages))
	for i := range h.batches {
		list, err := nats(&h.batches[i])
		if err != nil {
			return nil, fmt.Errorf("held out: %w", err)
		}
		for k, g := range h.groups[i] {
			if g >= 0 {
				sums[g] += float64(list[k])
			}
		}
	}
	out := map[string]float64{}
	var all float64
	for i, g := range h.Languages {
		out[g] = sums[i] / (math.Ln2 * float64(h.Bytes[g]))
		all += sums[i]
	}
	if h.Bytes[All] > 0 {
		out[All] = all / (math.Ln2 * float64(h.Bytes[All]))
	}
	return out, nil
}

func median(list []float64) float64 {
	sorted := slices.Sorted(slices.Values(list))
	if len(sorted) == 0 {
		return 0
	}
	return sorted[len(sorted)/2]
}
