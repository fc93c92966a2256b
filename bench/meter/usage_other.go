//go:build !unix

package meter

import "time"

// The system tells nothing in the way of getrusage: wall time stands in, and memory is not measured.

var begun = time.Now()

// ProcessorTime is the time since the program began.
func ProcessorTime() time.Duration { return time.Since(begun) }

// ThreadTime is the time since the program began.
func ThreadTime() time.Duration { return time.Since(begun) }

// PeakMemory is not known here: 0.
func PeakMemory() int64 { return 0 }
