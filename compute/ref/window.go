package ref

import "betalasso/compute"

// taps calls f for every input that a window meets inside the image: output
// position p, tap t of C·Kernel·Kernel, input i of C·H·W.
func taps(win compute.Window, f func(p, t, i int)) {
	for y := range win.OutH() {
		for x := range win.OutW() {
			for c := range win.C {
				for u := range win.Kernel {
					for v := range win.Kernel {
						h, w := y*win.Stride+u-win.Pad, x*win.Stride+v-win.Pad
						if h >= 0 && h < win.H && w >= 0 && w < win.W {
							f(y*win.OutW()+x, (c*win.Kernel+u)*win.Kernel+v, (c*win.H+h)*win.W+w)
						}
					}
				}
			}
		}
	}
}

// products calls f for every product that makes up a convolution or a local
// layer: element y of the output, w of the weights, x of the input, each as an
// index into the whole matrix.
func products(n int, win compute.Window, local bool, f func(y, w, x int)) {
	positions, patch, in, out := win.Positions(), win.Patch(), win.In(), win.Out()
	for r := range n {
		taps(win, func(p, t, i int) {
			for k := range win.K {
				row := k
				if local {
					row = p*win.K + k
				}
				f(r*out+k*positions+p, row*patch+t, r*in+i)
			}
		})
	}
}

// gather sets dst[to] to the sums of a·b over the products.
func gather(dst []float32, each func(f func(to, a, b int)), a, b []float32) {
	sum := make([]float64, len(dst))
	each(func(to, i, j int) { sum[to] += float64(a[i]) * float64(b[j]) })
	for i, s := range sum {
		dst[i] = float32(s)
	}
}

// rows is the elements of m row by row.
func rows(m compute.Mat) []float32 {
	s := make([]float32, 0, m.Rows*m.Cols)
	for i := range m.Rows {
		for j := range m.Cols {
			s = append(s, m.At(i, j))
		}
	}
	return s
}

// into sets m to what f sets, row by row.
func into(m compute.Mat, f func([]float32)) {
	s := make([]float32, m.Rows*m.Cols)
	f(s)
	for i, v := range s {
		m.Set(i/m.Cols, i%m.Cols, v)
	}
}

func checkWindow(op string, y, x, w compute.Mat, win compute.Window, local bool) {
	units := win.K
	if local {
		units *= win.Positions()
	}
	want(op, x, y.Rows, win.In(), true)
	want(op, y, y.Rows, win.Out(), true)
	want(op, w, units, win.Patch(), false)
}

func forward(op string, y, x, w compute.Mat, win compute.Window, local bool) {
	checkWindow(op, y, x, w, win, local)
	into(y, func(y []float32) {
		gather(y, func(f func(to, a, b int)) {
			products(x.Rows, win, local, func(y, w, x int) { f(y, w, x) })
		}, w.Data, rows(x))
	})
}

func gradW(op string, dw, dy, x compute.Mat, win compute.Window, local bool) {
	checkWindow(op, dy, x, dw, win, local)
	gather(dw.Data, func(f func(to, a, b int)) {
		products(x.Rows, win, local, func(y, w, x int) { f(w, y, x) })
	}, rows(dy), rows(x))
}

func gradX(op string, dx, dy, w compute.Mat, win compute.Window, local bool) {
	checkWindow(op, dy, dx, w, win, local)
	into(dx, func(x []float32) {
		gather(x, func(f func(to, a, b int)) {
			products(dx.Rows, win, local, func(y, w, x int) { f(x, y, w) })
		}, rows(dy), w.Data)
	})
}
