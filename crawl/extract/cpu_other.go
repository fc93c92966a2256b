//go:build !unix

package extract

import "time"

// processTime is the time of day where the process's own is not known.
func processTime() time.Duration { return time.Duration(time.Now().UnixNano()) }
