package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"betalasso/paper"
	"betalasso/run"
)

// The test binary is the command itself where this is set.
const asCommand = "BETALASSO_TEST_AS_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		failingDisk(os.Getenv(withFaults))
		main()
	}
	os.Exit(m.Run())
}

// tiny are flags of a run of less than a second. Its data are files of the
// user's own.
func tiny(t *testing.T) []string {
	t.Helper()
	return []string{"--model=3-fc", "--width=16", "--data=cifar10", "--data-dir", tinyData(t, 300), "--val=200", "--batch=50", "--epochs=3", "--augment=flip-crop", "--threads=2"}
}

// tinyData makes a set in CIFAR-10's form, with n images in each file.
func tinyData(t *testing.T, images int) (dir string) {
	t.Helper()
	dir = t.TempDir()
	r := rand.New(rand.NewPCG(1, 2))
	for _, name := range []string{"data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5", "test_batch"} {
		var rows []byte
		for i := range images {
			label := byte(i % 10)
			rows = append(rows, label)
			for at := range 3 * 32 * 32 {
				rows = append(rows, byte(r.IntN(200)+40*(at>>label&1)))
			}
		}
		if err := os.WriteFile(filepath.Join(dir, name+".bin"), rows, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// command is betalasso, not yet started.
func command(args ...string) *exec.Cmd {
	c := exec.Command(os.Args[0], args...)
	c.Env = append(os.Environ(), asCommand+"=1")
	return c
}

// betalasso runs the command and gives its exit status and what it printed.
func betalasso(t *testing.T, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, err bytes.Buffer
	c := command(args...)
	c.Stdout, c.Stderr = &out, &err
	status = exitStatus(t, c.Run())
	return status, out.String(), err.String()
}

// exitStatus is the exit status of a command that ended with err; −1 after a
// signal.
func exitStatus(t *testing.T, err error) int {
	t.Helper()
	var e *exec.ExitError
	if err != nil && !errors.As(err, &e) {
		t.Fatal(err)
	}
	if err == nil {
		return 0
	}
	return e.ExitCode()
}

// want runs the command and wants that exit status.
func want(t *testing.T, status int, args ...string) (stdout, stderr string) {
	t.Helper()
	got, stdout, stderr := betalasso(t, args...)
	if got != status {
		t.Fatalf("betalasso %q: got status %d, want %d\n%s%s", args, got, status, stdout, stderr)
	}
	return stdout, stderr
}

// weights is the checksum of a finished run's weights.
func weights(t *testing.T, dir string) string {
	t.Helper()
	d, err := run.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	r, err := d.Result()
	if err != nil {
		t.Fatal(err)
	}
	return r.WeightsSum
}

func TestTrainEvalFilters(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "run")
	stdout, stderr := want(t, 0, append([]string{"train", "--json", "--out", dir, "--optimizer=beta-lasso"}, tiny(t)...)...)
	if !strings.Contains(stderr, "data_batch_1.bin is not the publisher's file") {
		t.Errorf("no warning of unverified files: got %q", stderr)
	}
	var kinds []string
	for line := range strings.Lines(stdout) {
		var v struct{ Kind, Run string }
		if err := json.Unmarshal([]byte(line), &v); err != nil || v.Run != dir {
			t.Fatalf("%q is no JSON of this run: %v", line, err)
		}
		kinds = append(kinds, v.Kind)
	}
	if got := strings.Join(kinds, " "); got != "event event event result" {
		t.Errorf("--json printed %q", got)
	}

	stdout, _ = want(t, 0, "eval", dir)
	if !strings.Contains(stdout, "last checkpoint: validation") || !strings.Contains(stdout, "best validation: ") {
		t.Errorf("eval printed %q", stdout)
	}
	d, _ := run.Open(dir)
	r, err := d.Result()
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Sources) != 6 || r.Sources[0].Verified {
		t.Errorf("the result's sources: got %+v, want 6 unverified files", r.Sources)
	}
	stdout, _ = want(t, 0, "eval", "--json", dir)
	var scored struct {
		TestAcc float64 `json:"test_acc"`
	}
	if err := json.Unmarshal([]byte(strings.SplitN(stdout, "\n", 2)[0]), &scored); err != nil || scored.TestAcc != r.Last.TestAcc {
		t.Errorf("eval --json: got %v, %v, want the result's %v", scored.TestAcc, err, r.Last.TestAcc)
	}

	want(t, 0, "filters", dir)
	if png, err := os.ReadFile(filepath.Join(dir, "filters.png")); err != nil || !bytes.HasPrefix(png, []byte("\x89PNG")) {
		t.Errorf("filters wrote no PNG: %v", err)
	}

	stdout, _ = want(t, 0, "resume", dir)
	if !strings.Contains(stdout, "finished already") {
		t.Errorf("resuming a finished run printed %q", stdout)
	}
	_, stderr = want(t, exitUsage, append([]string{"train", "--out", dir}, tiny(t)...)...)
	if !strings.Contains(stderr, "other settings") {
		t.Errorf("training into another run's directory: got %q", stderr)
	}

	// The directory's config repeats the run, with another number of threads.
	again := filepath.Join(t.TempDir(), "again")
	stdout, _ = want(t, 0, "train", "--config", filepath.Join(dir, run.ConfigFile), "--threads=1", "--out", again)
	if strings.Contains(stdout, "\x1b") || strings.Contains(stdout, "\r") {
		t.Errorf("output that is no terminal has control characters: %q", stdout)
	}
	if got, want := weights(t, again), weights(t, dir); got != want {
		t.Errorf("the repeated run's weights: got %s, want %s", got, want)
	}
}

var mostKills = flag.Int("kills", 5, "how often TestKilledAnywhere kills its run")

// A run that is killed again and again ends as one that never was.
func TestKilledAnywhere(t *testing.T) {
	t.Parallel()
	whole, broken := filepath.Join(t.TempDir(), "whole"), filepath.Join(t.TempDir(), "broken")
	flags := append([]string{"train"}, tiny(t)...)
	flags = append(flags, "--momentum=0.9", "--lr=0.02", "--dropout=0.2", fmt.Sprintf("--epochs=%d", 6+6**mostKills))
	began := time.Now()
	want(t, 0, append(flags, "--out", whole)...)
	took := time.Since(began)

	c := command(append(flags, "--out", broken)...)
	for kills := 0; ; {
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		if kills < *mostKills {
			wait := time.AfterFunc(took/20+time.Duration(rand.Int64N(int64(took)/int64(*mostKills))), func() { c.Process.Kill() })
			defer wait.Stop()
		}
		status := exitStatus(t, c.Wait())
		if status == 0 {
			t.Logf("finished after %d kills", kills)
			break
		}
		if status != -1 {
			t.Fatalf("got status %d, want a kill or success", status)
		}
		kills++
		if _, err := os.Stat(filepath.Join(broken, run.ConfigFile)); err != nil {
			c = command(append(flags, "--out", broken)...) // killed before it began
		} else {
			c = command("resume", broken)
		}
	}
	if got, want := weights(t, broken), weights(t, whole); got != want {
		t.Errorf("the weights of the killed run: got %s, want %s", got, want)
	}
	a, _ := os.ReadFile(filepath.Join(whole, run.ConfigFile))
	b, _ := os.ReadFile(filepath.Join(broken, run.ConfigFile))
	if !bytes.Equal(a, b) {
		t.Errorf("the configs differ:\n%s\n%s", a, b)
	}
}

// begin starts a run that would take long, and returns when it trains.
func begin(t *testing.T, dir string) (*exec.Cmd, *bytes.Buffer) {
	t.Helper()
	c := command(append(append([]string{"train", "--json", "--out", dir}, tiny(t)...), "--epochs=100000")...)
	var stderr bytes.Buffer
	c.Stderr = &stderr
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Process.Kill() })
	lines := bufio.NewReader(out)
	if _, err := lines.ReadString('\n'); err != nil {
		c.Wait()
		t.Fatalf("the run did not begin: %v\n%s", err, stderr.String())
	}
	go io.Copy(io.Discard, lines)
	return c, &stderr
}

func TestSignalsSaveTheRun(t *testing.T) {
	t.Parallel()
	for _, s := range []struct {
		signal os.Signal
		status int
	}{{os.Interrupt, exitInterrupted}, {syscall.SIGTERM, exitSaved}} {
		dir := filepath.Join(t.TempDir(), "run")
		c, stderr := begin(t, dir)
		_, used := want(t, exitFailure, "resume", dir)
		if !strings.Contains(used, "in use by process") {
			t.Errorf("resuming a run in use: got %q", used)
		}
		c.Process.Signal(s.signal)
		if got := exitStatus(t, c.Wait()); got != s.status || !strings.Contains(stderr.String(), "betalasso resume "+dir) {
			t.Errorf("after %v: got status %d and %q, want status %d and how to resume", s.signal, got, stderr.String(), s.status)
		}
		d, err := run.OpenLocked(dir)
		if err != nil {
			t.Fatal(err)
		}
		if state, _, err := d.LoadCheckpoint(); err != nil || state.Epoch == 0 {
			t.Errorf("after %v: got the checkpoint %+v, %v", s.signal, state, err)
		}
		d.Close()
	}
}

func TestDivergenceHasItsOwnStatus(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "run")
	_, stderr := want(t, exitDiverged, append([]string{"train", "--out", dir, "--lr=1e30"}, tiny(t)...)...)
	for _, w := range []string{"not finite", "epoch 1", "step", "--lr"} {
		if !strings.Contains(stderr, w) {
			t.Errorf("%q does not say %q", stderr, w)
		}
	}
	if s := run.Look(dir); s.State != run.Failed || !strings.Contains(s.Note, "not finite") {
		t.Errorf("the directory does not keep why: %s, %q", s.State, s.Note)
	}
}

// TestFullDisk lets the disk fill at one file after another of a run: whichever
// could not be written, the checkpoint before it is whole, and the run goes on
// from it to the weights of a run that had room.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	flags := tiny(t)
	roomy := filepath.Join(t.TempDir(), "run")
	want(t, 0, append([]string{"train", "--out", roomy}, flags...)...)
	stopped := map[bool]int{}
	for size := 100; size < 1500; size += 100 {
		disk := t.TempDir()
		if err := mountTiny(disk, fmt.Sprintf("%dk", size)); err != nil {
			t.Skip("no small file system: ", err)
		}
		defer unmount(disk)
		dir := filepath.Join(disk, "run")
		status, _, stderr := betalasso(t, append([]string{"train", "--out", dir}, flags...)...)
		if status == 0 {
			break
		}
		d, err := run.Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		_, _, lost := d.LoadCheckpoint()
		if lost != nil && !errors.Is(lost, fs.ErrNotExist) {
			t.Errorf("%d KiB: the last checkpoint: %v", size, lost)
		}
		stopped[lost == nil]++
		kept := "no checkpoint yet"
		if lost == nil {
			kept = "is intact"
		}
		for _, w := range []string{"disk is full", kept, "betalasso resume"} {
			if status != exitFailure || !strings.Contains(stderr, w) {
				t.Errorf("%d KiB: got status %d and %q, which does not say %q", size, status, stderr, w)
			}
		}
		if err := enlarge(disk, "8m"); err != nil {
			t.Fatal(err)
		}
		want(t, 0, "resume", dir)
		if weights(t, dir) != weights(t, roomy) {
			t.Errorf("%d KiB: other weights after the disk was full", size)
		}
	}
	if stopped[true] == 0 || stopped[false] == 0 {
		t.Errorf("the disk was full %d times before a checkpoint and %d times after: want both", stopped[false], stopped[true])
	}
}

func TestReproduce(t *testing.T) {
	t.Parallel()
	out := filepath.Join(t.TempDir(), "out")
	flags := []string{"reproduce", "--data=digits", "--alpha=1", "--epochs=1", "--train=1000", "--seeds=1", "--out", out}
	stdout, _ := want(t, 0, flags...)
	if estimate, first := strings.Index(stdout, "7 runs, about "), strings.Index(stdout, "[1/7]"); estimate < 0 || first < estimate {
		t.Errorf("no estimate of the whole before the first run:\n%s", stdout)
	}
	for _, w := range append([]string{"[7/7]", " in all", filepath.Join(out, "report", "index.html")}, caseTitles()...) {
		if !strings.Contains(stdout, w) {
			t.Errorf("it did not print %q:\n%s", w, stdout)
		}
	}
	for _, name := range []string{"index.html", "report.md"} {
		if _, err := os.Stat(filepath.Join(out, "report", name)); err != nil {
			t.Error(err)
		}
	}
	if dirs, _, err := run.Find(out); err != nil || len(dirs) != 7 {
		t.Errorf("got %d runs, %v, want 7", len(dirs), err)
	}

	// The same command trains only what is missing.
	dirs, _, _ := run.Find(out)
	os.RemoveAll(dirs[3])
	stdout, _ = want(t, 0, flags...)
	for _, say := range []string{"1 runs, about", "weights", "What these runs say of the paper's claim on digits"} {
		if !strings.Contains(stdout, say) {
			t.Errorf("again: it does not say %q:\n%s", say, stdout)
		}
	}
	if strings.Contains(stdout, "256 M") {
		t.Errorf("it has the paper's sizes beside generated data:\n%s", stdout)
	}
	if text, err := os.ReadFile(filepath.Join(out, "report", "summary.json")); err != nil || !json.Valid(text) || !bytes.Contains(text, []byte(`"verdict"`)) {
		t.Errorf("summary.json: got %s, %v", text, err)
	}
	if n := strings.Count(stdout, "] digits: "); n != 1 {
		t.Errorf("again: got %d runs begun, want 1:\n%s", n, stdout)
	}
	_, stderr := want(t, exitUsage, append(flags, "--epochs=2")...)
	if !strings.Contains(stderr, "other settings (epochs 1, not 2)") {
		t.Errorf("with other settings: got %q", stderr)
	}
	want(t, 0, "report", out, "--out", filepath.Join(t.TempDir(), "report"))
}

func caseTitles() (list []string) {
	for _, c := range paper.Cases {
		list = append(list, c.Title())
	}
	return list
}

// eventsOf reads the events of a run.
func eventsOf(t *testing.T, dir string) []run.Event {
	t.Helper()
	d, err := run.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	events, err := d.Events()
	if err != nil {
		t.Fatal(err)
	}
	return events
}
