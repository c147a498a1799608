package main

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"betalasso/paper"
	"betalasso/studies"
)

// studyNames are the studies of the paper that are built in.
var studyNames = []string{"table2", "lambda-grid", "scaling"}

// namedFlags choose a study of the paper and scale it down.
type namedFlags struct {
	Study     string   `placeholder:"NAME" group:"study" help:"the paper's: table2, lambda-grid or scaling (default: a FILE)"`
	Data      []string `placeholder:"NAME" group:"study" help:"its data sets (default cifar10,cifar100,svhn)"`
	Epochs    int      `placeholder:"N" group:"study" help:"passes over the training set (default: the paper's)"`
	Seeds     int      `placeholder:"N" group:"study" help:"seeds of each case (default 1), or of lambda-grid's chosen pair (3)"`
	Alpha     int      `placeholder:"N" group:"study" help:"base channels (default: the paper's 150)"`
	Params    string   `placeholder:"COUNT" group:"study" help:"weights of every network, 800k (default: the paper's)"`
	MaxParams string   `placeholder:"COUNT" group:"study" help:"the largest size of scaling, 2M (default: all 16 sizes)"`
	Train     int      `placeholder:"N" group:"study" help:"training examples used; 0 is all (default 0)"`
}

// given are the flags beside Study that are set.
func (f namedFlags) given() (list []string) {
	for _, g := range []struct {
		name string
		set  bool
	}{{"data", len(f.Data) > 0}, {"epochs", f.Epochs != 0}, {"seeds", f.Seeds != 0}, {"alpha", f.Alpha != 0}, {"params", f.Params != ""}, {"max-params", f.MaxParams != ""}, {"train", f.Train != 0}} {
		if g.set {
			list = append(list, "--"+g.name)
		}
	}
	return list
}

// text is the study as a file would have it.
func (f namedFlags) text() ([]byte, error) {
	if f.MaxParams != "" && f.Study != "scaling" {
		return nil, fmt.Errorf("max-params: only scaling has sizes")
	}
	// The checks of the scale, and its defaults, are those of reproduce.
	r := reproduceCommand{Profile: "paper", Data: f.Data, Seeds: max(f.Seeds, 1), Epochs: f.Epochs, Alpha: f.Alpha, Params: f.Params}
	p, err := r.profile()
	if err != nil {
		return nil, err
	}
	switch f.Study {
	case "table2": // the one study that the paper trained for longer
		if f.Epochs == 0 {
			p.Epochs = paper.Epochs
		}
		return studies.Table(p, f.Train, r.Seeds, nil)
	case "lambda-grid":
		return studies.LambdaGrid(p, f.Train, f.Seeds)
	case "scaling":
		if f.Alpha != 0 || f.Params != "" {
			return nil, errors.New("scaling has sizes of its own; cut them with --max-params")
		}
		most := math.MaxInt
		if f.MaxParams != "" {
			if most, err = parseCount(f.MaxParams); err != nil {
				return nil, fmt.Errorf("max-params: %w", err)
			}
		}
		return studies.Scaling(p, f.Train, r.Seeds, most)
	}
	return nil, fmt.Errorf("study: there is no %q; use one of %s", f.Study, strings.Join(studyNames, ", "))
}
