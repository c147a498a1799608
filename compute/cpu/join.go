package cpu

import "betalasso/compute"

// What joins the branches of a network: sums, ReLU without a batch norm before
// it, and means over windows. Each passes over its matrices once.

type (
	addJob struct {
		d         *Device
		dst, a, b []float32
	}
	reluJob struct {
		d    *Device
		y, x []float32
	}
	reluGradJob struct {
		d         *Device
		dx, dy, y []float32
	}
	averageJob struct {
		y, x compute.Mat
		win  compute.Window
	}
	averageGradJob struct {
		dx, dy compute.Mat
		win    compute.Window
	}
)

// Add implements compute.Device.
func (d *Device) Add(dst, a, b compute.Mat) {
	check("Add", dst.Rows == a.Rows && dst.Cols == a.Cols && dst.Rows == b.Rows && dst.Cols == b.Cols, dst, a, b)
	if dst.Trans != a.Trans || dst.Trans != b.Trans {
		for i := range dst.Rows {
			for j := range dst.Cols {
				dst.Set(i, j, a.At(i, j)+b.At(i, j))
			}
		}
		return
	}
	j := &d.jobs.add
	*j = addJob{d, dst.Data, a.Data, b.Data}
	d.stretches(len(dst.Data), j)
}

func (j *addJob) do(t int, _ *worker) {
	lo, hi := ends(t, len(j.dst))
	j.d.kernel.add(j.dst[lo:hi], j.a[lo:], j.b[lo:])
}

// ReLU implements compute.Device.
func (d *Device) ReLU(y, x compute.Mat) {
	check("ReLU", y.Rows == x.Rows && y.Cols == x.Cols && y.Trans == x.Trans, y, x)
	j := &d.jobs.relu
	*j = reluJob{d, y.Data, x.Data}
	d.stretches(len(y.Data), j)
}

func (j *reluJob) do(t int, _ *worker) {
	lo, hi := ends(t, len(j.y))
	j.d.kernel.relu(j.y[lo:hi], j.x[lo:])
}

// ReLUGrad implements compute.Device.
func (d *Device) ReLUGrad(dx, dy, y compute.Mat) {
	check("ReLUGrad", dx.Rows == y.Rows && dx.Cols == y.Cols && dy.Rows == y.Rows && dy.Cols == y.Cols && dx.Trans == y.Trans && dy.Trans == y.Trans, dx, dy, y)
	j := &d.jobs.reluGrad
	*j = reluGradJob{d, dx.Data, dy.Data, y.Data}
	d.stretches(len(y.Data), j)
}

func (j *reluGradJob) do(t int, _ *worker) {
	lo, hi := ends(t, len(j.y))
	j.d.kernel.reluGrad(j.dx[lo:hi], j.dy[lo:], j.y[lo:])
}

// AveragePool implements compute.Device.
func (d *Device) AveragePool(y, x compute.Mat, win compute.Window) {
	check("AveragePool", win.K == win.C && win.Pad == 0 && y.Rows == x.Rows && x.Cols == win.In() && y.Cols == win.Out() && x.Trans == y.Trans, y, x)
	j := &d.jobs.average
	*j = averageJob{y, x, win}
	if x.Trans {
		d.pool.run(win.C, len(y.Data)*win.Kernel*win.Kernel, j)
		return
	}
	d.pool.run(x.Rows, len(y.Data)*win.Kernel*win.Kernel, j)
}

func (j *averageJob) do(n int, _ *worker) {
	if j.x.Trans {
		j.channel(n)
		return
	}
	w, x, y := j.win, j.x.Row(n), j.y.Row(n)
	scale, at := 1/float32(w.Kernel*w.Kernel), 0
	for c := range w.C {
		for p := range w.OutH() {
			for q := range w.OutW() {
				var sum float32
				for u := range w.Kernel {
					for _, v := range x[(c*w.H+p*w.Stride+u)*w.W+q*w.Stride:][:w.Kernel] {
						sum += v
					}
				}
				y[at] = sum * scale
				at++
			}
		}
	}
}

// channel does channel c of the whole batch, which is innermost.
func (j *averageJob) channel(c int) {
	w, x, y := j.win, j.x.T(), j.y.T()
	scale := 1 / float32(w.Kernel*w.Kernel)
	for at := range w.Positions() {
		p, q := at/w.OutW(), at%w.OutW()
		sum := y.Row(c*w.Positions() + at)
		clear(sum)
		for t := range w.Kernel * w.Kernel {
			from := x.Row((c*w.H+p*w.Stride+t/w.Kernel)*w.W + q*w.Stride + t%w.Kernel)
			for i, v := range from[:len(sum)] {
				sum[i] += v
			}
		}
		for i := range sum {
			sum[i] *= scale
		}
	}
}

// AveragePoolGrad implements compute.Device.
func (d *Device) AveragePoolGrad(dx, dy compute.Mat, win compute.Window) {
	check("AveragePoolGrad", win.K == win.C && win.Pad == 0 && dx.Rows == dy.Rows && dx.Cols == win.In() && dy.Cols == win.Out() && dx.Trans == dy.Trans, dx, dy)
	j := &d.jobs.averageGrad
	*j = averageGradJob{dx, dy, win}
	if dx.Trans {
		d.pool.run(win.C, len(dy.Data)*win.Kernel*win.Kernel, j)
		return
	}
	d.pool.run(dx.Rows, len(dy.Data)*win.Kernel*win.Kernel, j)
}

func (j *averageGradJob) do(n int, _ *worker) {
	if j.dx.Trans {
		j.channel(n)
		return
	}
	w, dx, dy := j.win, j.dx.Row(n), j.dy.Row(n)
	scale, at := 1/float32(w.Kernel*w.Kernel), 0
	clear(dx)
	for c := range w.C {
		for p := range w.OutH() {
			for q := range w.OutW() {
				g := dy[at] * scale
				at++
				for u := range w.Kernel {
					row := dx[(c*w.H+p*w.Stride+u)*w.W+q*w.Stride:][:w.Kernel]
					for i := range row {
						row[i] += g
					}
				}
			}
		}
	}
}

// channel does channel c of the whole batch, which is innermost.
func (j *averageGradJob) channel(c int) {
	w, dx, dy := j.win, j.dx.T(), j.dy.T()
	scale, area := 1/float32(w.Kernel*w.Kernel), w.H*w.W*dx.Cols
	clear(dx.Data[c*area : (c+1)*area])
	for at := range w.Positions() {
		p, q := at/w.OutW(), at%w.OutW()
		g := dy.Row(c*w.Positions() + at)
		for t := range w.Kernel * w.Kernel {
			to := dx.Row((c*w.H+p*w.Stride+t/w.Kernel)*w.W + q*w.Stride + t%w.Kernel)
			for i, v := range g {
				to[i] += v * scale
			}
		}
	}
}
