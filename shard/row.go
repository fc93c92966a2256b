// Package shard moves Documents, ledger rows and manifests to and from disk.
//
// What flows in: Rows, the final or intermediate state of a document, and the small JSON files that say which of the
// files are whole. What flows out: a folder that other tools open as a dataset,
//
//	data/*.parquet     kept documents, FineWeb's columns first (DataWriter, ReadData)
//	ledger/*.parquet   one row for every document, with every signal and the verdict (LedgerWriter, ReadLedger)
//	dropped/*.parquet  texts of dropped documents (DroppedWriter, ReadDropped)
//	run.json           what was run, on what, and what came of it (Run)
//
// and, for the engine alone, spools of Rows between passes (SpoolWriter, ReadSpool) and task manifests (Manifest, Commit).
// Source reads the parquet files of others.
//
// The same rows give the same bytes: no file holds a time, a host or a random number. Strings are made valid UTF-8 on
// their way into parquet. Of the strings, text, id, dump, url, date, file_path and language are never null; the others are
// null when empty. Numbers that were not measured are null, never NaN.
package shard

import (
	"net/url"
	"strings"

	"golang.org/x/net/publicsuffix"

	"winnow"
)

// Row is the final state of one document: what data/, ledger/ and dropped/ are written from and what spools hold.
type Row struct {
	Doc     winnow.Document // Text as kept, or as the dropping stage received it
	Verdict winnow.Verdict
	Edits   []winnow.Edit

	Root       int // ordinal of the source record within its shard
	Seq        int // ordinal of the document in the input of the pass that wrote the row
	DropStage  int // index of the dropping stage in the recipe; Alive, or AtRead
	EditStage  int // index of the last stage that changed text, title or meta; NoStage when none did
	FieldStage int // index of the last stage that set the language; NoStage when none did

	Bytes int64 // size of the text in bytes of UTF-8
	Chars int64 // size of the text in code points

	Cluster     string  // ID of the survivor of the document's cluster; empty when it stands in none
	ClusterSize int32   // documents in the cluster
	Similarity  float32 // to the survivor, 0..1
	Weight      int32   // times that a kept document should be used; 0 where no stage said
}

// What Row's stages hold beside the index of a stage.
const (
	Alive   = -1 // DropStage: kept, or still on its way
	AtRead  = -2 // DropStage: damaged in the input
	NoStage = -1 // EditStage, FieldStage: none
)

// Domain is the registered domain of a URL (example.co.uk of https://www.example.co.uk/a), or its host where there is
// none, as with addresses; lower-case, and empty when the URL has no host.
func Domain(rawURL string) string {
	u, err := url.Parse(rawURL)
	if err != nil {
		return ""
	}
	host := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	if domain, err := publicsuffix.EffectiveTLDPlusOne(host); err == nil && !isAddress(host) {
		return domain
	}
	return host
}

// isAddress tells whether a host is an IP address: no registered name ends in a digit, and only IPv6 holds a colon.
func isAddress(host string) bool {
	return strings.Contains(host, ":") || host != "" && host[len(host)-1] >= '0' && host[len(host)-1] <= '9'
}
