// Package meter is what the benches of package bench have in common: what they give, Figures, what they are told, Options, the
// documents that they take out of an input, and the processor's time and the memory that the program used.
package meter

import (
	"context"
	"time"
)

// Figure is one measured number.
type Figure struct {
	Bench string  `json:"bench"`
	Name  string  `json:"name"`
	Unit  string  `json:"unit"`
	Value float64 `json:"value"` // median over the repetitions
	Min   float64 `json:"min"`
	Max   float64 `json:"max"`
	Runs  int     `json:"runs"` // repetitions

	Interval bool `json:"interval,omitempty"` // Min and Max are a 95 % interval of Value, which does not vary
}

// Options say what is measured on. The zero Options stand for the defaults.
type Options struct {
	Inputs  []string      // files, folders or globs of any kind that a recipe reads; none: samples/*.warc.gz
	Recipe  string        // of the bench run; quickstart
	Repeat  int           // repetitions; 1
	Least   time.Duration // what is small is worked off again until one repetition took this time of the processor; 1 s
	Sample  int64         // bytes of HTML that benches take out of the input, other than run, which takes all; 32 MiB
	Program string        // version of the program, for the bench run
	Docs    int           // documents of the bench dedup-scale; 1 million
	Memory  int64         // bytes in which dedup and dedup-scale sort; 256 MiB
	Answers []string      // command that calls Answers, for the bench rephrase; none: in this process
}

// Once measures one repetition. Name, Unit and Value of its figures are set, and the same from call to call but for Value.
type Once func(context.Context) ([]Figure, error)

// PerPass calls pass until it took Least in all, and gives the seconds of the processor that one call takes. The first call
// does not count: it loads dictionaries and fills pools.
func (o *Options) PerPass(ctx context.Context, pass func() error) (float64, error) {
	if err := pass(); err != nil {
		return 0, err
	}
	begin := ProcessorTime()
	for n := 1; ; n++ {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		if err := pass(); err != nil {
			return 0, err
		}
		if took := ProcessorTime() - begin; took >= o.Least {
			return took.Seconds() / float64(n), nil
		}
	}
}

// Rate is n/seconds in millions where n counts bytes.
func Rate(n int64, seconds float64) float64 { return float64(n) / 1e6 / seconds }
