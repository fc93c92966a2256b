package shard

import (
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"maps"
	"math"
	"slices"
	"strconv"

	"github.com/parquet-go/parquet-go"

	"winnow"
	"winnow/shard/store"
)

const (
	ledgerRows   = 65536 // of a row group
	ledgerSchema = 1
	schemaKey    = "winnow.ledger"  // key-value metadata: the schema's number
	signalsKey   = "winnow.signals" // key-value metadata: the signals' labels, languages and defaults as JSON
)

// ledgerColumns are the columns that every ledger has, whatever was run.
func ledgerColumns() []column[Row] {
	return []column[Row]{
		text("id", 0, func(r *Row) *string { return &r.Doc.ID }),
		text("origin", null, func(r *Row) *string { return &r.Doc.Origin }),
		text("url", 0, func(r *Row) *string { return &r.Doc.URL }),
		derived("domain", null, func(r *Row) string { return Domain(r.Doc.URL) }, func(*Row, string) {}),
		text("dump", dict, func(r *Row) *string { return &r.Doc.Dump }),
		text("date", 0, func(r *Row) *string { return &r.Doc.Date }),
		text("file_path", dict, func(r *Row) *string { return &r.Doc.File }),
		int64s("offset", func(r *Row) *int64 { return &r.Doc.Offset }),
		text("language", dict, func(r *Row) *string { return &r.Doc.Language }),
		text("language_script", dict|null, func(r *Row) *string { return &r.Doc.LanguageScript }),
		doubles("language_score", func(r *Row) *float64 { return &r.Doc.LangScore }),
		text("title", null, func(r *Row) *string { return &r.Doc.Title }),
		derived("content_type", dict|null, func(r *Row) string { return r.Doc.Meta[winnow.MetaContentType] },
			func(r *Row, s string) { r.Doc.SetMeta(winnow.MetaContentType, s) }),
		int64s("raw_bytes", func(r *Row) *int64 { return &r.Doc.RawBytes }),
		int64s("bytes", func(r *Row) *int64 { return &r.Bytes }),
		int64s("chars", func(r *Row) *int64 { return &r.Chars }),
		int64s("token_count", func(r *Row) *int64 { return &r.Doc.TokenCount }),
		bools("token_estimated", func(r *Row) bool { return r.Doc.TokensEstimated }, func(r *Row, x bool) { r.Doc.TokensEstimated = x }),
		bools("kept", func(r *Row) bool { return !r.Verdict.Drop }, func(r *Row, x bool) { r.Verdict.Drop = !x }),
		text("stage", dict|null, func(r *Row) *string { return &r.Verdict.Stage }),
		text("rule", dict|null, func(r *Row) *string { return &r.Verdict.Rule }),
		reason("value", winnow.NotMeasured, func(v *winnow.Verdict) *float32 { return &v.Value }),
		reason("bound_min", winnow.Any.Min, func(v *winnow.Verdict) *float32 { return &v.Bound.Min }),
		reason("bound_max", winnow.Any.Max, func(v *winnow.Verdict) *float32 { return &v.Bound.Max }),
		text("detail", null, func(r *Row) *string { return &r.Verdict.Detail }),
		editsColumn(),
		text("cluster", null, func(r *Row) *string { return &r.Cluster }),
		counts("cluster_size", func(r *Row) *int32 { return &r.ClusterSize }),
		float("similarity", similarity, func(r *Row, x float32) {
			if r.Cluster != "" {
				r.Similarity = x
			}
		}),
	}
}

func similarity(r *Row) float32 {
	if r.Cluster == "" {
		return winnow.NotMeasured
	}
	return r.Similarity
}

// reason is a number of the verdict, which is null where there is no rule, and where it is open.
func reason(name string, open float32, ref func(*winnow.Verdict) *float32) column[Row] {
	return float(name, func(r *Row) float32 {
		x := *ref(&r.Verdict)
		if r.Verdict.Rule == "" || x == open {
			return winnow.NotMeasured
		}
		return x
	}, func(r *Row, x float32) {
		if r.Verdict.Rule == "" {
			return
		}
		if !winnow.Measured(x) {
			x = open
		}
		*ref(&r.Verdict) = x
	})
}

// signalColumn is the i-th of the Document's Signals.
func signalColumn(i int, id string) column[Row] {
	return float(id, func(r *Row) float32 {
		if i < len(r.Doc.Signals) {
			return r.Doc.Signals[i]
		}
		return winnow.NotMeasured
	}, func(r *Row, x float32) { r.Doc.Signals[i] = x })
}

func withSignals(columns []column[Row], signals []winnow.Signal) []column[Row] {
	for i, s := range signals {
		columns = append(columns, signalColumn(i, s.ID))
	}
	return columns
}

// LedgerWriter writes one row for every document as parquet, in row groups of 65,536 rows.
type LedgerWriter struct {
	t   *table[Row]
	err error
}

// NewLedgerWriter begins a file on w with one column for each signal, named by its ID, after the fixed columns. Two
// signals of one ID are an error. meta becomes key-value metadata of the file, beside the number of the schema and the
// signals' labels.
func NewLedgerWriter(w io.Writer, signals []winnow.Signal, meta map[string]string) (*LedgerWriter, error) {
	labels, err := json.Marshal(Signals(signals))
	if err != nil {
		return nil, err
	}
	all := maps.Clone(meta)
	if all == nil {
		all = make(map[string]string)
	}
	all[schemaKey], all[signalsKey] = strconv.Itoa(ledgerSchema), string(labels)
	t, err := newTable(w, "ledger", withSignals(ledgerColumns(), signals), all, ledgerRows)
	if err != nil {
		return nil, err
	}
	return &LedgerWriter{t: t}, nil
}

// Write adds one row, without its text and the run's own numbers (Seq, DropStage, EditStage).
func (w *LedgerWriter) Write(r *Row) error {
	if w.err == nil {
		w.err = w.t.write(r, 0)
	}
	return w.err
}

// Close writes the last row group and the footer. It does not close the writer below.
func (w *LedgerWriter) Close() error {
	if w.err == nil {
		w.err = w.t.close()
	}
	return w.err
}

// LedgerSignals gives the signals of a ledger file, in the order of Document.Signals.
func LedgerSignals(s *store.Store, path string) ([]winnow.Signal, error) {
	f, err := open(s, path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	number, ok := f.Lookup(schemaKey)
	if !ok {
		return nil, fmt.Errorf("%s: no ledger of winnow", path)
	}
	if n, err := strconv.Atoi(number); err != nil || n > ledgerSchema {
		return nil, fmt.Errorf("%s: ledger schema %s: this program knows up to %d", path, number, ledgerSchema)
	}
	labels, _ := f.Lookup(signalsKey)
	var signals Signals
	if err := json.Unmarshal([]byte(labels), &signals); err != nil {
		return nil, fmt.Errorf("%s: %s: %w", path, signalsKey, err)
	}
	return signals, nil
}

// ReadLedger reads a ledger file: documents without text, Signals in the order of LedgerSignals, Seq the row's number in
// the file, DropStage and EditStage -1; of Meta it has the content type alone. Columns that an older schema lacks are
// zero. An error ends the stream.
func ReadLedger(s *store.Store, path string) iter.Seq2[*Row, error] {
	return func(yield func(*Row, error) bool) {
		signals, err := LedgerSignals(s, path)
		if err != nil {
			yield(nil, err)
			return
		}
		seq := -1
		scan(s, path, withSignals(ledgerColumns(), signals), 256, func() *Row {
			seq++
			return &Row{Doc: winnow.Document{Signals: make([]float32, len(signals))}, Seq: seq, DropStage: -1, EditStage: -1}
		})(yield)
	}
}

// Columns are some columns of consecutive rows, in the order asked for.
type Columns struct {
	Rows    int
	Text    [][]string
	Numbers [][]float64 // NaN is null; true is 1
}

// ReadColumns reads single columns of a file of any kind that this package writes, up to 4096 rows at a time: strings, and
// numbers or truth values. What it yields holds until the next step. An error, such as a column that is not there or is
// of another type, ends the stream.
func ReadColumns(s *store.Store, path string, text, numbers []string) iter.Seq2[*Columns, error] {
	return func(yield func(*Columns, error) bool) {
		f, err := open(s, path)
		if err != nil {
			yield(nil, err)
			return
		}
		defer f.Close()
		bindings, err := bindPlain(f.File, text, numbers)
		if err != nil {
			yield(nil, fmt.Errorf("%s: %w", path, err))
			return
		}
		c := &Columns{Text: make([][]string, len(text)), Numbers: make([][]float64, len(numbers))}
		rows := slices.Repeat([]*Columns{c}, 4096) // each row is appended to the one value
		for _, rg := range f.RowGroups() {
			g := newGroup(rg, bindings)
			more := c.fill(g, rows, func(c *Columns, err error) bool {
				if err != nil {
					err = fmt.Errorf("%s: %w", path, err)
				}
				return yield(c, err)
			})
			g.close()
			if !more {
				return
			}
		}
	}
}

// fill yields c for every batch of a row group and tells whether to go on.
func (c *Columns) fill(g *rowGroup[Columns], rows []*Columns, yield func(*Columns, error) bool) bool {
	for g.left > 0 {
		c.Rows = int(min(g.left, int64(len(rows))))
		for i := range c.Text {
			c.Text[i] = c.Text[i][:0]
		}
		for i := range c.Numbers {
			c.Numbers[i] = c.Numbers[i][:0]
		}
		if err := g.read(rows[:c.Rows]); err != nil {
			yield(nil, err)
			return false
		}
		if !yield(c, nil) {
			return false
		}
	}
	return true
}

func bindPlain(f *parquet.File, text, numbers []string) (_ []binding[Columns], err error) {
	defer recovered("schema", &err)
	var columns []column[Columns]
	add := func(name string, get func(parquet.Kind) func(*Columns, int, parquet.Value)) error {
		leafColumn, ok := f.Schema().Lookup(name)
		if !ok || leafColumn.MaxRepetitionLevel > 0 {
			return fmt.Errorf("no plain column %s", name)
		}
		take := get(leafColumn.Node.Type().Kind())
		if take == nil {
			return fmt.Errorf("column %s: is %s", name, leafColumn.Node.Type())
		}
		columns = append(columns, column[Columns]{name, leafColumn.Node, []leaf[Columns]{{get: take}}})
		return nil
	}
	for i, name := range text {
		if err := add(name, func(k parquet.Kind) func(*Columns, int, parquet.Value) { return takeText(i, k) }); err != nil {
			return nil, err
		}
	}
	for i, name := range numbers {
		if err := add(name, func(k parquet.Kind) func(*Columns, int, parquet.Value) { return takeNumber(i, k) }); err != nil {
			return nil, err
		}
	}
	return bind(f, columns)
}

func takeText(i int, k parquet.Kind) func(*Columns, int, parquet.Value) {
	if k != parquet.ByteArray {
		return nil
	}
	last := ""
	return func(c *Columns, _ int, v parquet.Value) {
		s := ""
		if !v.IsNull() {
			if b := v.ByteArray(); string(b) != last {
				last = string(b)
			}
			s = last
		}
		c.Text[i] = append(c.Text[i], s)
	}
}

func takeNumber(i int, k parquet.Kind) func(*Columns, int, parquet.Value) {
	number := numberOf(k)
	if number == nil {
		return nil
	}
	return func(c *Columns, _ int, v parquet.Value) {
		x := math.NaN()
		if !v.IsNull() {
			x = number(v)
		}
		c.Numbers[i] = append(c.Numbers[i], x)
	}
}

// numberOf gives values of a kind as numbers, truth values as 0 and 1; nil where it cannot.
func numberOf(k parquet.Kind) func(parquet.Value) float64 {
	switch k {
	case parquet.Boolean:
		return func(v parquet.Value) float64 { return float64(bit(v.Boolean())) }
	case parquet.Int32:
		return func(v parquet.Value) float64 { return float64(v.Int32()) }
	case parquet.Int64:
		return func(v parquet.Value) float64 { return float64(v.Int64()) }
	case parquet.Float:
		return func(v parquet.Value) float64 { return float64(v.Float()) }
	case parquet.Double:
		return parquet.Value.Double
	}
	return nil
}
