//go:build unix

package extract

import (
	"syscall"
	"time"
)

// processTime is the CPU time that the process has had: the watchdog does not count what a busy or sleeping machine took.
func processTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return time.Duration(time.Now().UnixNano())
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
