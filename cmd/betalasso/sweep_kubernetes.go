package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"betalasso/run"
	"betalasso/sweep"
)

// kubernetesFlags say what the pods of an Indexed Job get.
type kubernetesFlags struct {
	Image     string `placeholder:"NAME" group:"kubernetes" help:"container image that has betalasso in its path"`
	Claim     string `placeholder:"NAME" group:"kubernetes" help:"volume claim that holds the study's directory"`
	SubPath   string `placeholder:"PATH" group:"kubernetes" help:"path of the study's directory in the volume (default: its root)"`
	Namespace string `placeholder:"NAME" group:"kubernetes" help:"namespace of the job (default: kubectl's)"`
}

// notInName is what a DNS label cannot have.
var notInName = regexp.MustCompile(`[^a-z0-9]+`)

// kubernetesLaunch writes the manifest of d, then opens failed trials again.
func (s *session) kubernetesLaunch(f launchFlags, d *sweep.Dir, failed []string) error {
	if d.Study().Then != nil && len(failed) == 0 { // these may change the choice
		fmt.Fprintln(s.notes, "an Indexed Job has the trials of the axes only; when it has ended, the same command adds those of `then`")
		if _, err := d.Advance(); err != nil {
			return err
		}
	}
	text, err := sweep.Kubernetes{
		Name: jobName(d.Study().Name, len(d.Trials())), Namespace: f.Namespace, Image: f.Image, Claim: f.Claim, SubPath: f.SubPath,
		MaxParallel: f.MaxParallel, CPUs: f.CPUs, Mem: f.Mem,
	}.Manifest(len(d.Trials()))
	if err != nil {
		return err
	}
	path := filepath.Join(d.Path(), sweep.KubernetesDir, "job.yaml")
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	if err := run.Replace(path, text); err != nil {
		return err
	}
	if err := reopen(d, failed); err != nil {
		return err
	}
	fmt.Fprintf(s.notes, "wrote the job of %d trials; the volume of claim %s must hold %s; then:\n\n    kubectl apply -f %s\n", len(d.Trials()), f.Claim, d.Path(), quote(path))
	return nil
}

// jobName is a DNS label of at most 52 characters, since a pod's name has 11
// more. It contains the number of trials, because a Job's cannot be changed: with
// those of `then` it is another Job.
func jobName(study string, trials int) string {
	end := "-" + strconv.Itoa(trials)
	name := "betalasso-" + strings.Trim(notInName.ReplaceAllString(strings.ToLower(study), "-"), "-")
	return strings.TrimRight(name[:min(len(name), 52-len(end))], "-") + end
}

// validate is what is missing of the flags.
func (f kubernetesFlags) validate() error {
	if f.Image == "" || f.Claim == "" {
		return usageError{errors.New("launcher kubernetes: give the image with --image, and the volume claim that holds the study's directory with --claim")}
	}
	return nil
}
