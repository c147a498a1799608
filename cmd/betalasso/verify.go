package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"time"

	"golang.org/x/term"

	"betalasso/plan"
	"betalasso/run"
	"betalasso/sweep"
)

// verifyCommand is `betalasso verify`.
type verifyCommand struct {
	Dir  []string `arg:"" help:"run or study directories, or folders that contain them"`
	JSON bool     `name:"json" help:"one JSON object per line for each broken directory (default off)"`
}

// Help is the end of `betalasso verify --help`.
func (verifyCommand) Help() string {
	return `Reads every file and reports edited settings, weights or events from another run, flipped bits, and files that are missing or not plain files. Checksums tie weights, events and result to the settings; runs of earlier versions are checked by the checksums that they have. Nothing is changed. The exit status is 1 if anything is wrong.

Example:

    betalasso train --model s-fc --alpha 1 --data digits --epochs 1 --out runs/mine
    betalasso verify runs`
}

// verified is what was found of one run or study.
type verified struct {
	Dir   string   `json:"dir"`
	Wrong []string `json:"wrong"`
}

// Run checks.
func (c *verifyCommand) Run() error {
	runs, err := findRuns(c.Dir...)
	if err != nil {
		return usageError{err}
	}
	studies := findStudies(c.Dir...)
	if len(runs)+len(studies) == 0 {
		return usageError{fmt.Errorf("no runs in %q: a run's directory has a %s", c.Dir, run.ConfigFile)}
	}
	m := (&session{out: os.Stderr, notes: os.Stderr, terminal: term.IsTerminal(int(os.Stderr.Fd())) && obeys(os.Stderr)}).newMeter()
	m.kept = time.Now()
	list := verifyAll(studies, runs, m.verifying)
	m.clear()
	broken := 0
	for _, v := range list {
		if len(v.Wrong) == 0 {
			continue
		}
		broken++
		if c.JSON {
			if err := json.NewEncoder(os.Stdout).Encode(v); err != nil {
				return err
			}
			continue
		}
		for _, w := range v.Wrong {
			fmt.Println(run.PrintableLines(w))
		}
	}
	if broken > 0 {
		return fmt.Errorf("%d of %d runs and %d studies are broken", broken, len(runs), len(studies))
	}
	if !c.JSON {
		fmt.Printf("%d runs and %d studies: nothing is wrong\n", len(runs), len(studies))
	}
	return nil
}

// verifying shows that n of all are verified.
func (m *meter) verifying(n, all int) {
	text := fmt.Sprintf("verifying: %s of %s", plan.Thousands(n), plan.Thousands(all))
	switch {
	case m.terminal && time.Since(m.drawn) > redraw:
		m.draw(m.gauge(float64(n)/float64(all), 24) + "  " + text)
	case !m.terminal && time.Since(m.kept) > rest:
		m.keep(text)
	}
}

// verifyAll checks studies and runs, as many at a time as there are cores, and
// reports its progress.
func verifyAll(studies, runs []string, progress func(n, all int)) []verified {
	list := make([]verified, len(studies)+len(runs))
	next := make(chan int)
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for i := range next {
				check, dir := sweep.Verify, ""
				if i < len(studies) {
					dir = studies[i]
				} else {
					check, dir = run.Verify, runs[i-len(studies)]
				}
				list[i] = verified{Dir: dir}
				for _, err := range check(dir) {
					list[i].Wrong = append(list[i].Wrong, err.Error())
				}
			}
		})
	}
	for i := range list {
		next <- i
		progress(i, len(list))
	}
	close(next)
	wg.Wait()
	return list
}

// findStudies lists the directories of studies at or below the paths.
func findStudies(paths ...string) (found []string) {
	for _, root := range paths {
		filepath.WalkDir(run.Followed(root), func(path string, e fs.DirEntry, err error) error {
			if err != nil || !e.IsDir() { // findRuns has warned
				return nil
			}
			if sweep.IsDir(path) {
				found = append(found, filepath.Clean(path))
			}
			if _, err := os.Lstat(filepath.Join(path, run.ConfigFile)); !errors.Is(err, fs.ErrNotExist) {
				return fs.SkipDir
			}
			return nil
		})
	}
	slices.Sort(found)
	return slices.Compact(found)
}
