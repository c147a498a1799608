package main

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"betalasso/data"
	"betalasso/model"
	"betalasso/plan"
	"betalasso/report"
	"betalasso/run"
	"betalasso/studies"
	"betalasso/sweep"
	"betalasso/train"
)

// reproduceCommand is `betalasso reproduce`.
type reproduceCommand struct {
	Profile   string   `default:"quick" placeholder:"NAME" help:"scale: quick, report or paper (default quick)"`
	Data      []string `placeholder:"NAME" help:"${datasets} (default: profile's)"`
	Out       string   `placeholder:"DIR" help:"directory for everything (default reproduce-PROFILE)"`
	Seeds     int      `default:"0" placeholder:"N" help:"runs of each case, seeds 1 to N (default: profile's)"`
	Epochs    int      `placeholder:"N" help:"passes over the training set (default: profile's)"`
	Alpha     int      `placeholder:"N" help:"base channels; 3-fc is as large as s-fc (profile's)"`
	Params    string   `placeholder:"COUNT" help:"weights of every network, 800k (default: profile's)"`
	Train     int      `placeholder:"N" help:"training examples used; 0 is all (default 0)"`
	DataDir   string   `placeholder:"DIR" help:"folder with the files (default: cache, download)"`
	Threads   int      `default:"0" placeholder:"N" help:"changes no result; 0 is all cores (default 0)"`
	Precision string   `default:"auto" placeholder:"NAME" help:"of matrix products: auto, fp32, bf16 (default auto)"`
	JSON      bool     `name:"json" help:"one JSON object per line: epochs, results (off)"`
}

// Help is the end of `betalasso reproduce --help`.
func (reproduceCommand) Help() string {
	return `On two cores quick takes up to 10 minutes (three seeds of S-FC with SGD and with β = 50), report (25.6M weights, 100 epochs)
6 to 30 hours, paper (256M, 400 epochs) weeks.

Example, without a download:

    betalasso reproduce --data digits --params 800k --epochs 3

The same command resumes after an interruption: finished runs are kept, an unfinished one continues.`
}

// Run trains what is missing and writes the report.
func (r *reproduceCommand) Run() error {
	p, err := r.profile()
	if err != nil {
		return err
	}
	if r.Out == "" {
		r.Out = "reproduce-" + r.Profile
	}
	all, err := r.trials(p) // all mistakes before a long download
	if err != nil {
		return err
	}
	s := newSession(r.JSON)
	defer s.close()
	rep := &reproduction{session: s, command: r, began: time.Now(), plan: plan.NewAgenda(nil)}
	if !r.finished(all) {
		if err := rep.foresee(all); err != nil { // before a download, which may take longer
			return err
		}
		if p.Data, err = rep.reachable(p.Data); err != nil {
			return err
		}
		if all, err = r.trials(p); err != nil {
			return err
		}
	}
	return rep.run(all)
}

// profile is the chosen profile, as other flags change it.
func (r *reproduceCommand) profile() (studies.Profile, error) {
	p, ok := studies.Profiles[r.Profile]
	if !ok {
		return p, usageError{fmt.Errorf("profile: there is no %q; use one of %s", r.Profile, strings.Join(studies.Names, ", "))}
	}
	if len(r.Data) > 0 {
		p.Data = nil
		for _, name := range r.Data {
			if i, err := data.Describe(name); err != nil {
				return p, usageError{err}
			} else if !slices.Contains(p.Data, i.Name) {
				p.Data = append(p.Data, i.Name)
			}
		}
	}
	if r.Seeds < 0 || r.Seeds > 1000 {
		return p, usageError{fmt.Errorf("seeds: must be from 1 to 1000, not %d", r.Seeds)}
	}
	if r.Epochs != 0 {
		p.Epochs, p.Fewer = r.Epochs, nil
	}
	switch {
	case r.Alpha != 0 && r.Params != "":
		return p, usageError{errors.New("--alpha and --params: give one of them")}
	case r.Alpha != 0:
		_, n, err := model.Count("s-fc", model.Size{Alpha: r.Alpha, Channels: 3, Side: 32, Classes: 10})
		if err != nil {
			return p, usageError{err}
		}
		p.Alpha, p.Params = map[string]int{"s-conv": r.Alpha, "s-local": r.Alpha, "s-fc": r.Alpha}, n
	case r.Params != "":
		n, err := parseCount(r.Params)
		if err != nil {
			return p, usageError{fmt.Errorf("params: %w", err)}
		}
		p.Alpha, p.Params = nil, n
	}
	return p, nil
}

// trials are the trials of the study at this scale. Those of another scale in the
// directory are kept, unless they have the place of one of these.
func (r *reproduceCommand) trials(p studies.Profile) (*reproduced, error) {
	text, err := studies.Table(p, r.Train, r.Seeds, map[string]string{"precision": r.Precision, "data-dir": r.DataDir})
	if err != nil {
		return nil, usageError{err}
	}
	study, err := sweep.Parse("reproduce", text)
	if err != nil {
		return nil, err
	}
	trials, err := study.Expand(newResolver())
	if err != nil {
		return nil, studyError(err)
	}
	all := &reproduced{study: study, trials: trials}
	for _, q := range trials {
		if _, err := plan.Fits(q.Config, plan.Here()); err != nil {
			return nil, usageError{err}
		}
		all.ids = append(all.ids, q.ID)
	}
	d, err := sweep.Open(r.Out)
	if err != nil {
		return all, nil // nothing there yet, or Create will say what
	}
	for _, had := range d.Trials() {
		if slices.Contains(all.ids, had.ID) {
			continue
		}
		for _, q := range trials {
			if maps.Equal(had.Labels, q.Labels) {
				return nil, usageError{fmt.Errorf("%s was made with other settings (%s); choose another --out, or remove it",
					r.Out, strings.Join(differences(had.Config, q.Config), ", "))}
			}
		}
		all.trials = append(all.trials, had)
	}
	return all, nil
}

// reproduced is a study, its trials and the directory's, and which are its own.
type reproduced struct {
	study  *sweep.Study
	trials []sweep.Trial
	ids    []string
}

// finished reports whether all trials are done, so that no data are needed.
func (r *reproduceCommand) finished(all *reproduced) bool {
	for _, id := range all.ids {
		d, err := run.Open(filepath.Join(r.Out, sweep.RunsDir, id))
		if err != nil {
			return false
		}
		if _, err := d.Result(); err != nil {
			return false
		}
	}
	return true
}

// differences lists the settings that determine numbers and differ between two
// Configs.
func differences(had, want run.Config) []string {
	var list []string
	for _, name := range run.Settings() {
		a, b := run.Setting(had, name), run.Setting(want, name)
		if run.Material(name) && a != b {
			list = append(list, fmt.Sprintf("%s %v, not %v", name, a, b))
		}
	}
	return list
}

// reproduction is a reproduction in progress.
type reproduction struct {
	*session
	command *reproduceCommand
	began   time.Time
	plan    *plan.Agenda
	failed  []string // what went wrong, a line each
	remarks []string // what the report is to say of the data
}

// reachable are the data sets that can be loaded. If there are none because no
// host answers, it is the generated one.
func (r *reproduction) reachable(names []string) (list []string, err error) {
	unreachable := 0
	for i, name := range names {
		_, err := r.load(run.Config{Data: name, DataDir: r.command.DataDir})
		switch {
		case r.ctx.Err() != nil:
			return nil, r.stopped("stopped; the same command goes on where it was")
		case errors.Is(err, data.ErrNoHost):
			unreachable++
			instead := "going on without it"
			if len(list) == 0 && i == len(names)-1 {
				instead = "going on with the generated set digits"
			}
			fmt.Fprintf(os.Stderr, "%s: no host answers; %s\n", name, instead)
			r.remarks = append(r.remarks, fmt.Sprintf("%s could not be fetched: no host answered.", name))
		case err != nil:
			r.failed = append(r.failed, fmt.Sprintf("%s: %s", name, err))
			fmt.Fprintf(os.Stderr, "betalasso: %s: %s\n", name, err)
		default:
			list = append(list, name)
		}
	}
	switch {
	case len(list) > 0:
		return list, nil
	case unreachable > 0:
		return []string{"digits"}, nil
	}
	return nil, fmt.Errorf("no data set can be read:\n  %s", strings.Join(r.failed, "\n  "))
}

// run trains what is not done, then writes the report.
func (r *reproduction) run(all *reproduced) error {
	d, err := sweep.Create(r.command.Out, all.study, all.trials)
	if err != nil {
		return studyError(err)
	}
	list, err := d.Status()
	if err != nil {
		return err
	}
	place := map[string]int{} // from 1
	for i, p := range sweep.Among(list, all.ids) {
		place[p.ID] = i + 1
		if p.Result != nil {
			r.tell(d.RunPath(p.ID), *p.Result)
		}
		if p.State == run.Failed || p.State == run.Broken { // the same command is the leave to try again
			if err := d.Reopen(p.ID); err != nil {
				return err
			}
		}
	}
	r.after = r.plan.After
	w := r.newWorker(d, r.command.Threads)
	w.Title = func(p sweep.Trial) string {
		size, err := sizeLine(p.Config)
		if err != nil {
			size = err.Error()
		}
		r.plan.Begin(p.ID, time.Now())
		return fmt.Sprintf("[%d/%d] %s: %s (%s)", place[p.ID], len(all.ids), p.Config.Data, p.Labels[sweep.Label], size)
	}
	code, err := w.Drain(r.ctx, all.ids...)
	if r.ctx.Err() != nil {
		return r.stopped("stopped; the same command goes on where it was")
	}
	if code != 0 {
		return codedError{code, err}
	}
	if err != nil {
		return err
	}
	return r.report(d, all.ids)
}

// report writes the report of the trials and says where it is.
func (r *reproduction) report(d *sweep.Dir, ids []string) error {
	list, err := d.Status()
	if err != nil {
		return err
	}
	var dirs []string
	for _, p := range sweep.Among(list, ids) {
		path := d.RunPath(p.ID)
		if run.Vacant(path) != nil {
			dirs = append(dirs, path)
		}
		if p.State != run.Done {
			r.failed = append(r.failed, fmt.Sprintf("%s: %s", path, p.Last.Why))
		}
	}
	out := filepath.Join(r.command.Out, "report")
	sum, err := report.Write(dirs, out, report.Options{Remarks: r.remarks})
	if err != nil {
		return fmt.Errorf("the report: %w", err)
	}
	fmt.Fprintln(r.notes)
	sum.Print(r.notes, r.width())
	if r.json {
		r.newMeter().object(struct {
			Kind string `json:"kind"`
			Path string `json:"path"`
		}{"report", filepath.Join(out, "index.html")})
	}
	fmt.Fprintf(r.notes, "%d runs; this command took %s; the report: %s\n", len(dirs), plan.Span(time.Since(r.began)), filepath.Join(out, "index.html"))
	if len(r.failed) > 0 {
		return fmt.Errorf("not all went well:\n  %s", strings.Join(r.failed, "\n  "))
	}
	return nil
}

// foresee estimates the time of all that is not done.
func (r *reproduction) foresee(all *reproduced) error {
	var todo []sweep.Trial
	for _, p := range all.trials[:len(all.ids)] {
		if run.Look(filepath.Join(r.command.Out, sweep.RunsDir, p.ID)).Result == nil {
			todo = append(todo, p)
		}
	}
	b := r.bench(r.command.Threads)
	list, sum, err := b.Estimate(todo, 1)
	if errors.Is(err, train.ErrStopped) {
		return r.stopped("stopped before anything was trained")
	}
	if err != nil {
		return err
	}
	r.plan = plan.NewAgenda(list)
	fmt.Fprintf(r.notes, "%d runs, about %s on this machine, the download not counted; Ctrl-C saves, and the same command goes on\n", len(list), sum.Time())
	return nil
}
