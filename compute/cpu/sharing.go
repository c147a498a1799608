package cpu

import "betalasso/compute"

// Units share lines where so large a part of the weights is left that a task's
// units read each of them several times, and the lines are more than the second-level
// cache has room for. A task then takes its units' lines one KC block after another, which
// stay there meanwhile; else they would come from the third, or from memory, for every
// weight.
const (
	nearCache   = 1 << 20  // bytes
	sharedShare = 1.0 / 64 // of the weights: eight of a unit in each KC block
)

// shares reports whether units share the lines of their inputs.
func (s *sparse) shares() bool { return s.sharing(s.cols, s.x.padded) }

// sharesBack reports whether inputs share the lines of the gradients of outputs, of n
// examples.
func (s *sparse) sharesBack(n int) bool { return s.sharing(s.rows, n) }

func (s *sparse) sharing(lines, n int) bool {
	_, ld := s.d.lineSize(n)
	return 4*lines*ld > s.d.near && float64(len(s.val)) >= sharedShare*float64(s.rows)*float64(s.cols)
}

// sharingUnits is how many units a task takes that share lines: as many as leave
// every thread two tasks, because each task reads all lines once.
func (d *Device) sharingUnits(l *lists) int {
	units := len(l.start) - 1
	return max(unitsEach, min(512, (units+2*d.threads-1)/(2*d.threads)))
}

// lists are what is summed for each unit: the numbers of the lines, and first.
type lists struct {
	start []int // [units+1]
	idx   []int32
	k     int // lines
	cuts  cuts
}

// accumulate makes of the lengths of lists where each of them starts, and of the last
// number, which is none of them, where they end.
func accumulate(start []int) (end int) {
	last := len(start) - 1
	for u, n := range start[:last] {
		start[u] = end
		end += n
	}
	start[last] = end
	return end
}

// cuts are where KC blocks begin in each list, from its own beginning.
type cuts struct {
	fresh bool    // they are those of the present lists
	at    []int32 // [units, blocks+1]
}

// blocks is the number of KC blocks.
func (l *lists) blocks() int { return (l.k + maxKC - 1) / maxKC }

// room makes room for the cuts, if they are not there.
func (l *lists) room() {
	if c := &l.cuts; !c.fresh {
		c.at = growTo(c.at, (len(l.start)-1)*(l.blocks()+1))
	}
}

// cut finds the cuts of lists first to last.
func (l *lists) cut(first, last int) {
	if l.cuts.fresh {
		return
	}
	n := l.blocks()
	for u := first; u < last; u++ {
		list, at, next := l.idx[l.start[u]:l.start[u+1]], l.cuts.at[u*(n+1):][:n+1], 0
		for k, i := range list {
			for ; next <= int(i&index)/maxKC; next++ {
				at[next] = int32(k)
			}
		}
		for ; next <= n; next++ {
			at[next] = int32(len(list))
		}
	}
}

// cutAll finds the cuts of all lists.
func (s *sparse) cutAll() {
	if s.room(); s.cuts.fresh {
		return
	}
	s.cutting.l = &s.lists
	s.d.pool.run(blocks(s.rows), pass*len(s.val), &s.cutting)
	s.cuts.fresh = true
}

// cutting finds the cuts of a block of lists a task.
type cutting struct{ l *lists }

func (j *cutting) do(t int, _ *worker) {
	j.l.cut(t*unitsEach, min((t+1)*unitsEach, len(j.l.start)-1))
}

// part is KC block b of list u.
func (l *lists) part(u, b int) (lo, hi int) {
	at := l.cuts.at[u*(l.blocks()+1)+b:][:2]
	return l.start[u] + int(at[0]), l.start[u] + int(at[1])
}

// gatherLists sets rows of dst, ldd apart, to the sums of the lists of units first to
// last, whose values are vals, one KC block after another.
func (d *Device) gatherLists(dst []float32, ldd int, l *lists, vals []float32, x *lines, first, last int, w *worker) {
	l.cut(first, last)
	from, more := l.start[first], grow(&w.row, x.padded)
	for b := range l.blocks() {
		for u := first; u < last; u++ {
			lo, hi := l.part(u, b)
			y := dst[(u-first)*ldd:][:x.padded]
			switch {
			case b == 0:
				d.kernel.sparse.gather(y, x.data, x.ld, l.idx[lo:hi], vals[lo-from:hi-from])
			case lo == hi:
			case d.kernel.sparse.more != nil:
				d.kernel.sparse.more(y, x.data, x.ld, l.idx[lo:hi], vals[lo-from:hi-from])
			default:
				d.kernel.sparse.gather(more, x.data, x.ld, l.idx[lo:hi], vals[lo-from:hi-from])
				d.kernel.add(y, y, more)
			}
		}
	}
}

// dotsLists sets g to the gradients of the listed weights of units first to last,
// whose outputs' are deltas.
func (s *sparse) dotsLists(g, deltas []float32, first, last int, w *worker) {
	l, ld := &s.lists, s.x.ld
	l.cut(first, last)
	from := l.start[first]
	w.at = growTo(w.at, last-first)
	copy(w.at, l.start[first:last])
	for b := range l.blocks() {
		for u, lo := range w.at {
			_, hi := l.part(first+u, b)
			if lo >= hi {
				continue
			}
			hi = min(lo+(hi-lo+7)&^7, l.start[first+u+1]) // as many as the kernel takes at a time
			s.d.kernel.sparse.dots(g[lo-from:hi-from], deltas[u*ld:(u+1)*ld], s.x.data, ld, l.idx[lo:hi])
			w.at[u] = hi
		}
	}
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
