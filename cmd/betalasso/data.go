package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"

	"betalasso/data"
	"betalasso/plan"
)

// dataCommand is `betalasso data`.
type dataCommand struct {
	List   dataListCommand   `cmd:"" help:"List the data sets and whether they are in the cache."`
	Fetch  dataFetchCommand  `cmd:"" help:"Fetch data sets into the cache."`
	Show   dataShowCommand   `cmd:"" help:"Draw a sheet of images before and after augmentation."`
	Verify dataVerifyCommand `cmd:"" help:"Verify files by the publishers' checksums."`
}

// dataListCommand is `betalasso data list`.
type dataListCommand struct {
	Name []string `arg:"" optional:"" help:"data sets (default: all)"`
}

// Help is the end of `betalasso data list --help`.
func (dataListCommand) Help() string { return "Example:\n\n    betalasso data list" }

// Run lists.
func (l *dataListCommand) Run() error {
	list, err := describe(l.Name)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "NAME\tCLASSES\tTRAIN\tTEST\tDOWNLOAD\tCACHE\tTERMS")
	for _, i := range list {
		size := "none"
		if i.Bytes > 0 {
			size = megabytes(i.Bytes)
		}
		fmt.Fprintf(w, "%s\t%d\t%s\t%s\t%s\t%s\t%s\n", i.Name, len(i.Classes), plan.Thousands(i.Train), plan.Thousands(i.Test), size, cached(i), i.Terms)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if dir, err := data.CacheDir(); err == nil {
		fmt.Printf("\nThe cache is %s\n", dir)
	}
	return nil
}

// cached is the state of a set in the cache.
func cached(i data.Info) string {
	if len(i.URLs) == 0 {
		return "not needed"
	}
	files, err := data.Verify(i.Name, "")
	if err != nil {
		return "unreadable"
	}
	state := "verified"
	for _, f := range files {
		switch {
		case f.Optional && !f.Present:
		case !f.Present:
			return "absent"
		case !f.Verified:
			state = "differs"
		}
	}
	return state
}

// dataFetchCommand is `betalasso data fetch`.
type dataFetchCommand struct {
	Name  []string `arg:"" optional:"" help:"data sets (default: all)"`
	Extra bool     `help:"svhn: fetch its extra images too, 1.3 GB more (default off)"`
}

// Help is the end of `betalasso data fetch --help`.
func (dataFetchCommand) Help() string {
	return `Example:

    betalasso data fetch cifar10

An interrupted download resumes.`
}

// Run fetches.
func (f *dataFetchCommand) Run() error {
	list, err := describe(f.Name)
	if err != nil {
		return err
	}
	s := newSession(false)
	defer s.close()
	var all error
	for _, i := range list {
		if len(i.URLs) == 0 {
			if len(f.Name) > 0 {
				fmt.Printf("%s: %s\n", i.Name, i.Terms)
			}
			continue
		}
		m := s.newMeter()
		err := data.Fetch(s.ctx, i.Name, data.Options{Fetch: true, Extra: f.Extra, Progress: m.fetching})
		m.clear()
		if s.ctx.Err() != nil {
			return s.stopped("stopped; the same command goes on")
		}
		if err != nil {
			fmt.Fprintf(os.Stderr, "betalasso: %s\n", err)
			all = errors.New("not all data sets could be fetched")
			continue
		}
		fmt.Printf("%s: in the cache, verified; %s\n", i.Name, i.Terms)
	}
	return all
}

// dataVerifyCommand is `betalasso data verify`.
type dataVerifyCommand struct {
	Name    []string `arg:"" optional:"" help:"data sets (default: all)"`
	DataDir string   `placeholder:"DIR" help:"folder with the files (default: the cache)"`
}

// Help is the end of `betalasso data verify --help`.
func (dataVerifyCommand) Help() string { return "Example:\n\n    betalasso data verify cifar10" }

// Run verifies; the exit status is 1 unless every file is the publisher's.
func (v *dataVerifyCommand) Run() error {
	list, err := describe(v.Name)
	if err != nil {
		return err
	}
	bad := 0
	for _, i := range list {
		files, err := data.Verify(i.Name, v.DataDir)
		if err != nil {
			return err
		}
		for _, f := range files {
			switch {
			case f.Optional && !f.Present:
			case !f.Present:
				fmt.Printf("absent    %s\n", f.Path)
				bad++
			case !f.Verified:
				fmt.Printf("differs   %s: MD5 %s, the publisher's is %s\n", f.Path, f.MD5, f.Want)
				bad++
			default:
				fmt.Printf("verified  %s\n", f.Path)
			}
		}
	}
	if bad > 0 {
		return fmt.Errorf("%d files are absent or differ; `betalasso data fetch` gets the publishers'", bad)
	}
	return nil
}

// describe looks names up; none means all.
func describe(names []string) ([]data.Info, error) {
	if len(names) == 0 {
		names = data.Names()
	}
	var list []data.Info
	for _, n := range names {
		i, err := data.Describe(strings.TrimSpace(n))
		if err != nil {
			return nil, usageError{err}
		}
		list = append(list, i)
	}
	return list, nil
}
