//go:build unix

package meter

import (
	"runtime"
	"syscall"
	"time"
)

// threadUsage is RUSAGE_THREAD of Linux, which package syscall does not name.
const threadUsage = 1

// ProcessorTime is the processor time of the program so far.
func ProcessorTime() time.Duration { return cpu(syscall.RUSAGE_SELF) }

// ThreadTime is the processor time of the calling thread so far; where the system does not tell, that of the program.
func ThreadTime() time.Duration {
	if runtime.GOOS == "linux" {
		return cpu(threadUsage)
	}
	return ProcessorTime()
}

func cpu(who int) time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(who, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// PeakMemory is the most memory that the program had resident so far, in bytes.
func PeakMemory() int64 {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return Resident(&u)
}

// Resident is Maxrss in bytes: Darwin counts in bytes, the others in KiB.
func Resident(u *syscall.Rusage) int64 {
	if runtime.GOOS == "darwin" || runtime.GOOS == "ios" {
		return int64(u.Maxrss)
	}
	return int64(u.Maxrss) << 10
}
