package cpu

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
)

// screened is the columns that screen leaves for each row, by blocks of rows.
func screened(rows, cols *side, block int, f bound, thr float32) [][]int32 {
	out := make([][]int32, rows.lines)
	w := new(screener)
	for j := 0; j < rows.lines; j += block {
		w.screen(out[j:min(j+block, rows.lines)], rows, cols, j, f, thr)
	}
	return out
}

// stopped is the columns that screen leaves for each row with products that stop
// early.
func stopped(l *lowbit, bits, n int, d lowbitData, thr float32, room float64) [][]int32 {
	rows, cols := new(side), new(side)
	rows.resetRows(l, bits, len(d.rows)/n, n)
	cols.resetColumns(l, bits, len(d.cols)/n, n, 0)
	rows.divide(1)
	cols.divide(1)
	rows.set(0, d.rows)
	cols.set(0, d.cols)
	f := lowBound(rows, cols)
	f.stops = new(stops)
	f.stops.set(rows, cols, &f, cols.temper(f.b, 1/share, l.nr, nil), slices.Max(f.e), thr, room)
	out := make([][]int32, rows.lines)
	new(screener).screen(out, rows, cols, 0, f, thr)
	return out
}

// exact is |x·y|, without any rounding.
func exact(x, y []float32) *big.Float {
	sum, product := new(big.Float).SetPrec(700), new(big.Float).SetPrec(700)
	for p, v := range x {
		sum.Add(sum, product.SetFloat64(float64(v)*float64(y[p]))) // exact, and no two of them further apart than 2^600
	}
	return sum.Abs(sum)
}

// float32Below is the largest float32 that is not above x.
func float32Below(x *big.Float) float32 {
	f, accuracy := x.Float32()
	if accuracy == big.Above {
		f = math.Nextafter32(f, 0)
	}
	return f
}

// lowbitData is rows and columns of n numbers.
type lowbitData struct {
	name       string
	n          int
	rows, cols []float32
}

// aligned is a row that bits hold exactly, and columns whose rest after
// quantisation is a multiple of it: the bound is no more than the product.
func aligned(r *rand.Rand, bits, n, columns int) lowbitData {
	most := 1<<(bits-1) - 1
	row := make([]float32, n)
	for p := range row {
		row[p] = float32(1 + r.IntN(most))
	}
	row[n-1] = float32(most)
	row[0] = 0
	var cols []float32
	for range columns {
		t := 0.45 * r.Float64() / float64(most)
		col := make([]float32, n)
		for p := range col {
			col[p] = float32(float64(r.IntN(most)) + t*float64(row[p]))
		}
		col[0] = float32(most)
		cols = append(cols, col...)
	}
	return lowbitData{fmt.Sprintf("aligned at %d bits", bits), n, row, cols}
}

func adversaries(r *rand.Rand, m, k, n int) []lowbitData {
	make2 := func(name string, number func(p int) float64) lowbitData {
		d := lowbitData{name, n, make([]float32, m*n), make([]float32, k*n)}
		for _, s := range [][]float32{d.rows, d.cols} {
			for i := range s {
				s[i] = float32(number(i % n))
			}
		}
		return d
	}
	list := []lowbitData{
		make2("Gaussian", func(int) float64 { return r.NormFloat64() }),
		make2("positive", func(int) float64 { return r.Float64() }),
		make2("cancelling", func(p int) float64 { return float64(1-p%2*2)*1e5*float64(1+p%2) + r.NormFloat64() }),
		make2("wide range", func(int) float64 { return math.Exp(9*r.NormFloat64()) * float64(1-r.IntN(2)*2) }),
		make2("one large", func(p int) float64 {
			if p == 0 {
				return 1e4
			}
			return r.NormFloat64()
		}),
		make2("small", func(int) float64 { return math.Ldexp(r.NormFloat64(), -46) }),
		make2("very small by very large", func(int) float64 { return math.Ldexp(r.NormFloat64(), -108) }),
		make2("constant", func(int) float64 { return 0.3 }),
	}
	for i := range list[6].cols {
		list[6].cols[i] = float32(math.Ldexp(r.NormFloat64(), 115))
	}
	return list
}

// TestScreenMissesNothing wants each pair of lines whose product is really at
// least the threshold to be left, with thresholds that are just what a product
// is, so that whatever rounding takes away must be made good.
func TestScreenMissesNothing(t *testing.T) {
	r := rand.New(rand.NewPCG(23, 1))
	for _, size := range [][3]int{{1, 1, 1}, {4, 8, 1}, {9, 50, 1}, {3, 7, 2}, {17, 49, 3}, {8, 48, 8}, {7, 97, 13}, {5, 25, 64}, {3, 17, 101}} {
		data := adversaries(r, size[0], size[1], size[2])
		if size[2] > 2 {
			for bits := 4; bits <= 8; bits++ {
				data = append(data, aligned(r, bits, size[2], size[1]))
			}
		}
		for _, d := range data {
			n, m, k := d.n, len(d.rows)/d.n, len(d.cols)/d.n
			truth := make([]*big.Float, m*k)
			for i := range truth {
				truth[i] = exact(d.rows[i/k*n:][:n], d.cols[i%k*n:][:n])
			}
			thresholds := []float32{0}
			for range 12 {
				thresholds = append(thresholds, float32Below(truth[r.IntN(len(truth))]))
			}
			for _, l := range lowbits() {
				for bits := 4; bits <= l.rowBits; bits++ {
					rows, cols := quantised(&l, false, bits, n, d.rows), quantised(&l, true, bits, n, d.cols)
					for _, thr := range thresholds {
						out := screened(rows, cols, 2*l.mr, lowBound(rows, cols), thr)
						early := stopped(&l, bits, n, d, thr, 0.1)
						for i, v := range truth {
							if v.Cmp(big.NewFloat(float64(thr))) < 0 {
								continue
							}
							if !slices.Contains(out[i/k], int32(i%k)) || !slices.Contains(early[i/k], int32(i%k)) {
								t.Fatalf("%s: %s, %d x %d x %d, %d bits: row %d, column %d: the product is %v, the threshold %v: got excluded",
									l.name, d.name, m, k, n, bits, i/k, i%k, v, thr)
							}
						}
						if !slices.ContainsFunc(out, func(c []int32) bool { return len(c) > 0 }) {
							t.Fatalf("%s: %s: got nothing", l.name, d.name)
						}
					}
				}
			}
		}
	}
}

// TestScreenNotFinite wants lines with NaN or Inf, and those of a norm beyond
// float32, to be left with any other, and the other pairs to be told as ever.
func TestScreenNotFinite(t *testing.T) {
	r := rand.New(rand.NewPCG(24, 1))
	const n, m, k = 19, 13, 101
	for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		rows, cols := gauss(r, m*n), gauss(r, k*n)
		clear(cols[:n]) // a zero line excludes no NaN either
		rows[5*n+3], cols[77*n+11] = float32(bad), float32(bad)
		for _, l := range lowbits() {
			a, b := quantised(&l, false, l.rowBits, n, rows), quantised(&l, true, l.rowBits, n, cols)
			for j, out := range screened(a, b, m, lowBound(a, b), 1e6) {
				want := []int32{77}
				if j == 5 {
					want = want[:0]
					for i := range int32(k) {
						want = append(want, i)
					}
				}
				if !slices.Equal(out, want) {
					t.Errorf("%s: %v in the lines: row %d: got %v, want %v", l.name, bad, j, out, want)
				}
			}
		}
	}
}

// TestScreenSame wants every kernel to leave the same pairs, whatever the block
// of rows, with two threads and factors of the caller's.
func TestScreenSame(t *testing.T) {
	r := rand.New(rand.NewPCG(25, 1))
	const m, k, n, bits = 37, 203, 65, 6
	rows, cols := gauss(r, m*n), gauss(r, k*n)
	factors := func(n int) []float32 {
		s := gauss(r, n)
		for i, x := range s {
			s[i] = x * x
		}
		return s
	}
	f := bound{u: factors(m), a: factors(m), c: factors(m), v: factors(k), b: factors(k), e: factors(k)}
	var want [][]int32
	for _, l := range slices.Backward(lowbits()) {
		a, b := quantised(&l, false, bits, n, rows), quantised(&l, true, bits, n, cols)
		if want == nil {
			want = make([][]int32, m)
			some := 0
			for j := range m {
				for i := range k {
					p := 0
					for q := range n {
						p += a.number(j, q) * b.number(i, q)
					}
					if !(scoreOf(float32(p), f.u[j], f.v[i], f.a[j], f.b[i], f.c[j], f.e[i]) < scoreCut(9000)) {
						want[j] = append(want[j], int32(i))
						some++
					}
				}
			}
			if some == 0 || some > m*k/2 {
				t.Fatalf("%d of %d pairs are left: choose another threshold", some, m*k)
			}
		}
		for _, block := range []int{l.mr, 2 * l.mr, 5 * l.mr, 100 * l.mr} {
			if got := screened(a, b, block, f, 9000); !slices.EqualFunc(got, want, slices.Equal) {
				t.Errorf("%s: blocks of %d: got %v, want %v", l.name, block, got, want)
			}
		}
		// Two threads, each with lines and blocks of its own.
		for _, s := range []*side{a, b} {
			clear(s.words)
		}
		got := make([][]int32, m)
		both := func(run func(thread int)) {
			var wg sync.WaitGroup
			for thread := range 2 {
				wg.Go(func() { run(thread) })
			}
			wg.Wait()
		}
		both(func(thread int) {
			for j := thread; j < m; j += 2 {
				a.set(j, rows[j*n:][:n])
			}
			for i := thread; i < k; i += 2 {
				b.set(i, cols[i*n:][:n])
			}
		})
		both(func(thread int) {
			w := new(screener)
			for j := thread * l.mr; j < m; j += 2 * l.mr {
				w.screen(got[j:min(j+l.mr, m)], a, b, j, f, 9000)
			}
		})
		if !slices.EqualFunc(got, want, slices.Equal) {
			t.Errorf("%s: two threads: got %v, want %v", l.name, got, want)
		}
	}
}

// TestSlack wants a side with slack to leave the pairs whose product may be
// rounded up to the threshold.
func TestSlack(t *testing.T) {
	const n, slack = 4, 0.25
	line := []float32{1, 1, 1, 1} // of norm 2, so that products are 4, and may be rounded to 5
	for _, l := range lowbits() {
		a, b := quantised(&l, false, 6, n, line), new(side)
		b.resetColumns(&l, 6, 1, n, slack)
		b.set(0, line)
		for thr, want := range map[float32]int{4.99: 1, 5.02: 0} {
			if got := screened(a, b, l.mr, lowBound(a, b), thr); len(got[0]) != want {
				t.Errorf("%s: threshold %v: got %v, want %d of them", l.name, thr, got[0], want)
			}
		}
	}
}

// TestScreenExcludes wants fewer than a hundredth of normal numbers' products to
// be left at 6 and at 8 bits by a threshold of five standard deviations.
func TestScreenExcludes(t *testing.T) {
	r := rand.New(rand.NewPCG(26, 1))
	const m, k, n = 64, 300, 512
	rows, cols := gauss(r, m*n), gauss(r, k*n)
	thr := float32(5 * math.Sqrt(n))
	for _, l := range lowbits() {
		for bits := 6; bits <= l.rowBits; bits += 2 {
			a, b := quantised(&l, false, bits, n, rows), quantised(&l, true, bits, n, cols)
			left := 0
			for _, out := range screened(a, b, m, lowBound(a, b), thr) {
				left += len(out)
			}
			t.Logf("%s: %d bits leave %.3f %%", l.name, bits, 100*float64(left)/(m*k))
			if left*100 >= m*k {
				t.Errorf("%s: %d bits: got %d of %d left, want fewer than a hundredth", l.name, bits, left, m*k)
			}
		}
	}
}

// TestStops wants products that stop early to leave few, and to stop: none of the
// parts of a tile whose norms exclude it, few of one whose tails nearly do, all of
// one that is not finite.
func TestStops(t *testing.T) {
	r := rand.New(rand.NewPCG(28, 1))
	const m, k, n = 16, 96, 512
	d := lowbitData{n: n, rows: gauss(r, m*n), cols: gauss(r, k*n)}
	for i := range d.cols[48*n:] {
		d.cols[48*n+i] /= 3
	}
	for _, l := range lowbits() {
		left := 0
		for _, out := range stopped(&l, l.rowBits, n, d, 0.6*n, 0.3) {
			left += len(out)
		}
		if left > m*k/50 {
			t.Errorf("%s: got %d of %d left, want fewer than a fiftieth", l.name, left, m*k)
		}
		rows, cols := new(side), new(side)
		rows.resetRows(&l, l.rowBits, m, n)
		cols.resetColumns(&l, l.rowBits, k, n, 0)
		rows.divide(8)
		cols.divide(8)
		rows.set(0, d.rows)
		cols.set(0, d.cols)
		f := lowBound(rows, cols)
		var e stops
		e.set(rows, cols, &f, cols.temper(f.b, 1/share, 48, nil), slices.Max(f.e), 0.6*n, 0.1)
		if some, none := e.after(0, 0, 8), e.after(0, 1, 8); some < 2 || some > 6 || none != 0 {
			t.Errorf("%s: got %d and %d parts of 8, want about half of them and none", l.name, some, none)
		}
		d.cols[3] = float32(math.NaN())
		cols.set(0, d.cols[:n])
		e.set(rows, cols, &f, cols.temper(f.b, 1/share, 48, nil), slices.Max(f.e), 0.6*n, 0.1)
		if got := e.after(0, 0, 8); got != 8 {
			t.Errorf("%s: got %d parts of a tile with NaN, want 8", l.name, got)
		}
		d.cols[3] = 0
	}
}

// TestScreenAllocates wants no memory once slices have grown.
func TestScreenAllocates(t *testing.T) {
	r := rand.New(rand.NewPCG(29, 1))
	const m, k, n = 21, 130, 65
	x, y := gauss(r, m*n), gauss(r, k*n)
	out := make([][]int32, m)
	for _, l := range lowbits() {
		a, b, w := new(side), new(side), new(screener)
		if got := testing.AllocsPerRun(5, func() {
			a.resetRows(&l, 6, m, n)
			b.resetColumns(&l, 6, k, n, 1e-6)
			a.set(0, x)
			b.set(0, y)
			for j := range out {
				out[j] = out[j][:0]
			}
			w.screen(out, a, b, 0, lowBound(a, b), 10)
		}); got != 0 {
			t.Errorf("%s: got %v allocations, want none", l.name, got)
		}
	}
}
