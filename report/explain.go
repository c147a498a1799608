package report

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"betalasso/augment"
	"betalasso/paper"
	"betalasso/run"
)

// setting is what another text states about its runs of a case. Zero values are
// not stated.
type setting struct {
	epochs  int
	params  int
	augment string
	train   int  // examples its publisher gives; some of them are held out
	tuned   bool // the best of several momenta, weight decays and dropouts
}

func againstReport(set paper.DataSet) setting {
	return setting{epochs: paper.ReportEpochs, params: paper.ReportParams, augment: paper.ReportAugment, train: set.Train}
}

func againstPaper(set paper.DataSet, k paper.Case) setting {
	return setting{epochs: paper.Epochs, params: k.Params, augment: paper.Augment, train: set.Train, tuned: true}
}

// augmentation is how a sentence calls a pipeline of augment.
func augmentation(name string) string {
	switch s, _ := augment.Strength(name); {
	case s == 0:
		return "no augmentation"
	case s == 1:
		return "flip and crop"
	case s < 2:
		return fmt.Sprintf("Fast AutoAugment for %s %% of the images", strconv.FormatFloat(100*(s-1), 'g', 4, 64))
	}
	return "Fast AutoAugment"
}

// factor is one difference between a run and another text's runs, and which way
// it tends to move the accuracy.
type factor struct{ way, text string }

// The ways, in the order in which they are listed.
const (
	lowers = "Tends to lower ours"
	raises = "Tends to raise ours"
	either = "Either way"
)

// agree reports whether what differs explains a difference in percentage points,
// ours less theirs: its sign must be one that the factors tend to. Those in
// shared are listed for all cases at once.
func agree(difference float64, list, shared []factor) string {
	way, where, against := raises, "above", "lower"
	if difference < 0 {
		way, where, against = lowers, "below", "raise"
	}
	has := func(way string) bool { return slices.ContainsFunc(list, func(f factor) bool { return f.way == way }) }
	own := less(list, shared)
	switch {
	case math.Abs(difference) < 1:
		return "Ours is within a point."
	case has(way) && len(own) > 0 && !slices.ContainsFunc(own, func(f factor) bool { return f.way == way }):
		return "Ours is " + where + ", as what all cases share would have it."
	case has(way):
		return "Ours is " + where + ", as that would have it."
	case has(either):
		return "Ours is " + where + ": what works either way may explain it."
	case len(list) > 0:
		return "Ours is " + where + ", unexplained: all that differs tends to " + against + " it."
	}
	return "Ours is " + where + ", unexplained: epochs, size and augmentation are the same; what is left is the seed and what the text does not tell."
}

// explain says in which settings a run differs from another text's. It is
// derived from the settings alone.
func explain(r record, other setting) []factor {
	c := r.config
	var list []factor
	differ := func(fewer bool, format string, args ...any) {
		way := raises
		if fewer {
			way = lowers
		}
		list = append(list, factor{way, fmt.Sprintf(format, args...)})
	}
	unclear := func(format string, args ...any) {
		list = append(list, factor{either, fmt.Sprintf(format, args...)})
	}
	if c.Epochs != other.epochs {
		differ(c.Epochs < other.epochs, "%s instead of %s", count(c.Epochs, "epoch"), commas(other.epochs))
	}
	if c.Batch != paper.Batch {
		differ(c.Batch > paper.Batch, "batches of %s instead of %s, so %s steps an epoch", commas(c.Batch), commas(paper.Batch),
			map[bool]string{true: "fewer", false: "more"}[c.Batch > paper.Batch])
	}
	if p := r.result.Params; float64(p) < 0.8*float64(other.params) || float64(p) > 1.25*float64(other.params) {
		differ(p < other.params, "%s weights instead of %s", short(float64(p)), short(float64(other.params)))
	}
	if c.Augment != other.augment {
		a, _ := augment.Strength(c.Augment) // a run's settings are valid
		b, _ := augment.Strength(other.augment)
		differ(a < b, "%s instead of %s", augmentation(c.Augment), augmentation(other.augment))
	}
	if c.AugmentUntil > 0 {
		unclear("only crops and mirror images after %.3g %% of the epochs", 100*c.AugmentUntil)
	}
	if c.Whiten > 0 {
		differ(false, "whitened pixels")
	}
	if n := r.result.DataSet.Train; c.Train > 0 && n < other.train*3/4 {
		differ(true, "%s training examples instead of %s", commas(n), commas(other.train))
	}
	if slices.ContainsFunc(r.result.Sources, func(s run.Source) bool { return !s.Verified }) {
		unclear("data files that are not the publisher's")
	}
	if c.Optimizer == "sgd" && other.tuned {
		if c.Momentum == 0 && c.WeightDecay == 0 {
			differ(true, "no momentum or weight decay, where the paper chose the best of ten pairs")
		} else {
			unclear("momentum %g and weight decay %g, where the paper chose the best of ten pairs", c.Momentum, c.WeightDecay)
		}
	} else if c.Momentum != 0 {
		unclear("momentum %g instead of 0", c.Momentum)
	}
	if c.Optimizer == "beta-lasso" {
		pair := fmt.Sprintf("λ %s (first layer) and %s", exponent(c.LambdaConv), exponent(c.LambdaFC))
		if c.LambdaConv > maxLambda || c.LambdaFC > maxLambda {
			unclear("%s, where the grid ends at %s: fewer steps need a larger λ", pair, exponent(maxLambda))
		} else {
			unclear("%s, where the choice within the grid is not told", pair)
		}
	}
	return list
}

// common are the factors that all lists have.
func common(lists [][]factor) []factor {
	if len(lists) < 2 {
		return nil
	}
	var all []factor
	for _, f := range lists[0] {
		if !slices.ContainsFunc(lists, func(l []factor) bool { return !slices.Contains(l, f) }) {
			all = append(all, f)
		}
	}
	return all
}

// less is a list without some of its factors.
func less(list, some []factor) []factor {
	return slices.DeleteFunc(slices.Clone(list), func(f factor) bool { return slices.Contains(some, f) })
}

// sentences puts factors into words.
func sentences(list []factor) string {
	var parts []string
	for _, way := range []string{lowers, raises, either} {
		var words []string
		for _, f := range list {
			if f.way == way {
				words = append(words, f.text)
			}
		}
		if len(words) > 0 {
			parts = append(parts, way+": "+strings.Join(words, "; ")+".")
		}
	}
	return strings.Join(parts, " ")
}

// Why explains the differences of the rows that share it.
type Why struct {
	Cases                 []string
	FromReport, FromPaper string
}

// Whys are the explanations of a section, rows in a sequence that share theirs
// together.
func (s Section) Whys() []Why {
	var all []Why
	for _, r := range s.Rows {
		if !r.compared {
			continue
		}
		title := r.Network + ", " + r.Method
		if n := len(all); n > 0 && all[n-1].FromReport == r.WhyReport && all[n-1].FromPaper == r.WhyPaper {
			all[n-1].Cases = append(all[n-1].Cases, title)
			continue
		}
		all = append(all, Why{[]string{title}, r.WhyReport, r.WhyPaper})
	}
	return all
}

// account fills in what explains the differences of a section: what all its
// rows share once, then each row's own.
func (s *Section) account() {
	for _, side := range []struct {
		of         func(*Row) ([]factor, *string)
		difference func(*Row) float64
		shared     *string
	}{
		{func(r *Row) ([]factor, *string) { return r.fromReport, &r.WhyReport }, func(r *Row) float64 { return r.toReport }, &s.WhyReport},
		{func(r *Row) ([]factor, *string) { return r.fromPaper, &r.WhyPaper }, func(r *Row) float64 { return r.toPaper }, &s.WhyPaper},
	} {
		var lists [][]factor
		for i := range s.Rows {
			if s.Rows[i].compared {
				list, _ := side.of(&s.Rows[i])
				lists = append(lists, list)
			}
		}
		all := common(lists)
		*side.shared = sentences(all)
		for i := range s.Rows {
			if !s.Rows[i].compared {
				continue
			}
			list, to := side.of(&s.Rows[i])
			*to = sentences(less(list, all))
			*to = strings.TrimSpace(*to + " " + agree(side.difference(&s.Rows[i]), list, all))
		}
	}
}
