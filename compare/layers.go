package compare

import (
	"slices"

	"betalasso/run"
)

// Layer is one layer's weights that are not zero, in those runs of a group that
// have such a layer.
type Layer struct {
	Name    string `json:"name"`
	Params  int    `json:"params"`  // its weights; 0 where the runs' differ
	Nonzero Sample `json:"nonzero"` // of its weights
	Percent Sample `json:"percent"` // of them, of all its weights
}

// Layers are the layers of the group's networks, input to output.
func (g *Group) Layers() []Layer {
	var list []Layer
	for _, name := range LayerNames(g) {
		var layer Layer
		var counts, shares []float64
		for _, r := range g.Runs {
			i := slices.IndexFunc(r.Result.Layers, func(l run.Layer) bool { return l.Name == name })
			if i < 0 {
				continue
			}
			l := r.Result.Layers[i]
			if counts == nil {
				layer.Params = l.Params
			} else if layer.Params != l.Params {
				layer.Params = 0
			}
			counts = append(counts, float64(l.Nonzero))
			shares = append(shares, 100*float64(l.Nonzero)/float64(max(1, l.Params)))
		}
		layer.Name, layer.Nonzero, layer.Percent = name, sample(counts), sample(shares)
		list = append(list, layer)
	}
	return list
}

// LayerNames are the names of the groups' layers, each once. In the order of the
// alphabet they go from input to output: conv1, conv2, fc1.
func LayerNames(groups ...*Group) []string {
	var names []string
	for _, g := range groups {
		for _, r := range g.Runs {
			for _, l := range r.Result.Layers {
				names = append(names, l.Name)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
