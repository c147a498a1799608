package sweep

import (
	"hash/fnv"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"

	"betalasso/run"
)

// axes reads one entry of a study's axes. A grid gives an axis for each of its
// settings, as does a log-range.
func (r *reader) axes(n node) []Axis {
	list := r.entries(n, "axes")
	if len(list) != 1 {
		if len(list) > 1 {
			r.add(list[1].at, "axes: begin each with a dash of its own; entries multiply")
		}
		return nil
	}
	switch e := list[0]; e.key {
	case "grid":
		return r.grid(e.value)
	case "list":
		return []Axis{r.list(e.value)}
	case "zip":
		return []Axis{r.zip(e.value)}
	case "log-range":
		return r.logRange(e.value)
	case "random":
		return []Axis{r.random(e.value)}
	default:
		r.unknown(e.at, e.key, []string{"grid", "list", "zip", "log-range", "random"})
		return nil
	}
}

// grid reads lists of values, each an axis: {lr: [0.1, 1], beta: [1, 50]}.
func (r *reader) grid(n node) []Axis {
	var all []Axis
	for _, e := range r.entries(n, "grid") {
		var a Axis
		for _, v := range r.items(e.value, e.key) {
			a = append(a, Settings{e.key: r.text(v)})
		}
		if r.known(e, variable) {
			all = append(all, a)
		}
	}
	return all
}

// list reads places one by one: [{lr: 0.1, beta: 50}, {lr: 1}].
func (r *reader) list(n node) Axis {
	var a Axis
	for _, v := range r.items(n, "list") {
		a = append(a, r.settings(v, append([]string{Label}, variable...)))
	}
	return a
}

// zip reads lists of equal length, whose first values belong together, then the
// second ones, and so on.
func (r *reader) zip(n node) Axis {
	var a Axis
	for i, e := range r.entries(n, "zip") {
		values := r.items(e.value, e.key)
		if i == 0 {
			for range values {
				a = append(a, Settings{})
			}
		}
		if !r.known(e, append([]string{Label}, variable...)) {
			continue
		}
		if len(values) != len(a) {
			r.add(e.at, "zip: %s has %d values, the first setting has %d", e.key, len(values), len(a))
			continue
		}
		for j, v := range values {
			a[j][e.key] = r.text(v)
		}
	}
	return a
}

// logRange reads {lambda-fc: {from: 1e-7, to: 1e-4, values: 7}}: values that are
// evenly spaced on a log scale, both ends included. Older studies say points.
func (r *reader) logRange(n node) []Axis {
	var all []Axis
	for _, e := range r.entries(n, "log-range") {
		if !r.known(e, variable) {
			continue
		}
		from, to, values := 1.0, 1.0, 0
		for _, f := range r.entries(e.value, e.key) {
			switch f.key {
			case "from":
				from = r.number(f.value, "from")
			case "to":
				to = r.number(f.value, "to")
			case "values", "points":
				values = r.whole(f.value, f.key, 1, maxTrials)
			default:
				r.unknown(f.at, f.key, []string{"from", "to", "values"})
			}
		}
		if from <= 0 || to <= 0 || values < 1 {
			r.add(e.at, "%s: a log-range needs from and to above 0, and the number of values", e.key)
			continue
		}
		if !r.room(e.at, values) {
			continue
		}
		var a Axis
		for i := range values {
			x := from
			if values > 1 {
				x *= math.Pow(to/from, float64(i)/float64(values-1))
			}
			a = append(a, Settings{e.key: drawn(e.key, x)})
		}
		all = append(all, a)
	}
	return all
}

// A draw is what one setting of a random axis is drawn from.
type draw struct {
	low, high float64
	log       bool
	choice    []string
}

// random reads {trials: 20, seed: 1, settings: {lr: {log: [1e-3, 1]}}}. Each
// setting has a sequence of its own, so that another setting beside it does not
// change what it draws, and more trials leave the first ones as they were. Older
// studies say points.
func (r *reader) random(n node) Axis {
	trials, seed := 0, 1
	draws := map[string]draw{}
	for _, e := range r.entries(n, "random") {
		switch e.key {
		case "trials", "points":
			trials = r.whole(e.value, e.key, 1, maxTrials)
		case "seed":
			seed = r.whole(e.value, "seed", 0, math.MaxInt)
		case "settings":
			for _, s := range r.entries(e.value, "settings") {
				if r.known(s, variable) {
					draws[s.key] = r.draw(s)
				}
			}
		default:
			r.unknown(e.at, e.key, []string{"trials", "seed", "settings"})
		}
	}
	if trials < 1 || len(draws) == 0 {
		r.add(n, "random: it needs trials and settings, as {trials: 20, seed: 1, settings: {lr: {log: [1e-3, 1]}}}")
		return nil
	}
	if !r.room(n, trials*len(draws)) {
		return nil
	}
	a := make(Axis, trials)
	for i := range a {
		a[i] = Settings{}
	}
	for _, name := range slices.Sorted(maps.Keys(draws)) {
		d := draws[name]
		h := fnv.New64a()
		h.Write([]byte(name))
		g := rand.New(rand.NewPCG(uint64(seed), h.Sum64()))
		for i := range a {
			switch {
			case d.choice != nil:
				a[i][name] = d.choice[g.IntN(len(d.choice))]
			case d.log:
				a[i][name] = drawn(name, d.low*math.Pow(d.high/d.low, g.Float64()))
			default:
				a[i][name] = drawn(name, d.low+(d.high-d.low)*g.Float64())
			}
		}
	}
	return a
}

// draw reads {log: [low, high]}, {uniform: [low, high]} or {choice: [...]}.
func (r *reader) draw(s entry) (d draw) {
	list := r.entries(s.value, s.key)
	if len(list) != 1 {
		r.add(s.at, "%s: give one of log, uniform and choice", s.key)
		return d
	}
	e := list[0]
	values := r.items(e.value, e.key)
	switch e.key {
	case "choice":
		for _, v := range values {
			d.choice = append(d.choice, r.text(v))
		}
	case "log", "uniform":
		if len(values) != 2 {
			r.add(e.at, "%s: must be [lowest, highest]", e.key)
			return d
		}
		d.log = e.key == "log"
		d.low, d.high = r.number(values[0], e.key), r.number(values[1], e.key)
		if d.low > d.high || d.log && d.low <= 0 {
			r.add(e.at, "%s: must be [lowest, highest]%s", e.key, map[bool]string{true: ", both above 0"}[d.log])
		}
	default:
		r.unknown(e.at, e.key, []string{"log", "uniform", "choice"})
	}
	return d
}

// drawn is a number as text: whole for the settings that are, else to six
// digits, which people can read and which every machine rounds alike.
func drawn(name string, x float64) string {
	if name == "params" || slices.Contains(run.WholeSettings(), name) {
		return strconv.FormatFloat(math.Round(x), 'f', 0, 64)
	}
	return strconv.FormatFloat(x, 'g', 6, 64)
}

func sorted(s Settings) []string { return slices.Sorted(maps.Keys(s)) }
