package pipelines

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"winnow"
	"winnow/dedup"
	"winnow/dedup/cut"
	"winnow/filter/segment"
	"winnow/shard/store"
	"winnow/text"
)

// DedupSpec removes duplicates: whole documents (url, bytes, exact, normalised, minhash) or parts of texts (line, paragraph,
// sentence, span; dolma and bff as those tools do, which depends on the order of the input).
type DedupSpec struct {
	Method  string      `yaml:"method"`
	Keep    Keep        `yaml:"keep"`    // longest (default), newest, best, first, source; or a number: how many of a cluster; of parts also none
	Policy  string      `yaml:"policy"`  // which of a cluster, where keep is a number
	Weights map[int]int `yaml:"weights"` // size of a cluster, from that one on -> times that what stays should be used
	Scope   string      `yaml:"scope"`   // global (default); dump: documents of different dumps are not compared
	By      string      `yaml:"by"`      // keep best: the signal; quality.score
	Sources []string    `yaml:"sources"` // keep source: patterns of file names, the most wanted first
	Against []string    `yaml:"against"` // earlier runs, by id or folder: what they have is not taken again

	Bands     int         `yaml:"bands"`     // minhash: 14
	Rows      int         `yaml:"rows"`      // minhash: 8
	Shingle   ShingleSpec `yaml:"shingle"`   // minhash
	Signature string      `yaml:"signature"` // minhash: fast (default), datatrove, datatrove-sha1
	Verify    float64     `yaml:"verify"`    // minhash: least exact Jaccard similarity
	Seed      uint64      `yaml:"seed"`      // minhash: 1

	Exact    bool    `yaml:"exact"`     // line, paragraph, sentence: as they stand; else case, punctuation and numbers make no difference
	MinChars int     `yaml:"min_chars"` // line, paragraph: shorter ones stay; 1
	Tokens   int     `yaml:"tokens"`    // span: 50
	MaxCut   float64 `yaml:"max_cut"`   // parts: share of a text that may be cut before the document goes; 1

	NGram     int     `yaml:"ngram"`      // dolma: words, 0 is whole paragraphs; bff: 13
	Stride    int     `yaml:"stride"`     // dolma, bff: 1
	Threshold float64 `yaml:"threshold"`  // share of n-grams that must be known; dolma 1, bff 0.8
	Expected  int64   `yaml:"expected"`   // n-grams that the Bloom filter is laid out for; 10 million
	FalseRate float64 `yaml:"false_rate"` // of the filter then; 0.01
}

// Keep is a policy, or how many documents of a cluster stay.
type Keep string

// UnmarshalText reads a Keep from a scalar.
func (k *Keep) UnmarshalText(b []byte) error {
	*k = Keep(b)
	return nil
}

// split gives the policy and the number.
func (s *DedupSpec) split() (policy string, copies int) {
	if n, err := strconv.Atoi(string(s.Keep)); err == nil {
		if n == 0 {
			n = -1 // not the default
		}
		return s.Policy, n
	}
	return string(s.Keep), 0
}

func (s *DedupSpec) cuts() bool { return slices.Contains(cut.Methods(), s.Method) }

// checkDedup finds what the stage itself would not blame on the right key.
func (r *Recipe) checkDedup(path string, d *DedupSpec) error {
	methods := append(dedup.Methods(), cut.Methods()...)
	if d.Method == "" {
		return r.src.at(path, "", "dedup needs a method: %s", strings.Join(methods, ", "))
	}
	if err := r.choice(path+".method", d.Method, methods...); err != nil {
		return err
	}
	keeps := dedup.Keeps()
	if d.cuts() {
		keeps = cut.Keeps()
	}
	policy, copies := d.split()
	switch {
	case copies != 0 && d.cuts():
		return r.src.at(path+".keep", "", "%s cuts parts of texts, of which one place stays: write one of %s", d.Method, strings.Join(keeps, ", "))
	case copies == 0 && d.Policy != "":
		return r.src.at(path+".policy", "", "policy goes with a number under keep: write `keep: 2, policy: %s`, or `keep: %s`", d.Policy, d.Policy)
	}
	key := path + ".keep"
	if copies != 0 {
		key = path + ".policy"
	}
	if err := r.choice(key, policy, keeps...); err != nil {
		return err
	}
	if len(d.Against) > 0 && (d.cuts() || d.Verify > 0) {
		return r.src.at(path+".against", "", "against compares whole documents by their stored sketches, without texts: it does not go with verify, nor with %s", strings.Join(cut.Methods(), ", "))
	}
	return r.choice(path+".signature", d.Signature, dedup.Fast, dedup.Datatrove, dedup.DatatroveSHA1)
}

func newDedup(d *DedupSpec, before []winnow.Signal) (winnow.Corpus, error) {
	policy, copies := d.split()
	if d.cuts() {
		return cut.New(cut.Options{
			Method: d.Method, Keep: policy, MaxShare: d.MaxCut, Exact: d.Exact, MinChars: d.MinChars, Tokens: d.Tokens,
			Bloom: cut.Bloom{NGram: d.NGram, Stride: d.Stride, Threshold: d.Threshold, Expected: d.Expected, FalseRate: d.FalseRate},
		})
	}
	o := dedup.Options{
		Method: d.Method, Keep: policy, Copies: copies, Scope: d.Scope, Sources: d.Sources,
		Bands: d.Bands, Rows: d.Rows, Seed: uint32(d.Seed), Signature: d.Signature, Verify: d.Verify,
		Shingle: dedup.Shingle{Han: d.Shingle.Han, Latin: d.Shingle.Latin}, Words: datatroveWords,
	}
	for _, size := range slices.Sorted(maps.Keys(d.Weights)) {
		o.Weights = append(o.Weights, dedup.Weight{Size: size, Times: d.Weights[size]})
	}
	if policy == dedup.Best {
		by := orDefault(d.By, "quality.score")
		i := slices.IndexFunc(before, func(s winnow.Signal) bool { return s.ID == by })
		if i < 0 {
			return nil, fmt.Errorf("dedup: keep best: no stage before measures %s", by)
		}
		o.Signal, o.SignalID = i, by
	}
	return dedup.New(o)
}

// datatroveWords cuts words as datatrove's tokenizer for a language does: jieba's for Chinese, spaCy's rules for others.
func datatroveWords(dst []string, language, s string) []string {
	if language == "zh" {
		var cutter segment.Chinese
		return cutter.Words(dst, s)
	}
	return text.Tokens(dst, s, language == "" || language == "en")
}

// against finds the folders of earlier runs: an id within the folder of runs, or a path.
func (s *DedupSpec) against(root string) (dirs []string) {
	for _, name := range s.Against {
		if !strings.ContainsAny(name, `/\`) {
			name = store.Join(root, name)
		}
		dirs = append(dirs, name)
	}
	return dirs
}

// curve writes the S-curve of a MinHash stage, for plan and run.json.
func curve(n *dedup.Near) string {
	bands, rows := n.Params()
	var b strings.Builder
	fmt.Fprintf(&b, "minhash: %d bands of %d rows; a pair of Jaccard similarity s is found with probability 1-(1-s^%d)^%d:", bands, rows, rows, bands)
	for _, s := range []float64{.3, .4, .5, .6, .7, .75, .8, .85, .9, .95} {
		fmt.Fprintf(&b, " %.2f %.1f%%", s, 100*dedup.SCurve(bands, rows, s))
	}
	return b.String()
}
