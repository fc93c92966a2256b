package winnow

import (
	"context"
	"iter"
)

// Stage is one step of a recipe. It is also exactly one of Each, Batch and Corpus. Stages are safe for concurrent use, and
// what they do depends on the document and their parameters alone: no clock, no map order, no global random.
type Stage interface {
	Name() string // as in the recipe: extract, language, filter
	// Version identifies code, parameters and model hashes: all that can change the result, but for bounds that only judge.
	Version() string
	Signals() []Signal // the ledger columns that it fills, in the order of the values it appends; may be none
}

// Each works on one document at a time, and may change it.
type Each interface {
	Stage
	// Apply measures, edits and judges d. An error is the machine's (disk, model file) and stops the run; what is wrong
	// with the page is a Verdict with a rule error.*.
	Apply(ctx context.Context, d *Document) (Verdict, []Edit, error)
}

// Judged is an Each whose verdict follows from its own signals and the document's language alone, so that a run with
// other bounds can take the stored values.
type Judged interface {
	Each
	// Judge gives the verdict, without Detail, on this stage's own values.
	Judge(language string, own []float32) Verdict
	// Bounds identifies the bounds that only judge; together with Version it identifies the stage whole.
	Bounds() string
}

// Batch works on many documents at once, for models and networks, and may derive new ones.
type Batch interface {
	Stage
	// ApplyBatch returns one Result for each document, in order.
	ApplyBatch(ctx context.Context, docs []*Document) ([]Result, error)
}

// Rationed is a Batch with something to share out among all documents of a run, so that the first ones in the order of the input
// get it, whatever the number of workers and however often the run was interrupted.
type Rationed interface {
	Batch
	// Reserve books what docs may take. It is called once for every batch, in the order of shards and rows; before is what
	// Reserve gave for the batch before this one, nil for the first. granted tells for each document whether it gets its share.
	Reserve(docs []*Document, before []int64) (granted []bool, after []int64, err error)
	// ApplyGranted is ApplyBatch for documents of which some got no share.
	ApplyGranted(ctx context.Context, docs []*Document, granted []bool) ([]Result, error)
}

// Result is what a Batch stage made of one document. Derived documents follow their origin and go on to the next stage.
type Result struct {
	Verdict Verdict
	Edits   []Edit
	Derived []*Document
	Judged  []Verdict // of Derived, in order; nil keeps all. A dropped one has its row in the ledger, and goes no further
}

// Corpus needs to see every document before it can judge one: deduplication. It is a pure Sketch of each, a pure Group
// over the records of one hash partition, and a pure Resolve of one cluster. Neither the number of workers, nor the order
// of shards, nor the memory that the comparison may take can change the outcome.
type Corpus interface {
	Stage
	Layout() Layout
	// Sketch emits the records by which d is compared, and tells how d ranks among its equals.
	Sketch(d *Document, emit func(Record)) (Rank, error)
	// Group finds edges between the records of one partition, which come sorted by key, document and data.
	Group(ctx context.Context, sorted iter.Seq2[Record, error], emit func(Edge) error) error
	// Resolve decides about the documents of one cluster, or about one document that has spans. It gives one Outcome for
	// each, survivors included, in any order.
	Resolve(c Cluster, emit func(DocID, Outcome) error) error
}

// Verified is a Corpus whose edges are only candidates, until the documents themselves have been compared.
type Verified interface {
	Corpus
	// Evidence is what Verify needs to have of a document: its shingles, or its text.
	Evidence(d *Document) []byte
	// Verify passes on those edges between two documents that hold. All candidates of the pair come together, sorted.
	Verify(a, b []byte, candidates []Edge, emit func(Edge) error) error
}

// Layout describes the records of a Corpus stage.
type Layout struct {
	Records    string // identifies what the records hold: sketches of equal Records can be compared across runs
	Partitions int    // hash partitions that records are dealt to by Key[0]
	Keys       int    // words of Record.Key in use, 1 or 2
	Data       int    // words of Record.Data in use, 0 to 2
	Cuts       bool   // edges name spans to cut; else documents to be joined into clusters
}

// Bytes is the size of one record as it lies on disk, where its shard is known.
func (l Layout) Bytes() int { return 8*l.Keys + 4 + 8*l.Data }

// DocID numbers a document within a run: shard << 32 | row. Rows count every document of the shard, dropped ones included.
type DocID uint64

// NewDocID makes the number of a row of a shard.
func NewDocID(shard, row int) DocID { return DocID(uint64(shard)<<32 | uint64(uint32(row))) }

// Shard is the index of the shard.
func (id DocID) Shard() int { return int(id >> 32) }

// Row is the index of the document within its shard.
func (id DocID) Row() int { return int(uint32(id)) }

// Record is one entry of a sketch. Only records cross from one task to another, never text.
type Record struct {
	Key  [2]uint64 // equal keys meet in one Group; Key[0] is a hash, and also chooses the partition
	Doc  DocID     // left to the engine
	Data [2]uint64 // what Group needs to compare
}

// Edge says that two documents are duplicates, A < B; or, for stages that cut, that Start to End of the text of B is to go,
// because it stands in A as well, at From.
type Edge struct {
	A, B       DocID
	Start, End int // byte offsets
	From       int // byte offset
}

// Rank orders documents within a cluster: the highest Score is kept, ties go to the smallest ID, or to the first in the
// input where ByInput is set.
type Rank struct {
	Score   float64
	ID      string // of the document
	ByInput bool
	Data    []byte // what Resolve needs to know of the document; small
}

// Member is one document of a cluster.
type Member struct {
	Doc   DocID
	Rank  Rank
	Run   string // the earlier run that it belongs to; empty for documents of this one. Earlier ones get no Outcome
	Spans []Edge // for stages that cut, by Start and End
}

// Cluster is documents that edges join, best first, those of earlier runs before all; or one document with spans.
type Cluster struct {
	Size    int
	Members iter.Seq2[Member, error] // can be ranged over once
}

// Outcome is what a Corpus stage decides about one document of a cluster.
type Outcome struct {
	Verdict    Verdict // Drop for all but the survivors
	Cluster    string  // ID of the best document, which names the cluster
	Size       int32   // documents in the cluster; 0 where there is none, and the text is only cut
	Similarity float32 // to the best document; 1 for that one itself
	Weight     int32   // how many times a kept document should be used, for recipes that bring duplicates back; 0: not said
	Edits      []Edit  // spans to cut, for stages that remove parts of texts
}
