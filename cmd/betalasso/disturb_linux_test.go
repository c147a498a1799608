package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"betalasso/disk"
	"betalasso/run"
)

// withFaults, in a command's environment, is the number of the first operation of
// the disk that fails in it, how many do, and how.
const withFaults = "BETALASSO_TEST_FAULTS"

// failingDisk has operations of the disk fail: "FIRST COUNT ERRNO", or the process
// killed at the first of them, where ERRNO is 0. Half of what a write that fails
// was to write is there.
func failingDisk(text string) {
	var first, fail int
	var errno uintptr
	if got, _ := fmt.Sscan(text, &first, &fail, &errno); got != 3 {
		return
	}
	count := 0
	disk.Watch = func(op disk.Op) (int, error) {
		if count++; count < first || count >= first+fail || op.Kind == disk.OpRemove {
			return 0, nil
		}
		if errno != 0 {
			return len(op.Data) / 2, syscall.Errno(errno)
		}
		if f, err := os.OpenFile(op.Path, os.O_WRONLY|os.O_APPEND, 0); err == nil {
			f.Write(op.Data[:len(op.Data)/2])
		}
		syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	}
}

// disturbance is what happens to a command: a kill, by signals one after the other
// some time after its start or at an operation of its disk, a fault of that, or
// nothing, with the zero value.
type disturbance struct {
	kind    string
	signals []os.Signal
	after   time.Duration
	faults  string // see failingDisk
}

func (d disturbance) String() string {
	if d.faults != "" {
		return d.kind + ": " + d.faults
	}
	return fmt.Sprintf("%v after %v", d.signals, d.after.Round(time.Millisecond))
}

// draw draws a disturbance of a command that takes so long.
func draw(r *rand.Rand, took time.Duration) disturbance {
	switch r.IntN(8) {
	case 0, 1:
		count := []int{1, 1 << 30}[r.IntN(2)]
		errno := []syscall.Errno{syscall.ENOSPC, syscall.EIO}[r.IntN(2)]
		return disturbance{kind: "fault, " + errno.Error(), faults: fmt.Sprint(1+r.IntN(40), count, int(errno))}
	case 2, 3, 4:
		return disturbance{kind: "kill at an operation of the disk", faults: fmt.Sprint(1+r.IntN(40), 1, 0)}
	}
	signals := [][]os.Signal{{syscall.SIGKILL}, {syscall.SIGSTOP, syscall.SIGKILL}, {syscall.SIGTERM}, {syscall.SIGTERM, syscall.SIGTERM, syscall.SIGKILL}}[r.IntN(4)]
	return disturbance{kind: fmt.Sprintf("kill, %v", signals), signals: signals, after: time.Duration(0.7 * r.Float64() * float64(took))}
}

// run runs a command, disturbs it, and gives its exit status, −1 after a signal.
func (d disturbance) run(t *testing.T, args []string) (int, string) {
	t.Helper()
	c := command(args...)
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	c.Env = append(c.Env, withFaults+"="+d.faults)
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	if len(d.signals) > 0 {
		stop := time.AfterFunc(d.after, func() {
			for _, s := range d.signals {
				c.Process.Signal(s)
				time.Sleep(5 * time.Millisecond)
			}
		})
		defer stop.Stop()
	}
	var e *exec.ExitError
	if err := c.Wait(); err != nil && !errors.As(err, &e) {
		t.Fatal(err)
	}
	return c.ProcessState.ExitCode(), out.String()
}

// damaged damages a file of a copy of a run and goes on with it. Either it ends
// as though nothing had happened, or it is refused with the file's name.
func (k *tortured) damaged(t *testing.T, r *rand.Rand, dir string) (outcome string) {
	t.Helper()
	from := copied(t, dir)
	defer os.RemoveAll(from)
	_, err := os.Stat(filepath.Join(from, run.WeightsFile))
	// Before the first checkpoint, other settings are another run, and well.
	name, what := k.spoilOne(t, r, from, err == nil)
	status, stdout, stderr := betalasso(t, "resume", from, "--threads=1")
	k.say("%s in %s: got %d", what, name, status)
	if status == 0 {
		k.equal(t, from, what+" in "+name)
		return "without effect"
	}
	// A config may name what another part of the program refuses: a folder of data.
	if status != exitFailure && status != exitUsage || !strings.Contains(stderr, name) && name != run.ConfigFile {
		t.Errorf("%s in %s: got %d, %s%s; want an error that names the file", what, name, status, stdout, stderr)
	}
	return "refused"
}

// damagedAfter damages a file of a copy of a finished run. Either verify names the
// file, or nothing that a reader takes from the run has changed. Without its result
// it is a run to go on with.
func (k *tortured) damagedAfter(t *testing.T, r *rand.Rand, dir string) (outcome string) {
	t.Helper()
	from := copied(t, dir)
	defer os.RemoveAll(from)
	name, what := k.spoilOne(t, r, from, true)
	if wrong := errors.Join(run.Verify(from)...); wrong != nil {
		k.say("after the end, %s in %s: found", what, name)
		if !strings.Contains(wrong.Error(), name) && name != run.ConfigFile {
			t.Errorf("%s in %s: got %v; want an error that names the file", what, name, wrong)
		}
		return "found"
	}
	k.say("after the end, %s in %s: without effect", what, name)
	if what == gone && name == run.ResultFile {
		want(t, 0, "resume", from, "--threads=1")
	}
	if what == gone {
		k.equal(t, from, "after the end, "+what+" in "+name, name)
	} else {
		k.equal(t, from, "after the end, "+what+" in "+name)
	}
	return "without effect"
}

// spoilOne damages one of the files of the run in dir, its settings among them if
// config, and says which one and how.
func (k *tortured) spoilOne(t *testing.T, r *rand.Rand, dir string, config bool) (name, what string) {
	t.Helper()
	foreign := r.IntN(8) == 0 // a file that this run has or not, of one with another seed
	in := dir
	if foreign {
		in = k.other
	}
	var names []string
	err := filepath.WalkDir(in, func(path string, e fs.DirEntry, err error) error {
		if err == nil && e.Type().IsRegular() && (e.Name() != run.ConfigFile || config) {
			path, err = filepath.Rel(in, path)
			names = append(names, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	name = names[r.IntN(len(names))]
	path := filepath.Join(dir, name)
	text, err := os.ReadFile(filepath.Join(in, name))
	if err != nil {
		t.Fatal(err)
	}
	if foreign {
		what = "the one of another seed"
		os.MkdirAll(filepath.Dir(path), 0o777)
	} else if n := r.IntN(10); n < 3 {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		switch n {
		case 0:
			return name, gone
		case 1:
			what, err = "a pipe", syscall.Mkfifo(path, 0o666)
		default:
			to := filepath.Join(t.TempDir(), "elsewhere")
			what, err = "a link", errors.Join(os.WriteFile(to, text, 0o666), os.Symlink(to, path))
		}
		if err != nil {
			t.Fatal(err)
		}
		return name, what
	} else {
		what = spoil(r, &text)
	}
	if err := os.WriteFile(path, text, 0o666); err != nil {
		t.Fatal(err)
	}
	return name, what
}

// gone is what is wrong with a file that was removed.
const gone = "its absence"

// spoil changes text in one of the ways in which files are damaged.
func spoil(r *rand.Rand, text *[]byte) string {
	b := *text
	n := len(b)
	if n == 0 {
		*text = []byte("x\n")
		return "something"
	}
	at := r.IntN(n)
	switch r.IntN(7) {
	case 0:
		bit := r.IntN(8)
		b[at] ^= 1 << bit
		return fmt.Sprintf("bit %d flipped at %d", bit, at)
	case 1:
		*text = b[:at]
		return fmt.Sprintf("an end at %d", at)
	case 2:
		clear(b[at:min(n, at+100)])
		return fmt.Sprintf("zeros at %d", at)
	case 3:
		*text = nil
		return "no byte"
	case 4:
		lines := bytes.SplitAfter(b, []byte("\n"))
		i := r.IntN(len(lines))
		*text = bytes.Join(slices.Delete(lines, i, i+1), nil)
		return fmt.Sprintf("line %d missing", i+1)
	case 5:
		from := r.IntN(n)
		block := bytes.Clone(b[from:min(n, from+64)])
		copy(b[at:], block)
		return fmt.Sprintf("a block of %d at %d", from, at)
	default:
		lines := bytes.SplitAfter(b, []byte("\n"))
		i := r.IntN(len(lines))
		*text = bytes.Join(slices.Insert(lines, i, lines[i]), nil)
		return fmt.Sprintf("line %d twice", i+1)
	}
}
