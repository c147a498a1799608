package cpu

import (
	"math"
	"math/rand/v2"
	"slices"
)

// basis is a few nearly orthonormal lines that hold most of the inputs' lines, and
// the constant line among them, whose share of every gradient behind a batch norm
// is 0. They are mixtures of inputs: at first random ones, and then those by which
// the lines of the step before were made of its inputs. Batches have inputs that
// vary alike, so that the steps together are a subspace iteration.
type basis struct {
	lines []float32 // as the inputs are laid out
	idx   []int32   // 0, 1, 2, ...
	error float64   // an upper bound of the norm of QᵀQ − I

	mixes   []float32 // [k, sampled]: factors of inputs
	sampled []int32
	every   int // which inputs are sampled
	job     basisLines
	raw     []float32 // float32, before lines are laid out
	gram    []float64
	row     []float32
	w       worker
}

// mostSampled is how many inputs a basis is made of.
const mostSampled = 512

// make makes a basis of k lines from those of the inputs.
func (b *basis) make(d *Device, x *lines, inputs, k int) {
	n := x.padded
	if len(b.idx) != k {
		b.idx = b.idx[:0]
		for i := range k {
			b.idx = append(b.idx, int32(i))
		}
		r := rand.New(rand.NewPCG(1, uint64(k)))
		b.every = max(1, (inputs+mostSampled-1)/mostSampled)
		b.sampled = b.sampled[:0]
		for i := 0; i < inputs; i += b.every {
			b.sampled = append(b.sampled, int32(i))
		}
		b.mixes = make([]float32, k*len(b.sampled))
		for i := range b.mixes {
			b.mixes[i] = float32(r.NormFloat64())
		}
	}
	b.raw = growTo(b.raw, k*n)
	b.lines = growTo(b.lines, k*x.ld)
	b.job = basisLines{b, d, x}
	d.pool.run(k, k*len(b.sampled)*n, &b.job)
	// Twice, since the first time is as exact as the lines are independent.
	b.orthonormalise(d, x, k)
	b.orthonormalise(d, x, k)
	b.measure(d, x, k)
}

// basisLines mixes inputs, a line a task.
type basisLines struct {
	b *basis
	d *Device
	x *lines
}

func (j *basisLines) do(i int, w *worker) {
	b, d, x, n := j.b, j.d, j.x, j.x.padded
	line := b.raw[i*n : (i+1)*n]
	if i == 0 {
		for j := range line {
			line[j] = 1
		}
	} else {
		d.kernel.sparse.gather(line, x.data, x.ld, b.sampled, b.mixes[i*len(b.sampled):(i+1)*len(b.sampled)])
	}
	// A sum of thousands of lines is brought to the size of one.
	var most float32
	for _, v := range line {
		most = max(most, v, -v)
	}
	if most > 0 {
		for j := range line {
			line[j] /= most
		}
	}
	d.line(b.lines[i*x.ld:(i+1)*x.ld], line, w)
}

// keep remembers input i's coordinates for the next step. Several threads may
// keep different inputs.
func (b *basis) keep(i int, coords []float32) {
	if i%b.every != 0 {
		return
	}
	at := i / b.every
	for k, v := range coords {
		b.mixes[k*len(b.sampled)+at] = v
	}
}

// products sets gram to the lines' products with one another.
func (b *basis) products(d *Device, x *lines, k int) {
	b.gram = slices.Grow(b.gram[:0], k*k)[:k*k]
	b.row = growTo(b.row, k)
	for i := range k {
		d.kernel.sparse.dots(b.row, b.lines[i*x.ld:(i+1)*x.ld], b.lines, x.ld, b.idx)
		for j, v := range b.row {
			b.gram[i*k+j] = float64(v)
		}
	}
}

// orthonormalise makes of lines Y the lines of L⁻¹Y, where LLᵀ = YYᵀ. A line that
// depends on those before it becomes 0, which is no harm.
func (b *basis) orthonormalise(d *Device, x *lines, k int) {
	b.products(d, x, k)
	l, n := b.gram, x.padded
	for i := range k {
		whole := l[i*k+i]
		for j := range i + 1 {
			sum := l[i*k+j]
			for p := range j {
				sum -= l[i*k+p] * l[j*k+p]
			}
			switch {
			case j < i && l[j*k+j] > 0:
				l[i*k+j] = sum / l[j*k+j]
			case j < i:
				l[i*k+j] = 0
			case sum > 1e-5*whole:
				l[i*k+i] = math.Sqrt(sum)
			default:
				l[i*k+i] = 0
			}
		}
	}
	// Column by column of L⁻¹: line i is (line i − Σ l_ij·line j)/l_ii.
	inverse := make([]float64, k*k)
	for i := range k {
		if l[i*k+i] == 0 {
			continue
		}
		inverse[i*k+i] = 1 / l[i*k+i]
		for j := range i {
			var sum float64
			for p := j; p < i; p++ {
				sum += l[i*k+p] * inverse[p*k+j]
			}
			inverse[i*k+j] = -sum / l[i*k+i]
		}
	}
	for i := range k {
		for j := range k {
			b.row[j] = float32(inverse[i*k+j])
		}
		d.kernel.sparse.gather(b.raw[i*n:(i+1)*n], b.lines, x.ld, b.idx, b.row)
	}
	for i := range k {
		d.line(b.lines[i*x.ld:(i+1)*x.ld], b.raw[i*n:(i+1)*n], &b.w)
	}
}

// measure sets error, by the Frobenius norm.
func (b *basis) measure(d *Device, x *lines, k int) {
	b.products(d, x, k)
	var sum float64
	for i := range k {
		for j := range k {
			e := b.gram[i*k+j]
			if i == j && e != 0 {
				e--
			}
			sum += e * e
		}
	}
	b.error = math.Sqrt(sum) + float64(k)*rounding(x.padded)
}
