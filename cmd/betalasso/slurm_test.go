//go:build unix

package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"betalasso/run"
	"betalasso/sweep"
)

var slurm = flag.Bool("slurm", false, "test with a Slurm of this machine, which .ci/slurm starts: it takes root, and slurm-wlm and munge of Debian")

// slurmRun runs a command of Slurm, or of the script that starts it.
func slurmRun(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// eventually waits for a condition, and says meanwhile what there is.
func eventually(t *testing.T, what string, patience time.Duration, is func() bool) {
	t.Helper()
	for began := time.Now(); !is(); time.Sleep(200 * time.Millisecond) {
		if time.Since(began) > patience {
			t.Fatalf("after %v not yet: %s\n%s", patience, what, slurmRun(t, "squeue"))
		}
	}
	t.Log(what)
}

// withoutTimes is events.jsonl without what depends on the clock.
func withoutTimes(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	for line := range bytes.Lines(text) {
		var e run.Event
		if err := json.Unmarshal(line, &e); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		e.Seconds, e.ExamplesPerSecond, e.StepMS = 0, 0, 0
		json.NewEncoder(&out).Encode(e)
	}
	return out.Bytes()
}

var slurmScript = filepath.Join("..", "..", ".ci", "slurm")

// startSlurm starts a cluster in a folder of its own, for as long as the test goes
// on, in which the frozen copy of this test is betalasso.
func startSlurm(t *testing.T) (cluster string) {
	t.Helper()
	if !*slurm {
		t.Skip("needs -slurm")
	}
	cluster = t.TempDir()
	t.Setenv("SLURM_CONF", filepath.Join(cluster, "slurm.conf"))
	t.Setenv(asCommand, "1")
	slurmRun(t, slurmScript, "start", cluster)
	t.Cleanup(func() { slurmRun(t, slurmScript, "stop", cluster) })
	return cluster
}

// withoutSlurm trains the study of a file on this machine.
func withoutSlurm(t *testing.T, file string) (dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "local")
	want(t, 0, "sweep", file, "--out", dir)
	return dir
}

// same wants the bytes of a local study in d.
func same(t *testing.T, local string, d *sweep.Dir) {
	t.Helper()
	ours, theirs := sums(t, d.Path()), sums(t, local)
	for _, p := range d.Trials() {
		if ours[p.ID] != theirs[p.ID] {
			t.Errorf("trial %d: the weights of Slurm and of a local study differ", p.Index)
		}
		for _, name := range []string{run.WeightsFile, run.BestFile, run.FiltersFile, run.ConfigFile} {
			got, err1 := os.ReadFile(filepath.Join(d.RunPath(p.ID), name))
			want, err2 := os.ReadFile(filepath.Join(local, sweep.RunsDir, p.ID, name))
			if err1 != nil || err2 != nil || !bytes.Equal(got, want) {
				t.Errorf("trial %d: %s of Slurm and of a local study differ (%v, %v)", p.Index, name, err1, err2)
			}
		}
		got := withoutTimes(t, filepath.Join(d.RunPath(p.ID), run.EventsFile))
		if !bytes.Equal(got, withoutTimes(t, filepath.Join(local, sweep.RunsDir, p.ID, run.EventsFile))) {
			t.Errorf("trial %d: the events of Slurm and of a local study differ", p.Index)
		}
	}
}

// An array of eight runs on a real Slurm: the controller is stopped and started
// again, one task gets SIGKILL, one is driven into its time limit. All eight
// finish, with the bytes of a local study.
func TestSlurm(t *testing.T) {
	cluster := startSlurm(t)
	// Trial 0 takes long enough to be seen and killed on any machine, trial 1 longer
	// than the limit of a minute.
	data := tinyData(t, 300)
	perSecond := epochsPerSecond(t, data)
	file := filepath.Join(t.TempDir(), "study.yaml")
	text := fmt.Sprintf(`name: slurm
fixed: {model: 3-fc, data: cifar10, data-dir: %q, val: 200, batch: 50}
axes:
  - list:
      - {width: 64, epochs: %.0f}
      - {width: 64, epochs: %.0f}
      - {width: 16, epochs: 3}
      - {width: 16, epochs: 4}
      - {width: 16, epochs: 5}
      - {width: 24, epochs: 3}
      - {width: 24, epochs: 4}
      - {width: 24, epochs: 5}
`, data, 20*perSecond, 80*perSecond)
	if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "a study") // a path with a blank
	stdout, _ := want(t, 0, "sweep", file, "--out", out, "--launcher=slurm", "--cpus=1", "--time=1", "--warning=15", "--mem=500M")
	t.Log(stdout)
	if !strings.Contains(stdout, "submitted 8 trials") {
		t.Fatalf("it printed %q", stdout)
	}
	if _, stderr := want(t, exitFailure, "sweep", file, "--out", out, "--launcher=slurm"); !strings.Contains(stderr, "with Slurm already") {
		t.Errorf("launched twice: got %q", stderr)
	}
	d, err := sweep.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	status := func(index int) sweep.Status {
		list, err := d.Status()
		if err != nil {
			t.Fatal(err)
		}
		return list[index]
	}
	var killed sweep.Status
	eventually(t, "trial 0 is being trained", time.Minute, func() bool {
		killed = status(0)
		return killed.State == run.Running && d.Place(killed.ID).Epoch > 0
	})
	if err := syscall.Kill(killed.Last.PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	t.Logf("killed process %d of trial 0", killed.Last.PID)
	eventually(t, "trial 1 is being trained", 2*time.Minute, func() bool { return status(1).Attempts > 0 })
	slurmRun(t, slurmScript, "restart", cluster)
	t.Log("the controller was stopped and started again")
	eventually(t, "all trials are done", 8*time.Minute, func() bool {
		list, err := d.Status()
		return err == nil && sweep.Counts(list)[run.Done] == len(list)
	})
	eventually(t, "the queue is empty", time.Minute, func() bool { return slurmRun(t, "squeue", "--noheader") == "" })

	if a := status(0); a.Attempts < 2 {
		t.Errorf("trial 0 took %d attempts, want 2 or more: it was killed", a.Attempts)
	}
	attempts, err := d.Attempts(status(1).ID)
	if err != nil {
		t.Fatal(err)
	}
	if len(attempts) < 2 || attempts[0].Outcome != sweep.Interrupted || attempts[0].Code != exitSaved {
		t.Errorf("trial 1: got the attempts %+v, want the first ended by its limit, with status %d", attempts, exitSaved)
	}
	same(t, withoutSlurm(t, file), d)
	logs, _ := filepath.Glob(filepath.Join(out, sweep.LogsDir, "slurm-*_*.log"))
	if len(logs) < 8 {
		t.Errorf("got %d logs of tasks, want one for each of 8 trials", len(logs))
	}
	stdout, _ = want(t, 0, "sweep", "status", out)
	t.Logf("in the end:\n%s", stdout)
}

// Two studies lose their cores to an urgent job: one in a partition that puts what
// it preempts back into the queue, one in a partition that cancels it after a time
// of grace. Both save, go on by themselves, and end with the bytes of local ones.
func TestSlurmPreempted(t *testing.T) {
	startSlurm(t)
	// The epochs take longer than Slurm does to preempt, on any machine.
	const epochs = 10000
	data := tinyData(t, 60)
	studies, file := map[string]*sweep.Dir{}, filepath.Join(t.TempDir(), "study.yaml")
	text := fmt.Sprintf("name: urgent\nfixed: {model: 3-fc, width: 64, data: cifar10, data-dir: %q, val: 50, batch: 50, epochs: %d}\n", data, epochs)
	if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, partition := range []string{"requeue", "cancel"} {
		out := filepath.Join(t.TempDir(), "study")
		want(t, 0, "sweep", file, "--out", out, "--launcher=slurm", "--partition="+partition, "--cpus=1", "--time=20", "--mem=300M")
		d, err := sweep.Open(out)
		if err != nil {
			t.Fatal(err)
		}
		studies[partition] = d
	}
	for partition, d := range studies {
		eventually(t, "the study in the partition "+partition+" is being trained", time.Minute, func() bool {
			list, err := d.Status()
			return err == nil && list[0].State == run.Running && d.Place(list[0].ID).Epoch > 0
		})
	}
	cores := slurmRun(t, "sinfo", "--noheader", "--partition=urgent", "--format=%c")
	urgent := slurmRun(t, "sbatch", "--parsable", "--partition=urgent", "--mem=100M", "--cpus-per-task="+cores, "--output=/dev/null", "--wrap=sleep 2")
	eventually(t, "the urgent job is done", 3*time.Minute, func() bool {
		return slurmRun(t, "squeue", "--noheader", "--states=all", "--format=%T", "--jobs="+urgent) == "COMPLETED"
	})
	alone := withoutSlurm(t, file)
	for partition, d := range studies {
		eventually(t, "the study in the partition "+partition+" is done", 8*time.Minute, func() bool {
			list, err := d.Status()
			return err == nil && list[0].State == run.Done
		})
		attempts, err := d.Attempts(d.Trials()[0].ID)
		if err != nil {
			t.Fatal(err)
		}
		if len(attempts) != 2 || attempts[0].Outcome != sweep.Interrupted || attempts[0].Code != exitSaved || attempts[1].From.Epoch < 1 {
			t.Errorf("%s: got the attempts %+v, want one that saved itself, with status %d, and one that went on", partition, attempts, exitSaved)
		}
		logs, _ := filepath.Glob(filepath.Join(d.Path(), sweep.LogsDir, "slurm-*_0.log"))
		var told []byte
		for _, log := range logs {
			text, err := os.ReadFile(log)
			if err != nil {
				t.Fatal(err)
			}
			told = append(told, text...)
		}
		if !bytes.Contains(told, []byte("DUE TO PREEMPTION")) {
			t.Errorf("%s: it was not preempted:\n%s", partition, told)
		}
		same(t, alone, d)
	}
}

// epochsPerSecond is how many epochs of the study's large trials this machine trains
// in a second, its start not counted.
func epochsPerSecond(t *testing.T, data string) float64 {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "few")
	want(t, 0, "train", "--model=3-fc", "--width=64", "--data=cifar10", "--data-dir", data, "--val=200", "--batch=50", "--epochs=100", "--threads=1", "--out", dir)
	var seconds float64
	for _, e := range eventsOf(t, dir) {
		seconds += e.Seconds
	}
	return 100 / seconds
}
