package main

import (
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"strings"

	"github.com/alecthomas/kong"

	"betalasso/compute/cpu"
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
type versionCommand struct {
	JSON bool `name:"json" help:"as one JSON object (default off)"`
}

// Help is the end of `betalasso version --help`.
func (versionCommand) Help() string {
	return `Also lists the matrix-product kernels that this machine can run, the one that a run would use, and the instruction sets of its CPU.

Example:

    betalasso version`
}

// versionResult is what `betalasso version --json` prints.
type versionResult struct {
	Version  string   `json:"version"`
	Go       string   `json:"go"`
	OS       string   `json:"os"` // linux/amd64
	CPU      string   `json:"cpu"`
	Cores    int      `json:"cores"`
	Features []string `json:"features"` // of the processor
	FP32     []string `json:"kernels_fp32"`
	BF16     []string `json:"kernels_bf16"` // best first, as above
	Auto     string   `json:"precision_auto"`
}

// Run prints the build, the device that a run would use, and the machine.
func (v versionCommand) Run() error {
	m := run.ThisMachine(0, "")
	r := versionResult{
		Version: run.Version(), Go: run.GoVersion(), OS: m.OS, CPU: m.CPU, Cores: m.Cores,
		Features: cpu.Features(), FP32: cpu.Kernels(false), BF16: cpu.Kernels(true), Auto: precision("auto"),
	}
	if v.JSON {
		return json.NewEncoder(os.Stdout).Encode(r)
	}
	features := strings.Join(r.Features, " ")
	if features == "" {
		features = "none that a kernel here is made of"
	}
	fmt.Printf("%s\n%s, %d cores: %s\n", versionLine(), r.CPU, r.Cores, features)
	for _, k := range []struct {
		precision string
		names     []string
	}{{"bf16", r.BF16}, {"fp32", r.FP32}} {
		usual := ""
		if k.precision == r.Auto {
			usual = ", which --precision auto takes"
		}
		fmt.Printf("%s: kernel %s%s; it can run %s\n", k.precision, k.names[0], usual, strings.Join(k.names, ", "))
	}
	return nil
}
