package main

import (
	"errors"
	"fmt"
	"io/fs"
	"runtime"
	"strings"

	"betalasso/disk"
	"betalasso/run"
	"betalasso/train"
)

// resumeCommand is `betalasso resume`.
type resumeCommand struct {
	Dir     string  `arg:"" help:"the run's directory"`
	Threads *int    `placeholder:"N" help:"changes no result; 0 is all cores (default: as the run)"`
	DataDir *string `placeholder:"DIR" help:"folder with the data set's files (default: as the run)"`
	JSON    bool    `name:"json" help:"one JSON object per line: epochs, result (default off)"`
}

// Help is the end of `betalasso resume --help`.
func (resumeCommand) Help() string {
	return `Example: start a run, stop it with Ctrl-C, and resume it:

    betalasso train --model s-fc --alpha 1 --data digits --epochs 5 --out runs/mine
    betalasso resume runs/mine

The final weights are byte for byte those of a run that was never stopped.`
}

// Run resumes the run.
func (r *resumeCommand) Run() error {
	d, err := run.OpenLocked(r.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return usageError{err}
	}
	if err != nil {
		return err
	}
	defer d.Close()
	c := d.Config()
	if r.Threads != nil {
		c.Threads = *r.Threads
	}
	if r.DataDir != nil {
		c.DataDir = *r.DataDir
	}
	if err := c.Validate(); err != nil {
		return err
	}
	s := newSession(r.JSON)
	defer s.close()
	return s.goOn(d, c)
}

// goOn trains the run in d from its last checkpoint to its end, unless it has
// ended, and prints its directory.
func (s *session) goOn(d *run.Dir, c run.Config) error {
	if done, err := d.Result(); err == nil {
		if wrong := run.Verify(d.Path()); wrong != nil { // nothing will be trained that could come upon it
			return errors.Join(wrong...)
		}
		fmt.Fprintf(s.notes, "finished already\n")
		s.tell(d.Path(), done)
		return nil
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := s.enoughMemory(c); err != nil {
		return err
	}
	where := "nothing was saved yet, so it begins anew"
	if at := run.Look(d.Path()).Checkpoint; at != nil {
		where = fmt.Sprintf("going on after epoch %d of %d", at.Epoch, c.Epochs)
		if at.Step > 0 {
			where += fmt.Sprintf(" and %d steps of the next", at.Step)
		}
	}
	fmt.Fprintf(s.notes, "%s: %s\n", run.Printable(d.Path()), where)
	set, err := s.load(c)
	if err != nil {
		return err
	}
	_, err = s.fit(d, c, set)
	return s.howToGoOn(err, d)
}

// howToGoOn adds how to resume to an error that ended the run in d early and left
// it saved: a signal, or an error that more disk space cures.
func (s *session) howToGoOn(err error, d *run.Dir) error {
	if errors.Is(err, train.ErrStopped) {
		return s.stopped(fmt.Sprintf("saved; the same command goes on, or: betalasso resume %s", quote(d.Path())))
	}
	return hintResume(err, d, d.Path())
}

// hintResume adds, to an error that more disk space cures, what the run at dir
// keeps and how to resume it.
func hintResume(err error, d *run.Dir, dir string) error {
	if !disk.Full(err) {
		return err
	}
	kept := "There is no checkpoint yet"
	if state, _, lost := d.LoadCheckpoint(); lost == nil {
		kept = fmt.Sprintf("The last checkpoint (%d epochs done, step %d) is intact", state.Epoch, state.Step)
	}
	return fmt.Errorf("%w\n%s. Make room, then go on with: betalasso resume %s", err, kept, quote(dir))
}

// quote quotes a path for the shell.
func quote(path string) string { return quoteFor(runtime.GOOS, path) }

// quoteFor quotes a path for the shell of a system. That of Windows, cmd.exe, knows
// no single quotes, and no path there has a double one.
func quoteFor(system, path string) string {
	signs := "-_./=+,:@%"
	if system == "windows" {
		signs += `\`
	}
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune(signs, r)
	}
	if path != "" && strings.IndexFunc(path, func(r rune) bool { return !plain(r) }) < 0 {
		return path
	}
	if system == "windows" {
		return `"` + path + `"`
	}
	return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
}
