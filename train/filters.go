package train

import (
	"betalasso/compute"
	"betalasso/filters"
	"betalasso/nn"
	"betalasso/run"
)

const (
	shown    = 64   // filters kept for pictures when a run ends
	followed = 24   // filters kept at some epochs
	measured = 2000 // filters whose locality is measured
)

// firstLayer gives the filters of a network's first layer: how many there are,
// their shape, and a function that lays filter u into dst.
func firstLayer(net *nn.Net, channels, side int) (units, h, w int, lay func(dst []float32, u int)) {
	l, ok := net.Layers[0].(*nn.Linear)
	if !ok {
		panic("train: the first layer of a network has no weights")
	}
	units, cols := l.W.Shape()
	switch l.Kind {
	case nn.Conv2D:
		return units, l.Win.Kernel, l.Win.Kernel, func(dst []float32, u int) { l.W.Read(dst, u) }
	case nn.Local:
		row := make([]float32, cols)
		return units, side, side, func(dst []float32, u int) {
			l.W.Read(row, u)
			layLocal(dst, row, l.Win, u/l.Win.K)
		}
	}
	return units, side, side, func(dst []float32, u int) { l.W.Read(dst, u) }
}

// layLocal lays the weights of a window at its position into an image of
// zeros. Weights that only ever meet the zeros around the image fall away.
func layLocal(dst, weights []float32, win compute.Window, position int) {
	clear(dst)
	top := position/win.OutW()*win.Stride - win.Pad
	left := position%win.OutW()*win.Stride - win.Pad
	for i, v := range weights {
		c, y, x := i/(win.Kernel*win.Kernel), top+i/win.Kernel%win.Kernel, left+i%win.Kernel
		if y >= 0 && y < win.H && x >= 0 && x < win.W {
			dst[(c*win.H+y)*win.W+x] = v
		}
	}
}

// Filters chooses, by the seed, among the first-layer filters of net with at
// least 20 non-zero weights, and gives the tensors of a run's filters file:
//
//	filters  [m, c, h, w]  up to 64 of them
//	index    [m]           the units that they belong to
//	eligible [2]           how many have 20 non-zeros or more; how many there are
//	locality [k, 5]        of up to 2000: filters.Measure's fields in order
func Filters(net *nn.Net, channels, side int, seed uint64) []run.Tensor {
	return pick(net, channels, side, seed, filters.MinNonzero, shown)
}

// pick is Filters with up to m filters of at least least non-zero weights.
func pick(net *nn.Net, channels, side int, seed uint64, least, m int) []run.Tensor {
	units, h, w, lay := firstLayer(net, channels, side)
	buf := make([]float32, channels*h*w)
	counts := make([]int, units)
	for u := range counts {
		lay(buf, u)
		for _, v := range buf {
			if v != 0 {
				counts[u]++
			}
		}
	}
	nonzero := func(u int) int { return counts[u] }
	var locality, pictures, index []float32
	sample, eligible := filters.Select(units, nonzero, filters.MinNonzero, measured, seed)
	for _, u := range sample {
		lay(buf, u)
		m := filters.Locality(buf, channels, h, w)
		locality = append(locality, float32(m.Nonzero), float32(m.Pixels), float32(m.Height), float32(m.Width), float32(m.Radius))
	}
	chosen, _ := filters.Select(units, nonzero, least, m, seed)
	for _, u := range chosen {
		lay(buf, u)
		pictures = append(pictures, buf...)
		index = append(index, float32(u))
	}
	return []run.Tensor{
		{Name: "filters", Shape: []int{len(index), channels, h, w}, Data: pictures},
		{Name: "index", Shape: []int{len(index)}, Data: index},
		{Name: "eligible", Shape: []int{2}, Data: []float32{float32(eligible), float32(units)}},
		{Name: "locality", Shape: []int{len(sample), 5}, Data: locality},
	}
}

func (t *trainer) writeFilters() error {
	return t.Dir.WriteFilters(Filters(t.net, t.Set.Channels, t.Set.Side, t.Config.Seed))
}

// followFilters keeps filters of this epoch in the form of Filters, if it is
// one of those that filters.Follow names. The units are chosen by the seed from
// all there are, so they are the same at every epoch.
func (t *trainer) followFilters(epoch int) error {
	if !filters.Follow(epoch, t.Config.Epochs) {
		return nil
	}
	return t.Dir.WriteFiltersAt(epoch, pick(t.net, t.Set.Channels, t.Set.Side, t.Config.Seed, 0, followed))
}
