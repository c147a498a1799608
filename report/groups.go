package report

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"betalasso/compare"
	"betalasso/paper"
	"betalasso/run"
)

// group is the runs of one setting, which differ in their seed alone.
type group struct {
	name  string
	color string
	dash  int
	runs  []record
	table *paper.Case // the row of the paper's table that shows it; nil: none does
}

// palette are the colours of groups that are no row of the paper's table; when
// they are used up, dashes distinguish the next ones.
var palette = []string{"#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#A50026", "#6A3D9A", "#8C8C8C"}

// mostGroups is how many groups a figure shows.
const mostGroups = 12

// groupsOf are the groups of a comparison with their runs: named by their row of
// the table if the table shows them all, otherwise by the settings in which they
// differ.
func groupsOf(all []record, set paper.DataSet, c compare.Comparison) (list []group) {
	shown := map[run.Config]*paper.Case{}
	for i := range paper.Cases {
		if runs, _ := choose(all, set.Name, paper.Cases[i]); len(runs) > 0 {
			shown[runs[0].settings()] = &paper.Cases[i]
		}
	}
	said := telling(c)
	for i, g := range c.Groups {
		k := group{name: settingsName(g.Group, said), color: palette[i%len(palette)], dash: i / len(palette)}
		config := g.Config()
		key := record{config: config}.settings()
		for _, r := range all {
			if r.opened && r.settings() == key {
				k.runs = append(k.runs, r)
			}
		}
		k.table = shown[key]
		if len(k.runs) > 0 {
			list = append(list, k)
		}
	}
	several := slices.ContainsFunc(paper.Cases, func(k paper.Case) bool { _, others := choose(all, set.Name, k); return others > 0 })
	for i := range list {
		if k := list[i].table; k != nil && !several { // else the name would not tell which setting it is
			list[i].name, list[i].color, list[i].dash = k.Title(), colors[k.Name], caseDashes[k.Name]
		}
	}
	place := func(g group) int {
		if g.table == nil || several {
			return len(caseNames)
		}
		return slices.Index(caseNames, g.table.Name)
	}
	slices.SortStableFunc(list, func(a, b group) int { return place(a) - place(b) })
	return list
}

// telling are the settings that tell groups of one network and optimiser apart:
// the others follow from those two, as α does where each network has one size.
func telling(c compare.Comparison) map[string]bool {
	said := map[string]bool{}
	if len(c.Groups) == 0 {
		return said
	}
	pair := func(g compare.Compared) string { return g.Config().Model + " " + g.Config().Optimizer }
	for i, s := range c.Groups[0].Settings {
		first := map[string]string{}
		for _, g := range c.Groups {
			value, ok := first[pair(g)]
			if !ok {
				first[pair(g)] = g.Settings[i].Value
			} else if value != g.Settings[i].Value {
				said[s.Name] = true
			}
		}
		if s.Name == "model" || s.Name == "optimizer" {
			said[s.Name] = true
		}
	}
	return said
}

// settingsName is a group's settings in the paper's words, those that are said.
func settingsName(g *compare.Group, said map[string]bool) string {
	c := g.Config()
	var parts []string
	for _, s := range g.Settings {
		if !said[s.Name] {
			continue
		}
		switch s.Name {
		case "model":
			parts = append(parts, networkName(c.Model))
		case "optimizer":
			parts = append(parts, method(c))
		case "alpha":
			if c.Alpha > 0 {
				parts = append(parts, "α = "+s.Value)
			}
		case "width":
			if c.Width > 0 {
				parts = append(parts, "width "+s.Value)
			}
		case "beta":
			if c.Optimizer == "beta-lasso" {
				parts = append(parts, "β = "+s.Value)
			}
		case "lambda-conv":
			if c.Optimizer == "beta-lasso" {
				parts = append(parts, "λ conv "+exponent(c.LambdaConv))
			}
		case "lambda-fc":
			if c.Optimizer == "beta-lasso" {
				parts = append(parts, "λ fc "+exponent(c.LambdaFC))
			}
		default:
			parts = append(parts, s.Name+" "+s.Value)
		}
	}
	if len(parts) == 0 {
		parts = []string{networkName(c.Model), method(c)}
	}
	return strings.Join(parts, ", ")
}

// networkName is a network in the paper's words: S-FC, ResNet18. One from a file
// keeps the name that it gives itself.
func networkName(name string) string {
	switch {
	case name == "resnet18":
		return "ResNet18"
	case slices.Contains(run.Models, name):
		return strings.ToUpper(name)
	}
	return name
}

func method(c run.Config) string {
	if c.Optimizer == "beta-lasso" {
		return "β-lasso"
	}
	return "SGD"
}

// curve is the mean of a number of the group's runs by epoch, and its standard
// deviation where two runs or more have it.
func (g group) curve(of func(run.Event) (float64, bool)) series {
	s := series{name: g.name, color: g.color, dash: g.dash}
	values := map[int][]float64{}
	for _, r := range g.runs {
		seen := map[int]bool{}
		for _, e := range r.events {
			if v, ok := of(e); ok && !seen[e.Epoch] && math.Abs(v) < 1e30 {
				seen[e.Epoch] = true
				values[e.Epoch] = append(values[e.Epoch], v)
			}
		}
	}
	var epochs []int
	for e := range values {
		epochs = append(epochs, e)
	}
	slices.Sort(epochs)
	several := false
	for _, e := range epochs {
		m, sd := mean(values[e])
		s.add(float64(e), m)
		if math.IsNaN(sd) {
			sd = 0
		} else {
			several = true
		}
		if len(s.spread) < len(s.x) {
			s.spread = append(s.spread, sd)
		}
	}
	if !several {
		s.spread = nil
	}
	return s
}

// best keeps at most mostGroups groups: those of the best validation accuracy,
// in the order they have. note says how many there are then.
func best(list []group) (some []group, note string) {
	if len(list) <= mostGroups {
		return list, ""
	}
	order := slices.Clone(list)
	slices.SortStableFunc(order, func(a, b group) int {
		x, y := a.val(), b.val()
		switch {
		case x > y:
			return -1
		case x < y:
			return 1
		}
		return 0
	})
	for _, g := range list {
		if slices.ContainsFunc(order[:mostGroups], func(o group) bool { return o.name == g.name }) {
			some = append(some, g)
		}
	}
	return some, fmt.Sprintf(" Shown are the %d of %d settings with the best validation accuracy.", mostGroups, len(list))
}

// val is the mean validation accuracy after the last epoch of the finished
// runs, −1 where there is none.
func (g group) val() float64 { return valOf(g.runs) }

func valOf(runs []record) float64 {
	var list []float64
	for _, r := range runs {
		if r.finished && r.config.Val > 0 {
			list = append(list, r.result.Last.ValAcc)
		}
	}
	if len(list) == 0 {
		return -1
	}
	m, _ := mean(list)
	return m
}
