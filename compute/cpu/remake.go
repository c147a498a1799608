package cpu

import "slices"

// revived is a weight that was zero and is not any more.
type revived struct {
	row, col int32
	val      float32
}

// remake takes revived weights into the lists, and zeros out of them where they
// have become many.
func (s *sparse) remake() {
	j := &s.remakes
	many := s.count*8 < len(s.val)*7
	if !s.search.u.Hold {
		s.search.returned = len(s.search.found)
	}
	if len(s.search.found) == 0 && !many {
		return
	}
	j.s, j.many = s, many
	j.sort(s.search.found)
	// The lists change places with the ones before them: of several a second, each as
	// large as a part of the weights, the collector would make work.
	j.start, s.start = s.start, growTo(j.start, s.rows+1)
	j.counting = true
	work := pass * (len(s.val) + len(j.found))
	s.d.pool.run(blocks(s.rows), work, j)
	sum := accumulate(s.start)
	j.col, s.idx = s.idx, j.col
	j.val, s.val = s.val, j.val
	room(&s.idx, sum)
	room(&s.val, sum)
	j.counting = false
	s.d.pool.run(blocks(s.rows), work, j)
	s.count += len(j.found)
	s.back.fresh, s.cuts.fresh = false, false
}

// room makes room for n numbers in s, whose contents do not matter, and for little more.
func room[T any](s *[]T, n int) {
	c := cap(*s)
	if c >= n && c/4 <= n {
		*s = (*s)[:n]
		return
	}
	*s = make([]T, n, n+n/8)
	if c > n {
		giveBack(c)
	}
}

// remake makes the lists of a block of units anew a task.
type remake struct {
	s        *sparse
	counting bool // only how long they become
	many     bool // zeros: take them out everywhere
	start    []int
	col      []int32 // as they were
	val      []float32
	found    []revived // by rows
	rows     []int     // where each row's begin
}

// sort sorts what was found by rows.
func (j *remake) sort(found []revived) {
	j.rows = growTo(j.rows, j.s.rows+1)
	clear(j.rows)
	for i := range found {
		j.rows[found[i].row]++
	}
	accumulate(j.rows)
	j.found = growTo(j.found, len(found))
	for _, r := range found {
		j.found[j.rows[r.row]] = r
		j.rows[r.row]++
	}
	copy(j.rows[1:], j.rows[:j.s.rows]) // each start is now the next one's
	j.rows[0] = 0
}

// of is what was found in row u.
func (j *remake) of(u int) []revived { return j.found[j.rows[u]:j.rows[u+1]] }

// changes reports whether the list of row u does.
func (j *remake) changes(u int) bool { return j.many || j.rows[u] < j.rows[u+1] }

func (j *remake) do(t int, _ *worker) {
	for u := t * unitsEach; u < min((t+1)*unitsEach, j.s.rows); u++ {
		switch {
		case j.counting:
			j.count(u)
		case j.changes(u):
			j.merge(u)
		default:
			to, lo, hi := j.s.start[u], j.start[u], j.start[u+1]
			copy(j.s.idx[to:], j.col[lo:hi])
			copy(j.s.val[to:], j.val[lo:hi])
		}
	}
}

// count sets the start of row u to how many weights it will have.
func (j *remake) count(u int) {
	lo, hi := j.start[u], j.start[u+1]
	n := hi - lo
	if j.changes(u) {
		n = len(j.of(u)) + nonzeros(j.s.val[lo:hi])
	}
	j.s.start[u] = n
}

// merge makes row u of its weights that are not zero and of what was found in it.
func (j *remake) merge(u int) {
	s, d := j.s, j.s.d
	found := j.of(u)
	slices.SortFunc(found, func(a, b revived) int { return d.order(int(a.col)) - d.order(int(b.col)) })
	to, last := s.start[u], -1
	put := func(col int32, val float32) {
		s.idx[to], s.val[to] = d.mark(int(col), &last), val
		to++
	}
	for k := j.start[u]; k < j.start[u+1]; k++ {
		if j.val[k] == 0 {
			continue
		}
		col := j.col[k] & index
		if len(found) > 0 {
			for place := d.order(int(col)); len(found) > 0 && d.order(int(found[0].col)) < place; found = found[1:] {
				put(found[0].col, found[0].val)
			}
		}
		put(col, j.val[k])
	}
	for _, r := range found {
		put(r.col, r.val)
	}
}
