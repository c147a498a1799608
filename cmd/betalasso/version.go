package main

import (
	"fmt"
	"runtime"

	"github.com/alecthomas/kong"

	"betalasso/run"
)

// versionFlag is --version.
type versionFlag bool

// BeforeReset prints the version and ends the program.
func (versionFlag) BeforeReset(ctx *kong.Context) error {
	fmt.Fprintln(ctx.Stdout, versionLine())
	ctx.Exit(0)
	return nil
}

func versionLine() string {
	return fmt.Sprintf("betalasso %s, %s, %s/%s", run.Version(), run.GoVersion(), runtime.GOOS, runtime.GOARCH)
}

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
	fmt.Printf("%s\n%s, %d cores; %s\n", versionLine(), m.CPU, m.Cores, m.Device)
	return nil
}
