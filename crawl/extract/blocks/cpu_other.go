//go:build !unix

package blocks

import "time"

// ProcessTime is the time of day where the process's own is not known.
func ProcessTime() time.Duration { return time.Duration(time.Now().UnixNano()) }
