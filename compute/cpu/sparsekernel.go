package cpu

// sparseKernel is the inner loops of a sparse layer, in the order and with the
// rounding of the same kernel's dense products.
type sparseKernel struct {
	// gather sets y, whole vectors of examples, to Σ_k vals[k]·(line idx[k]),
	// where idx may bear first: the terms from there on are summed by themselves
	// and then added.
	gather func(y, data []float32, ld int, idx []int32, vals []float32)

	// more is gather that goes on with the sums that y has, those of KC blocks before:
	// for a kernel that adds tile by tile. Nil where a KC block is summed by itself.
	more func(y, data []float32, ld int, idx []int32, vals []float32)

	// dots sets g[k] to the product of the line dy with line idx[k], summed in
	// chains. idx may bear first, which means nothing here.
	dots func(g, dy, data []float32, ld int, idx []int32)

	// square gives the product of a line with itself, summed in any order, where
	// lines are pairs; others have theirs by rowMoments.
	square func(line []float32) float64

	// split sets lo and hi to the numbers of a line of pairs.
	split func(lo, hi, line []float32)
}

var (
	portableSparse      = sparseKernel{gather: gatherFloats, dots: dotFloats}
	portableSparsePairs = sparseKernel{gather: gatherPairs, dots: dotPairs, square: squarePairs, split: splitPairs}
)

// inGroups makes sparseKernel.dots of one that takes a multiple of size indices,
// eight at most.
func inGroups(size int, dots func(g, dy, data []float32, ld int, idx []int32)) func(g, dy, data []float32, ld int, idx []int32) {
	return func(g, dy, data []float32, ld int, idx []int32) {
		n := len(idx) &^ (size - 1)
		dots(g[:n], dy, data, ld, idx[:n])
		if n < len(idx) {
			var rest [8]int32
			var sums [8]float32
			copy(rest[:], idx[n:])
			dots(sums[:size], dy, data, ld, rest[:size])
			copy(g[n:], sums[:])
		}
	}
}

// square is the product of a line with itself, and in pairs what may have been
// lost because a product was too small for a normal float32.
func (d *Device) square(line []float32, w *worker) float64 {
	if d.kernel.pairs != nil {
		return d.kernel.sparse.square(line) + float64(2*len(line))*tiny
	}
	w.lanes = lanes{}
	d.kernel.rowMoments(line, &w.lanes)
	_, square := w.lanes.totals()
	return square
}

func squarePairs(line []float32) (sum float64) {
	for _, x := range line {
		lo, hi := unpair(x)
		sum += float64(lo)*float64(lo) + float64(hi)*float64(hi)
	}
	return sum
}

func splitPairs(lo, hi, line []float32) {
	for i, x := range line {
		lo[i], hi[i] = unpair(x)
	}
}

func gatherFloats(y, data []float32, ld int, idx []int32, vals []float32) {
	for b := 0; b < len(y); b += chains {
		var total, sum [chains]float32
		for k, i := range idx {
			if i < 0 {
				for l, v := range sum {
					total[l] += v
				}
				sum = [chains]float32{}
			}
			v := vals[k]
			for l, x := range data[int(i&index)*ld+b:][:chains] {
				sum[l] += float32(v * x)
			}
		}
		for l, v := range sum {
			y[b+l] = total[l] + v
		}
	}
}

func gatherPairs(y, data []float32, ld int, idx []int32, vals []float32) {
	for b := 0; b < ld; b += chains {
		var total, sum [2][chains]float32
		for k, i := range idx {
			if i < 0 {
				for h := range sum {
					for l, v := range sum[h] {
						total[h][l] += v
					}
				}
				sum = [2][chains]float32{}
			}
			v := vals[k]
			for l, x := range data[int(i&index)*ld+b:][:chains] {
				lo, hi := unpair(x)
				sum[0][l] += float32(v * lo)
				sum[1][l] += float32(v * hi)
			}
		}
		for h := range sum {
			for l, v := range sum[h] {
				y[2*b+h*chains+l] = total[h][l] + v
			}
		}
	}
}

func dotFloats(g, dy, data []float32, ld int, idx []int32) {
	for k, i := range idx {
		var sum [chains]float32
		x := data[int(i&index)*ld:][:ld]
		for b := 0; b < ld; b += chains {
			for l := range chains {
				sum[l] += float32(dy[b+l] * x[b+l])
			}
		}
		g[k] = addChains(&sum)
	}
}

func dotPairs(g, dy, data []float32, ld int, idx []int32) {
	for k, i := range idx {
		var sum [chains]float32
		x := data[int(i&index)*ld:][:ld]
		for b := 0; b < ld; b += chains {
			for l := range chains {
				dlo, dhi := unpair(dy[b+l])
				xlo, xhi := unpair(x[b+l])
				sum[l] += float32(dhi * xhi)
				sum[l] += float32(dlo * xlo)
			}
		}
		g[k] = addChains(&sum)
	}
}

// addChains adds sums from the first to the last.
func addChains(sum *[chains]float32) float32 {
	g := sum[0]
	for _, v := range sum[1:] {
		g += v
	}
	return g
}
