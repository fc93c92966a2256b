package meter

import (
	"slices"
	"testing"
)

func TestSampleKeepsToItsSize(t *testing.T) {
	t.Chdir("../..")
	o := Options{Sample: 200_000}
	take := func() (ids []string, size int64) {
		docs, err := o.Documents(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range docs {
			ids, size = append(ids, d.ID), size+bytesOf(d)
		}
		return ids, size
	}
	ids, size := take()
	again, _ := take()
	if size > o.Sample || size < o.Sample/10 || !slices.Equal(ids, again) {
		t.Errorf("%d documents of %d bytes, then %d documents", len(ids), size, len(again))
	}
}
