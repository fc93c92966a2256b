//go:build !unix

package bench

import "time"

// The system tells nothing in the way of getrusage: wall time stands in, and memory is not measured.

var begun = time.Now()

// ProcessorTime is the time since the program began.
func ProcessorTime() time.Duration { return time.Since(begun) }

func threadCPU() time.Duration { return time.Since(begun) }

func peakMemory() int64 { return 0 }
