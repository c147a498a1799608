package main

import (
	"fmt"
	"image/png"
	"io"
	"path/filepath"
	"text/tabwriter"

	"betalasso/data"
	"betalasso/pictures"
	"betalasso/plan"
	"betalasso/run"
	"betalasso/train"
)

// classScore is the recall and precision of one class of the test images.
type classScore struct {
	Class     string  `json:"class"`
	Images    int     `json:"images"`
	Recall    float64 `json:"recall"`    // of its images that are taken for it, 0 to 1
	Precision float64 `json:"precision"` // of those taken for it that are its, 0 to 1
	Mistaken  string  `json:"mistaken"`  // the class that most of the others are taken for; "" for none
	Times     int     `json:"times"`
}

// perClass are the scores of all classes.
func perClass(classes []string, counts []run.Counts) []classScore {
	list := make([]classScore, len(counts))
	taken := make([]int, len(counts))
	for _, row := range counts {
		for k, n := range row {
			taken[k] += n
		}
	}
	for i, row := range counts {
		s := classScore{Class: classes[i]}
		most := -1
		for k, n := range row {
			s.Images += n
			if k != i && n > 0 && (most < 0 || n > row[most]) {
				most = k
			}
		}
		if s.Images > 0 {
			s.Recall = float64(row[i]) / float64(s.Images)
		}
		if taken[i] > 0 {
			s.Precision = float64(row[i]) / float64(taken[i])
		}
		if most >= 0 {
			s.Mistaken, s.Times = classes[most], row[most]
		}
		list[i] = s
	}
	return list
}

// classes prints what eval found of each class, and writes the matrix, as asked
// for. which is the name of the files.
func (e *evalCommand) classes(s *session, set *data.Set, r train.Scores, which string) error {
	if (e.PerClass || e.Confusion) && r.Confusion == nil {
		return usageError{fmt.Errorf("per-class, confusion: %s has %s classes, too many to count them against each other", set.Name, plan.Thousands(len(set.Classes)))}
	}
	if e.PerClass && !s.json {
		w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(w, "CLASS\tIMAGES\tRECALL\tPRECISION\tMOSTLY MISTAKEN FOR")
		for _, c := range perClass(set.Classes, r.Confusion) {
			mistaken := ""
			if c.Times > 0 {
				mistaken = fmt.Sprintf("%s (%d)", run.Printable(c.Mistaken), c.Times)
			}
			fmt.Fprintf(w, "%s\t%d\t%.2f %%\t%.2f %%\t%s\n", run.Printable(c.Class), c.Images, 100*c.Recall, 100*c.Precision, mistaken)
		}
		if err := w.Flush(); err != nil {
			return err
		}
	}
	if !e.Confusion {
		return nil
	}
	out := filepath.Join(e.Out, which)
	err := run.WriteWhole(out+".csv", func(w io.Writer) error { return run.WriteConfusion(w, set.Classes, r.Confusion) })
	if err != nil {
		return err
	}
	err = run.WriteWhole(out+".png", func(w io.Writer) error {
		return png.Encode(w, pictures.Confusion(set.Classes, matrix(r.Confusion)))
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(s.notes, "%s.csv, %s.png\n", run.Printable(out), run.Printable(out))
	return nil
}

// matrix is the counts as plain numbers.
func matrix(counts []run.Counts) [][]int {
	list := make([][]int, len(counts))
	for i, row := range counts {
		list[i] = row
	}
	return list
}
