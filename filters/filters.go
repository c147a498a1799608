// Package filters measures how local the filters of a first layer are, and
// selects those to show. A filter is the weights of one unit as an image, [c, h,
// w] with the channels one after another, as in the data.
package filters

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

// MinNonzero is the least number of non-zero weights of a filter in the paper's
// Figures 7 to 9.
const MinNonzero = 20

// Measure says how much of its image a filter covers.
type Measure struct {
	Nonzero int     // weights that are not zero, of all channels
	Pixels  int     // positions where some channel's weight is not zero
	Height  int     // of the box around those, in pixels
	Width   int     // of the same
	Radius  float64 // root mean square distance from the filter's centre, in pixels
}

// Locality measures a filter of c channels, h by w. The radius weighs a pixel
// by the sum of |weight| over its channels, and the centre is the mean position
// so weighed: a filter that is even over 32x32 has 13.06, over 9x9 3.65. A
// filter of zeros, or one with a weight that is not finite, has radius 0.
func Locality(filter []float32, c, h, w int) Measure {
	if c < 0 || h < 0 || w < 0 || len(filter) != c*h*w {
		panic(fmt.Sprintf("filters: %d weights for a filter of %dx%dx%d", len(filter), c, h, w))
	}
	var m Measure
	var sum, sumX, sumY, sumSquares float64
	top, bottom, left, right := h, -1, w, -1
	for y := range h {
		for x := range w {
			lit := 0
			mass := 0.0
			for k := range c {
				if v := filter[(k*h+y)*w+x]; v != 0 {
					lit++
					mass += math.Abs(float64(v))
				}
			}
			if lit == 0 {
				continue
			}
			m.Nonzero += lit
			m.Pixels++
			top, bottom = min(top, y), max(bottom, y)
			left, right = min(left, x), max(right, x)
			fx, fy := float64(x), float64(y)
			sum += mass
			sumX += mass * fx
			sumY += mass * fy
			sumSquares += mass * (fx*fx + fy*fy)
		}
	}
	if m.Pixels == 0 {
		return m
	}
	m.Height, m.Width = bottom-top+1, right-left+1
	cx, cy := sumX/sum, sumY/sum
	if r := sumSquares/sum - cx*cx - cy*cy; r > 0 && !math.IsInf(r, 0) {
		m.Radius = math.Sqrt(r)
	}
	return m
}

// Select chooses up to m of the units at random, in rising order, among those
// with at least least non-zero weights, and says how many of those there are. The same seed chooses the same.
func Select(units int, nonzero func(u int) int, least, m int, seed uint64) (chosen []int, eligible int) {
	var list []int
	for u := range units {
		if nonzero(u) >= least {
			list = append(list, u)
		}
	}
	eligible = len(list)
	m = max(0, min(m, eligible))
	r := rand.New(rand.NewPCG(seed, 0x66696c74657273)) // a stream of its own
	for i := range m {
		j := i + r.IntN(eligible-i)
		list[i], list[j] = list[j], list[i]
	}
	chosen = list[:m:m]
	slices.Sort(chosen)
	return chosen, eligible
}

// Follow reports whether a run of last epochs keeps filters after this one: at 0,
// at 1, 2 and 5 times a power of ten, and after the last.
func Follow(epoch, last int) bool {
	if epoch == 0 || epoch == last {
		return epoch >= 0
	}
	for epoch >= 10 && epoch%10 == 0 {
		epoch /= 10
	}
	return epoch == 1 || epoch == 2 || epoch == 5
}
