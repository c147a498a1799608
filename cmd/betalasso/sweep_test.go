package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"betalasso/run"
	"betalasso/sweep"
)

// study writes a study file of runs of a second or less on data of the user's
// own, with the given number of seeds and two learning rates.
func study(t *testing.T, seeds int, more string) string {
	t.Helper()
	flags := tiny(t)
	data := flags[len(flags)-1]
	for i, f := range flags {
		if f == "--data-dir" {
			data = flags[i+1]
		}
	}
	text := fmt.Sprintf("fixed: {model: 3-fc, width: 16, data: cifar10, data-dir: %q, val: 200, batch: 50, epochs: 3}\naxes: [grid: {lr: [0.1, 0.01]}]\nseeds: %d\n%s", data, seeds, more)
	path := filepath.Join(t.TempDir(), "study.yaml")
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

// sums are the checksums of the weights of a study's runs, by ID.
func sums(t *testing.T, out string) map[string]string {
	t.Helper()
	d, err := sweep.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	list, err := d.Status()
	if err != nil {
		t.Fatal(err)
	}
	sums := map[string]string{}
	for _, s := range list {
		if s.Result == nil {
			t.Errorf("trial %d is %s, want done", s.Index, s.State)
			continue
		}
		sums[s.ID] = s.Result.WeightsSum
	}
	return sums
}

func TestSweep(t *testing.T) {
	t.Parallel()
	file, out := study(t, 2, ""), filepath.Join(t.TempDir(), "out")
	stdout, _ := want(t, 0, "sweep", "plan", file)
	if !strings.Contains(stdout, "4 trials, about ") || strings.Count(stdout, "lr=0.01 seed=") != 2 {
		t.Errorf("plan printed %q", stdout)
	}
	if stdout, _ = want(t, 0, "sweep", "check", file, "--out", out); !strings.Contains(stdout, "checked: 4 trials") {
		t.Errorf("check printed %q", stdout)
	}
	if _, err := os.Stat(out); err == nil {
		t.Errorf("the check left %s behind", out)
	}
	stdout, _ = want(t, 0, "sweep", file, "--out", out, "--processes=2")
	if !strings.Contains(stdout, "4 trials: 0 planned, 0 running, 0 interrupted, 0 failed, 4 done") {
		t.Errorf("it printed %q", stdout)
	}
	local := sums(t, out)

	// The same trials, drained elsewhere by index and by ID, come out the same.
	elsewhere := filepath.Join(t.TempDir(), "elsewhere")
	os.MkdirAll(filepath.Join(elsewhere, sweep.LeasesDir), 0o777)
	os.MkdirAll(filepath.Join(elsewhere, sweep.RunsDir), 0o777)
	for _, name := range []string{sweep.StudyFile, sweep.TrialsFile} {
		text, err := os.ReadFile(filepath.Join(out, name))
		if err != nil {
			t.Fatal(err)
		}
		os.WriteFile(filepath.Join(elsewhere, name), text, 0o666)
	}
	d, err := sweep.Open(elsewhere)
	if err != nil {
		t.Fatal(err)
	}
	want(t, 0, "sweep", "work", elsewhere, "--index=2", "--threads=1")
	want(t, 0, "sweep", "work", elsewhere, "--id", d.Trials()[0].ID[:6])
	stdout, _ = want(t, 0, "sweep", "status", elsewhere)
	if !strings.Contains(stdout, "4 trials: 2 planned, 0 running, 0 interrupted, 0 failed, 2 done") {
		t.Errorf("status printed %q", stdout)
	}
	want(t, 0, "sweep", "work", elsewhere)
	for id, sum := range sums(t, elsewhere) {
		if sum != local[id] {
			t.Errorf("%s: got weights %s, want %s", id, sum, local[id])
		}
	}

	stdout, _ = want(t, 0, "sweep", "status", "--json", out)
	for line := range strings.Lines(stdout) {
		var s sweep.Status
		if err := json.Unmarshal([]byte(line), &s); err != nil || s.State != run.Done || s.Attempts != 1 || s.ID != s.Config.ID() {
			t.Errorf("status --json: got %q, %v", line, err)
		}
	}
	if stdout, _ = want(t, 0, "sweep", file, "--out", out); strings.Contains(stdout, "checked") || !strings.Contains(stdout, "4 done") {
		t.Errorf("a study that is done: got %q", stdout)
	}
}

func TestSweepFailuresAndRetry(t *testing.T) {
	t.Parallel()
	out := filepath.Join(t.TempDir(), "out")
	text, err := os.ReadFile(study(t, 1, ""))
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "study.yaml")
	os.WriteFile(file, bytes.Replace(text, []byte("[0.1, 0.01]"), []byte("[1e30, 0.01, 1e31]"), 1), 0o666)
	stdout, stderr := want(t, exitDiverged, "sweep", file, "--out", out)
	if !strings.Contains(stdout, "2 failed, 1 done") || !strings.Contains(stderr, "2 of 3 trials are not done") {
		t.Errorf("got %q, %q", stdout, stderr)
	}
	want(t, exitDiverged, "sweep", "work", out, "--index=0") // it stays failed
	stdout, _ = want(t, 0, "sweep", "status", out)
	if strings.Count(stdout, ") failed: the loss is not finite") != 2 {
		t.Errorf("status does not say why: %q", stdout)
	}
	want(t, exitDiverged, "sweep", "retry", out)
	for i, p := range statuses(t, out) {
		if want := []int{3, 1, 3}[i]; p.Attempts != want { // it failed, was opened again, and failed
			t.Errorf("after retry, trial %d: got %d attempts, want %d", i, p.Attempts, want)
		}
	}
}

// doneStudy makes the directory of a study's file, with a result for each trial of the
// axes that val gives a validation accuracy above 0; the test accuracy is half of it.
func doneStudy(t *testing.T, file, out string, val func(run.Config) float64) *sweep.Dir {
	t.Helper()
	s, trials, err := studyFlags{File: file}.expand()
	if err != nil {
		t.Fatal(err)
	}
	d, err := sweep.Create(out, s, trials)
	if err != nil {
		t.Fatal(err)
	}
	finish(t, d, val)
	return d
}

// finish gives trials without a directory a result, as doneStudy does.
func finish(t *testing.T, d *sweep.Dir, val func(run.Config) float64) {
	t.Helper()
	for _, p := range d.Trials() {
		acc := val(p.Config)
		if acc == 0 || run.Vacant(d.RunPath(p.ID)) != nil {
			continue
		}
		r, err := run.Create(d.RunPath(p.ID), p.Config)
		if err != nil {
			t.Fatal(err)
		}
		if err := r.WriteResult(run.Result{Last: run.Score{Epoch: p.Config.Epochs, ValAcc: acc, TestAcc: acc / 2}, Seed: p.Config.Seed}); err != nil {
			t.Fatal(err)
		}
		r.Close()
	}
}

// What follows the best trials has the files and the data of the study as it was
// launched, wherever the choice is made.
func TestThenIsThatOfTheLaunch(t *testing.T) {
	here, elsewhere := t.TempDir(), t.TempDir()
	for _, name := range []string{"net.yaml", "other.yaml"} {
		if err := os.WriteFile(filepath.Join(here, name), []byte(strings.Replace(ownNetwork, "blocky", strings.TrimSuffix(name, ".yaml"), 1)), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Rename(squares(t, 8), filepath.Join(here, "mine")); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ fixed, then, model string }{
		{"model: net.yaml, data: mine", "", "net"},
		{"model: net.yaml, data: mine", ", fixed: {epochs: 2}", "net"},
		{"model: net.yaml, data: cifar10, data-dir: mine", ", fixed: {model: other.yaml, data: digits}", "other"},
	} {
		t.Chdir(here)
		file := filepath.Join(here, "study.yaml")
		text := fmt.Sprintf("fixed: {alpha: 2, %s}\naxes: [grid: {lr: [0.1, 0.2]}]\nthen: {seeds: [7]%s}\n", c.fixed, c.then)
		if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		d := doneStudy(t, file, filepath.Join(t.TempDir(), "out"), func(c run.Config) float64 { return c.LR })
		t.Chdir(elsewhere)
		if n, err := d.Advance(); n != 1 || err != nil {
			t.Fatalf("%s: got %d trials more, %v, want 1", text, n, err)
		}
		first, then := d.Trials()[1].Config, d.Trials()[2].Config
		if then.Model != c.model || then.DataDir != first.DataDir || then.DataDir != filepath.Join(here, "mine") || then.Precision != first.Precision || then.LR != 0.2 || then.Val != first.Val {
			t.Errorf("%s: got %+v after %+v", text, then, first)
		}
	}
}

// The lines of the chosen are of the choice as it is now.
func TestChosenText(t *testing.T) {
	file, out := filepath.Join(t.TempDir(), "study.yaml"), filepath.Join(t.TempDir(), "out")
	write := func(seeds string) {
		text := "fixed: {data: digits, alpha: 1, precision: fp32}\naxes: [grid: {lr: [0.1, 0.2]}]\nthen: {seeds: 2}\nseeds: " + seeds
		if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	val := func(c run.Config) float64 { // the best with seed 1, and on average: others
		return map[string]float64{"0.1 1": 0.9, "0.1 2": 0.1, "0.2 1": 0.6, "0.2 2": 0.8}[fmt.Sprintf("%v %d", c.LR, c.Seed)]
	}
	for _, c := range []struct{ seeds, want string }{
		{"1", "chosen by validation: lr=0.1: test 25.00 ± 28.28 %, n = 2\n"},
		{"2", "chosen by validation: lr=0.2: test 35.00 ± 7.07 %, n = 2\n"},
	} {
		write(c.seeds)
		d := doneStudy(t, file, out, val)
		if _, err := d.Advance(); err != nil {
			t.Fatal(err)
		}
		finish(t, d, val)
		if got := chosenText(d, statuses(t, out)); got != c.want {
			t.Errorf("seeds %s: got %q, want %q", c.seeds, got, c.want)
		}
	}
}

// A retry says what the whole study's choice is, and what it leaves to be trained.
func TestRetryOfAStudyWithThen(t *testing.T) {
	t.Parallel()
	out := filepath.Join(t.TempDir(), "out")
	file := study(t, 1, "then: {seeds: 2}\n")
	d := doneStudy(t, file, out, func(c run.Config) float64 {
		if c.LR == 0.1 {
			return 0
		}
		return 1e-9
	})
	l, err := d.Acquire(d.Trials()[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.End(sweep.Failed, exitFailure, "the disk was away"); err != nil {
		t.Fatal(err)
	}
	stdout, _ := want(t, 0, "sweep", "retry", out)
	if !strings.Contains(stdout, "1 other trials are not done; `betalasso sweep run` with the study trains them") || !strings.Contains(stdout, "n = 1\n") {
		t.Errorf("the retry of a trial of the axes printed %q", stdout)
	}
	want(t, 0, "sweep", file, "--out", out)
	list := statuses(t, out)
	if len(list) != 3 || list[2].State != run.Done {
		t.Fatalf("got %+v, want the chosen one trained with another seed", list)
	}
	if err := os.WriteFile(filepath.Join(d.RunPath(list[2].ID), run.ResultFile), []byte("{"), 0o666); err != nil {
		t.Fatal(err)
	}
	if stdout, _ = want(t, 0, "sweep", "retry", out); !strings.Contains(stdout, "n = 2\n") || strings.Contains(stdout, "other trials") {
		t.Errorf("the retry of the last trial printed %q", stdout)
	}
}

// A retry opens no trial that the cluster has not taken, and lets no task begin
// before its trial is open.
func TestRetryWithSlurm(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("its commands are shell scripts here")
	}
	bin := t.TempDir()
	told := filepath.Join(bin, "told")
	t.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	t.Setenv("TOLD", told)
	// Each command notes the number of attempts that there are, then what it was told.
	fake := func(name, script string) {
		text := "#!/bin/sh\n[ \"$1\" = --parsable ] && shift\necho $(ls \"$LEASES\" | wc -l) " + name + " $1 ${2%%/*} >> \"$TOLD\"\n" + script + "\n"
		if err := os.WriteFile(filepath.Join(bin, name), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	failed := func() *sweep.Dir {
		file := filepath.Join(t.TempDir(), "study.yaml")
		if err := os.WriteFile(file, []byte("fixed: {data: digits, alpha: 1}\nseeds: 2\non-failure: {stop-after: 1}"), 0o666); err != nil {
			t.Fatal(err)
		}
		d := doneStudy(t, file, filepath.Join(t.TempDir(), "out"), func(c run.Config) float64 { return float64(c.Seed - 1) })
		l, err := d.Acquire(d.Trials()[0].ID)
		if err == nil {
			err = l.End(sweep.Failed, exitDiverged, "the loss is not finite")
		}
		if err != nil {
			t.Fatal(err)
		}
		t.Setenv("LEASES", filepath.Join(d.Path(), sweep.LeasesDir))
		os.Remove(told)
		return d
	}
	const submits = `case "$1" in --hold) echo 40;; *) echo 41;; esac`
	fake("scancel", "")
	for what, c := range map[string]struct {
		squeue, sbatch, scontrol string
		status                   int
		state                    run.Status
		told                     string
	}{
		"taken":             {"", submits, "", 0, run.Planned, "1 sbatch --hold --array=0\n1 sbatch --dependency=afterany:40\n2 scontrol release 40\n"},
		"not taken":         {"", "exit 1", "", exitFailure, run.Failed, "1 sbatch --hold --array=0\n"},
		"without a keeper":  {"", `case "$1" in --hold) echo 40;; *) exit 1;; esac`, "", exitFailure, run.Failed, "1 sbatch --hold --array=0\n1 sbatch --dependency=afterany:40\n1 scancel 40\n"},
		"in the queue":      {"echo 40 PENDING", submits, "", exitFailure, run.Failed, "1 squeue --noheader --format=%i %T\n"},
		"taken and not let": {"", submits, "exit 1", exitFailure, run.Planned, "1 sbatch --hold --array=0\n1 sbatch --dependency=afterany:40\n2 scontrol release 40\n"},
	} {
		d := failed()
		fake("squeue", c.squeue)
		fake("sbatch", c.sbatch)
		fake("scontrol", c.scontrol)
		if c.squeue != "" {
			if err := os.MkdirAll(filepath.Dir(submissionPath(d)), 0o777); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(submissionPath(d), []byte(`{"array": "40", "keeper": "41"}`), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		status, stdout, stderr := betalasso(t, "sweep", "retry", d.Path(), "--launcher=slurm")
		text, err := os.ReadFile(told)
		if err != nil {
			t.Fatal(err)
		}
		if state := statuses(t, d.Path())[0].State; status != c.status || state != c.state || string(text) != c.told {
			t.Errorf("%s: got status %d, a trial that is %s, and\n%swant %d, %s and\n%s\nit printed %s%s", what, status, state, text, c.status, c.state, c.told, stdout, stderr)
		}
	}
}

func TestSweepMistakes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(text string) string {
		path := filepath.Join(dir, fmt.Sprintf("%x.yaml", rand.Uint64()))
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"sweep", "plan"}, "--study with one of table2, lambda-grid, scaling"},
		{[]string{"sweep", filepath.Join(dir, "none.yaml")}, "none.yaml"},
		{[]string{"sweep", "stauts"}, `did you mean "status"?`},
		{[]string{"sweep", write("fixd: {}")}, `did you mean "fixed"?`},
		{[]string{"sweep", write("fixed: {model: s-fcc}")}, `did you mean "s-fc"?`},
		{[]string{"sweep", write("fixed: {epochs: many}")}, `epochs: expected`},
		{[]string{"sweep", write("axes: [grid: {optimizer: [sgd, beta-lasso], beta: [50]}]")}, "beta: has no effect with optimizer sgd"},
		{[]string{"sweep", write("fixed: {data: digits}"), "--launcher=slrum"}, "launcher: there is no"},
		{[]string{"sweep", write("fixed: {data: digits}"), "--processes=0"}, "processes: must be"},
		{[]string{"sweep", write("fixed: {data: digits}"), "--time=1:00:00"}, "--time: only for --launcher slurm, and the launcher is local"},
		{[]string{"sweep", write("fixed: {data: digits}"), "--cpus=2"}, "--cpus: only for --launcher slurm or kubernetes, and the launcher is local"},
		{[]string{"sweep", write("fixed: {data: digits}"), "--launcher=slurm", "--processes=2", "--image=x"}, "--processes: only for --launcher local, and the launcher is slurm"},
		{[]string{"sweep", write("fixed: {data: digits}"), "--launcher=slurm", "--processes=2", "--image=x"}, "--image: only for --launcher kubernetes"},
		{[]string{"sweep", "retry", dir, "--partition=cpu"}, "--partition: only for --launcher slurm"},
		{[]string{"sweep", "plan", write("fixed: {data: digits}\nthen: {fixed: {epochs: many}}")}, "then: trial 0 (): epochs: expected"},
		{[]string{"sweep", write("fixed: {data: digits}"), "--epochs=3"}, "only of the paper's studies"},
		{[]string{"sweep", "--study=tabel2"}, `use one of table2`},
		{[]string{"sweep", "--study=scaling", "--params=1M"}, "--max-params"},
		{[]string{"sweep", "--study=table2", "--max-params=1M"}, "max-params: only scaling"},
		{[]string{"sweep", "check", write("fixed: {data: cifar10, data-dir: /nonexistent, alpha: 1}")}, "/nonexistent"},
		{[]string{"sweep", "check", write("fixed: {data: digits, model: 3-fc, width: 1000000}"), "--out", filepath.Join(dir, "a")}, "GB to be trained"},
		{[]string{"sweep", "check", write("fixed: {data: digits, alpha: 1, val: 20000}"), "--out", filepath.Join(dir, "b")}, "leave none to train on"},
		{[]string{"sweep", "status", dir}, "not the directory of a study"},
		{[]string{"sweep", "work", dir}, "not the directory of a study"},
	} {
		got, stdout, stderr := betalasso(t, c.args...)
		if got != exitUsage || !strings.Contains(stderr, c.want) {
			t.Errorf("%q: got status %d, %q, %q, want %d and %q", c.args, got, stdout, stderr, exitUsage, c.want)
		}
	}
}

func TestNamedStudies(t *testing.T) {
	for _, c := range []struct {
		flags  namedFlags
		trials int
		then   int
	}{
		{namedFlags{Study: "table2"}, 21, 0},
		{namedFlags{Study: "table2", Data: []string{"digits"}, Params: "800k", Seeds: 2, Epochs: 3, Train: 100}, 14, 0},
		{namedFlags{Study: "lambda-grid"}, 75, 3},
		{namedFlags{Study: "lambda-grid", Data: []string{"digits"}, Alpha: 1, Seeds: 5}, 25, 5},
		{namedFlags{Study: "scaling", Data: []string{"svhn"}}, 48, 0},
		{namedFlags{Study: "scaling", Data: []string{"digits"}, MaxParams: "256k"}, 12, 0},
	} {
		s, trials, err := studyFlags{namedFlags: c.flags}.expand()
		if err != nil {
			t.Errorf("%+v: %v", c.flags, err)
			continue
		}
		then := 0
		if s.Then != nil {
			then = len(s.Then.Seeds)
		}
		if len(trials) != c.trials || then != c.then || s.Name != c.flags.Study {
			t.Errorf("%+v: got %q with %d trials, then %d seeds, want %d and %d", c.flags, s.Name, len(trials), then, c.trials, c.then)
		}
	}
	_, trials, err := studyFlags{namedFlags: namedFlags{Study: "table2"}}.expand()
	if err != nil {
		t.Fatal(err)
	}
	last := trials[len(trials)-1].Config
	if last.Model != "s-fc" || last.Alpha != 150 || last.Beta != 50 || last.Epochs != 4000 || last.Augment != "fast-autoaugment" || last.Data != "svhn" {
		t.Errorf("table2's last trial: got %+v", last)
	}
}

var longSweep = flag.Bool("long-sweep", false, "TestSweepInterrupted has 40 trials, not 6")

// A study whose worker is killed, which is then ended by SIGTERM, by Ctrl-C and
// by a kill of its launcher, is finished with no run trained twice, and with
// the weights of one that was left alone.
func TestSweepInterrupted(t *testing.T) {
	t.Parallel()
	seeds := 3
	if *longSweep {
		seeds = 20
	}
	file := study(t, seeds, "")
	whole, broken := filepath.Join(t.TempDir(), "whole"), filepath.Join(t.TempDir(), "broken")
	want(t, 0, "sweep", file, "--out", whole, "--processes=2")

	start := func() (*exec.Cmd, *bytes.Buffer) {
		c := command("sweep", file, "--out", broken, "--processes=2")
		var said bytes.Buffer
		c.Stdout, c.Stderr = &said, &said
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Process.Kill() })
		return c, &said
	}
	// begun waits until an attempt is under way that was not, and gives it.
	old := map[string]bool{}
	begun := func(said *bytes.Buffer) sweep.Attempt {
		for until := time.Now().Add(time.Minute); time.Now().Before(until); time.Sleep(20 * time.Millisecond) {
			d, err := sweep.Open(broken)
			if err != nil {
				continue
			}
			list, err := d.Status()
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range list {
				key := fmt.Sprint(s.ID, s.Last.Number)
				if s.State != run.Running || old[key] {
					continue
				}
				if e, _ := run.Open(d.RunPath(s.ID)); e == nil {
					continue
				} else if events, _ := e.Events(); len(events) < 2 { // an epoch at least
					continue
				}
				old[key] = true
				return s.Last
			}
		}
		t.Fatalf("no attempt began:\n%s", said)
		return sweep.Attempt{}
	}

	c, said := start()
	a := begun(said)
	worker, err := os.FindProcess(a.PID)
	if err == nil {
		err = worker.Kill()
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []struct {
		signal os.Signal
		status int
	}{{syscall.SIGTERM, exitSaved}, {os.Interrupt, exitInterrupted}, {syscall.SIGKILL, -1}} {
		if s.signal == syscall.SIGKILL && runtime.GOOS != "linux" {
			continue // its workers would go on
		}
		begun(said)
		c.Process.Signal(s.signal)
		if got := exitStatus(t, c.Wait()); got != s.status {
			t.Fatalf("after %v: got status %d, want %d\n%s", s.signal, got, s.status, said)
		}
		if s.signal == syscall.SIGKILL { // the launcher cannot wait for its workers, which save
			for until := time.Now().Add(time.Minute); running(t, broken) > 0 && time.Now().Before(until); {
				time.Sleep(50 * time.Millisecond)
			}
		}
		if n := running(t, broken); n > 0 {
			t.Errorf("after %v: %d workers go on", s.signal, n)
		}
		c, said = start()
	}
	if got := exitStatus(t, c.Wait()); got != 0 {
		t.Fatalf("got status %d\n%s", got, said)
	}

	if got, want := sums(t, broken), sums(t, whole); len(got) != 2*seeds || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("the weights: got %v, want %v", got, want)
	}
	attempts, again := 0, 0
	for _, p := range statuses(t, broken) {
		d, err := sweep.Open(broken)
		if err != nil {
			t.Fatal(err)
		}
		list, err := d.Attempts(p.ID)
		if err != nil {
			t.Fatal(err)
		}
		done := 0
		for i, a := range list {
			attempts++
			if a.Outcome == sweep.Done {
				done++
			}
			// What is trained in one attempt is not trained in the next, but
			// for what a kill took: less than what lies between two checkpoints.
			if i > 0 && a.From != list[i-1].Reached && list[i-1].Outcome != sweep.Unended {
				t.Errorf("%s, attempt %d: began at %s, the one before had reached %s", p.ID, a.Number, a.From, list[i-1].Reached)
			}
			if a.Number > 1 {
				again++
			}
		}
		if done != 1 || list[len(list)-1].Outcome != sweep.Done {
			t.Errorf("%s was trained to its end %d times, want once: %+v", p.ID, done, list)
		}
	}
	if again < 1 || again > 7 { // a kill of one worker, and three ends of both
		t.Errorf("got %d attempts that went on with another, want 1 to 7", again)
	}
	t.Logf("%d trials, interrupted four ways: %d attempts, %d of which went on with an earlier one; every trial was trained to its end once", 2*seeds, attempts, again)
}

// running is the number of a study's trials that a worker is at.
func running(t *testing.T, out string) int {
	return sweep.Counts(statuses(t, out))[run.Running]
}

func statuses(t *testing.T, out string) []sweep.Status {
	t.Helper()
	d, err := sweep.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	list, err := d.Status()
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestJobName(t *testing.T) {
	for study, want := range map[string]string{
		"lambdas":                       "betalasso-lambdas-40",
		"Our λ grid, 2nd":               "betalasso-our-grid-2nd-40",
		"λ":                             "betalasso-40",
		strings.Repeat("x", 38) + " yz": "betalasso-" + strings.Repeat("x", 38) + "-40",
		strings.Repeat("x", 60):         "betalasso-" + strings.Repeat("x", 39) + "-40",
	} {
		if got := jobName(study, 40); got != want {
			t.Errorf("%q: got %s, want %s", study, got, want)
		}
	}
}
