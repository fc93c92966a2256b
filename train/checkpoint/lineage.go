package checkpoint

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"winnow/shard"
	"winnow/train/bpe"
)

// InfoName is the file of an artefact's folder that says what it was made from.
const InfoName = "winnow.json"

// infoFormat tells it from any other JSON.
const infoFormat = "winnow lineage 1"

// Kinds of Info.
const (
	KindTokenizer = "tokenizer"
	KindBase      = "base"    // pretrained
	KindSFT       = "sft"     // fine-tuned on answers, given or a teacher's
	KindReward    = "reward"  // a reward model
	KindPolicy    = "policy"  // tuned by feedback; Config says by which method. A reward model is its second parent
	KindAdapter   = "adapter" // low-rank adapters of its first parent
	KindImport    = "import"  // a checkpoint from elsewhere; its parents are unknown
	KindExport    = "export"  // another format or precision of its parent
)

// Info is the lineage of one artefact. Parents carry their own, so the chain back to the crawl is whole wherever the
// folder goes.
type Info struct {
	Format       string          `json:"format"` // WriteInfo sets it
	Kind         string          `json:"kind"`
	Hash         string          `json:"hash"`                // of a model: Hash of its weights; of a tokenizer: its Hash
	Tokenizer    string          `json:"tokenizer,omitempty"` // hash of the tokenizer that the model reads with
	Config       json.RawMessage `json:"config,omitempty"`    // what the method was told
	Seed         uint64          `json:"seed"`
	Kernel       string          `json:"kernel,omitempty"`
	Program      string          `json:"program,omitempty"` // version
	Steps        int64           `json:"steps,omitempty"`
	Tokens       int64           `json:"tokens,omitempty"`        // trained on
	ChatTemplate string          `json:"chat_template,omitempty"` // Jinja
	Template     *Template       `json:"template,omitempty"`      // this program's own that ChatTemplate stands for
	Source       string          `json:"source,omitempty"`        // of an import: the architecture it says it has
	Data         []Data          `json:"data,omitempty"`
	Files        []File          `json:"files,omitempty"` // data that no run made: conversations, preferences, feedback
	Parents      []Info          `json:"parents,omitempty"`
}

// Template names the chat template that a model was trained on.
type Template struct {
	Name string `json:"name"`
	Hash string `json:"hash"` // of all that conversations are written by
	End  string `json:"end"`  // the special token that ends a turn
}

// turnEnd is the id that ends a turn of the chat template, beside eos; false where there is none.
func (i *Info) turnEnd(tok *bpe.Tokenizer) (int32, bool) {
	if tok == nil || i.ChatTemplate == "" {
		return 0, false
	}
	name := bpe.IMEnd // of others' templates this program knows no more
	if i.Template != nil {
		name = i.Template.End
	}
	return tok.Special(name)
}

// Data is a run whose kept documents an artefact was made from.
type Data struct {
	Run     string         `json:"run"` // its id
	Name    string         `json:"name"`
	Recipe  string         `json:"recipe"` // sha256 of its bytes
	Program string         `json:"program,omitempty"`
	Inputs  []shard.Input  `json:"inputs,omitempty"`
	Shards  []shard.Output `json:"shards"`
	Hash    string         `json:"hash"` // sha256 over names and hashes of Shards
}

// File is one file of data that an artefact was made from.
type File struct {
	Name   string `json:"name"` // its path as it was given
	SHA256 string `json:"sha256"`
	Rows   int64  `json:"rows"`            // that it has
	Used   int64  `json:"used,omitempty"`  // of them, what was trained on; 0 where it is not known
	Split  string `json:"split,omitempty"` // what for, where it was not training: "validation", "prompts"
}

// FileOf describes a file of rows of which used were trained on.
func FileOf(path string, rows, used int64) (File, error) {
	f, err := os.Open(path)
	if err != nil {
		return File{}, err
	}
	defer f.Close()
	sum, err := hashOf(f)
	if err != nil {
		return File{}, fmt.Errorf("%s: %w", path, err)
	}
	return File{Name: filepath.ToSlash(path), SHA256: sum, Rows: rows, Used: used}, nil
}

// Check reads the file of today by its name and compares it with its hash.
func (f File) Check() error {
	now, err := FileOf(filepath.FromSlash(f.Name), 0, 0)
	if err != nil {
		return err
	}
	if now.SHA256 != f.SHA256 {
		return fmt.Errorf("sha256 %s, was %s", now.SHA256, f.SHA256)
	}
	return nil
}

// DataOf describes the kept shards of a run.
func DataOf(r *shard.Run) Data {
	d := Data{Run: r.ID, Name: r.Name, Recipe: r.Recipe, Program: r.Program, Inputs: r.Inputs}
	sum := sha256.New()
	for _, o := range r.Outputs {
		if strings.HasPrefix(o.Name, "data/") {
			d.Shards = append(d.Shards, o)
			fmt.Fprintf(sum, "%s  %s\n", o.SHA256, o.Name)
		}
	}
	d.Hash = hex.EncodeToString(sum.Sum(nil))
	return d
}

// WriteInfo writes dir/winnow.json, whole or not at all, replacing what is there.
func WriteInfo(dir string, i *Info) error {
	b, err := encodeInfo(i)
	if err != nil {
		return err
	}
	return replaceFile(filepath.Join(dir, InfoName), func(w io.Writer) error { return write(w, append(b, '\n')) })
}

// tokenizerInfoPath is beside a tokenizer's file: a.json has a.winnow.json.
func tokenizerInfoPath(path string) string {
	return strings.TrimSuffix(path, filepath.Ext(path)) + "." + InfoName
}

// WriteTokenizerInfo writes what a tokenizer's file was made from, beside it.
func WriteTokenizerInfo(path string, i *Info) error {
	b, err := encodeInfo(i)
	if err != nil {
		return err
	}
	return replaceFile(tokenizerInfoPath(path), func(w io.Writer) error { return write(w, append(b, '\n')) })
}

// ReadTokenizerInfo reads what the tokenizer in a file, or in a folder's tokenizer.json, was made from. Where there is no
// record, or that of another hash, a lineage is given that knows the hash alone.
func ReadTokenizerInfo(path, hash string) (*Info, error) {
	if stat, err := os.Stat(path); err == nil && stat.IsDir() {
		path = filepath.Join(path, tokenizerName)
	}
	unknown := &Info{Kind: KindTokenizer, Hash: hash}
	b, err := os.ReadFile(tokenizerInfoPath(path))
	if errors.Is(err, fs.ErrNotExist) {
		return unknown, nil
	}
	if err != nil {
		return nil, err
	}
	i, err := decodeInfo(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", tokenizerInfoPath(path), err)
	}
	if i.Hash != hash {
		return unknown, nil
	}
	return i, nil
}

func encodeInfo(i *Info) ([]byte, error) {
	stamped := *i
	stamped.Format = infoFormat
	return json.MarshalIndent(&stamped, "", "  ")
}

// ReadInfo reads dir/winnow.json. Where there is none the error is fs.ErrNotExist.
func ReadInfo(dir string) (*Info, error) {
	path := filepath.Join(dir, InfoName)
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	i, err := decodeInfo(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return i, nil
}

func decodeInfo(b []byte) (*Info, error) {
	i := new(Info)
	if err := json.Unmarshal(b, i); err != nil {
		return nil, err
	}
	if i.Format != infoFormat || i.Kind == "" {
		return nil, errors.New("no lineage of this version")
	}
	return i, nil
}

// Method is the "method" that Config names: which of the ways to its kind was taken ("dpo", "ppo"), "" where it names none. It
// stands in Config itself, in its "asked", or in the "config" of that.
func (i *Info) Method() string {
	var c struct {
		Method string `json:"method"`
		Asked  struct {
			Method string `json:"method"`
			Config struct {
				Method string `json:"method"`
			} `json:"config"`
		} `json:"asked"`
	}
	if json.Unmarshal(i.Config, &c) != nil {
		return ""
	}
	return cmp.Or(c.Method, c.Asked.Method, c.Asked.Config.Method)
}

// Runs lists what i and its parents were made from, each run once, in the order of first mention.
func (i *Info) Runs() []Data {
	return firstMentions(i, func(i *Info) []Data { return i.Data }, func(d Data) string { return d.Hash })
}

// AllFiles lists the files that i and its parents were made from, each once, in the order of first mention.
func (i *Info) AllFiles() []File {
	return firstMentions(i, func(i *Info) []File { return i.Files }, func(f File) string { return f.SHA256 + " " + f.Name })
}

// firstMentions walks i and its parents, depth first.
func firstMentions[T any](i *Info, of func(i *Info) []T, key func(T) string) []T {
	var all []T
	seen := map[string]bool{}
	var walk func(i *Info)
	walk = func(i *Info) {
		for _, t := range of(i) {
			if !seen[key(t)] {
				seen[key(t)] = true
				all = append(all, t)
			}
		}
		for k := range i.Parents {
			walk(&i.Parents[k])
		}
	}
	walk(i)
	return all
}

// CheckData compares the data that an artefact was made from with a run of today: an error where a shard is gone, new or
// other than it was.
func CheckData(d Data, r *shard.Run) error {
	now := DataOf(r)
	if now.Hash == d.Hash {
		return nil
	}
	then := map[string]string{}
	for _, o := range d.Shards {
		then[o.Name] = o.SHA256
	}
	for _, o := range now.Shards {
		if old, ok := then[o.Name]; !ok || old != o.SHA256 {
			return fmt.Errorf("run %s: %s is not what it was", r.ID, o.Name)
		}
		delete(then, o.Name)
	}
	for _, o := range d.Shards {
		if _, gone := then[o.Name]; gone {
			return fmt.Errorf("run %s: %s: %w", r.ID, o.Name, fs.ErrNotExist)
		}
	}
	return fmt.Errorf("run %s: the shards are in another order", r.ID)
}

// VerifyShards reads the shards in a run's folder and compares them with their hashes; the first that differs, or that
// cannot be read, is the error.
func VerifyShards(dir string, d Data) error {
	for _, o := range d.Shards {
		f, err := os.Open(filepath.Join(dir, filepath.FromSlash(o.Name)))
		if err != nil {
			return err
		}
		sum, err := hashOf(f)
		f.Close()
		if err != nil {
			return fmt.Errorf("%s: %w", f.Name(), err)
		}
		if sum != o.SHA256 {
			return fmt.Errorf("%s: sha256 %s, was %s", f.Name(), sum, o.SHA256)
		}
	}
	return nil
}
