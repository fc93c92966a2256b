//go:build !unix

package main

import (
	"os"
	"syscall"
)

// stops are the signals that end a command in good order.
var stops = []os.Signal{os.Interrupt, syscall.SIGTERM}
