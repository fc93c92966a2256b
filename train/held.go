package train

import (
	"iter"

	"winnow/train/bpe"
	"winnow/train/eval"
	"winnow/train/rows"
)

const (
	heldBytes   = 1 << 17 // of text held out that is evaluated on, for each language, about
	gramsTokens = 1 << 23 // of training text that n-grams are counted on, about
)

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

// heldOut takes the held-out documents of all sources.
func heldOut(sources []rows.Source, tok *bpe.Tokenizer, length int) (*eval.Held, error) {
	docs := func(yield func(rows.Document, error) bool) {
		for ids, err := range tokensOf(sources) {
			d := rows.Document{ID: ids.source.Tokens.ID(ids.doc), Language: languageGroup(ids.source.Tokens.Language(ids.doc)), Text: string(tok.Decode(ids.ids))}
			if !yield(d, err) {
				return
			}
		}
	}
	return eval.NewHeldTexts(docs, tok, eval.HeldOptions{Len: length, Start: max(tok.BOS(), 0), Limit: heldBytes})
}

type document struct {
	source rows.Source
	doc    int
	ids    []int32
}

// tokensOf reads the documents of all sources.
func tokensOf(sources []rows.Source) iter.Seq2[document, error] {
	return func(yield func(document, error) bool) {
		for _, s := range sources {
			for _, d := range s.Docs {
				ids, err := s.Tokens.Doc(nil, d)
				if !yield(document{s, d, ids}, err) {
					return
				}
			}
		}
	}
}

// grams are the bits per byte of n-grams counted on what is trained on, on what is held out: by language, then model.
func grams(h *eval.Held, trained []rows.Source, tok *bpe.Tokenizer) (map[string]map[string]float64, error) {
	if h.Tokens() == 0 {
		return nil, nil
	}
	texts := func(yield func([]int32, error) bool) {
		for d, err := range tokensOf(trained) {
			if !yield(d.ids, err) {
				return
			}
		}
	}
	list, _, err := eval.Baselines(h, tok, texts, eval.BaselineOptions{Limit: gramsTokens})
	if err != nil {
		return nil, err
	}
	out := map[string]map[string]float64{}
	for _, b := range list {
		for language, v := range perByte(b.Bits) {
			if out[language] == nil {
				out[language] = map[string]float64{}
			}
			out[language][b.ID] = v
		}
	}
	return out, nil
}

// perByte gives bits per byte by language; "all" is always there.
func perByte(list []eval.Bits) map[string]float64 {
	out := map[string]float64{}
	for _, b := range list {
		out[b.Language] = b.PerByte
		if len(list) == 1 {
			out[All] = b.PerByte
		}
	}
	return out
}
