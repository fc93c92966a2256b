package shard

import (
	"io"
	"iter"

	"winnow"
	"winnow/shard/store"
)

// dataRows is the number of rows of a row group of data/ and dropped/: small, so that a trainer can shuffle by groups.
const dataRows = 1024

// documentColumns are the columns of data/: FineWeb's nine by its names and types, then ours.
func documentColumns() []column[winnow.Document] {
	type doc = winnow.Document
	return []column[doc]{
		text("text", 0, func(d *doc) *string { return &d.Text }),
		text("id", 0, func(d *doc) *string { return &d.ID }),
		text("dump", dict, func(d *doc) *string { return &d.Dump }),
		text("url", 0, func(d *doc) *string { return &d.URL }),
		text("date", 0, func(d *doc) *string { return &d.Date }),
		text("file_path", dict, func(d *doc) *string { return &d.File }),
		text("language", dict, func(d *doc) *string { return &d.Language }),
		doubles("language_score", func(d *doc) *float64 { return &d.LangScore }),
		int64s("token_count", func(d *doc) *int64 { return &d.TokenCount }),
		text("language_script", dict|null, func(d *doc) *string { return &d.LanguageScript }),
		text("title", null, func(d *doc) *string { return &d.Title }),
		text("origin", null, func(d *doc) *string { return &d.Origin }),
		metaColumn(),
	}
}

// keptColumns are those of data/, then what deduplication found.
func keptColumns() []column[Row] {
	columns := within(documentColumns(), func(r *Row) *winnow.Document { return &r.Doc })
	return append(columns,
		text("cluster", null, func(r *Row) *string { return &r.Cluster }),
		counts("cluster_size", func(r *Row) *int32 { return &r.ClusterSize }),
		counts("weight", func(r *Row) *int32 { return &r.Weight }),
	)
}

// DataWriter writes kept documents as parquet in row groups of 1024 rows or 64 MiB of text, whichever comes first.
type DataWriter struct {
	t   *table[Row]
	err error
}

// NewDataWriter begins a file on w; meta becomes key-value metadata of the file.
func NewDataWriter(w io.Writer, meta map[string]string) *DataWriter {
	t, err := newTable(w, "data", keptColumns(), meta, dataRows)
	return &DataWriter{t, err}
}

// Write adds one document that stands in no cluster.
func (w *DataWriter) Write(d *winnow.Document) error { return w.WriteRow(&Row{Doc: *d}) }

// WriteRow adds one document, without its HTML, Signals, Offset and RawBytes, and with its cluster.
func (w *DataWriter) WriteRow(r *Row) error {
	if w.err == nil {
		w.err = w.t.write(r, len(r.Doc.Text))
	}
	return w.err
}

// Close writes the last row group and the footer. It does not close the writer below.
func (w *DataWriter) Close() error {
	if w.err == nil {
		w.err = w.t.close()
	}
	return w.err
}

// ReadData reads the documents of a file of data/. An error ends the stream.
func ReadData(s *store.Store, path string) iter.Seq2[*winnow.Document, error] {
	return scan(s, path, documentColumns(), 32, func() *winnow.Document { return new(winnow.Document) })
}

// ReadKept reads a file of data/ with what deduplication found; files of earlier versions say nothing of that. An error ends
// the stream.
func ReadKept(s *store.Store, path string) iter.Seq2[*Row, error] {
	return scan(s, path, keptColumns(), 32, func() *Row { return &Row{DropStage: Alive, EditStage: NoStage} })
}

// droppedColumns are those of data/ and why the document was dropped.
func droppedColumns() []column[Row] {
	columns := within(documentColumns(), func(r *Row) *winnow.Document { return &r.Doc })
	return append(columns,
		text("stage", dict, func(r *Row) *string { return &r.Verdict.Stage }),
		text("rule", dict, func(r *Row) *string { return &r.Verdict.Rule }),
		float("value", func(r *Row) float32 { return r.Verdict.Value }, func(r *Row, x float32) { r.Verdict.Value = x }),
		text("detail", null, func(r *Row) *string { return &r.Verdict.Detail }),
	)
}

// DroppedWriter writes the texts of dropped documents, with the reason, in row groups as DataWriter.
type DroppedWriter struct {
	t   *table[Row]
	err error
}

// NewDroppedWriter begins a file on w; meta becomes key-value metadata of the file.
func NewDroppedWriter(w io.Writer, meta map[string]string) *DroppedWriter {
	t, err := newTable(w, "dropped", droppedColumns(), meta, dataRows)
	return &DroppedWriter{t, err}
}

// Write adds one document with its verdict, without the bound.
func (w *DroppedWriter) Write(r *Row) error {
	if w.err == nil {
		w.err = w.t.write(r, len(r.Doc.Text))
	}
	return w.err
}

// Close writes the last row group and the footer. It does not close the writer below.
func (w *DroppedWriter) Close() error {
	if w.err == nil {
		w.err = w.t.close()
	}
	return w.err
}

// ReadDropped reads a file of dropped/: documents with the verdict that dropped them, whose bound it does not know and
// gives as winnow.Any. An error ends the stream.
func ReadDropped(s *store.Store, path string) iter.Seq2[*Row, error] {
	return scan(s, path, droppedColumns(), 32, func() *Row {
		return &Row{DropStage: -1, EditStage: -1, Verdict: winnow.Verdict{Drop: true, Bound: winnow.Any}}
	})
}
