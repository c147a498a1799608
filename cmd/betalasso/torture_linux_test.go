package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"betalasso/disk"
	"betalasso/run"
)

var tortureFor = flag.Duration("torture", 3*time.Second, "how long TestTorture goes on")

// withFaults, in a command's environment, is the number of the first operation of
// the disk that fails in it, and how.
const withFaults = "BETALASSO_TEST_FAULTS"

// failingDisk has the disk fail from its nth operation on: "n errno".
func failingDisk(text string) {
	var n int64
	var errno uintptr
	if got, _ := fmt.Sscan(text, &n, &errno); got != 2 {
		return
	}
	count := int64(0)
	disk.Watch = func(op disk.Op) (int, error) {
		if count++; count < n || op.Kind == disk.OpRemove {
			return 0, nil
		}
		return len(op.Data) / 2, syscall.Errno(errno)
	}
}

// tortured is one kind of training.
type tortured struct {
	flags []string
	whole map[string][]byte // the files of the run that nobody disturbed, by name
	took  time.Duration     // that run
}

// sameAnyhow are the files that are equal, byte for byte, however often a run
// was interrupted.
var sameAnyhow = []string{run.WeightsFile, run.BestFile, run.FiltersFile}

// TestTorture kills, stops and fails trainings of all networks and optimisers at
// random, and damages their files between two attempts. Each one ends with the
// weights of a run that nobody disturbed, or with an error that names the file.
//
//	go test ./cmd/betalasso -run Torture -torture 10m -timeout 0
func TestTorture(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	data := tiny(t)[2:5]
	var kinds []*tortured
	for _, network := range []string{"3-fc --width=16", "s-fc --alpha=1", "s-conv --alpha=1", "s-local --alpha=1", "d-fc --alpha=1", "d-conv --alpha=1", "d-local --alpha=1"} {
		for _, optimizer := range []string{"sgd --lr=0.02", "sgd --momentum=0.9 --lr=0.005", "beta-lasso --lr=0.01 --lambda-conv=1e-5 --lambda-fc=1e-5"} {
			flags := append([]string{"train", "--val=50", "--train=200", "--batch=40", "--epochs=3", "--threads=1", "--augment=flip-crop"}, data...)
			flags = append(flags, strings.Fields("--model="+network+" --optimizer="+optimizer)...)
			kinds = append(kinds, &tortured{flags: flags})
		}
	}
	r.Shuffle(len(kinds), func(i, j int) { kinds[i], kinds[j] = kinds[j], kinds[i] })
	var kills, faults, damages, refused, resumed int
	for began, i := time.Now(), 0; time.Since(began) < *tortureFor; i++ {
		k := kinds[i%len(kinds)]
		dir := filepath.Join(t.TempDir(), "run")
		if k.whole == nil {
			whole := filepath.Join(t.TempDir(), "whole")
			start := time.Now()
			want(t, 0, append(k.flags, "--out", whole)...)
			k.whole, k.took = contents(t, whole), time.Since(start)
		}
		for attempt := 0; ; attempt++ {
			args := append(k.flags, "--out", dir)
			if _, err := os.Stat(filepath.Join(dir, run.ConfigFile)); err == nil {
				args = []string{"resume", dir}
			}
			kind := r.IntN(3)
			if attempt == 6 {
				kind = -1 // nobody disturbs this one
			}
			status, out := disturb(t, r, kind, k.took, args)
			if status == 0 {
				break
			}
			switch {
			case kind < 0:
				t.Fatalf("%q: got %d, %s", args, status, out)
			case kind == 0:
				faults++
			default:
				kills++
			}
			if _, err := os.Stat(filepath.Join(dir, run.ConfigFile)); err != nil {
				continue
			}
			for range 2 { // of copies: the run itself goes on
				damages++
				if k.damaged(t, r, dir) {
					resumed++
				} else {
					refused++
				}
			}
		}
		k.equal(t, dir, "after kills and faults")
		if t.Failed() {
			return
		}
		os.RemoveAll(dir)
	}
	t.Logf("%d kills, %d faults of the disk, %d damages: %d refused by name, %d without effect", kills, faults, damages, refused, resumed)
	if kills+faults == 0 || damages == 0 {
		t.Error("nothing was disturbed")
	}
}

// disturb runs a command and disturbs it: 0 by a disk that fails, 1 and 2 by
// signals within the time that it took undisturbed, −1 not at all. It gives the
// exit status, −1 after a signal.
func disturb(t *testing.T, r *rand.Rand, kind int, took time.Duration, args []string) (int, string) {
	t.Helper()
	c := command(args...)
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	if kind == 0 {
		errno := []syscall.Errno{syscall.ENOSPC, syscall.EIO}[r.IntN(2)]
		c.Env = append(c.Env, withFaults+"="+fmt.Sprint(1+r.IntN(60), int(errno)))
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	if kind > 0 {
		signals := [][]os.Signal{{syscall.SIGKILL}, {syscall.SIGSTOP, syscall.SIGKILL}, {syscall.SIGTERM}, {syscall.SIGTERM, syscall.SIGTERM, syscall.SIGKILL}}[r.IntN(4)]
		wait := time.Duration(r.Float64() * float64(took))
		stop := time.AfterFunc(wait, func() {
			for _, s := range signals {
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
func (k *tortured) damaged(t *testing.T, r *rand.Rand, dir string) (resumed bool) {
	t.Helper()
	from := copied(t, dir)
	defer os.RemoveAll(from)
	entries, err := os.ReadDir(from)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		// Before the first checkpoint, other settings are another run, and well.
		_, begun := os.Stat(filepath.Join(from, run.WeightsFile))
		if e.Type().IsRegular() && (e.Name() != run.ConfigFile || begun == nil) {
			names = append(names, e.Name())
		}
	}
	name := names[r.IntN(len(names))]
	path := filepath.Join(from, name)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	what := spoil(r, &text)
	if err := os.WriteFile(path, text, 0o666); err != nil {
		t.Fatal(err)
	}
	status, stdout, stderr := betalasso(t, "resume", from)
	if status == 0 {
		k.equal(t, from, what+" in "+name)
		return true
	}
	// A config may name what another part of the program refuses: a folder of data.
	if status != exitFailure && status != exitUsage || !strings.Contains(stderr, name) && name != run.ConfigFile {
		t.Errorf("%s in %s: got %d, %s%s; want an error that names the file", what, name, status, stdout, stderr)
	}
	return false
}

// spoil changes text in one of the ways in which files are damaged.
func spoil(r *rand.Rand, text *[]byte) string {
	b := *text
	n := len(b)
	if n == 0 {
		*text = []byte("x\n")
		return "something"
	}
	at := r.IntN(n)
	switch r.IntN(6) {
	case 0:
		b[at] ^= 1 << r.IntN(8)
		return "a flipped bit at " + strconv.Itoa(at)
	case 1:
		*text = b[:at]
		return "an end at " + strconv.Itoa(at)
	case 2:
		clear(b[at:min(n, at+100)])
		return "zeros at " + strconv.Itoa(at)
	case 3:
		*text = nil
		return "nothing"
	case 4:
		lines := bytes.SplitAfter(b, []byte("\n"))
		i := r.IntN(len(lines))
		*text = bytes.Join(append(lines[:i:i], lines[min(i+1, len(lines)):]...), nil)
		return "a line missing"
	default:
		lines := bytes.SplitAfter(b, []byte("\n"))
		i := r.IntN(len(lines))
		*text = bytes.Join(append(lines[:i+1:i+1], lines[i:]...), nil)
		return "a line twice"
	}
}

// contents are the files of a run that are the same anyhow.
func contents(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	for _, name := range sameAnyhow {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
		all[name] = text
	}
	return all
}

// equal wants the run in dir to be the one that nobody disturbed.
func (k *tortured) equal(t *testing.T, dir, what string) {
	t.Helper()
	got := contents(t, dir)
	for _, name := range sameAnyhow {
		if !bytes.Equal(got[name], k.whole[name]) {
			t.Errorf("%s: %s is not that of a run that nobody disturbed (%q)", what, name, k.flags)
		}
	}
}
