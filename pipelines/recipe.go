// Package pipelines turns a recipe into a run. A recipe (YAML) goes in; a run folder of parquet shards, a ledger and
// manifests comes out.
//
// The stages of a recipe are cut into passes at each Corpus stage. A pass is one Map task a shard; a Corpus stage is Group
// tasks over hash partitions and one Resolve; the last step packs what was kept. Every task can run alone, and is done when
// its manifest exists under its key. The local engine, package engine, is one loop around them.
package pipelines

import (
	"fmt"
	"strconv"
	"strings"

	"winnow"
	"winnow/pipelines/models"
)

// Recipe is a run as its user wrote it. Decoding is strict: see Parse.
type Recipe struct {
	Name        string      `yaml:"name"`        // names the run; letters, digits, '-', '_' and '.'
	Description string      `yaml:"description"` // for people
	Input       Input       `yaml:"input"`
	Stages      []StageSpec `yaml:"stages"` // run, and edits apply, in this order
	Output      Output      `yaml:"output"`
	Expect      Expect      `yaml:"expect"`
	Seed        uint64      `yaml:"seed"` // of all samples that the run draws

	Train []models.Spec `yaml:"train"` // models behind the data, in this order
	Tests []Test        `yaml:"tests"`

	src *source
}

// Input names the files to read. Globs know **, and are relative to the working directory; https and s3 URLs are read over the
// network, and globs of s3 URLs are listed.
type Input struct {
	WARC      []string `yaml:"warc"`    // WARC, ARC, WET and WAT in any compression
	HTML      []string `yaml:"html"`    // files, or folders that are walked
	Tar       []string `yaml:"tar"`     // tars of HTML files
	JSONL     []string `yaml:"jsonl"`   // one JSON object a line, plain, .gz or .zst
	Parquet   []string `yaml:"parquet"` // rows
	Columns   Columns  `yaml:"columns"`
	Dump      string   `yaml:"dump"`       // name of the crawl, where the files do not tell
	ShardSize Size     `yaml:"shard_size"` // input on disk for one task; none: an eighth of all, from 16MB to 256MB
}

// Columns names the fields of JSONL and parquet rows where they are not text, id, url and date.
type Columns struct {
	Text string `yaml:"text"`
	ID   string `yaml:"id"`
	URL  string `yaml:"url"`
	Date string `yaml:"date"`
}

// StageSpec is one step. Exactly one pointer is set: this struct is the list of all stages.
type StageSpec struct {
	URL           *URLSpec           `yaml:"url"`
	Repair        *RepairSpec        `yaml:"repair"`
	Extract       *ExtractSpec       `yaml:"extract"`
	Language      *LanguageSpec      `yaml:"language"`
	Filter        *FilterSpec        `yaml:"filter"`
	Rule          *RuleSpec          `yaml:"rule"`
	SymbolLines   *SymbolLinesSpec   `yaml:"symbol_lines"`
	PII           *PIISpec           `yaml:"pii"`
	Dedup         *DedupSpec         `yaml:"dedup"`
	Boilerplate   *BoilerplateSpec   `yaml:"boilerplate"`
	Quality       *QualitySpec       `yaml:"quality"`
	Decontaminate *DecontaminateSpec `yaml:"decontaminate"`
	Rephrase      *RephraseSpec      `yaml:"rephrase"`
}

// RepairSpec mends characters. In front of extract it takes mojibake out of pages, and no more.
type RepairSpec struct {
	Mojibake  *bool `yaml:"mojibake"`   // true: text read in a wrong charset
	NFC       *bool `yaml:"nfc"`        // true
	Invisible *bool `yaml:"invisible"`  // true: control and zero-width characters go
	Spaces    *bool `yaml:"spaces"`     // true: spaces that do not break become spaces
	FoldWidth bool  `yaml:"fold_width"` // full-width letters, digits and symbols become narrow

	Script string `yaml:"script"` // hans: Traditional Chinese becomes Simplified, character by character; else it stays
}

// RuleSpec is a rule in the recipe's own words.
type RuleSpec struct {
	ID      string   `yaml:"id"`      // family.name
	Measure string   `yaml:"measure"` // an expression over measures and the signals of earlier stages
	Min     *float64 `yaml:"min"`
	Max     *float64 `yaml:"max"`
	Langs   []string `yaml:"langs"` // none: all
	Label   string   `yaml:"label"`
}

// DecontaminateSpec finds texts that hold items of benchmarks.
type DecontaminateSpec struct {
	Files  []string `yaml:"files"`  // .jsonl, .csv, .tsv, .txt with one item a line; each also .gz
	Fields []string `yaml:"fields"` // of JSONL; none: all texts
	Words  int      `yaml:"words"`  // of an n-gram; 13
	Han    int      `yaml:"han"`    // characters of an n-gram; 21
	Share  float64  `yaml:"share"`  // of an item's n-grams; 0.7
	Mode   string   `yaml:"mode"`   // drop (default) or flag
}

// URLSpec drops documents by their URL alone, from lists in files with one entry a line (# begins a comment; .gz is read
// through gzip).
type URLSpec struct {
	Domains   string `yaml:"domains"`    // registered domains, and full hosts
	URLs      string `yaml:"urls"`       // whole addresses
	HardWords string `yaml:"hard_words"` // words of the URL: one is enough
	SoftWords string `yaml:"soft_words"` // words of the URL: min_soft different ones are needed
	Subwords  string `yaml:"subwords"`   // anywhere in the URL's letters and digits
	MinSoft   int    `yaml:"min_soft"`   // 2

	UT1        string   `yaml:"ut1"`        // folder of categories in the form of UT1's blacklists
	Categories []string `yaml:"categories"` // the ones that drop
}

// ExtractSpec finds the main text of an HTML page.
type ExtractSpec struct {
	MinChars int    `yaml:"min_chars"` // Unicode code points of main text
	MaxBytes Size   `yaml:"max_bytes"` // of a page; larger ones are error.size
	Mode     string `yaml:"mode"`      // balanced (default), precision or recall: what a doubtful part of a page is worth
	Format   string `yaml:"format"`    // text (default): a line for each block; markdown
	Links    bool   `yaml:"links"`     // of markdown: write the addresses of links
	Images   bool   `yaml:"images"`    // of markdown: write the alternative texts of images
}

// LanguageSpec tells languages, and keeps some.
type LanguageSpec struct {
	Keep     []string `yaml:"keep"` // ISO 639-1 codes; none keeps all
	MinScore *float64 `yaml:"min_score"`
	Model    string   `yaml:"model"` // fastText model that tells languages (lid.176, GlotLID); none: winnow's own
}

// FilterSpec measures and judges by rules.
type FilterSpec struct {
	Profile string               `yaml:"profile"` // the rules of one tool, as it ships them; the rest is laid over it
	Use     []string             `yaml:"use"`     // families or rules, in order
	Set     map[string]BoundSpec `yaml:"set"`     // rule -> bounds
	Off     map[string][]string  `yaml:"off"`     // language, or "all" -> families or rules that do not hold there
	C4      C4Spec               `yaml:"c4"`
}

// BoundSpec is {min, max} for all languages, and {language: {min, max}} for one.
type BoundSpec map[string]any

// C4Spec holds what governs the edits of the c4 family.
type C4Spec struct {
	TerminalPunct *bool `yaml:"terminal_punct"` // drop lines that do not end a sentence; false, as FineWeb
	MinLineWords  int   `yaml:"min_line_words"` // 3
}

// PIISpec replaces personal data.
type PIISpec struct {
	Email    bool `yaml:"email"`
	IP       bool `yaml:"ip"`
	PhoneCN  bool `yaml:"phone_cn"`
	IDCardCN bool `yaml:"id_card_cn"`
	Phone    bool `yaml:"phone"`   // international: + and a country's code
	Card     bool `yaml:"card"`    // bank cards
	APIKey   bool `yaml:"api_key"` // keys of well-known form, private key blocks
}

// ShingleSpec is the size of a shingle: characters of Han text, words of other text.
type ShingleSpec struct {
	Han   int `yaml:"han"`
	Latin int `yaml:"latin"`
}

// SymbolLinesSpec removes lines of nothing but symbols.
type SymbolLinesSpec struct {
	Symbols string `yaml:"symbols"` // |
	With    string `yaml:"with"`    // takes the place of a run of such lines
}

// BoilerplateSpec cuts lines that stand on most pages of one host.
type BoilerplateSpec struct {
	MinPages int     `yaml:"min_pages"` // of the host; 5
	MinShare float64 `yaml:"min_share"` // of the host's pages, 0..1; 0.5
}

// QualitySpec scores by a model: one of model, ensemble, topics and perplexity.
type QualitySpec struct {
	Model     string   `yaml:"model"`     // file, relative to the working directory: winnow's own, or fastText's .bin and .ftz
	Label     string   `yaml:"label"`     // fastText, or more than two classes: the label whose probability is the score
	Normalise []string `yaml:"normalise"` // fastText: newline (if not said), lower, marks, escape, spaces, in this order
	MinScore  *float64 `yaml:"min_score"`
	Keep      KeepSpec `yaml:"keep"`  // model: a share (10%), or model: the threshold that training stored; perplexity: tiers
	Ranks     string   `yaml:"ranks"` // file of `winnow quality ranks`: scores of a sample

	Ensemble  []string `yaml:"ensemble"`   // in place of model: FILE or FILE#LABEL of each classifier; the best rank counts
	Buckets   int      `yaml:"buckets"`    // ensemble: 20
	MinBucket int      `yaml:"min_bucket"` // ensemble: 0 to buckets-1

	Topics   string   `yaml:"topics"` // in place of model: a classifier of `winnow quality train --class`
	Only     []string `yaml:"only"`   // topics: those that stay; none: all
	Drop     []string `yaml:"drop"`   // topics: those that go
	MinTopic float64  `yaml:"min_topic"`

	Perplexity    string   `yaml:"perplexity"`     // in place of model: KenLM's, ARPA or probing binary
	Tokens        string   `yaml:"tokens"`         // perplexity: space (the text is tokenised) or words
	CCNet         bool     `yaml:"ccnet"`          // perplexity: normalise as CCNet
	MaxPerplexity *float64 `yaml:"max_perplexity"` // none: no bound
	Cutoffs       string   `yaml:"cutoffs"`        // perplexity: CCNet's CSV of percentiles by language
}

// RephraseSpec rewrites texts through an OpenAI-compatible endpoint, by chat completions; OpenAI's batch files are not used. The key
// comes from the environment.
type RephraseSpec struct {
	Endpoint    string               `yaml:"endpoint"` // base URL; or WINNOW_OPENAI_BASE_URL
	Model       string               `yaml:"model"`
	ServedModel string               `yaml:"served_model"` // what the endpoint calls it, where that is another name
	Styles      []string             `yaml:"styles"`       // names of built-in styles, or files that end in .tmpl
	Copies      int                  `yaml:"copies"`       // how often each style is asked, with other seeds; 1
	Mode        string               `yaml:"mode"`         // add (default) or replace
	Mix         *RephraseMix         `yaml:"mix"`          // ratio in which rewritten originals and what was made of them stay
	Reject      string               `yaml:"reject"`       // original (default): a rejected segment stays as it was; drop: its document goes
	MinAccepted *float64             `yaml:"min_accepted"` // 0.5; share of segments, else the document goes
	Guards      map[string]GuardSpec `yaml:"guards"`       // guard -> {min, max}; {} is any
	MaxTokens   int                  `yaml:"max_tokens"`
	MinTokens   *int                 `yaml:"min_tokens"` // 30; shorter documents are not rephrased
	Segment     int                  `yaml:"segment"`    // tokens of source text in one request
	Temperature *float64             `yaml:"temperature"`
	TopP        *float64             `yaml:"top_p"`
	Seed        int64                `yaml:"seed"`

	Concurrency       int             `yaml:"concurrency"`
	RequestsPerMinute float64         `yaml:"requests_per_minute"`
	TokensPerMinute   float64         `yaml:"tokens_per_minute"`
	Timeout           string          `yaml:"timeout"` // of one attempt: 5m
	Retries           *int            `yaml:"retries"` // 5
	Backoff           string          `yaml:"backoff"` // before the first retry: 1s
	Pause             string          `yaml:"pause"`   // of all requests, when most of the last 20 failed; then one is tried: 15s, doubled each time
	Pauses            *int            `yaml:"pauses"`  // in a row, then the run ends: 4
	Workers           int             `yaml:"workers"` // processes that run at the same time and share rates and concurrency; or WINNOW_WORKERS
	Stream            bool            `yaml:"stream"`
	Price             RephrasePrice   `yaml:"price"`
	Budget            *RephraseBudget `yaml:"budget"`
	Cache             string          `yaml:"cache"` // folder; .cache/rephrase beside the runs
}

// RephraseMix is a ratio of documents.
type RephraseMix struct {
	Original  float64 `yaml:"original"`
	Synthetic float64 `yaml:"synthetic"`
}

// GuardSpec is a bound.
type GuardSpec struct {
	Min *float64 `yaml:"min"`
	Max *float64 `yaml:"max"`
}

// RephrasePrice is what a million tokens cost, in US dollars.
type RephrasePrice struct {
	Prompt     float64 `yaml:"prompt"`
	Completion float64 `yaml:"completion"`
}

// RephraseBudget ends the rewriting at the first document whose requests may exceed it.
type RephraseBudget struct {
	Tokens   int64   `yaml:"tokens"` // prompt and longest answer
	Requests int64   `yaml:"requests"`
	USD      float64 `yaml:"usd"`
}

// Output says where the run goes and what it keeps.
type Output struct {
	Dir      string `yaml:"dir"`       // runs
	Dropped  string `yaml:"dropped"`   // texts of dropped documents: all (default), sample, none
	FileSize Size   `yaml:"file_size"` // text in one data file; 512MB
}

// Expect holds ranges that the run must meet, else it ends with exit code 4: "retained" for the whole run, or the label of
// a stage for the share of the documents reaching it that it keeps.
type Expect map[string]Percent

// Test is one document and what should become of it, judged by the recipe's own stages up to the first Corpus stage.
type Test struct {
	Name     string `yaml:"name"`
	Text     string `yaml:"text"`
	HTML     string `yaml:"html"`
	URL      string `yaml:"url"`
	Language string `yaml:"language"` // skips the language stage
	Want     Want   `yaml:"want"`
}

// Want is the verdict wanted: keep, or a rule that drops.
type Want struct {
	Keep bool   `yaml:"keep"`
	Drop string `yaml:"drop"`
}

func (w Want) String() string {
	if w.Drop == "" {
		return "keep"
	}
	return w.Drop
}

// Met tells whether v is the verdict wanted.
func (w Want) Met(v winnow.Verdict) bool {
	if w.Drop == "" {
		return !v.Drop
	}
	return v.Drop && v.Rule == w.Drop
}

// Size is a number of bytes, written 512MB, 1.5GB, 64KB (powers of 1024) or as a plain number.
type Size int64

var units = []struct {
	suffix string
	bytes  float64
}{{"TB", 1 << 40}, {"GB", 1 << 30}, {"MB", 1 << 20}, {"KB", 1 << 10}, {"B", 1}}

// ParseSize reads a Size.
func ParseSize(s string) (Size, error) {
	num, mul := strings.TrimSpace(strings.ToUpper(s)), 1.0
	for _, u := range units {
		if strings.HasSuffix(num, u.suffix) {
			num, mul = strings.TrimSpace(strings.TrimSuffix(num, u.suffix)), u.bytes
			break
		}
	}
	v, err := strconv.ParseFloat(num, 64)
	if err != nil || v < 0 || v*mul > 1<<62 {
		return 0, fmt.Errorf("%q is no size: write for instance 512MB", s)
	}
	return Size(v * mul), nil
}

// UnmarshalText reads a Size from a scalar.
func (s *Size) UnmarshalText(b []byte) (err error) {
	*s, err = ParseSize(string(b))
	return err
}

// Percent is a closed range of shares, written 1%..60%.
type Percent struct{ Min, Max float64 }

// UnmarshalText reads a Percent from a scalar.
func (p *Percent) UnmarshalText(b []byte) error {
	s := string(b)
	lo, hi, ok := strings.Cut(s, "..")
	min, err1 := parsePercent(lo)
	max, err2 := parsePercent(hi)
	if !ok || err1 != nil || err2 != nil || min > max {
		return fmt.Errorf("%q is no range of shares: write for instance 1%%..60%%", s)
	}
	*p = Percent{min, max}
	return nil
}

// Holds tells whether a share (0..1) lies in the range.
func (p Percent) Holds(share float64) bool { return share >= p.Min && share <= p.Max }

func (p Percent) String() string { return fmt.Sprintf("%g%%..%g%%", p.Min*100, p.Max*100) }

func parsePercent(s string) (float64, error) {
	num, ok := strings.CutSuffix(strings.TrimSpace(s), "%")
	v, err := strconv.ParseFloat(num, 64)
	if err != nil || !ok || v < 0 || v > 100 {
		return 0, fmt.Errorf("%q is no percentage", s)
	}
	return v / 100, nil
}
