package cpu

// backward are the same weights by their inputs.
type backward struct {
	lists           // of each input: the units of its weights
	val   []float32 // the weights, as a product takes them
	fresh bool      // the lists are those of the present weights
	turn  turn
}

// turnBack sets the weights by their inputs, and the lists of them where those are
// not the present ones.
func (s *sparse) turnBack() {
	b, j := &s.back, &s.back.turn
	j.s = s
	// Of few inputs the ends of all lists stay in the first-level cache, but where few
	// weights are left most of a list of units is passed over.
	j.blocks = min(max(1, partWeights*s.rows*s.blocks()/max(1, len(s.val))), max(1, s.blocks()/(2*s.d.threads)))
	tasks, work := (s.blocks()+j.blocks-1)/j.blocks, pass*len(s.val)
	if !b.fresh {
		b.k, b.cuts.fresh = s.rows, false
		b.start = growTo(b.start, s.cols+1)
		room(&b.idx, len(s.val))
		room(&b.val, len(s.val))
		s.cutAll()
		j.what = countInputs
		s.d.pool.run(tasks, work, j)
		accumulate(b.start)
		j.what = placeUnits
		s.d.pool.run(tasks, work, j)
		b.fresh = true
	}
	j.what = placeWeights
	s.d.pool.run(tasks, work, j)
}

// partWeights is how many weights of each unit a task should have.
const partWeights = 16

// turn goes through the lists of units, for the inputs of some KC blocks a task.
type turn struct {
	s      *sparse
	blocks int // a task
	what   turning
}

// turning is what is set by a turn.
type turning int

const (
	countInputs  turning = iota // the number of weights of each input
	placeUnits                  // the lists
	placeWeights                // the weights
)

func (j *turn) do(t int, w *worker) {
	s, b := j.s, &j.s.back
	b0, b1 := t*j.blocks, min((t+1)*j.blocks, s.blocks())
	first, last := b0*maxKC, min(b1*maxKC, s.cols)
	if j.what == countInputs {
		clear(b.start[first:last])
	}
	w.at = growTo(w.at, last-first)
	copy(w.at, b.start[first:last])
	for place := range (s.rows + tileSteps - 1) / tileSteps * tileSteps {
		u := s.d.at(place)
		if u >= s.rows {
			continue
		}
		lo, _ := s.part(u, b0)
		_, hi := s.part(u, b1-1)
		list, at := s.idx[lo:hi], w.at
		switch j.what {
		case countInputs:
			for _, i := range list {
				b.start[i&index]++
			}
		case placeUnits:
			for _, i := range list {
				to := &at[int(i&index)-first]
				b.idx[*to] = int32(u)
				*to++
			}
		case placeWeights:
			vals := s.val[lo:hi]
			for k, i := range list {
				to := &at[int(i&index)-first]
				b.val[*to] = vals[k]
				*to++
			}
		}
	}
	switch {
	case j.what == placeUnits:
		for i := first; i < last; i++ {
			last := -1
			list := b.idx[b.start[i]:w.at[i-first]]
			for k, u := range list {
				list[k] = s.d.mark(int(u), &last)
			}
		}
	case j.what == placeWeights && s.d.bf16:
		s.d.kernel.round(b.val[b.start[first]:w.at[last-first-1]])
	}
}
