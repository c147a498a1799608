// Package cpu is the compute.Device for training: packed, vectorised products on
// all cores, with a portable kernel that is always available.
package cpu

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"time"

	"betalasso/compute"
)

// Device implements compute.Device. One goroutine may use it at a time.
type Device struct {
	kernel                  kernel
	bf16                    bool
	dense                   bool    // weights are never sparse
	near                    int     // bytes of lines that stay in a near cache; tests have fewer
	tiled                   int     // tileCache; likewise
	thinBelow, thickenAbove float64 // the shares of weights at which the form changes; tests have others
	threads                 int
	pool                    *pool
	left, right             []float32
	spare                   []float32
	slides                  map[slideKey]*slide
	localInputs             map[compute.Window][]int32
	jobs                    jobs
	spent                   [Parts]time.Duration
}

// jobs are the operations that run on several threads.
type jobs struct {
	pack      packJob
	product   productJob
	slidePack slidePackJob
	slide     slideJob
	convGradW convGradWJob
	convSum   convSumJob
	transpose transposeJob
	local     localJob
	localW    localGradWJob
	localX    localGradXJob
	norm      normJob
	rows      addRowJob
	sum       sumRowsJob
	dropout   dropoutJob
	loss      lossJob
	update    updateJob
	lines     linesJob
	nonzero   nonzeroJob

	add         addJob
	relu        reluJob
	reluGrad    reluGradJob
	average     averageJob
	averageGrad averageGradJob
}

// Kernels are the names of the kernels that this machine can run, best first:
// those that New takes with bf16 or without.
func Kernels(bf16 bool) []string {
	var names []string
	for _, k := range kernels(bf16) {
		names = append(names, k.name)
	}
	return names
}

// BFloat16 reports whether this machine multiplies bfloat16 faster than float32.
func BFloat16() bool {
	best := kernels(true)[0]
	return best.pairs != nil && !best.slow
}

// Options are what a device is made of. Their zero values are the usual choice.
type Options struct {
	Threads int    // 0: one for each core
	Kernel  string // "": the best
	BF16    bool   // the operands of products are rounded to bfloat16; sums are float32
	Dense   bool   // weights stay dense, however many are zero; no number depends on it
}

// New is a device. The error lists the kernels.
func New(o Options) (*Device, error) {
	if o.Threads < 0 {
		return nil, fmt.Errorf("threads: must be 0 (all cores) or more, not %d", o.Threads)
	}
	if o.Threads == 0 {
		o.Threads = runtime.GOMAXPROCS(0)
	}
	for _, k := range kernels(o.BF16) {
		if o.Kernel == "" || k.name == o.Kernel {
			d := &Device{kernel: k, bf16: o.BF16, dense: o.Dense, threads: o.Threads, near: nearCache, tiled: tileCache, pool: newPool(o.Threads),
				thinBelow: thinBelow, thickenAbove: thickenAbove, slides: map[slideKey]*slide{}, localInputs: map[compute.Window][]int32{}}
			if k.tiles() {
				d.thinBelow, d.thickenAbove = thinBelowTiles, thickenAboveTiles
			}
			runtime.AddCleanup(d, func(p *pool) { p.close() }, d.pool)
			return d, nil
		}
	}
	return nil, fmt.Errorf("there is no such kernel as %q for these products on this machine; it has %s", o.Kernel, strings.Join(Kernels(o.BF16), ", "))
}

// Name implements compute.Device.
func (d *Device) Name() string {
	precision := "fp32"
	if d.bf16 {
		precision = "bf16"
	}
	return fmt.Sprintf("cpu %s, %d threads, %s", d.kernel.name, d.threads, precision)
}

// Alloc implements compute.Device.
func (d *Device) Alloc(rows, cols int) compute.Mat {
	return compute.Mat{Rows: rows, Cols: cols, Data: huge(make([]float32, rows*cols))}
}

// check panics if shapes do not fit. What it prints is a copy, so that calls
// need no memory.
func check(op string, ok bool, mats ...compute.Mat) {
	if !ok {
		panic(fmt.Sprintf("cpu: %s: shapes %v do not fit", op, slices.Clone(mats)))
	}
}
