package cpu

import (
	"fmt"
	"math/rand"
	"testing"
	"time"

	"betalasso/compute"
)

func TestQuick(t *testing.T) {
	for _, kn := range Kernels() {
		d, _ := New(2, kn, false)
		for _, s := range [][3]int{{1, 1, 1}, {5, 7, 3}, {4, 24, 8}, {17, 49, 300}, {513, 97, 257}, {600, 30, 9}} {
			for tr := 0; tr < 4; tr++ {
				m, n, k := s[0], s[1], s[2]
				a, b, c := d.Alloc(m, k), d.Alloc(k, n), d.Alloc(m, n)
				if tr&1 > 0 {
					a = d.Alloc(k, m).T()
				}
				if tr&2 > 0 {
					b = d.Alloc(n, k).T()
				}
				for i := range a.Data {
					a.Data[i] = float32(rand.Intn(7) - 3)
				}
				for i := range b.Data {
					b.Data[i] = float32(rand.Intn(7) - 3)
				}
				d.Mul(c, a, b)
				at := func(m compute.Mat, i, j int) float32 {
					if m.Trans {
						return m.Data[j*m.Rows+i]
					}
					return m.Data[i*m.Cols+j]
				}
				for i := range m {
					for j := range n {
						var w float32
						for p := range k {
							w += at(a, i, p) * at(b, p, j)
						}
						if w != c.Data[i*n+j] {
							t.Fatal(kn, s, tr, i, j, w, c.Data[i*n+j])
						}
					}
				}
			}
		}
	}
}

func TestSpeed(t *testing.T) {
	for _, th := range []int{1, 2} {
		d, _ := New(th, "", false)
		for _, s := range [][3]int{{512, 7168, 3072}, {512, 672, 7168}} {
			n, out, in := s[0], s[1], s[2]
			x, w, y, dx, dw := d.Alloc(n, in), d.Alloc(out, in), d.Alloc(n, out), d.Alloc(n, in), d.Alloc(out, in)
			for name, f := range map[string]func(){"fwd": func() { d.Mul(y, x, w.T()) }, "dx": func() { d.Mul(dx, y, w) }, "dw": func() { d.Mul(dw, y.T(), x) }} {
				best := time.Hour
				for range 5 {
					t0 := time.Now()
					f()
					best = min(best, time.Since(t0))
				}
				fmt.Println(th, s, name, best, 2*float64(n)*float64(out)*float64(in)/best.Seconds()/1e9, "GFLOP/s")
			}
		}
	}
}

var _ compute.Device = (*Device)(nil)
