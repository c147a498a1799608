package report

import (
	"encoding/json"
	"io"
	"math"

	"betalasso/compare"
	"betalasso/paper"
)

// summaryFile is summary.json: the report's content as data. Accuracies are from
// 0 to 1; what is not known is absent.
type summaryFile struct {
	Lead       string           `json:"data"`
	Unfinished string           `json:"unfinished,omitempty"`
	Cases      []summaryCase    `json:"cases"`
	Groups     []summarySetting `json:"settings"`
	Verdict    summaryVerdict   `json:"verdict"`
}

type summaryVerdict struct {
	Text    string    `json:"text"`
	Numbers []Verdict `json:"numbers"` // by data set
}

// summaryCase is a row of the paper's table.
type summaryCase struct {
	Data    string         `json:"data"`
	Case    string         `json:"case"`
	Title   string         `json:"title"`
	TestAcc *float64       `json:"test_acc,omitempty"`
	TestSD  *float64       `json:"test_acc_sd,omitempty"` // over seeds, of two or more
	N       int            `json:"n"`
	Weights int            `json:"weights,omitempty"`
	Nonzero *float64       `json:"nonzero,omitempty"` // mean over seeds
	Filters *FilterMeasure `json:"filters,omitempty"`
	Paper   *summaryPaper  `json:"paper,omitempty"`
}

type summaryPaper struct {
	TestAcc float64 `json:"test_acc"`
	Weights int     `json:"weights"`
}

// summarySetting is a group of runs that differ in their seed alone.
type summarySetting struct {
	Data     string            `json:"data"`
	Name     string            `json:"name"`
	Settings map[string]string `json:"settings"`
	Best     bool              `json:"best_by_validation"`
	Test     compare.Sample    `json:"test"` // percent
	Open     int               `json:"open"` // runs without a result
}

// summary writes summary.json.
func (p *page) summary(w io.Writer, all []record) error {
	s := summaryFile{Lead: p.Lead, Unfinished: p.Unfinished, Cases: []summaryCase{}, Groups: []summarySetting{}}
	for i, section := range p.Sections {
		set := paper.Describe(section.Name)
		for _, k := range paper.Cases {
			runs, _ := choose(all, set.Name, k)
			if len(runs) == 0 {
				continue
			}
			s.Cases = append(s.Cases, caseOf(finishedOf(group{runs: runs}).runs, set, k))
		}
		for _, g := range section.Settings.Groups {
			one := summarySetting{Data: set.Name, Name: settingsName(g.Group, telling(section.Settings.Comparison)), Settings: map[string]string{}, Best: g.Best, Test: g.Samples["test"], Open: g.Open}
			for _, x := range g.Settings {
				one.Settings[x.Name] = x.Value
			}
			s.Groups = append(s.Groups, one)
		}
		if i > 0 {
			s.Verdict.Text += "\n"
		}
		s.Verdict.Text += section.Verdict.Text
		s.Verdict.Numbers = append(s.Verdict.Numbers, section.Verdict)
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(s)
}

// caseOf is a row's runs that have a result.
func caseOf(runs []record, set paper.DataSet, k paper.Case) summaryCase {
	one := summaryCase{Data: set.Name, Case: k.Name, Title: k.Title(), N: len(runs), Filters: filtersOf(runs)}
	if acc, ok := k.Accuracy(set.Name); ok {
		one.Paper = &summaryPaper{math.Round(100*acc) / 1e4, k.Params}
	}
	if len(runs) == 0 {
		return one
	}
	m, sd := mean(accuracies(runs))
	all, _ := left(runs)
	nonzero := all * float64(runs[0].result.Params)
	one.TestAcc, one.Weights, one.Nonzero = &m, runs[0].result.Params, &nonzero
	if !math.IsNaN(sd) {
		one.TestSD = &sd
	}
	return one
}
