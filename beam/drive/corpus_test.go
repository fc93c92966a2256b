package drive

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"winnow/pipelines"
	"winnow/pipelines/engine"
)

// recipe has Corpus stages of every kind: two that share a pass, one whose edges are verified, and two that cut texts.
const recipe = `name: conformance
input:
  shard_size: %s
  jsonl: [%s]
stages:
  - filter: {use: [gopher, repetition]}
  - dedup: {method: exact}
  - dedup: {method: minhash, bands: 14, rows: 8, shingle: {han: 13, latin: 5}, verify: 0.7}
  - dedup: {method: line, min_chars: 20}
  - dedup: {method: span, tokens: 40}
  - pii:   {email: true, ip: true}
output: {dir: runs, dropped: all}
`

// light is a recipe for large corpora: the rules that most use, and the deduplication that most use.
const light = `name: light
input:
  shard_size: %s
  jsonl: [%s]
stages:
  - filter: {use: [gopher]}
  - dedup: {method: exact}
  - dedup: {method: minhash, bands: 14, rows: 8, shingle: {han: 13, latin: 5}}
output: {dir: runs, dropped: none}
`

// corpus writes so many documents to JSONL files in dir: a tenth too short, a good third near or exact duplicates, some with
// lines and passages of others.
func corpus(t testing.TB, dir string, files, docs int) {
	t.Helper()
	vocabulary := make([]string, 4000)
	shared := rand.New(rand.NewPCG(1, 1))
	stop := strings.Fields("the of and to a in that have with it for on was")
	for i := range vocabulary {
		w := make([]byte, 3+shared.IntN(7))
		for k := range w {
			w[k] = byte('a' + shared.IntN(26))
		}
		vocabulary[i] = string(w)
	}
	write := func(rng *rand.Rand, words int) string {
		var b strings.Builder
		for k := range words {
			if k > 0 {
				b.WriteByte(' ')
			}
			if rng.IntN(3) == 0 {
				b.WriteString(stop[rng.IntN(len(stop))])
			} else {
				b.WriteString(vocabulary[rng.IntN(len(vocabulary))])
			}
			if k%12 == 11 {
				b.WriteByte('.')
			}
		}
		return b.String() + "."
	}
	common := make([]string, 400)
	for i := range common {
		common[i] = write(rand.New(rand.NewPCG(2, uint64(i))), 120)
	}
	for f := range files {
		out, err := os.Create(filepath.Join(dir, fmt.Sprintf("part-%03d.jsonl", f)))
		if err != nil {
			t.Fatal(err)
		}
		w := bufio.NewWriter(out)
		enc, rng := json.NewEncoder(w), rand.New(rand.NewPCG(3, uint64(f)))
		for k := range docs / files {
			base := common[rng.IntN(len(common))]
			text := write(rng, 110)
			switch rng.IntN(10) {
			case 0:
				text = write(rng, 20)
			case 1, 2:
				text = base
			case 3, 4:
				text = strings.Replace(base, " the ", " some ", 2)
			case 5:
				text = write(rng, 60) + "\n" + base[:len(base)/2] + "\n" + write(rng, 50)
			case 6:
				text = "Home and all that is said about us here\n" + text + " Write to someone@site.example today."
			}
			if err := enc.Encode(map[string]string{"id": fmt.Sprintf("%d-%d", f, k), "text": text, "url": fmt.Sprintf("http://site%d.example/%d", f, k)}); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		if err := out.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// plan makes the conformance recipe's plan for a corpus, with its runs in a folder of its own.
func plan(t testing.TB, corpus, root, shardSize string) *engine.Plan {
	t.Helper()
	return planOf(t, recipe, corpus, root, shardSize)
}

func planOf(t testing.TB, recipe, corpus, root, shardSize string) *engine.Plan {
	t.Helper()
	raw := []byte(fmt.Sprintf(recipe, shardSize, filepath.Join(corpus, "*.jsonl")))
	r, err := pipelines.Parse("conformance.yaml", raw)
	if err != nil {
		t.Fatal(err)
	}
	p, err := pipelines.Build(r, raw, "test")
	if err != nil {
		t.Fatal(err)
	}
	p.Root = root
	if p.Shards, err = p.Source.Shards(t.Context()); err != nil {
		t.Fatal(err)
	}
	return p
}
