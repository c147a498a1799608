package main

import (
	"fmt"

	"betalasso/run"
)

// versionCommand is `betalasso version`.
type versionCommand struct{}

// Help is the end of `betalasso version --help`.
func (versionCommand) Help() string { return "Example:\n\n    betalasso version" }

// Run prints the build, the device that a run would use, and the machine.
func (versionCommand) Run() error {
	c := run.Default()
	c.Precision = precision(c.Precision)
	dev, err := newDevice(c)
	if err != nil {
		return err
	}
	m := run.ThisMachine(threads(c), dev.Name())
	fmt.Printf("betalasso %s, %s, %s\n%s, %d cores; %s\n", run.Version(), run.GoVersion(), m.OS, m.CPU, m.Cores, m.Device)
	return nil
}
