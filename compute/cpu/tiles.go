package cpu

// A tile of AMX has so many words of each line, and steps of k.
const (
	tileWords = 16
	tileSteps = 2 * tileWords
)

// goTiles is the portable kernel whose products are AMX's: see pairs.tiles. It is for
// tests, of machines without AMX too: only cpu.Options.Kernel chooses it.
var goTiles = kernel{
	name: "goamx", mr: 4, nr: 8, mul: mulTiles4x8,
	chains: func(k int, a, b, c []float32, ldc int) { mulTiles4x8(chains*k, a, b, c, ldc, false) },
	pairs:  &pairs{join: join, halve: halve, across: joinAcross, unit: tileWords, tiles: true, arrange: arrangeTiles4},
	runs:   runKernel{mr: 4, nr: 8, words: true, along: true, mul: runsTiles4x8},
	sparse: sparseKernel{gather: gatherTiles, more: gatherMoreTiles, dots: dotTiles, square: squarePairs, split: splitPairs},
	peak:   portablePeak, passes: portable,
}

// joinAcross is pairs.across for panels of eight columns.
func joinAcross(dst []float32, apart int, src []float32, lds, panels int) {
	for i := range panels {
		join(dst[i*apart:], 8, src[i*8:], lds, 8, 1)
	}
}

// arrangeTiles4 lays left panels of four lines out: of sixteen rows of words the sixteen
// of one line after the other.
func arrangeTiles4(panel []float32, e edge, rows int) {
	if e == rightEdge {
		return
	}
	var words [tileWords * 4]float32
	for ; rows > 0; rows -= tileWords {
		copy(words[:], panel)
		for p := range tileWords {
			for i := range 4 {
				panel[i*tileWords+p] = words[p*4+i]
			}
		}
		panel = panel[len(words):]
	}
}

// tileProduct is what a tile adds to a sum: the products of a row's words with those of a
// column, which are ldb apart.
func tileProduct(row, column []float32, ldb int) float32 {
	var even, odd float32
	for p, word := range row {
		x0, x1 := unpair(word)
		y0, y1 := unpair(column[p*ldb])
		even += float32(x0 * y0)
		odd += float32(x1 * y1)
	}
	return even + odd
}

func mulTiles4x8(k int, a, b, c []float32, ldc int, add bool) {
	for i := range 4 {
		for j := range 8 {
			var sum float32
			if add {
				sum = c[i*ldc+j]
			}
			for p := 0; p < k; p += tileWords {
				sum += tileProduct(a[p*4+i*tileWords:][:tileWords], b[p*8+j:], 8)
			}
			c[i*ldc+j] = sum
		}
	}
}

// runsTiles4x8 is runKernel.mul of AMX.
func runsTiles4x8(runs []run, a, b []float32, lda, ldb int, c []float32, ldc int, add bool) {
	for i := range 4 {
		for j := range 8 {
			var sum float32
			if add {
				sum = c[i*ldc+j]
			}
			for _, r := range runs {
				for p := 0; p < r.n; p += tileWords {
					sum += tileProduct(a[r.a+i*lda+p:][:min(tileWords, r.n-p)], b[r.b+p*ldb+j:], ldb)
				}
			}
			c[i*ldc+j] = sum
		}
	}
}

func gatherTiles(y, data []float32, ld int, idx []int32, vals []float32) {
	clear(y)
	gatherMoreTiles(y, data, ld, idx, vals)
}

func gatherMoreTiles(y, data []float32, ld int, idx []int32, vals []float32) {
	for b := 0; b < ld; b += chains {
		var total, even, sum [2][chains]float32 // sum is of the even steps or of the odd ones
		copy(total[0][:], y[2*b:])
		copy(total[1][:], y[2*b+chains:])
		for k, i := range idx {
			if i < 0 && i&second != 0 {
				even, sum = sum, [2][chains]float32{}
			} else if i < 0 {
				addTile(&total, &even, &sum)
			}
			v := vals[k]
			for l, x := range data[int(i&index)*ld+b:][:chains] {
				lo, hi := unpair(x)
				sum[0][l] += float32(v * lo)
				sum[1][l] += float32(v * hi)
			}
		}
		addTile(&total, &even, &sum)
		copy(y[2*b:], total[0][:])
		copy(y[2*b+chains:], total[1][:])
	}
}

// addTile adds both sums of a tile to total, and makes them 0.
func addTile(total, even, sum *[2][chains]float32) {
	for h := range total {
		for l := range total[h] {
			total[h][l] += even[h][l] + sum[h][l]
		}
	}
	*even, *sum = [2][chains]float32{}, [2][chains]float32{}
}

func dotTiles(g, dy, data []float32, ld int, idx []int32) {
	for k, i := range idx {
		x := data[int(i&index)*ld:][:ld]
		g[k] = 0
		for part := 0; part < ld; part += chains * tileWords {
			var even, odd [chains]float32
			for b := part; b < min(ld, part+chains*tileWords); b += chains {
				for l := range chains {
					d0, d1 := unpair(dy[b+l])
					x0, x1 := unpair(x[b+l])
					even[l] += float32(d0 * x0)
					odd[l] += float32(d1 * x1)
				}
			}
			for l := range chains {
				g[k] += even[l] + odd[l]
			}
		}
	}
}
