// Package cpu is the compute.Device that trains: packed, vectorised products on
// all cores, with one portable kernel that is always there.
package cpu

import (
	"fmt"
	"runtime"
	"slices"
	"strings"

	"betalasso/compute"
)

// Device is a compute.Device. One goroutine may use it at a time.
type Device struct {
	kernel      kernel
	bf16        bool
	threads     int
	pool        *pool
	left, right []float32
	spare       []float32
	lattices    map[compute.Window]*lattice
	windows     map[compute.Window][]int32
	jobs        jobs
}

// jobs are the operations that run on several threads.
type jobs struct {
	pack      packJob
	product   productJob
	conv      convJob
	convGradW convGradWJob
	convSum   convSumJob
	convGradX convGradXJob
	around    aroundJob
	local     localJob
	localW    localGradWJob
	localX    localGradXJob
	norm      normJob
	rows      addRowJob
	sum       sumRowsJob
	dropout   dropoutJob
	update    updateJob
	nonzero   nonzeroJob
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

// BFloat16 says whether this machine multiplies bfloat16 faster than float32.
func BFloat16() bool { return kernels(true)[0].pairs != nil }

// New is a device with so many threads (0: one for each core) and the named
// kernel ("": the best). With bf16 the operands of products are rounded to
// bfloat16; sums are float32.
func New(threads int, name string, bf16 bool) (*Device, error) {
	if threads < 0 {
		return nil, fmt.Errorf("threads: must be 0 (all cores) or more, not %d", threads)
	}
	if threads == 0 {
		threads = runtime.GOMAXPROCS(0)
	}
	for _, k := range kernels(bf16) {
		if name == "" || k.name == name {
			d := &Device{kernel: k, bf16: bf16, threads: threads, pool: newPool(threads),
				lattices: map[compute.Window]*lattice{}, windows: map[compute.Window][]int32{}}
			runtime.AddCleanup(d, func(p *pool) { p.close() }, d.pool)
			return d, nil
		}
	}
	return nil, fmt.Errorf("there is no such kernel as %q for these products on this machine; it has %s", name, strings.Join(Kernels(bf16), ", "))
}

// Name is compute.Device's.
func (d *Device) Name() string {
	precision := "fp32"
	if d.bf16 {
		precision = "bf16"
	}
	return fmt.Sprintf("cpu %s, %d threads, %s", d.kernel.name, d.threads, precision)
}

// Alloc is compute.Device's.
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
