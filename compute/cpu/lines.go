package cpu

import "betalasso/compute"

// lines are a batch laid out for the sparse kernels: one line for each column of
// the batch's matrix, with all examples and zeros up to a whole number of
// vectors, as a product takes them: float32, rounded where it rounds; or, for
// kernels with pairs, words of which number m·16 + l holds the examples 32m + l
// and 32m + 16 + l.
type lines struct {
	data   []float32
	ld     int      // words of a line
	padded int      // examples of a line
	of     *float32 // the memory of the batch that they were made of
}

// lineSize is the examples and the words of a line of n examples.
func (d *Device) lineSize(n int) (padded, words int) {
	if d.kernel.pairs != nil {
		long := d.kernel.chain(n)
		if d.kernel.tiles() { // a chain's words past the batch are 0
			long = (n + 2*chains - 1) / (2 * chains)
		}
		return 2 * chains * long, chains * long
	}
	long := d.kernel.chain(n)
	return chains * long, chains * long
}

// linesJob lays out a band of columns a task.
type linesJob struct {
	d *Device
	l *lines
	m compute.Mat
}

const lineBand = 64

// layOut makes l the lines of m, in room if they are not what is there already.
func (d *Device) layOut(l *lines, room *[]float32, m compute.Mat) {
	l.padded, l.ld = d.lineSize(m.Rows)
	l.of = &m.Data[0]
	if m.Trans && !d.bf16 && l.padded == m.Rows {
		l.data = m.Data
		return
	}
	l.data = grow(room, m.Cols*l.ld)
	j := &d.jobs.lines
	*j = linesJob{d, l, m}
	d.pool.run((m.Cols+lineBand-1)/lineBand, pass*len(m.Data), j)
}

func (j *linesJob) do(t int, w *worker) {
	lo, hi := t*lineBand, min((t+1)*lineBand, j.m.Cols)
	if j.m.Trans {
		for c := lo; c < hi; c++ {
			j.d.line(j.l.data[c*j.l.ld:(c+1)*j.l.ld], unit(&j.m, c), w)
		}
		return
	}
	n := j.m.Rows
	apart := n + 16 // lines a power of two apart want the same places in the cache
	block := grow(&w.block, lineBand*apart)
	j.d.transposeColumns(block, apart, j.m, lo, hi)
	for c := lo; c < hi; c++ {
		j.d.line(j.l.data[c*j.l.ld:(c+1)*j.l.ld], block[(c-lo)*apart:][:n], w)
	}
}

// transposeColumns lays columns lo..hi of m, which is no transposed view, into rows of
// dst that are ldd apart.
func (d *Device) transposeColumns(dst []float32, ldd int, m compute.Mat, lo, hi int) {
	n, i, whole := m.Rows, 0, (hi-lo)&^15
	if whole > 0 {
		for ; i+16 <= n; i += 16 {
			d.kernel.transpose16(dst[i:], ldd, m.Data[i*m.Cols+lo:], m.Cols, whole/16)
		}
	}
	for c := range hi - lo {
		from := i
		if c >= whole {
			from = 0
		}
		for r := from; r < n; r++ {
			dst[c*ldd+r] = m.Data[r*m.Cols+lo+c]
		}
	}
}

// line lays out one column's numbers.
func (d *Device) line(dst, src []float32, w *worker) {
	if d.kernel.pairs == nil {
		copy(dst, src)
		clear(dst[len(src):])
		if d.bf16 {
			d.kernel.round(dst)
		}
		return
	}
	whole := len(src) / (2 * chains)
	d.kernel.pairs.join(dst, chains, src, chains, chains, whole)
	if rest := src[whole*2*chains:]; len(rest) > 0 {
		wide := grow(&w.wide, 2*chains)
		copy(wide, rest)
		clear(wide[len(rest):])
		d.kernel.pairs.join(dst[whole*chains:], chains, wide, chains, chains, 1)
		whole++
	}
	clear(dst[whole*chains:])
}

// unline sets dst to the numbers of a line, as they were rounded.
func (d *Device) unline(dst, line []float32) {
	if d.kernel.pairs == nil {
		copy(dst, line)
		return
	}
	for m := range dst {
		lo, hi := unpair(line[m/(2*chains)*chains+m%chains])
		if m/chains%2 == 0 {
			dst[m] = lo
		} else {
			dst[m] = hi
		}
	}
}
