package cpu

import (
	"math"
	"sync/atomic"
	"time"
)

// peak is a loop of multiply-adds that wait for nothing, in registers alone, by
// the instruction that a kernel multiplies with.
type peak struct {
	run func(rounds int)
	ops int // operations of a round: two for each multiply-add
}

// peakRounds take some milliseconds; of peakTrials the best counts, since
// whatever else the machine does only takes time away.
const (
	peakRounds = 1 << 20
	peakTrials = 9
)

// peakJob runs the loop once a task, and so once on each thread.
type peakJob struct{ peak }

func (j peakJob) do(int, *worker) { j.run(peakRounds) }

// Peak measures the most operations a second that d's products could take on
// all its threads, were nothing ever loaded or stored. A multiply-add is two. It
// takes less than a second.
func (d *Device) Peak() float64 {
	macs := peakRounds * d.kernel.peak.ops * d.threads
	best := math.Inf(1)
	for range peakTrials {
		began := time.Now()
		d.pool.run(d.threads, macs, peakJob{d.kernel.peak})
		best = min(best, time.Since(began).Seconds())
	}
	return float64(macs) / best
}

// portablePeak multiplies and adds single numbers.
var portablePeak = peak{peakScalar, 8 * 2}

// peakFactors keep the compiler from working the products out beforehand.
var peakFactors [6]float32

func peakScalar(rounds int) {
	a, b, c, d, x, y := peakFactors[0], peakFactors[1], peakFactors[2], peakFactors[3], peakFactors[4], peakFactors[5]
	var ax, bx, cx, dx, ay, by, cy, dy float32
	for range rounds {
		ax += float32(a * x)
		bx += float32(b * x)
		cx += float32(c * x)
		dx += float32(d * x)
		ay += float32(a * y)
		by += float32(b * y)
		cy += float32(c * y)
		dy += float32(d * y)
	}
	peakSum.Store(math.Float32bits(ax + bx + cx + dx + ay + by + cy + dy))
}

// peakSum keeps the compiler from leaving the sums out.
var peakSum atomic.Uint32
