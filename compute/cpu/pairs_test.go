package cpu

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
)

// TestPair is the rule of rounding to the halves of a word, by its cases.
func TestPair(t *testing.T) {
	for _, c := range []struct {
		name string
		from uint32
		want uint32
	}{
		{"a bfloat16 stays", 0x3f810000, 0x3f81},
		{"below half goes down", 0x3f807fff, 0x3f80},
		{"above half goes up", 0x3f808001, 0x3f81},
		{"half goes to even, down", 0x3f808000, 0x3f80},
		{"half goes to even, up", 0x3f818000, 0x3f82},
		{"the sign stays", 0xbf818000, 0xbf82},
		{"the largest number becomes infinite", 0x7f7fffff, 0x7f80},
		{"infinity stays", 0xff800000, 0xff80},
		{"the smallest normal number stays", 0x00800000, 0x0080},
		{"below it there is 0", 0x007fffff, 0},
		{"and 0 keeps its sign", 0x80012345, 0x8000},
		{"a quiet NaN stays", 0x7fc12345, 0x7fc1},
		{"a NaN whose high bits are infinity's becomes quiet", 0xff800001, 0xffc0},
	} {
		x := math.Float32frombits(c.from)
		for _, kn := range pairKernels() {
			for n := 1; n <= 2*33; n++ { // halve ends within every part of a vector
				src, dst := slices.Repeat([]float32{x}, n), make([]float32, (n+1)/2)
				kn.pairs.halve(dst, len(dst), src, n, 1, n)
				for p, w := range dst {
					want := c.want | c.want<<16
					if 2*p+1 == n {
						want = c.want
					}
					if got := math.Float32bits(w); got != want {
						t.Fatalf("%s: %s: word %d of %d numbers: got %#x, want %#x", kn.name, c.name, p, n, got, want)
					}
				}
			}
		}
	}
}

// pairKernels are the kernels that this machine can run whose panels hold pairs.
func pairKernels() []kernel {
	return slices.DeleteFunc(kernels(true), func(k kernel) bool { return k.pairs == nil })
}

// TestPairPasses wants from every kernel the bits of the portable join and halve,
// and no word beyond.
func TestPairPasses(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	bits := func(n int) []float32 { // any bits at all
		s := make([]float32, n)
		for i := range s {
			s[i] = math.Float32frombits(r.Uint32())
		}
		return s
	}
	const beyond = 19
	for _, kn := range pairKernels() {
		for n := range 101 {
			for lines := range 4 {
				lds, ldd := n+r.IntN(3), (n+1)/2+r.IntN(3)
				src, dst := bits(lines*lds+n), bits(lines*ldd+beyond)
				want := slices.Clone(dst)
				halve(want, ldd, src, lds, lines, n)
				kn.pairs.halve(dst, ldd, src, lds, lines, n)
				if !slices.EqualFunc(dst, want, identical) {
					t.Errorf("%s: halve of %d lines of %d: got %x, want %x", kn.name, lines, n, dst, want)
				}
			}
		}
		for width := 1; width <= 50; width++ {
			for n := range 4 {
				lds, ldd := width+r.IntN(3), width+r.IntN(3)
				src, dst := bits(2*n*lds+width), bits(n*ldd+beyond)
				want := slices.Clone(dst)
				join(want, ldd, src, lds, width, n)
				kn.pairs.join(dst, ldd, src, lds, width, n)
				if !slices.EqualFunc(dst, want, identical) {
					t.Errorf("%s: join of %d rows of %d: got %x, want %x", kn.name, n, width, dst, want)
				}
			}
		}
	}
}

func identical(a, b float32) bool { return math.Float32bits(a) == math.Float32bits(b) }

// TestTiles wants from the kernels for pairs the bits of multiplying and adding word
// by word, as each kernel's instruction does it. Sums stay normal.
func TestTiles(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	inf := float32(math.Inf(1))
	for _, kn := range pairKernels() {
		for _, k := range []int{0, 1, 2, 3, 17} {
			for _, add := range []bool{false, true} {
				k := kn.pairs.rows(k)
				words := func(n int) []float32 {
					s := make([]float32, n)
					for i := range s {
						s[i] = pair(float32(r.NormFloat64()), float32(r.NormFloat64()))
					}
					return s
				}
				ldc := kn.nr + 5
				a, b, c := words(k*kn.mr), words(k*kn.nr), make([]float32, kn.mr*ldc+7)
				for i := range c {
					c[i] = float32(r.NormFloat64())
				}
				if k > 1 {
					a[kn.mr+1], b[2] = pair(inf, 1), pair(float32(math.NaN()), 1)
				}
				want := slices.Clone(c)
				for i := range kn.mr {
					for j := range kn.nr {
						word := func(p int) (x, y float32) { return a[p*kn.mr+i], b[p*kn.nr+j] }
						var start float32
						if add {
							start = c[i*ldc+j]
						}
						if kn.tiles() {
							want[i*ldc+j] = sumAMX(k, start, word)
						} else {
							want[i*ldc+j] = tileSum(&kn, k, word) + start
						}
					}
				}
				kn.finish(a, leftEdge, k)
				kn.finish(b, rightEdge, k)
				kn.mul(k, a, b, c, ldc, add)
				if !slices.EqualFunc(c, want, sameNumber) {
					t.Errorf("%s: %d rows, add %v: got %v, want %v", kn.name, k, add, c, want)
				}
			}
		}
	}
}

// TestRuns wants the same from the kernels of convolutions, whose runs end anywhere.
func TestRuns(t *testing.T) {
	r := rand.New(rand.NewPCG(15, 16))
	words := func(n int) []float32 {
		s := make([]float32, n)
		for i := range s {
			s[i] = pair(float32(r.NormFloat64()), float32(r.NormFloat64()))
		}
		return s
	}
	for _, kn := range pairKernels() {
		k := &kn.runs
		if !k.words {
			continue // panels of float32
		}
		for _, n := range []int{1, 2, 15, 16, 17, 35, 48} {
			for _, count := range []int{0, 1, 3} {
				for _, add := range []bool{false, true} {
					step, row, lda := k.left(2 * n)
					ldb, ldc := k.nr+2, k.nr+5
					a, b, c := words(2*n*k.mr), words(2*n*ldb), make([]float32, k.mr*ldc+7)
					for i := range c {
						c[i] = float32(r.NormFloat64())
					}
					var runs []run
					for range count {
						runs = append(runs, run{a: r.IntN(n+1) * step, b: r.IntN(n)*ldb + r.IntN(3), n: n})
					}
					want := slices.Clone(c)
					for i := range k.mr {
						for j := range k.nr {
							word := func(p int) (x, y float32) {
								u := runs[p/n]
								return a[u.a+p%n*step+i*row], b[u.b+p%n*ldb+j]
							}
							to, start := &want[i*ldc+j], float32(0)
							if add {
								start = *to
							}
							if !k.along {
								*to = tileSum(&kn, n*count, word) + start
								continue
							}
							*to = start
							for u := range count {
								*to = sumAMX(n, *to, func(p int) (x, y float32) { return word(u*n + p) })
							}
						}
					}
					k.mul(runs, a, b, lda, ldb, c, ldc, add)
					if !slices.EqualFunc(c, want, sameNumber) {
						t.Errorf("%s: %d runs of %d, add %v: got %v, want %v", kn.name, count, n, add, c, want)
					}
				}
			}
		}
	}
}

// tileSum is the sum of the products of k words, in the order and with the rounding
// of the kernel's instruction.
func tileSum(kn *kernel, k int, word func(p int) (x, y float32)) (sum float32) {
	for p := range k {
		x, y := word(p)
		xlo, xhi := unpair(x)
		ylo, yhi := unpair(y)
		if kn.pairs.together {
			// Arm's BFDOT: both products are added, and then that to the sum.
			sum = addToOdd(sum, addToOdd(xlo*ylo, xhi*yhi))
			continue
		}
		sum += float32(xhi * yhi)
		sum += float32(xlo * ylo)
	}
	return sum
}

// sumAMX adds to a sum as TDPBF16PS does it: of sixteen words at a time the low
// products by themselves and the high ones.
func sumAMX(k int, sum float32, word func(p int) (x, y float32)) float32 {
	for p := 0; p < k; p += 16 {
		var low, high float32
		for q := range min(16, k-p) {
			x, y := word(p + q)
			xlo, xhi := unpair(x)
			ylo, yhi := unpair(y)
			low += float32(xlo * ylo)
			high += float32(xhi * yhi)
		}
		sum += low + high
	}
	return sum
}

// addToOdd is x + y rounded to odd: cut off, and the last bit set if anything was.
func addToOdd(x, y float32) float32 {
	if math.IsNaN(float64(x)+float64(y)) || math.IsInf(float64(x)+float64(y), 0) {
		return x + y
	}
	exact := new(big.Float).SetPrec(400).Add(big.NewFloat(float64(x)), big.NewFloat(float64(y)))
	cut := new(big.Float).SetPrec(24).SetMode(big.ToZero).Set(exact)
	sum, _ := cut.Float32()
	if cut.Cmp(exact) != 0 {
		sum = math.Float32frombits(math.Float32bits(sum) | 1)
	}
	return sum
}

// TestGenerated wants the encoded instructions to be what their program writes.
func TestGenerated(t *testing.T) {
	tool, err := exec.LookPath("go")
	if err != nil || testing.Short() {
		t.Skip("needs the go command")
	}
	dir := t.TempDir()
	source, err := filepath.Abs("bfloat16_gen.go")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(tool, "run", source)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	got, err := os.ReadFile("bfloat16_amd64.h")
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile(filepath.Join(dir, "bfloat16_amd64.h"))
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Error("bfloat16_amd64.h is not what bfloat16_gen.go writes: run go generate ./compute/cpu")
	}
}

// TestKernels wants every kernel there is to be tested here, and says which are not.
func TestKernels(t *testing.T) {
	for _, name := range []string{"avx512bf16", "amx", "avx512", "avx2", "neonbf16", "neon", "go", "gobf16", "goamx"} {
		t.Run(name, func(t *testing.T) {
			if !slices.Contains(Kernels(true), name) {
				t.Skipf("this machine cannot run kernel %s: it is not tested", name)
			}
			d, err := New(Options{Threads: 1, Kernel: name, BF16: true})
			if err != nil {
				t.Fatal(err)
			}
			if got, want := d.Name(), fmt.Sprintf("cpu %s, 1 threads, bf16", name); got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
	if list := kernels(false); slices.ContainsFunc(list, func(k kernel) bool { return k.pairs != nil }) {
		t.Errorf("a kernel of pairs for float32 operands: %v", Kernels(false))
	}
	if d, err := New(Options{Threads: 1, Kernel: "gobf16"}); err == nil {
		t.Errorf("kernel gobf16 was taken for float32 operands: %s", d.Name())
	}
}
