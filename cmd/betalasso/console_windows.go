package main

import (
	"os"

	"golang.org/x/sys/windows"
)

// obeys reports whether a terminal obeys escape sequences, which the consoles of
// Windows do when they are told to.
func obeys(f *os.File) bool {
	var mode uint32
	h := windows.Handle(f.Fd())
	return windows.GetConsoleMode(h, &mode) == nil && windows.SetConsoleMode(h, mode|windows.ENABLE_VIRTUAL_TERMINAL_PROCESSING) == nil
}
