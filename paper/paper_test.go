package paper

import "testing"

// The rows that the README and docs/results.md lean on.
func TestTable2(t *testing.T) {
	for _, c := range []struct {
		name, set     string
		paper, report float64
	}{
		{"s-fc", "cifar10", 78.63, 58},
		{"s-fc-beta50", "cifar10", 85.19, 55},
		{"3-fc", "cifar100", 50.75, 12},
		{"s-local", "svhn", 93.98, 87},
	} {
		for _, k := range Cases {
			if k.Name != c.name {
				continue
			}
			if p, ok := k.Accuracy(c.set); !ok || p != c.paper {
				t.Errorf("%s on %s: got %v, want %v", c.name, c.set, p, c.paper)
			}
			if r, ok := k.ReportAccuracy(c.set); !ok || r != c.report {
				t.Errorf("%s on %s in the report: got %v, want %v", c.name, c.set, r, c.report)
			}
			if _, ok := k.Accuracy("digits"); ok {
				t.Error("the paper has no digits")
			}
		}
	}
}

// The choices are within the grid that they were made from.
func TestLambdasAreOfTheGrid(t *testing.T) {
	for _, set := range []string{"cifar10", "cifar100", "svhn", "digits"} {
		l := LambdaOf(set)
		found := 0
		for _, v := range LambdaGrid {
			if v == l.Conv {
				found++
			}
			if v == l.FC {
				found++
			}
		}
		if found != 2 {
			t.Errorf("%s: %+v is not of the grid", set, l)
		}
	}
}
