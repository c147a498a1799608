//go:build unix

package main

import (
	"os"
	"syscall"
)

// saveSignals ask a process to save and end, with exitSaved. Clusters send USR2
// ahead of a time limit.
var saveSignals = []os.Signal{syscall.SIGTERM, syscall.SIGUSR2}
