package rows

import "fmt"

// Ledger says where tokens went. Counts of documents and tokens are of epochs: a document read twice counts twice.
type Ledger struct {
	Documents int64 `json:"documents"` // with text, of every epoch begun
	Bytes     int64 `json:"bytes"`     // of their text
	Read      int64 `json:"read"`      // text tokens of these documents
	Text      int64 `json:"text"`      // text tokens that were targets
	Left      int64 `json:"left"`      // text tokens of epochs begun that stand in rows not reached yet
	Ends      int64 `json:"ends"`      // eos that were targets
	Used      int64 `json:"used"`      // targets: Text and Ends
	Continued int64 `json:"continued"` // targets in a piece that is not its document's first
	Masked    int64 `json:"masked"`    // positions that hold a token whose target does not count
	Padded    int64 `json:"padded"`    // positions without a token
	Rows      int64 `json:"rows"`
	Positions int64 `json:"positions"` // of all rows
}

// Check tells whether the ledger balances: every position is used, masked or padded; every text token read was a target or is
// left; every target is text or an end.
func (l Ledger) Check() error {
	for _, sum := range []struct {
		what       string
		have, want int64
	}{
		{"used + masked + padded = positions", l.Used + l.Masked + l.Padded, l.Positions},
		{"text + left = read", l.Text + l.Left, l.Read},
		{"text + ends = used", l.Text + l.Ends, l.Used},
	} {
		if sum.have != sum.want {
			return fmt.Errorf("token ledger: %s: %d is not %d", sum.what, sum.have, sum.want)
		}
	}
	if l.Continued > l.Used || l.Ends > l.Documents || min(l.Documents, l.Bytes, l.Read, l.Text, l.Left, l.Ends, l.Continued, l.Masked, l.Padded, l.Rows) < 0 {
		return fmt.Errorf("token ledger: out of range: %+v", l)
	}
	return nil
}

// Plus is the sum of two ledgers.
func (l Ledger) Plus(m Ledger) Ledger {
	return Ledger{
		Documents: l.Documents + m.Documents, Bytes: l.Bytes + m.Bytes, Read: l.Read + m.Read, Text: l.Text + m.Text, Left: l.Left + m.Left,
		Ends: l.Ends + m.Ends, Used: l.Used + m.Used, Continued: l.Continued + m.Continued, Masked: l.Masked + m.Masked,
		Padded: l.Padded + m.Padded, Rows: l.Rows + m.Rows, Positions: l.Positions + m.Positions,
	}
}

// add counts the targets, padding and positions of a row; length is the text tokens of a document.
func (l *Ledger) add(row []Piece, positions int, length func(doc int) int) {
	used := 0
	for _, p := range row {
		used += p.Len
		if p.From > 0 {
			l.Continued += int64(p.Len)
		}
		if p.From+p.Len == length(p.Doc)+1 {
			l.Ends++
			l.Text--
		}
	}
	l.Text += int64(used)
	l.Used += int64(used)
	l.Padded += int64(positions - used)
	l.Positions += int64(positions)
	l.Rows++
}
