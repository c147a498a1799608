package cpu

import "betalasso/compute"

// A layer shares lines where so large a part of its weights is left that a task's
// units read each input several times. A task then takes its units' inputs one KC
// block after another, whose lines stay in the second-level cache meanwhile; else
// they would come from the third, or from memory, for every weight.
const (
	nearCache   = 2 << 20  // bytes
	sharedShare = 1.0 / 64 // of the weights: eight of a unit in each KC block
)

// shares reports whether units share lines.
func (s *sparse) shares() bool {
	return 4*s.cols*s.x.ld >= s.d.near && float64(len(s.val)) >= sharedShare*float64(s.rows)*float64(s.cols)
}

// sharingUnits is how many units a task takes that share lines: as many as leave
// every thread two tasks, because each task reads all lines once.
func (s *sparse) sharingUnits() int {
	return max(unitsEach, min(512, (s.rows+2*s.d.threads-1)/(2*s.d.threads)))
}

// gatherBlock sets ys, a line of outputs a unit, for units first to last.
func (s *sparse) gatherBlock(ys []float32, first, last int, w *worker) {
	n, from := s.x.padded, s.start[first]
	vals := s.d.rounded(s.val[from:s.start[last]], w)
	part := grow(&w.row, n)
	at := s.cursors(first, last, w)
	for end := int32(maxKC); ; end += maxKC {
		for u := range at {
			lo, hi, stop := s.start[first+u], at[u], s.start[first+u+1]
			for hi < stop && s.col[hi]&index < end {
				hi++
			}
			y, idx := ys[u*n:(u+1)*n], s.col[at[u]:hi]
			switch {
			case at[u] == lo: // also where there is nothing yet
				s.d.kernel.sparse.gather(y, s.x.data, s.x.ld, idx, vals[lo-from:hi-from])
			case len(idx) > 0:
				s.d.kernel.sparse.gather(part, s.x.data, s.x.ld, idx, vals[at[u]-from:hi-from])
				s.d.kernel.add(y, y, part)
			}
			at[u] = hi
		}
		if int(end) >= s.cols {
			return
		}
	}
}

// dotsBlock sets g to the gradients of the listed weights of units first to last,
// whose outputs' are deltas.
func (s *sparse) dotsBlock(g, deltas []float32, first, last int, w *worker) {
	ld, from := s.x.ld, s.start[first]
	at := s.cursors(first, last, w)
	for end := int32(maxKC); ; end += maxKC {
		for u := range at {
			lo, stop := at[u], s.start[first+u+1]
			hi := lo
			for hi < stop && s.col[hi]&index < end {
				hi = min(hi+8, stop) // as many as the kernel takes at a time
			}
			if lo < hi {
				s.d.kernel.sparse.dots(g[lo-from:hi-from], deltas[u*ld:(u+1)*ld], s.x.data, ld, s.col[lo:hi])
				at[u] = hi
			}
		}
		if int(end) >= s.cols {
			return
		}
	}
}

// cursors are where the lists of units first to last begin.
func (s *sparse) cursors(first, last int, w *worker) []int {
	w.at = growTo(w.at, last-first)
	copy(w.at, s.start[first:last])
	return w.at
}

// setUnit sets unit u of y, for all examples.
func setUnit(y *compute.Mat, u int, row []float32) {
	if y.Trans {
		copy(unit(y, u), row)
		return
	}
	for n, v := range row {
		y.Set(n, u, v)
	}
}
