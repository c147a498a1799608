package report

import (
	"fmt"
	"slices"
	"strings"

	"betalasso/run"
)

// setting is what another text says of its runs of a case. Zero values are not
// said.
type setting struct {
	epochs  int
	params  int
	augment string
	train   int  // examples its publisher gives; some of them are held out
	tuned   bool // the best of several momenta, weight decays and dropouts
}

func againstReport(set dataSet) setting {
	return setting{epochs: reportEpochs, params: reportParams, augment: reportAugment, train: set.train}
}

func againstPaper(set dataSet, k tableCase) setting {
	return setting{epochs: paperEpochs, params: k.paperParams, augment: paperAugment, train: set.train, tuned: true}
}

// augments are the augmentations from weak to strong, as they are called in a
// sentence.
var augments = []struct{ name, words string }{
	{"none", "no augmentation"},
	{"flip-crop", "flip and crop"},
	{"fast-autoaugment", "Fast AutoAugment"},
}

func augmentRank(name string) int {
	for i, a := range augments {
		if a.name == name {
			return i
		}
	}
	return 0
}

// explain says in which settings a run differs from another text's, and which
// way each tends to move the accuracy. It is derived from the settings alone.
func explain(r record, k tableCase, other setting) string {
	c := r.config
	var down, up, unclear []string
	differ := func(less bool, text string) {
		if less {
			down = append(down, text)
		} else {
			up = append(up, text)
		}
	}
	if c.Epochs != other.epochs {
		differ(c.Epochs < other.epochs, fmt.Sprintf("%s, not %s", count(c.Epochs, "epoch"), commas(other.epochs)))
	}
	if p := float64(r.result.Params); p < 0.8*float64(other.params) || p > 1.25*float64(other.params) {
		differ(int(p) < other.params, fmt.Sprintf("%s weights, not %s", short(p), short(float64(other.params))))
	}
	if c.Augment != other.augment {
		a, b := augmentRank(c.Augment), augmentRank(other.augment)
		differ(a < b, fmt.Sprintf("%s, not %s", augments[a].words, augments[b].words))
	}
	if n := r.result.DataSet.Train; c.Train > 0 && n < other.train*3/4 {
		differ(true, fmt.Sprintf("%s training examples of %s", commas(n), commas(other.train)))
	}
	if slices.ContainsFunc(r.result.Sources, func(s run.Source) bool { return !s.Verified }) {
		unclear = append(unclear, "data files that are not the publisher's")
	}
	if c.Optimizer == "sgd" && other.tuned {
		if c.Momentum == 0 && c.WeightDecay == 0 {
			differ(true, "no momentum or weight decay, where the paper chose the best of ten pairs")
		} else {
			unclear = append(unclear, fmt.Sprintf("momentum %g and weight decay %g, where the paper chose the best of ten pairs", c.Momentum, c.WeightDecay))
		}
	}
	if c.Optimizer == "sgd" && !other.tuned && c.Momentum != 0 {
		unclear = append(unclear, fmt.Sprintf("momentum %g, not 0", c.Momentum))
	}
	if c.Optimizer == "beta-lasso" {
		if c.LambdaConv > maxLambda || c.LambdaFC > maxLambda {
			unclear = append(unclear, fmt.Sprintf("λ %g and %g, where the grid ends at %g: fewer steps need a larger λ", c.LambdaConv, c.LambdaFC, maxLambda))
		} else {
			unclear = append(unclear, fmt.Sprintf("λ %g and %g, where the choice within the grid is not told", c.LambdaConv, c.LambdaFC))
		}
		if c.Momentum != 0 {
			unclear = append(unclear, fmt.Sprintf("momentum %g, not 0", c.Momentum))
		}
	}
	var parts []string
	for _, p := range []struct {
		name  string
		words []string
	}{{"lowers", down}, {"raises", up}, {"either way", unclear}} {
		if len(p.words) > 0 {
			parts = append(parts, p.name+": "+strings.Join(p.words, "; "))
		}
	}
	if len(parts) == 0 {
		return "same epochs, size and augmentation; what is left is the seed and what the text does not tell"
	}
	return strings.Join(parts, ". ")
}
