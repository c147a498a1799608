//go:build !unix

package main

import (
	"os"
	"syscall"
)

// saveSignals ask a process to save and end, with exitSaved.
var saveSignals = []os.Signal{syscall.SIGTERM}
