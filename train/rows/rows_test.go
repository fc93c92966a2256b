package rows

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
)

// TestEpochs: over each epoch every byte of text and one end a document are targets exactly once, in order, and the ledger
// agrees with what the rows hold.
func TestEpochs(t *testing.T) {
	for _, o := range []Options{options(1), options(2), options(16), options(64), options(1000), {Len: 32, Single: true, Seed: 3, BOS: -1, EOS: eos, PAD: -1}} {
		docs := invent(300, 4)
		tokens := tokenize(t, docs)
		s, err := NewStream([]Source{{Name: "a", Tokens: tokens}}, o)
		if err != nil {
			t.Fatal(err)
		}
		var sum Ledger
		g := int64(0)
		for epoch := range int64(3) {
			rows, err := s.EpochRows(0, epoch)
			if err != nil {
				t.Fatal(err)
			}
			got := map[int][]byte{}
			for range rows {
				parts := checkRow(t, s, g, &sum)
				slices.SortFunc(parts, func(a, b target) int { return a.from - b.from })
				for _, p := range parts {
					got[p.doc] = append(got[p.doc], make([]byte, max(0, p.from+len(p.text)-len(got[p.doc])))...)
					copy(got[p.doc][p.from:], p.text)
				}
				g++
			}
			for i, d := range docs {
				if string(got[i]) != d.Text {
					t.Fatalf("row of %d: epoch %d: document %d is not the text that went in", o.Len, epoch, i)
				}
			}
		}
		ledger, err := s.Ledger(g)
		if err != nil {
			t.Fatal(err)
		}
		sum.Documents, sum.Bytes, sum.Read, sum.Left = ledger.Documents, ledger.Bytes, ledger.Read, ledger.Left
		if ledger != sum {
			t.Fatalf("row of %d: ledger\n%+v, rows held\n%+v", o.Len, ledger, sum)
		}
		if ledger.Left != 0 || ledger.Bytes != 3*tokens.TotalBytes() || ledger.Text != 3*tokens.Total() {
			t.Fatalf("row of %d: after three epochs %+v", o.Len, ledger)
		}
	}
}

type target struct {
	doc, from int
	text      []byte
}

// checkRow proves a row's form and counts it into sum.
func checkRow(t *testing.T, s *Stream, g int64, sum *Ledger) (out []target) {
	t.Helper()
	n := s.Len()
	ids, targets, pos := make([]int32, n), make([]int32, n), make([]int32, n)
	if err := s.Fill(g, ids, targets, pos); err != nil {
		t.Fatal(err)
	}
	parts, err := s.Parts(g)
	if err != nil {
		t.Fatal(err)
	}
	if len(parts) == 0 || s.o.Single && len(parts) != 1 {
		t.Fatalf("row %d: %d pieces", g, len(parts))
	}
	at := 0
	for _, p := range parts {
		piece := target{doc: p.Index, from: p.From}
		for i := range p.Len {
			if pos[at+i] != int32(i) {
				t.Fatalf("row %d: position %d at %d of a piece", g, pos[at+i], i)
			}
			if i > 0 && ids[at+i] != targets[at+i-1] {
				t.Fatalf("row %d: input %d is not the target before it", g, at+i)
			}
			switch last := p.From+i == p.Pairs-1; {
			case last != (targets[at+i] == eos):
				t.Fatalf("row %d: the end is not at the end", g)
			case last:
				sum.Ends++
			default:
				sum.Text++
				piece.text = append(piece.text, byte(targets[at+i]))
			}
			if p.From > 0 {
				sum.Continued++
			}
		}
		if p.From == 0 && ids[at] != s.o.BOS || p.From > 0 && ids[at] > 255 {
			t.Fatalf("row %d: a piece from %d begins with %d", g, p.From, ids[at])
		}
		sum.Used += int64(p.Len)
		at += p.Len
		out = append(out, piece)
	}
	for i := at; i < n; i++ {
		if ids[i] != s.o.PAD || targets[i] != -1 || pos[i] != 0 {
			t.Fatalf("row %d: padding %d %d %d", g, ids[i], targets[i], pos[i])
		}
		sum.Padded++
	}
	sum.Rows++
	sum.Positions += int64(n)
	return out
}

// TestCursor: a stream that begins at any row gives what one that came from 0 gives, over epochs and sources, and its ledger
// balances there.
func TestCursor(t *testing.T) {
	a, b, c := tokenize(t, invent(60, 5)), tokenize(t, invent(200, 6)), tokenize(t, invent(20, 7))
	train, _ := Holdout(b, 0.2, 1)
	sources := []Source{{"a", a, nil, 1}, {"b", b, train, 2.5}, {"c", c, nil, 0.3}}
	fresh := func() *Stream {
		s, err := NewStream(sources, options(24))
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	const n = 600
	straight := make([]int32, 3*n*24)
	third := func(x []int32, i int) []int32 { return x[i*len(x)/3 : (i+1)*len(x)/3] }
	if err := fresh().Fill(0, third(straight, 0), third(straight, 1), third(straight, 2)); err != nil {
		t.Fatal(err)
	}
	for _, g := range []int{0, 1, 17, 100, 333, 598} {
		rows := min(5, n-g)
		part := make([]int32, 3*rows*24)
		s := fresh()
		if err := s.Fill(int64(g), third(part, 0), third(part, 1), third(part, 2)); err != nil {
			t.Fatal(err)
		}
		for i := range 3 {
			if !slices.Equal(third(part, i), third(straight, i)[g*24:(g+rows)*24]) {
				t.Fatalf("row %d differs from a straight run", g)
			}
		}
		l, err := fresh().Ledger(int64(g))
		if err != nil {
			t.Fatal(err)
		}
		used := int64(0)
		for _, id := range third(straight, 1)[:g*24] {
			if id >= 0 {
				used++
			}
		}
		if l.Used != used || l.Rows != int64(g) {
			t.Fatalf("row %d: ledger %+v; counted %d targets", g, l, used)
		}
	}
}

func TestWeights(t *testing.T) {
	a, b := tokenize(t, invent(60, 5)), tokenize(t, invent(60, 6))
	s, err := NewStream([]Source{{"a", a, nil, 3}, {"b", b, nil, 1}}, options(24))
	if err != nil {
		t.Fatal(err)
	}
	from := [2]int{}
	for g := range int64(4000) {
		p, err := s.Where(g)
		if err != nil {
			t.Fatal(err)
		}
		from[p.Source]++
		if d := float64(from[0]) - 0.75*float64(g+1); d > 1 || d < -1 {
			t.Fatalf("row %d: %d of the first source", g, from[0])
		}
	}
	// After as many rows as Passed says, nothing of the source's first pass is left; before, something is.
	for i, src := range []*Tokens{a, b} {
		g, err := s.Passed(i)
		if err != nil {
			t.Fatal(err)
		}
		if l, _ := s.sources[i].ledger(s.count(i, g)); l.Text != src.Total() || l.Left != 0 {
			t.Errorf("source %d: after %d rows %+v", i, g, l)
		}
		if l, _ := s.sources[i].ledger(s.count(i, g-1)); l.Left == 0 {
			t.Errorf("source %d: nothing left after %d rows", i, g-1)
		}
	}
	equal, err := NewStream([]Source{{"a", a, nil, 0}, {"b", b, nil, 1}}, options(24))
	if err != nil {
		t.Fatal(err)
	}
	if n, whole := equal.count(0, cycleLen), int64(cycleLen); 2*n != whole {
		t.Errorf("without a weight: %d of %d rows", n, whole)
	}
	for _, bad := range [][]Source{nil, {{"a", a, nil, 1}, {"b", b, nil, -1}}, {{"a", a, nil, 1}, {"b", b, nil, 1e-9}}, {{"a", a, []int{}, 1}}} {
		if _, err := NewStream(bad, options(8)); err == nil {
			t.Errorf("%d sources: no error", len(bad))
		}
	}
}

// TestPlan: another epoch is another order; the same one is the same; rows are well filled.
func TestPlan(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	lengths := make([]int, 20000)
	sum := 0
	for i := range lengths {
		lengths[i] = 1 + int(r.ExpFloat64()*300)
		sum += lengths[i] + 1
	}
	plan := func(seed uint64, epoch int64) *Plan {
		p, err := NewPlan(lengths, PlanOptions{Len: 512, Seed: seed, Epoch: epoch})
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	p := plan(1, 0)
	if !reflect.DeepEqual(p, plan(1, 0)) {
		t.Fatal("the same seed and epoch gave another plan")
	}
	if reflect.DeepEqual(p, plan(1, 1)) || reflect.DeepEqual(p, plan(2, 0)) {
		t.Fatal("another seed or epoch gave the same plan")
	}
	if fill := float64(sum) / float64(p.Rows()*p.Len()); fill < 0.99 {
		t.Fatalf("rows are %.3f full", fill)
	}
	together := func(p *Plan) map[[2]int]bool {
		m := map[[2]int]bool{}
		for i := range p.Rows() {
			if row := p.Row(i); len(row) > 1 {
				m[[2]int{min(row[0].Doc, row[1].Doc), max(row[0].Doc, row[1].Doc)}] = true
			}
		}
		return m
	}
	first, again := together(p), 0
	for pair := range together(plan(1, 1)) {
		if first[pair] {
			again++
		}
	}
	if again > len(first)/10 {
		t.Errorf("%d of %d rows of the first epoch hold the same documents in the second", again, len(first))
	}
}

// TestPlanGolden holds a plan fast: a cursor in a checkpoint means these rows, whatever release of Go built the program.
func TestPlanGolden(t *testing.T) {
	p, err := NewPlan([]int{3, 9, 0, 1, 5, 2, 7}, PlanOptions{Len: 8, Seed: 42, Epoch: 1})
	if err != nil {
		t.Fatal(err)
	}
	var rows [][]Piece
	for i := range p.Rows() {
		rows = append(rows, p.Row(i))
	}
	const want = "[[{3 0 2}] [{6 0 8}] [{0 0 4} {5 0 3}] [{1 0 8}] [{4 0 6} {1 8 2}]]"
	if got := fmt.Sprint(rows); got != want {
		t.Fatalf("plan %s, not %s", got, want)
	}
}

func FuzzPlan(f *testing.F) {
	f.Add([]byte{1, 2, 3, 200, 0, 9}, uint16(7), false)
	f.Add([]byte{255, 255, 0}, uint16(1), true)
	f.Fuzz(func(t *testing.T, raw []byte, length uint16, single bool) {
		lengths := make([]int, len(raw))
		for i, b := range raw {
			lengths[i] = int(b) * int(b) / 64
		}
		o := PlanOptions{Len: int(length), Single: single, Seed: uint64(len(raw))}
		p, err := NewPlan(lengths, o)
		if length == 0 {
			if err == nil {
				t.Fatal("rows of no positions")
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		seen := make([]int, len(lengths))
		for i := range p.Rows() {
			used := 0
			for _, piece := range p.Row(i) {
				if piece.From%int(length) != 0 || piece.Len < 1 {
					t.Fatalf("piece %v", piece)
				}
				seen[piece.Doc] += piece.Len
				used += piece.Len
			}
			if used == 0 || used > int(length) || single && len(p.Row(i)) != 1 {
				t.Fatalf("row of %d pairs: %v", used, p.Row(i))
			}
		}
		for i, n := range lengths {
			if n > 0 && seen[i] != n+1 || n == 0 && seen[i] != 0 {
				t.Fatalf("document of %d tokens: %d pairs", n, seen[i])
			}
		}
	})
}

func TestLedgerCheck(t *testing.T) {
	good := Ledger{Documents: 2, Bytes: 9, Read: 9, Text: 9, Ends: 2, Used: 11, Padded: 5, Rows: 2, Positions: 16}
	if err := good.Check(); err != nil {
		t.Fatal(err)
	}
	for i := range reflect.TypeFor[Ledger]().NumField() {
		bad := good
		f := reflect.ValueOf(&bad).Elem().Field(i)
		switch reflect.TypeFor[Ledger]().Field(i).Name {
		case "Documents":
			f.SetInt(1) // fewer than ends
		case "Bytes", "Rows":
			f.SetInt(-1)
		case "Continued":
			f.SetInt(12) // more than used
		default:
			f.SetInt(f.Int() + 1)
		}
		if bad.Check() == nil {
			t.Errorf("%s wrong: the ledger balances all the same", reflect.TypeFor[Ledger]().Field(i).Name)
		}
	}
}

func TestHoldout(t *testing.T) {
	docs := invent(4000, 8)
	tokens := tokenize(t, docs)
	train, held := Holdout(tokens, 0.1, 3)
	side := map[string]bool{}
	for i, part := range [][]int{train, held} {
		for _, d := range part {
			g := group(docs[d].Cluster, docs[d].ID)
			if was, ok := side[g]; ok && was != (i == 1) {
				t.Fatalf("cluster %s stands on both sides", g)
			}
			side[g] = i == 1
		}
	}
	with := 0
	for _, d := range docs {
		if d.Text != "" {
			with++
		}
	}
	if len(train)+len(held) != with {
		t.Fatalf("%d and %d documents of %d", len(train), len(held), with)
	}
	if share := float64(len(held)) / float64(with); share < 0.08 || share > 0.12 {
		t.Fatalf("%.3f held out", share)
	}
	// A document keeps its side when others are there or not.
	fewer, heldFewer := Holdout(tokenize(t, docs[:2000]), 0.1, 3)
	if !slices.Equal(fewer, train[:len(fewer)]) || !slices.Equal(heldFewer, held[:len(heldFewer)]) {
		t.Fatal("sides change with the number of documents")
	}
	if _, held := Holdout(tokens, 0, 3); len(held) != 0 {
		t.Fatalf("share 0 holds %d out", len(held))
	}
	if _, held := Holdout(tokens, 1e-9, 3); len(held) < 2 {
		t.Fatalf("a tiny share holds %d out: both languages must have one", len(held))
	}
}
