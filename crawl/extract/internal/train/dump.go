package main

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"os"
)

func dump(pages []page) error {
	f, _ := os.Create("/tmp/extract2/rows.bin")
	m, _ := os.Create("/tmp/extract2/meta.bin")
	t, _ := os.Create("/tmp/extract2/pages.tsv")
	w, mw := bufio.NewWriterSize(f, 1<<20), bufio.NewWriterSize(m, 1<<20)
	for n, p := range pages {
		fmt.Fprintf(t, "%s\t%s\t%s\t%d\n", p.set, p.host, p.kind, p.truth)
		for i, r := range p.rows {
			binary.Write(w, binary.LittleEndian, r.values)
			b := p.blocks[i]
			x := func(b bool) float32 {
				if b {
					return 1
				}
				return 0
			}
			binary.Write(mw, binary.LittleEndian, []float32{float32(n), r.label, r.weight, float32(r.tokens), float32(r.good), float32(b.Units), x(b.Ruled), x(b.Announce), x(b.Hidden)})
		}
	}
	w.Flush()
	mw.Flush()
	return nil
}
