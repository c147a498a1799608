package cpu

import (
	"fmt"
	"math"
	"math/bits"
)

// longestLine is the most numbers that a quantised line may have: a sum of their
// products fits into 32 bits.
const longestLine = 1 << 17

// side is one side of a product x·yᵀ, quantised: its lines of n numbers are the
// product's rows or its columns. Line l is scale[l]·q but for what rounding
// leaves, where q are whole numbers below 2^(bits-1) in magnitude.
type side struct {
	low      *lowbit
	lines, n int
	bits     int
	width    int     // of a panel
	offset   uint8   // what a column's numbers have added, to be without signs
	slack    float64 // see resetColumns

	words []float32 // panels, see lowbit
	start []int32   // of a row: what undoes the columns' offset

	// norm is at least the Euclidean norm of a line, rest that of what rounding
	// leaves of it, and slack times norm more, and hat that of scale·q. All three
	// are Inf for a line that has NaN or Inf.
	scale, norm, rest, hat []float32
}

// resetRows makes room for the rows of a product, which set then fills: lines of
// n numbers, to be quantised to the given number of bits, 2 to 8.
func (s *side) resetRows(l *lowbit, bits, lines, n int) {
	s.reset(l, bits, l.mr, lines, n, 0)
	s.offset = 0
	s.start = growTo(s.start, s.panels()*l.mr)
}

// resetColumns does the same for the columns of a product whose rows have the
// given number of bits; columns have as many or, where that is less, the
// lowbit's colBits. Slack adds to rest that multiple of the norm, so that the bound
// holds also for products that are up to slack·‖x‖·‖y‖ off, by rounding.
func (s *side) resetColumns(l *lowbit, bits, lines, n int, slack float64) {
	s.reset(l, min(bits, l.colBits), l.nr, lines, n, slack)
	s.offset = l.columnOffset(bits)
}

// columnOffset makes positive what a column of the given number of bits may hold.
func (l *lowbit) columnOffset(bits int) uint8 { return 1 << (min(bits, l.colBits) - 1) }

func (s *side) reset(l *lowbit, bits, width, lines, n int, slack float64) {
	if bits < 2 || bits > l.rowBits || n < 1 || n > longestLine {
		panic(fmt.Sprintf("cpu: cannot quantise lines of %d numbers to %d bits for %s: want 1 to %d numbers, 2 to %d bits",
			n, bits, l.name, longestLine, l.rowBits))
	}
	s.low, s.bits, s.width, s.lines, s.n, s.slack = l, bits, width, lines, n, slack
	s.words = grow(&s.words, s.panels()*width*s.depth())
	for _, f := range []*[]float32{&s.scale, &s.norm, &s.rest, &s.hat} {
		*f = growTo(*f, lines)
	}
}

// growTo is s with n numbers, whatever they are.
func growTo[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}

// depth is the words of a line.
func (s *side) depth() int { return (s.n + 3) / 4 }

func (s *side) panels() int { return (s.lines + s.width - 1) / s.width }

// panel is panel i.
func (s *side) panel(i int) []float32 { return s.words[i*s.width*s.depth():] }

// set quantises lines, which lie one after the other, to be those from first on.
// Several threads may set different lines at a time.
func (s *side) set(first int, lines []float32) {
	for l := range len(lines) / s.n {
		s.setLine(first+l, lines[l*s.n:][:s.n])
	}
}

func (s *side) setLine(l int, line []float32) {
	most := math.Float32frombits(s.low.largest(line))
	finite := most <= math.MaxFloat32
	var scale, inv float32
	if finite && most > 0x1p-100 { // what is smaller is as good as 0, and its inverse none
		steps := float32(int(1)<<(s.bits-1) - 1)
		scale, inv = most/steps, steps/most
	}
	dst := s.panel(l / s.width)[l%s.width:]
	s.scale[l] = scale
	if !finite {
		// Any whole numbers do: nothing is excluded.
		for p := range s.depth() {
			dst[p*s.width] = 0
		}
		inf := float32(math.Inf(1))
		s.norm[l], s.rest[l], s.hat[l] = inf, inf, inf
		if s.start != nil {
			s.start[l] = 0
		}
		return
	}
	sums := s.low.quantise(dst, s.width, line, inv, scale, s.offset)
	norm := math.Sqrt(sums.norm)
	s.norm[l] = above(norm)
	s.rest[l] = above(math.Sqrt(sums.rest) + s.slack*norm)
	s.hat[l] = above(float64(scale) * math.Sqrt(float64(sums.squares)))
	if s.start != nil {
		s.start[l] = -sums.sum * int32(s.low.columnOffset(s.bits))
	}
}

// above is a float32 that is not below x, for an x of float64 sums of up to
// longestLine squares and a few more operations.
func above(x float64) float32 {
	x *= 1 + 0x1p-30
	f := float32(x)
	if float64(f) < x {
		f = math.Nextafter32(f, float32(math.Inf(1)))
	}
	return f
}

// bound is what limits a product of row j and column i: |p|·u_j·v_i + a_j·b_i + c_j·e_i,
// where p is what is known of it. All factors are ≥ 0; Inf excludes nothing.
type bound struct {
	u, a, c []float32 // of each row
	v, b, e []float32 // of each column
}

// lowBound limits the products of two quantised sides, where p is their product
// in whole numbers: with x = x̂ + r and y = ŷ + s, x·y = x̂·ŷ + x·s + r·ŷ.
func lowBound(rows, cols *side) bound {
	return bound{rows.scale, rows.norm, rows.rest, cols.scale, cols.rest, cols.hat}
}

// scoreRows is how many rows are multiplied before they are compared, tile by
// tile: a comparison costs as much as a few words of k to begin with.
const scoreRows = 16

// screener finds the products that a bound does not exclude, for one thread at
// a time.
type screener struct {
	tiles [scoreRows * 48]int32
	masks [scoreRows]uint64
	last  [3][48]float32 // the factors of the last columns, where they are less than a tile's
}

// screen appends to out[j], for the rows of a product that begin at first, a
// multiple of the tile's, the columns where p, the product in whole numbers, has
// a bound that is not certainly below thr:
//
//	|p|·u·v + a·b + c·e ≥ thr
//
// in real numbers, and maybe some where the left side is a little less, those
// where it is no number or beyond float32, and all if thr is below 2^-100.
// Columns come in rising order.
func (w *screener) screen(out [][]int32, rows, cols *side, first int, f bound, thr float32) {
	l, k, cut := rows.low, rows.depth(), scoreCut(thr)
	if first%l.mr != 0 || rows.n != cols.n || first+len(out) > rows.lines || cols.low != l || rows.start == nil || cols.offset != l.columnOffset(rows.bits) {
		panic(fmt.Sprintf("cpu: screen: rows %d to %d of [%d, %d] at %d bits and columns [%d, %d] at %d bits do not fit",
			first, first+len(out), rows.lines, rows.n, rows.bits, cols.lines, cols.n, cols.bits))
	}
	for i := 0; i < cols.lines; i += l.nr {
		right, width := cols.panel(i/l.nr), min(l.nr, cols.lines-i)
		v, b, e := f.v[i:i+width], f.b[i:i+width], f.e[i:i+width]
		if width < l.nr {
			copy(w.last[0][:], v)
			copy(w.last[1][:], b)
			copy(w.last[2][:], e)
			v, b, e = w.last[0][:], w.last[1][:], w.last[2][:]
		}
		for j := 0; j < len(out); j += scoreRows {
			at, height := first+j, min(scoreRows, len(out)-j)
			for r := 0; r < height; r += l.mr {
				l.mul(k, rows.panel((at+r)/l.mr), right, rows.start[at+r:], w.tiles[r*l.nr:])
			}
			u, a, c := f.u[at:at+height], f.a[at:at+height], f.c[at:at+height]
			if !l.score(w.masks[:], w.tiles[:], height, l.nr, u, a, c, v, b, e, cut) {
				continue
			}
			for r, mask := range w.masks[:height] {
				for mask &= 1<<width - 1; mask != 0; mask &= mask - 1 {
					out[j+r] = append(out[j+r], int32(i+bits.TrailingZeros64(mask)))
				}
			}
		}
	}
}
