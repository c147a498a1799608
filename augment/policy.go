package augment

import (
	_ "embed"
	"encoding/csv"
	"fmt"
	"strconv"
	"strings"
	"sync"
)

// The figures of the two policies are those of kakaobrain/fast-autoaugment,
// see policies/SOURCE.md.
var (
	//go:embed policies/cifar.csv
	cifarPolicy string
	//go:embed policies/svhn.csv
	svhnPolicy string
)

// subPolicy is two operations, done one after the other, each with its own
// probability. One sub-policy is drawn for an image.
type subPolicy [2]operation

// policyFor is a policy made ready for images of the given side, and the side of
// its final cutout.
func policyFor(name string, side int) (policy []subPolicy, hole int, err error) {
	switch name {
	case "cifar":
		policy, err = ready(name, cifarPolicy, side)
		return policy, part(16, side), err
	case "svhn":
		policy, err = ready(name, svhnPolicy, side)
		return policy, part(20, side), err
	}
	return nil, 0, fmt.Errorf("augment: %s has no policy %q; there are cifar and svhn", fastAuto, name)
}

// made keeps the policies by name and side: the runs of one process share them.
var made sync.Map

func ready(name, text string, side int) ([]subPolicy, error) {
	key := fmt.Sprint(name, side)
	if p, ok := made.Load(key); ok {
		return p.([]subPolicy), nil
	}
	p, err := parse(text, side)
	if err != nil {
		return nil, fmt.Errorf("augment: policies/%s.csv: %w", name, err)
	}
	made.Store(key, p)
	return p, nil
}

// parse reads a policy: a header, then rows of operation, probability and
// level, twice.
func parse(text string, side int) ([]subPolicy, error) {
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		return nil, err
	}
	const header = "op1,prob1,level1,op2,prob2,level2"
	if len(rows) < 2 || strings.Join(rows[0], ",") != header {
		return nil, fmt.Errorf("want the line %q, then one line per sub-policy", header)
	}
	policy := make([]subPolicy, len(rows)-1)
	for i, row := range rows[1:] {
		for k := range policy[i] {
			name, prob, level := row[3*k], row[3*k+1], row[3*k+2]
			p, err := fraction(prob)
			if err != nil {
				return nil, fmt.Errorf("line %d: probability: %w", i+2, err)
			}
			l, err := fraction(level)
			if err != nil {
				return nil, fmt.Errorf("line %d: level: %w", i+2, err)
			}
			kind, ok := kinds[name]
			if !ok {
				return nil, fmt.Errorf("line %d: no operation %q", i+2, name)
			}
			policy[i][k] = newOperation(kind, kind.value(l), side)
			policy[i][k].prob = p
		}
	}
	return policy, nil
}

func fraction(s string) (float64, error) {
	v, err := strconv.ParseFloat(s, 64)
	if err != nil || !(v >= 0 && v <= 1) {
		return 0, fmt.Errorf("got %q, want a number from 0 to 1", s)
	}
	return v, nil
}
