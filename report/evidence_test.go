package report

import (
	"fmt"
	"strings"
	"testing"

	"winnow"
	"winnow/shard"
)

func TestClusters(t *testing.T) {
	g := gathered{}
	add := func(n int, cluster, domain string) {
		for i := range n {
			l := &line{domain: domain, at: place{0, i}}
			l.Row = shard.Row{Cluster: cluster, ClusterSize: int32(n), Verdict: winnow.Verdict{Drop: i > 0, Value: .9}}
			if domain == "" {
				l.domain = fmt.Sprint("site", i, ".example")
			}
			g.add(l)
		}
	}
	add(12, "template", "shop.example")
	add(15, "copies", "")
	add(3, "few", "blog.example")
	g.add(&line{})
	got := g.largest(10)
	if len(got) != 3 || got[0].ID != "copies" || got[0].Template || got[1].ID != "template" || !got[1].Template || got[2].Template || got[2].Domain != "blog.example" {
		t.Fatalf("%+v", got)
	}
	if len(got[0].Members) != clusterMembers || got[0].Members[0].Kept != true {
		t.Errorf("%+v", got[0].Members)
	}
	var b strings.Builder
	if err := WriteClusters(&b, got, "en"); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"12 documents, survivor template; template pages of shop.example", "3 documents, survivor few; all of blog.example", "15 documents, survivor copies\n"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}
}

func TestFirstDifference(t *testing.T) {
	for _, c := range []struct{ a, b, x, y string }{
		{"one\ntwo", "one\nthree", "two", "three"}, {"one", "one\ntwo", "", "two"}, {"one\ntwo", "one", "two", ""},
	} {
		if x, y, ok := firstDifference(c.a, c.b); !ok || x != c.x || y != c.y {
			t.Errorf("%q %q: %q %q %v", c.a, c.b, x, y, ok)
		}
	}
	if _, _, ok := firstDifference("same", "same"); ok {
		t.Error("a difference of nothing")
	}
}
