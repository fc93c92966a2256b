package tasks

import (
	"github.com/apache/beam/sdks/v2/go/pkg/beam"
)

// Shuffle is the graph of a Corpus stage's Map and Group tasks: shards are dealt to workers, and what they leave is gathered by
// partition. All shards of the pass are in it, done or not, and the partitions that are missing.
func Shuffle(s Spec, shards, parts []int) *beam.Pipeline {
	p, root := beam.NewPipelineWithRoot()
	blocks := beam.ParDo(root.Scope("map"), &Map{Spec: s, Parts: Ranges(parts), First: int64(shards[0])}, deal(root, shards))
	end(root, beam.ParDo(root.Scope("group"), &Reduce{s}, beam.GroupByKey(root, blocks)))
	return p
}

// Each is the graph of tasks that need nothing of each other.
func Each(s Spec, numbers []int) *beam.Pipeline {
	p, root := beam.NewPipelineWithRoot()
	end(root, beam.ParDo(root.Scope("join"), &Join{s}, deal(root, numbers)))
	return p
}

// One is the graph of a wave that is done in one place.
func One(s Spec) *beam.Pipeline {
	p, root := beam.NewPipelineWithRoot()
	end(root, beam.ParDo(root.Scope("global"), &Global{s}, beam.Create(root, s.Stage)))
	return p
}

// deal gives numbers of tasks to the workers.
func deal(root beam.Scope, numbers []int) beam.PCollection {
	list := make([]int64, len(numbers))
	for i, n := range numbers {
		list[i] = int64(n)
	}
	return beam.Reshuffle(root, beam.CreateList(root, list))
}

// end takes the numbers of tasks that are done in a stage of its own. Prism 2.77 keeps a core busy while it waits for a stage whose
// output no other stage takes; this one is over at once.
func end(root beam.Scope, done beam.PCollection) {
	beam.ParDo0(root.Scope("end"), &End{}, beam.Reshuffle(root, done))
}
