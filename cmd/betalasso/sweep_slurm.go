package main

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"betalasso/run"
	"betalasso/sweep"
)

// slurmFlags say what a task of a Slurm array gets.
type slurmFlags struct {
	Partition   string   `placeholder:"NAME" group:"slurm" help:"partition (default: the cluster's)"`
	Time        string   `placeholder:"LIMIT" group:"slurm" help:"limit of one task, 04:00:00; a task saves before it and resumes (default: the partition's)"`
	Warning     int      `default:"60" placeholder:"SECONDS" group:"slurm" help:"seconds before the limit at which a task saves (default 60)"`
	Account     string   `placeholder:"NAME" group:"slurm" help:"account that pays (default: yours)"`
	QOS         string   `name:"qos" placeholder:"NAME" group:"slurm" help:"quality of service (default: the cluster's)"`
	Constraint  string   `placeholder:"FEATURES" group:"slurm" help:"features of the nodes (default: any)"`
	SlurmOption []string `placeholder:"NAME=VALUE" sep:"none" group:"slurm" help:"any other option of sbatch, without its dashes; may be repeated"`
	Rounds      int      `default:"20" placeholder:"N" group:"slurm" help:"arrays submitted in turn, for tasks that crashed (default 20)"`
}

// clusterFlags say what a task of any cluster gets.
type clusterFlags struct {
	MaxParallel int    `default:"0" placeholder:"N" group:"cluster" help:"tasks at a time; 0 is all (default 0)"`
	CPUs        int    `name:"cpus" default:"2" placeholder:"N" group:"cluster" help:"cores of a task, and its threads (default 2)"`
	Mem         string `placeholder:"SIZE" group:"cluster" help:"memory of a task: 4G with Slurm, 4Gi with Kubernetes (default: the cluster's)"`
}

// slurmLaunch submits the open trials of d, or the failed ones whose IDs are given,
// to Slurm, and returns.
func (s *session) slurmLaunch(f launchFlags, d *sweep.Dir, failed []string) error {
	if last, err := submission(d); err == nil {
		if jobs := queued(last); jobs != "" {
			return fmt.Errorf("%s is with Slurm already (%s); wait, or `scancel %s %s` first", d.Path(), jobs, last.Array, last.Keeper)
		}
	}
	program, err := freeze(d)
	if err != nil {
		return err
	}
	return s.submit(d, failed, sweep.Submission{
		Slurm: sweep.Slurm{
			Partition: f.Partition, Time: f.Time, Account: f.Account, QOS: f.QOS, Constraint: f.Constraint,
			Mem: f.Mem, CPUs: f.CPUs, MaxParallel: f.MaxParallel, Warning: f.Warning, Options: f.SlurmOption,
		},
		Program: program, Round: 1, Rounds: f.Rounds,
	})
}

// submit submits an array of the open trials and the keeper after it. Without
// open trials it submits nothing and prints how the study ended.
//
// Failed trials whose IDs are given are submitted alone. They are opened again once
// the cluster has taken them, and their array is held until then, because the task
// of a failed trial ends at once.
func (s *session) submit(d *sweep.Dir, failed []string, sub sweep.Submission) error {
	held := len(failed) > 0
	list, err := d.Status()
	if err != nil {
		return err
	}
	fmt.Fprintf(s.notes, "%s: %s\n", d.Path(), countLine(list))
	var open []int
	for _, p := range sweep.Among(list, failed) {
		if held || !sweep.Ended(p.State) {
			open = append(open, p.Index)
		}
	}
	if err := d.Stopped(list); err != nil && !held {
		return err
	}
	if len(open) == 0 {
		return allDone(d, nil)
	}
	if sub.Round > sub.Rounds {
		return fmt.Errorf("%d trials are open still after %d arrays; `betalasso sweep run` with the launcher again begins anew", len(open), sub.Rounds)
	}
	root, err := filepath.Abs(d.Path())
	if err != nil {
		return err
	}
	folder := filepath.Join(root, sweep.SlurmDir)
	program := filepath.Join(folder, sub.Program)
	name := "betalasso-" + d.Study().Name
	tasks, keeper := filepath.Join(folder, "tasks.sh"), filepath.Join(folder, "keeper.sh")
	if err := run.Replace(tasks, []byte(sub.Slurm.Tasks(name, root, program))); err != nil {
		return err
	}
	if err := run.Replace(keeper, []byte(sub.Slurm.Keeper(name, root, program))); err != nil {
		return err
	}
	args := []string{"--array=" + sub.Slurm.Array(open), tasks}
	if held {
		args = append([]string{"--hold"}, args...)
	}
	if sub.Array, err = sbatch(args...); err != nil {
		return err
	}
	if sub.Keeper, err = sbatch("--dependency=afterany:"+sub.Array, keeper); err != nil {
		if held {
			return errors.Join(err, slurmDo("scancel", sub.Array))
		}
		return errors.Join(err, fmt.Errorf("the array is submitted as job %s; nothing will submit its crashed tasks again", sub.Array))
	}
	text, err := json.MarshalIndent(sub, "", "  ")
	if err == nil {
		err = run.Replace(submissionPath(d), append(text, '\n'))
	}
	if err != nil && held {
		err = errors.Join(err, slurmDo("scancel", sub.Array, sub.Keeper))
	}
	if err != nil {
		return err
	}
	if held { // released even if one could not be opened: the others are
		if err := errors.Join(reopen(d, failed), slurmDo("scontrol", "release", sub.Array)); err != nil {
			return err
		}
	}
	fmt.Fprintf(s.notes, "submitted %d trials as job %s, and job %s to look after them; scripts in %s\n`betalasso sweep status %s` and squeue say how far it is\n",
		len(open), sub.Array, sub.Keeper, folder, quote(d.Path()))
	return nil
}

// sweepContinueCommand is `betalasso sweep continue`, which the keeper runs.
type sweepContinueCommand struct {
	Dir string `arg:"" help:"the study's directory"`
}

// Help is the end of `betalasso sweep continue --help`.
func (sweepContinueCommand) Help() string {
	return `The Slurm launcher submits a job that runs this command after its array has ended, for tasks that were killed or whose node died. A trial that is killed repeatedly at the same place counts as failed.

Example:

    betalasso sweep continue sweeps/mine`
}

// Run submits what is open once more.
func (c *sweepContinueCommand) Run() error {
	d, err := sweep.Open(c.Dir)
	if err != nil {
		return studyError(err)
	}
	sub, err := submission(d)
	if errors.Is(err, fs.ErrNotExist) {
		return usageError{fmt.Errorf("%s was not handed to Slurm; `betalasso sweep run` with --launcher slurm does that", c.Dir)}
	}
	if err != nil {
		return err
	}
	if _, err := d.Advance(); err != nil {
		return err
	}
	sub.Round++
	s := newSession(false)
	defer s.close()
	return s.submit(d, nil, sub)
}

func submissionPath(d *sweep.Dir) string {
	return filepath.Join(d.Path(), sweep.SlurmDir, "submission.json")
}

// submission is the last one of d.
func submission(d *sweep.Dir) (sub sweep.Submission, err error) {
	text, err := os.ReadFile(submissionPath(d))
	if err != nil {
		return sub, err
	}
	if err := json.Unmarshal(text, &sub); err != nil {
		return sub, fmt.Errorf("%s: %w", submissionPath(d), err)
	}
	return sub, nil
}

// queued is what the queue has of a submission, or "".
func queued(sub sweep.Submission) string {
	out, err := exec.Command("squeue", "--noheader", "--format=%i %T", "--jobs="+sub.Array+","+sub.Keeper).Output()
	if err != nil {
		return "" // as for jobs that the cluster has forgotten
	}
	return strings.Join(strings.Split(strings.TrimSpace(string(out)), "\n"), ", ")
}

// slurmDo runs a command of Slurm that prints nothing where it succeeds.
func slurmDo(args ...string) error {
	out, err := exec.Command(args[0], args[1:]...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("`%s` failed, run it yourself: %s", strings.Join(args, " "), cmp.Or(strings.TrimSpace(string(out)), err.Error()))
	}
	return nil
}

// sbatch submits a script and returns the job's ID.
func sbatch(args ...string) (string, error) {
	var stderr bytes.Buffer
	c := exec.Command("sbatch", append([]string{"--parsable"}, args...)...)
	c.Stderr = &stderr
	out, err := c.Output()
	if errors.Is(err, exec.ErrNotFound) {
		return "", errors.New("there is no sbatch here; --launcher slurm is for a login node of a cluster")
	}
	if err != nil {
		return "", fmt.Errorf("sbatch: %s", cmp.Or(strings.TrimSpace(stderr.String()), err.Error()))
	}
	id, _, _ := strings.Cut(strings.TrimSpace(string(out)), ";") // a cluster's name may follow
	return id, nil
}

// freeze copies this program into the study's directory, so that a later build
// does not change what its tasks run, and returns its file name there.
func freeze(d *sweep.Dir) (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	text, err := os.ReadFile(self)
	if err != nil {
		return "", err
	}
	name := fmt.Sprintf("betalasso-%.6x", sha256.Sum256(text))
	path := filepath.Join(d.Path(), sweep.SlurmDir, name)
	if _, err := os.Stat(path); err == nil {
		return name, nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return "", err
	}
	temp := path + ".tmp"
	if err := run.Replace(temp, text); err != nil {
		return "", err
	}
	if err := os.Chmod(temp, 0o755); err != nil {
		return "", err
	}
	return name, os.Rename(temp, path)
}
