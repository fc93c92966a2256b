package winnow

import "math"

// Document is one response, resource or conversion record of an archive, or one row of a file, on its way through the
// stages. The first nine fields carry FineWeb's column names and types when stored: text, id, dump, url, date, file_path,
// language, language_score, token_count.
type Document struct {
	Text       string  // UTF-8; empty until extraction where HTML is set
	ID         string  // WARC-Record-ID or the column named by the recipe, else a hash of file name and offset; derived: origin#style#k
	Dump       string  // name of the crawl, for instance CC-MAIN-2026-30; may be empty
	URL        string  // as recorded; may be empty
	Date       string  // when it was fetched, RFC 3339 in UTC; may be empty
	File       string  // path or URL of the file it was read from, as the recipe's glob gave it
	Language   string  // ISO 639-1, or 639-3 where there is none; "und" when unsure; empty before the language stage
	LangScore  float64 // 0..1, confidence of Language
	TokenCount int64   // GPT-2 tokens of Text; see TokensEstimated

	LanguageScript  string            // ISO 639-3 and ISO 15924 as in FineWeb-2: eng_Latn, zho_Hans, zho_Hant
	Title           string            // title of the page; may be empty
	Meta            map[string]string // further facts under the Meta* keys; may be nil
	Origin          string            // ID of the document that this one was derived from; empty for documents read
	TokensEstimated bool              // TokenCount is an estimate, not a count

	Offset   int64  // where the record starts in File: byte for archives and text files, row number for parquet
	RawBytes int64  // size in bytes of the page or row as read, after transfer and content decoding
	HTML     []byte // the page as fetched, in its own charset; not stored, nil after extraction

	// Signals are the measured values so far, in ledger column order; NaN is "not measured". A stage appends exactly one
	// value for each of its Signals; the engine fills up with NaN what a stage did not reach.
	Signals []float32
}

// Keys of Document.Meta that more than one package uses.
const (
	MetaContentType = "content_type" // the Content-Type header as sent, or the type the reader knows
	MetaStatus      = "http_status"  // decimal HTTP status code
	MetaCharset     = "charset"      // the charset that the text was decoded from, by its WHATWG name
	MetaLangHint    = "lang_hint"    // language that the page claims for itself (html lang, Content-Language)
	MetaRecordType  = "record_type"  // WARC-Type: response, resource, conversion
	MetaPublished   = "published"    // day of publication that the page claims, YYYY-MM-DD
	MetaAuthor      = "author"       // names that the page gives, "; " between them
	MetaSite        = "site_name"    // name of the site, as the page gives it
	MetaCanonical   = "canonical"    // address that the page calls its own, whole
	MetaLicense     = "license"      // hint at a license: "CC BY-SA 4.0", an address, or words
)

// SetMeta sets one key of Meta, making the map where there is none.
func (d *Document) SetMeta(key, value string) {
	if d.Meta == nil {
		d.Meta = make(map[string]string, 4)
	}
	d.Meta[key] = value
}

// NotMeasured is the value of a signal that no stage has measured. It is NaN in memory and null in the ledger.
var NotMeasured = float32(math.NaN())

// Measured tells whether v is a value at all.
func Measured(v float32) bool { return v == v }
