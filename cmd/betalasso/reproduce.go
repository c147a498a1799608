package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"time"

	"betalasso/data"
	"betalasso/model"
	"betalasso/report"
	"betalasso/run"
)

// reproduceCommand is `betalasso reproduce`.
type reproduceCommand struct {
	Profile   string   `default:"quick" placeholder:"NAME" help:"scale: quick, report or paper (default quick)"`
	Data      []string `placeholder:"NAME" help:"cifar10, cifar100, svhn, digits (default: profile's)"`
	Out       string   `placeholder:"DIR" help:"directory of it all (default reproduce-PROFILE)"`
	Seeds     int      `default:"1" placeholder:"N" help:"runs of each case, seeds 1 to N (default 1)"`
	Epochs    int      `placeholder:"N" help:"passes over the training set (default: profile's)"`
	Alpha     int      `placeholder:"N" help:"base channels; 3-fc is as large as s-fc (profile's)"`
	Params    string   `placeholder:"COUNT" help:"weights of every network, 800k (default: profile's)"`
	Train     int      `placeholder:"N" help:"training examples used; 0 is all (default 0)"`
	DataDir   string   `placeholder:"DIR" help:"folder with the files (default: cache, download)"`
	Threads   int      `default:"0" placeholder:"N" help:"changes no result; 0 is all cores (default 0)"`
	Precision string   `default:"auto" placeholder:"NAME" help:"of products: auto, fp32, bf16 (default auto)"`
	JSON      bool     `name:"json" help:"one JSON object a line: epochs, results (off)"`
}

// Help is the end of `betalasso reproduce --help`.
func (reproduceCommand) Help() string {
	return `quick takes 10 minutes on two cores, report (25.6M weights, 100 epochs) and paper (256M, 400 epochs) days.

Example, without a download:

    betalasso reproduce --data digits --params 800k --epochs 3

The same command goes on where it was interrupted: finished runs are kept, the one under way is resumed.`
}

// job is one run of a study.
type job struct {
	title  string
	dir    string
	config run.Config
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
	study := &study{command: r, profile: p, session: newSession(r.JSON), began: time.Now()}
	defer study.close()
	for _, name := range p.data { // all mistakes before the first run
		if _, err := study.jobs(name); err != nil {
			return err
		}
	}
	return study.run()
}

// profile is the profile asked for, with what other flags change of it.
func (r *reproduceCommand) profile() (profile, error) {
	p, ok := profiles[r.Profile]
	if !ok {
		return p, usageError{fmt.Errorf("profile: there is no %q; use one of %s", r.Profile, strings.Join(profileNames, ", "))}
	}
	if len(r.Data) > 0 {
		p.data = nil
		for _, name := range r.Data {
			if i, err := data.Describe(name); err != nil {
				return p, usageError{err}
			} else if !slices.Contains(p.data, i.Name) {
				p.data = append(p.data, i.Name)
			}
		}
	}
	if r.Seeds < 1 || r.Seeds > 1000 {
		return p, usageError{fmt.Errorf("seeds: must be from 1 to 1000, not %d", r.Seeds)}
	}
	if r.Epochs != 0 {
		p.epochs = r.Epochs
	}
	switch {
	case r.Alpha != 0 && r.Params != "":
		return p, usageError{errors.New("--alpha and --params: give one of them")}
	case r.Alpha != 0:
		_, n, err := model.Count("s-fc", model.Size{Alpha: r.Alpha, Channels: 3, Side: 32, Classes: 10})
		if err != nil {
			return p, usageError{err}
		}
		p.alpha, p.params = map[string]int{"s-conv": r.Alpha, "s-local": r.Alpha, "s-fc": r.Alpha}, n
	case r.Params != "":
		n, err := parseCount(r.Params)
		if err != nil {
			return p, usageError{fmt.Errorf("params: %w", err)}
		}
		p.alpha, p.params = nil, n
	}
	return p, nil
}

// study is a reproduction under way.
type study struct {
	*session
	command *reproduceCommand
	profile profile
	began   time.Time
	dirs    []string // of the runs there are
	failed  []string // what went wrong, a line each
	remarks []string // what the report is to say of the data
}

// jobs are the runs on one data set. A directory that was made with other
// settings is an error.
func (s *study) jobs(name string) ([]job, error) {
	var list []job
	r := s.command
	for seed := range uint64(r.Seeds) {
		for _, c := range cases {
			cfg, err := s.profile.config(c, name, seed+1)
			if err != nil {
				return nil, usageError{err}
			}
			cfg.Train, cfg.DataDir, cfg.Threads, cfg.Precision = r.Train, r.DataDir, r.Threads, precision(r.Precision)
			if err := cfg.Validate(); err != nil {
				return nil, err
			}
			if err := enoughMemory(cfg); err != nil {
				return nil, err
			}
			j := job{
				title:  fmt.Sprintf("%s: %s", name, c.title),
				dir:    filepath.Join(r.Out, "runs", fmt.Sprintf("%s-%s-s%d", name, c.name, cfg.Seed)),
				config: cfg,
			}
			if d, err := run.Open(j.dir); err == nil {
				if diff := differences(d.Config(), cfg); len(diff) > 0 {
					return nil, usageError{fmt.Errorf("%s was made with other settings (%s); choose another --out, or remove it", j.dir, strings.Join(diff, ", "))}
				}
			}
			list = append(list, j)
		}
	}
	return list, nil
}

// differences says what decides the numbers of one Config and not of another.
func differences(had, want run.Config) []string {
	var list []string
	a, b := reflect.ValueOf(had), reflect.ValueOf(want)
	for i := range a.NumField() {
		name, _, _ := strings.Cut(a.Type().Field(i).Tag.Get("yaml"), ",")
		if name != "threads" && name != "data-dir" && a.Field(i).Interface() != b.Field(i).Interface() {
			list = append(list, fmt.Sprintf("%s %v, not %v", name, a.Field(i), b.Field(i)))
		}
	}
	return list
}

// run trains on every data set, then writes the report.
func (s *study) run() error {
	var loaded, unreachable int
	for i, name := range s.profile.data {
		err := s.dataSet(name)
		switch {
		case s.ctx.Err() != nil:
			return s.stopped("stopped; the same command goes on where it was")
		case errors.Is(err, data.ErrNoHost):
			unreachable++
			instead := "going on without it"
			if loaded == 0 && i == len(s.profile.data)-1 {
				instead = "going on with the generated set digits"
			}
			fmt.Fprintf(os.Stderr, "%s: no host answers; %s\n", name, instead)
			s.remarks = append(s.remarks, fmt.Sprintf("%s could not be fetched: no host answered.", name))
		case err != nil:
			s.failed = append(s.failed, fmt.Sprintf("%s: %s", name, err))
			fmt.Fprintf(os.Stderr, "betalasso: %s: %s\n", name, err)
		default:
			loaded++
		}
	}
	if loaded == 0 && unreachable > 0 && !slices.Contains(s.profile.data, "digits") {
		if err := s.dataSet("digits"); s.ctx.Err() != nil {
			return s.stopped("stopped; the same command goes on where it was")
		} else if err != nil {
			return err
		}
	}
	return s.report()
}

// dataSet trains every case on one data set. An error means that no case could
// be begun; what befalls a run is kept for the end.
func (s *study) dataSet(name string) error {
	jobs, err := s.jobs(name)
	if err != nil {
		return err
	}
	var todo []job
	for _, j := range jobs {
		if d, err := run.Open(j.dir); err == nil {
			if res, err := d.Result(); err == nil {
				s.dirs = append(s.dirs, j.dir)
				s.tell(d, res)
				continue
			}
		}
		todo = append(todo, j)
	}
	if len(todo) == 0 {
		return nil
	}
	set, err := s.load(name, s.command.DataDir)
	if err != nil {
		return err
	}
	for i, j := range todo {
		size, err := sizeLine(j.config)
		if err != nil {
			return err
		}
		fmt.Fprintf(s.notes, "[%d/%d] %s (%s)\n", len(jobs)-len(todo)+i+1, len(jobs), j.title, size)
		err = s.one(j, set)
		if s.ctx.Err() != nil {
			return err
		}
		if err != nil {
			s.failed = append(s.failed, fmt.Sprintf("%s: %s", j.dir, err))
			fmt.Fprintf(os.Stderr, "betalasso: %s: %s\n", j.dir, err)
		}
	}
	return nil
}

// one begins a run or goes on with it.
func (s *study) one(j job, set *data.Set) error {
	d, err := run.Create(j.dir, j.config)
	if errors.Is(err, run.ErrExists) {
		d, err = run.OpenLocked(j.dir)
	}
	if err != nil {
		return err
	}
	defer d.Close()
	s.dirs = append(s.dirs, j.dir)
	_, err = s.fit(d, j.config, set)
	return err
}

// report writes the report of all runs and says where it is.
func (s *study) report() error {
	out := filepath.Join(s.command.Out, "report")
	sum, err := report.Write(s.dirs, out, report.Options{Remarks: s.remarks})
	if err != nil {
		return fmt.Errorf("the report: %w", err)
	}
	fmt.Fprintf(s.notes, "\n%s\n\n%s\n", sum.Lead, sum.Text)
	if s.json {
		s.newMeter().object(struct {
			Kind string `json:"kind"`
			Path string `json:"path"`
		}{"report", filepath.Join(out, "index.html")})
	}
	fmt.Fprintf(s.notes, "%d runs in %s; the report: %s\n", len(s.dirs), span(time.Since(s.began)), filepath.Join(out, "index.html"))
	if len(s.failed) > 0 {
		return fmt.Errorf("not all went well:\n  %s", strings.Join(s.failed, "\n  "))
	}
	return nil
}
