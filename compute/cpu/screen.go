package cpu

import (
	"fmt"
	"math"
	"math/bits"
	"slices"
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

	// A divided side's lines come in parts of partWords words; else parts is 0. After
	// each number of them: at least the norm of those still to come, and the start of
	// a product that ends there. That of line l after p parts is number p·lines + l
	// of tails, and number p·len(start) + l of starts.
	parts, partWords int
	tails            []float32
	starts           []int32

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

// mostParts is how many parts a line has at most: eight, and a product can stop
// after every eighth of it.
const mostParts = 8

// divide makes the lines that are set next consist of parts of at least the given
// number of words.
func (s *side) divide(least int) {
	depth := s.depth()
	s.partWords = max(least, (depth+mostParts-1)/mostParts)
	s.parts = (depth + s.partWords - 1) / s.partWords
	s.tails = growTo(s.tails, (s.parts+1)*s.lines)
	if s.start != nil {
		s.starts = growTo(s.starts, s.parts*len(s.start))
	}
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
	s.parts = 0
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
		for p := range s.parts {
			s.tails[p*s.lines+l], s.tails[(p+1)*s.lines+l] = inf, inf
			if s.start != nil {
				s.starts[p*len(s.start)+l] = 0
			}
		}
		return
	}
	var sums lineSums
	if s.parts > 0 {
		sums = s.setParts(l, dst, line, inv, scale)
	} else {
		sums = s.low.quantise(dst, s.width, line, inv, scale, s.offset)
	}
	norm := math.Sqrt(sums.norm)
	s.norm[l] = above(norm)
	s.rest[l] = above(math.Sqrt(sums.rest) + s.slack*norm)
	s.hat[l] = above(float64(scale) * math.Sqrt(float64(sums.squares)))
	if s.start != nil {
		s.start[l] = -sums.sum * int32(s.low.columnOffset(s.bits))
	}
}

// setParts quantises line l part by part.
func (s *side) setParts(l int, dst, line []float32, inv, scale float32) (sums lineSums) {
	var norms [mostParts]float64
	each := 4 * s.partWords
	for p := range s.parts {
		if s.start != nil {
			s.starts[p*len(s.start)+l] = -sums.sum * int32(s.low.columnOffset(s.bits))
		}
		part := s.low.quantise(dst[p*s.partWords*s.width:], s.width, line[p*each:min((p+1)*each, len(line))], inv, scale, s.offset)
		norms[p] = part.norm
		sums.sum += part.sum
		sums.squares += part.squares
		sums.norm += part.norm
		sums.rest += part.rest
	}
	s.tails[s.parts*s.lines+l] = 0
	var rest float64
	for p := s.parts - 1; p >= 0; p-- {
		rest += norms[p]
		s.tails[p*s.lines+l] = above(math.Sqrt(rest))
	}
	return sums
}

// above is a float32 that is not below x, for an x of float64 sums of up to
// longestLine squares and a few more operations.
func above(x float64) float32 { return float32(x*(1+0x1p-22) + 0x1p-149) }

// bound is what limits a product of row j and column i: |p|·u_j·v_i + a_j·b_i + c_j·e_i,
// where p is what is known of it. All factors are ≥ 0; Inf excludes nothing.
type bound struct {
	u, a, c []float32 // of each row
	v, b, e []float32 // of each column

	stops *stops // nil: all of each product is taken
}

// stops are where a product may stop early: after p parts, with what number p·lines + l
// of a and b limits in place of the bound's own a_j·b_i, which is also what the
// parts still to come add at most. Lines come from the longest norm to the shortest.
type stops struct {
	a, b             []float32
	rowMost, colMost []float32 // by groups of scoreRows rows, and by tiles: the most of a and of b after each number of parts
	none             []float32 // by groups: a product of whose a and b below this excludes a tile without any part
	enough           float32   // and one after which it is worth a look
}

// share is how the two errors of a bound with stops are weighed against each other:
// a_j·b_i + tail_j·tail_i ≤ √(tail_j² + (share·a_j)²)·√(tail_i² + (b_i/share)²), and
// not much less where b_i is so much of tail_i.
const share = 1. / 16

// temper makes of the tails the factors of stops: factor is the bound's a times share,
// or its b by share, of the first lines. It gives the largest of each group of lines.
func (s *side) temper(factor []float32, by float64, group int, most []float32) []float32 {
	most = growTo(most, (s.lines+group-1)/group*(s.parts+1))
	clear(most)
	for l, f := range factor {
		square := float64(f) * by * float64(f) * by
		of := most[l/group*(s.parts+1):][:s.parts+1]
		for p := range of {
			t := &s.tails[p*s.lines+l]
			*t = above(math.Sqrt(float64(*t)*float64(*t) + square))
			if *t != *t {
				*t = float32(math.Inf(1))
			}
			of[p] = max(of[p], *t)
		}
	}
	return most
}

// set readies the stops of a bound, whose a and c are those of the rows that there
// are. colMost is what the columns' temper gave, by b and 1/share, and most the largest
// of f.e. A product is expected to take the part room of thr.
func (e *stops) set(rows, cols *side, f *bound, colMost []float32, most, thr float32, room float64) {
	e.rowMost = rows.temper(f.a, share, scoreRows, e.rowMost)
	e.a, e.b, e.colMost = rows.tails, cols.tails, colMost
	e.enough = thr * float32(1-room)
	e.none = e.none[:0]
	for g := 0; g < len(f.c); g += scoreRows {
		rest := float64(slices.Max(f.c[g:min(g+scoreRows, len(f.c))]))
		none := (float64(thr) - rest*float64(most)) * (1 - 1e-6)
		if !(none > 0x1p-100) {
			none = 0
		}
		e.none = append(e.none, float32(none))
	}
}

// after is the number of parts after which a tile is worth a look; 0 excludes it.
func (e *stops) after(group, tile, parts int) int {
	row, col := e.rowMost[group*(parts+1):], e.colMost[tile*(parts+1):]
	if row[0]*col[0] < e.none[group] {
		return 0
	}
	for p := 1; p < parts; p++ {
		if row[p]*col[p] < e.enough {
			return p
		}
	}
	return parts
}

// lowBound limits the products of two quantised sides, where p is their product
// in whole numbers: with x = x̂ + r and y = ŷ + s, x·y = x̂·ŷ + x·s + r·ŷ.
func lowBound(rows, cols *side) bound {
	return bound{u: rows.scale, a: rows.norm, c: rows.rest, v: cols.scale, b: cols.rest, e: cols.hat}
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
		for j := 0; j < len(out); j += scoreRows {
			at, height := first+j, min(scoreRows, len(out)-j)
			k, start, as, bs := k, rows.start, f.a, f.b
			if f.stops != nil {
				p := f.stops.after(at/scoreRows, i/l.nr, rows.parts)
				if p == 0 {
					continue
				}
				if p < rows.parts {
					k, start = p*rows.partWords, rows.starts[p*len(rows.start):]
				}
				as, bs = f.stops.a[p*rows.lines:], f.stops.b[p*cols.lines:]
			}
			v, b, e := f.v[i:i+width], bs[i:i+width], f.e[i:i+width]
			if width < l.nr {
				copy(w.last[0][:], v)
				copy(w.last[1][:], b)
				copy(w.last[2][:], e)
				v, b, e = w.last[0][:], w.last[1][:], w.last[2][:]
			}
			for r := 0; r < height; r += l.mr {
				l.mul(k, rows.panel((at+r)/l.mr), right, start[at+r:], w.tiles[r*l.nr:])
			}
			u, a, c := f.u[at:at+height], as[at:at+height], f.c[at:at+height]
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
