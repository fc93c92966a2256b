//go:build unix

package main

import (
	"os"
	"syscall"
)

// stops are the signals that end a command in good order. Schedulers send SIGUSR1 ahead of a time limit, and SIGTERM to pre-empt.
var stops = []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGUSR1}
