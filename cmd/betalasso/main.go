// Command betalasso trains the networks of "Towards Learning Convolutions from
// Scratch" (Neyshabur 2020, arXiv 2007.13657) with SGD and with β-lasso, and
// writes the report: the paper's table, curves and filters beside those of the
// user's runs.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"betalasso/compare"
	"betalasso/data"
	"betalasso/run"
	"betalasso/spelling"
	"betalasso/train"
)

// The exit statuses, beside 0 for done.
const (
	exitFailure     = 1
	exitUsage       = 2
	exitDiverged    = 42  // the loss is not finite: the same command would end the same way
	exitSaved       = 75  // ended by SIGTERM or SIGUSR2 and saved: the same command, or resume, goes on
	exitInterrupted = 130 // ended by Ctrl-C, and saved
)

// commands is the command line.
type commands struct {
	Reproduce  reproduceCommand  `cmd:"" help:"Train all cases of the paper's table, then write the report."`
	Train      trainCommand      `cmd:"" help:"Train one network."`
	Resume     resumeCommand     `cmd:"" help:"Resume an interrupted run."`
	Sweep      sweepCommand      `cmd:"" help:"Run a study: many runs from one file, on one machine or many."`
	Eval       evalCommand       `cmd:"" help:"Evaluate a run's weights, last and best."`
	Predict    predictCommand    `cmd:"" help:"Classify images with a trained run."`
	Bench      benchCommand      `cmd:"" help:"Time training steps, and compare them with the machine's peak."`
	Runs       runsCommand       `cmd:"" help:"List runs: state, progress, accuracy."`
	Compare    compareCommand    `cmd:"" help:"Compare runs: means, spreads, paired differences."`
	Report     reportCommand     `cmd:"" help:"Write a report of runs: tables, curves, filters."`
	Export     exportCommand     `cmd:"" help:"Write runs for other tools: PyTorch, ONNX, tables, TensorBoard."`
	Import     importCommand     `cmd:"" help:"Import weights trained elsewhere as a run."`
	Verify     verifyCommand     `cmd:"" help:"Check that the files of runs and studies are intact and belong together."`
	Model      modelCommand      `cmd:"" help:"List a network's layers: shapes, weights, multiply-adds."`
	Filters    filtersCommand    `cmd:"" help:"Draw a run's first-layer filters."`
	Explain    explainCommand    `cmd:"" help:"Show what a run's weights look at: pixels, filters, classes."`
	Watch      watchCommand      `cmd:"" help:"Show runs on a live web page."`
	Data       dataCommand       `cmd:"" help:"List, fetch or verify the data sets."`
	Docs       docsCommand       `cmd:"" hidden:"" help:"Print docs/cli.md, or the manual page."`
	Completion completionCommand `cmd:"" help:"Print a shell completion script."`
	Complete   completeCommand   `cmd:"" hidden:"" help:"Print what a word may become."`
	Version    versionCommand    `cmd:"" help:"Print the version, the kernels in use and the CPU's features."`

	ShowVersion versionFlag `name:"version" help:"Print this build's version."`
}

const description = `Learning convolutions from scratch: S-CONV, S-LOCAL, S-FC and 3-FC trained with SGD and with β-lasso on CIFAR-10, CIFAR-100 and SVHN.

The place to start is: betalasso reproduce`

// usageError is a mistake in the command line or in a config file.
type usageError struct{ err error }

func (e usageError) Error() string { return e.err.Error() }
func (e usageError) Unwrap() error { return e.err }

// codedError ends the program with a status of its own.
type codedError struct {
	code int
	err  error
}

func (e codedError) Error() string { return e.err.Error() }
func (e codedError) Unwrap() error { return e.err }

func main() {
	os.Exit(mainStatus(os.Args[1:], os.Stdout, os.Stderr))
}

// mainStatus runs the command line and returns the exit status.
func mainStatus(args []string, stdout, stderr io.Writer) (status int) {
	var c commands
	type exit int // what kong ends with after --help
	defer func() {
		if r := recover(); r != nil {
			code, ok := r.(exit)
			if !ok {
				panic(r)
			}
			status = max(status, int(code))
		}
	}()
	k, err := kong.New(&c,
		kong.Name("betalasso"), kong.Description(description),
		kong.Writers(stdout, stderr), kong.Exit(func(code int) { panic(exit(code)) }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 110}),
		kong.Vars{"metrics": compare.MetricNames(), "models": strings.Join(run.Models, ", "), "datasets": strings.Join(data.Names(), ", ")},
	)
	if err != nil {
		panic(err) // the tags of the structs above are wrong
	}
	if len(args) == 0 {
		status = exitUsage
		k.Parse([]string{"--help"}) // prints, then panics with exit
	}
	ctx, err := k.Parse(args)
	if err != nil {
		command := ""
		var p *kong.ParseError
		if errors.As(err, &p) && p.Context.Selected() != nil {
			command = " " + p.Context.Selected().Path()
		}
		fmt.Fprintf(stderr, "betalasso: %s%s\nRun `betalasso%s --help` for what there is.\n", run.PrintableLines(err.Error()), mistypedSweep(args), command)
		return exitUsage
	}
	if err := ctx.Run(ctx); err != nil {
		return explain(stderr, err)
	}
	return 0
}

// mistypedSweep is a hint if the word after sweep is neither a subcommand nor a
// file, and so was taken for a study.
func mistypedSweep(args []string) string {
	if len(args) < 2 || args[0] != "sweep" || slices.Contains(sweepWords, args[1]) {
		return ""
	}
	if _, err := os.Stat(args[1]); err == nil {
		return ""
	}
	return spelling.Hint(args[1], sweepWords)
}

// explain prints err with what to do about it, and returns the exit status.
func explain(w io.Writer, err error) int {
	var usage usageError
	var coded codedError
	var problems run.Problems // of a Config
	var diverged *train.DivergedError
	switch {
	case errors.As(err, &coded):
		if coded.err != nil {
			fmt.Fprintf(w, "betalasso: %s\n", run.PrintableLines(coded.err.Error()))
		}
		return coded.code
	case errors.As(err, &problems) || errors.As(err, &usage):
		fmt.Fprintf(w, "betalasso: %s\n", run.PrintableLines(err.Error()))
		return exitUsage
	case errors.As(err, &diverged):
		fmt.Fprintf(w, "betalasso: %s\n", run.PrintableLines(err.Error()))
		return exitDiverged
	}
	fmt.Fprintf(w, "betalasso: %s\n", run.PrintableLines(strings.TrimSpace(err.Error())))
	return exitFailure
}
