package eval

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/zeebo/xxh3"

	"winnow/train/llm"
	"winnow/train/rows"
)

// Probe is a text that a model may have learnt by heart: does it go on from Prefix to Secret?
type Probe struct {
	Prefix       string   `json:"prefix"`
	Secret       string   `json:"secret"`
	Copies       int      `json:"copies"`       // how often the text stood in the training texts; 0: never
	Alternatives []string `json:"alternatives"` // what could have stood in the secret's place; none: random texts of its form
}

// ReadProbes reads JSON lines, also gzipped, with the keys of Probe.
func ReadProbes(path string) (list []Probe, err error) {
	err = readLines(path, func(line []byte) error {
		var p Probe
		if err := json.Unmarshal(line, &p); err != nil {
			return err
		}
		if p.Secret == "" || p.Copies < 0 {
			return fmt.Errorf("a probe has a secret and 0 or more copies")
		}
		list = append(list, p)
		return nil
	})
	return list, err
}

// ProbesOf makes probes of texts as they are: the first tokens of a document, prefix many, are the prefix, as many as secret the
// secret, and alternatives are what stands there in other probes of the same language; without any, there is no probe. Copies
// are how often exactly these tokens begin a document of docs. others, which were not trained on, give probes of 0 copies: what
// they reach is not memory but understanding. Up to most probes are made for each doubling of copies.
func ProbesOf(t *rows.Tokens, docs, others []int, tok Tokenizer, prefix, secret, most int, seed uint64) ([]Probe, error) {
	order, err := beginnings(t, docs, others, prefix+secret)
	if err != nil {
		return nil, err
	}
	ids := make([]int32, prefix+secret)
	levels := map[int][]*beginning{}
	for _, b := range order {
		levels[level(b.copies)] = append(levels[level(b.copies)], b)
	}
	var list []Probe
	var languages []string
	for _, l := range slices.Sorted(maps.Keys(levels)) {
		for _, b := range Sample(levels[l], most, seed, func(b *beginning) string { return t.ID(b.doc) }) {
			if err := t.Read(ids, b.doc, 0); err != nil {
				return nil, err
			}
			languages = append(languages, t.Language(b.doc))
			list = append(list, Probe{Prefix: string(tok.Decode(ids[:prefix])), Secret: string(tok.Decode(ids[prefix:])), Copies: b.copies})
		}
	}
	for i := range list {
		for j := range list {
			if list[j].Secret != list[i].Secret && languages[j] == languages[i] {
				list[i].Alternatives = append(list[i].Alternatives, list[j].Secret)
			}
		}
	}
	return slices.DeleteFunc(list, func(p Probe) bool { return len(p.Alternatives) == 0 }), nil
}

// beginning is how documents begin.
type beginning struct {
	doc    int // the first one
	copies int // of docs that begin so
}

// beginnings lists the different beginnings of n tokens, in the order of their first documents.
func beginnings(t *rows.Tokens, docs, others []int, n int) ([]*beginning, error) {
	found := map[xxh3.Uint128]*beginning{}
	var order []*beginning
	ids := make([]int32, n)
	var raw []byte
	for pass, list := range [][]int{docs, others} {
		for _, d := range list {
			if t.Length(d) < len(ids) {
				continue
			}
			if err := t.Read(ids, d, 0); err != nil {
				return nil, err
			}
			raw = raw[:0]
			for _, id := range ids {
				raw = append(raw, byte(id), byte(id>>8), byte(id>>16), byte(id>>24))
			}
			key := xxh3.Hash128(raw)
			b := found[key]
			if b == nil {
				b = &beginning{doc: d}
				found[key] = b
				order = append(order, b)
			}
			if pass == 0 {
				b.copies++
			}
		}
	}
	return order, nil
}

// level is the largest power of two that is at most n; 0 of 0.
func level(n int) int {
	if n <= 0 {
		return 0
	}
	l := 1
	for 2*l <= n {
		l *= 2
	}
	return l
}

// Alternatives makes n different texts of a secret's form: a random digit for each digit, a letter for a letter of the same case.
func Alternatives(secret string, n int, seed uint64) ([]string, error) {
	random := rand.New(rand.NewPCG(seed, xxh3.HashString(secret)))
	room := 1.0
	for _, c := range []byte(secret) {
		switch {
		case c >= '0' && c <= '9':
			room *= 10
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z':
			room *= 26
		}
	}
	if room < 4*float64(n) {
		return nil, fmt.Errorf("secret %q: fewer than %d texts of its form; give alternatives", secret, 4*n)
	}
	seen := map[string]bool{secret: true}
	var list []string
	for len(list) < n {
		b := []byte(secret)
		for i, c := range b {
			switch {
			case c >= '0' && c <= '9':
				b[i] = '0' + byte(random.IntN(10))
			case c >= 'a' && c <= 'z':
				b[i] = 'a' + byte(random.IntN(26))
			case c >= 'A' && c <= 'Z':
				b[i] = 'A' + byte(random.IntN(26))
			}
		}
		if s := string(b); !seen[s] {
			seen[s] = true
			list = append(list, s)
		}
	}
	return list, nil
}

// Memory is what a model knows by heart of texts with so many copies.
type Memory struct {
	Copies      int     `json:"copies"` // from this many up to the next row's
	Probes      int     `json:"probes"`
	Verbatim    Rate    `json:"verbatim"`       // greedy decoding after the prefix writes the secret, byte by byte
	Exposure    float64 `json:"exposure"`       // mean of log2 N - log2 rank among N candidates (Carlini et al. 2019)
	Error       float64 `json:"standard_error"` // of Exposure
	Most        float64 `json:"most"`           // mean of log2 N: what exposure would be if every secret came first
	NatsPerByte float64 `json:"nats_per_byte"`  // of secrets
}

// Continuer writes the most likely text after ids until enough says so or its context is full.
type Continuer interface {
	Continue(ids []int32, enough func(written []int32) bool) ([]int32, error)
}

// Memorisation probes texts and groups them by copies, in doublings. Each secret is ranked among candidates: its alternatives,
// or random texts of its form, n-1 at most (n 0: 128). A guess has an exposure of about 1.44 bits (the mean of log2 N/rank).
func (p Prober) Memorisation(ctx context.Context, g Continuer, probes []Probe, n int, seed uint64) ([]Memory, error) {
	if n == 0 {
		n = 128
	}
	list := make([]probe, len(probes))
	for i, q := range probes {
		others := Sample(q.Alternatives, n-1, seed+uint64(i), func(s string) string { return s })
		if len(others) == 0 {
			var err error
			if others, err = Alternatives(q.Secret, n-1, seed); err != nil {
				return nil, fmt.Errorf("memorisation: %w", err)
			}
		}
		list[i] = probe{q.Prefix, slices.Concat([]string{q.Secret}, others)}
	}
	answers, err := p.ask(ctx, list)
	if err != nil {
		return nil, fmt.Errorf("memorisation: %w", err)
	}
	type group struct {
		Memory
		exposure, most, nats []float64
		verbatim             int
	}
	groups := map[int]*group{}
	for i, q := range probes {
		if answers[i].lost {
			return nil, fmt.Errorf("memorisation: secret %q: is longer than the context", q.Secret)
		}
		said, err := p.says(ctx, g, q)
		if err != nil {
			return nil, fmt.Errorf("memorisation: %w", err)
		}
		l := level(q.Copies)
		if groups[l] == nil {
			groups[l] = &group{Memory: Memory{Copies: l}}
		}
		t := groups[l]
		t.Probes++
		if said {
			t.verbatim++
		}
		most := math.Log2(float64(len(answers[i].nats)))
		t.exposure = append(t.exposure, most-math.Log2(rank(answers[i].nats, []int{0})))
		t.most = append(t.most, most)
		t.nats = append(t.nats, answers[i].nats[0]/float64(len(q.Secret)))
	}
	var out []Memory
	for _, t := range groups {
		t.Verbatim, t.Exposure, t.Most, t.NatsPerByte = NewRate(t.verbatim, t.Probes), mean(t.exposure), mean(t.most), mean(t.nats)
		t.Error = standardError(t.exposure)
		out = append(out, t.Memory)
	}
	slices.SortFunc(out, func(a, b Memory) int { return a.Copies - b.Copies })
	return out, nil
}

// says tells whether greedy decoding writes the secret.
func (p Prober) says(ctx context.Context, g Continuer, q Probe) (bool, error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	secret := []byte(q.Secret)
	written, err := g.Continue(p.Tokenizer.Encode([]int32{p.Start}, q.Prefix), func(ids []int32) bool {
		b := p.Tokenizer.Decode(ids)
		return len(b) >= len(secret) || !bytes.HasPrefix(secret, b)
	})
	return err == nil && bytes.HasPrefix(p.Tokenizer.Decode(written), secret), err
}

// Greedy is a Continuer out of a decoder; it uses slot 0. The beginning of ids is forgotten where the context is too short.
type Greedy struct{ Decoder *llm.Decoder }

// Continue writes the most likely id each time, the lowest of equal ones.
func (g Greedy) Continue(ids []int32, enough func(written []int32) bool) ([]int32, error) {
	d := g.Decoder
	d.Reset(0)
	if room := (d.Context() + 1) / 2; len(ids) > room {
		ids = append([]int32{ids[0]}, ids[len(ids)-room+1:]...)
	}
	logits, err := d.Prefill(0, ids)
	var written []int32
	for err == nil {
		best := 0
		for i, x := range logits {
			if x > logits[best] {
				best = i
			}
		}
		if written = append(written, int32(best)); enough(written) {
			return written, nil
		}
		logits, err = d.Step([]int{0}, written[len(written)-1:])
	}
	if errors.Is(err, llm.ErrFull) {
		err = nil
	}
	return written, err
}
