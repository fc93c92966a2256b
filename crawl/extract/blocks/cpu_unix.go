//go:build unix

package blocks

import (
	"syscall"
	"time"
)

// ProcessTime is the CPU time that the process has had: the watchdog does not count what a busy or sleeping machine took.
func ProcessTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return time.Duration(time.Now().UnixNano())
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
