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
	if len(s.search.found) == 0 && !many {
		return
	}
	j.s, j.many, j.start, j.col, j.val = s, many, s.start, s.idx, s.val
	j.sort(s.search.found)
	s.start = make([]int, s.rows+1)
	for u := range s.rows {
		n := j.start[u+1] - j.start[u]
		if j.changes(u) {
			n = len(j.of(u))
			for _, v := range j.val[j.start[u]:j.start[u+1]] {
				if v != 0 {
					n++
				}
			}
		}
		s.start[u+1] = s.start[u] + n
	}
	s.idx, s.val = make([]int32, s.start[s.rows]), make([]float32, s.start[s.rows])
	s.d.pool.run(blocks(s.rows), len(s.val)*pass, j)
	s.count += len(j.found)
	s.back.fresh, s.cuts.fresh = false, false
	j.start, j.col, j.val = nil, nil, nil
}

// remake makes the lists of a block of units anew a task.
type remake struct {
	s     *sparse
	many  bool // zeros: take them out everywhere
	start []int
	col   []int32 // as they were
	val   []float32
	found []revived // by rows
	rows  []int     // where each row's begin
}

// sort sorts what was found by rows.
func (j *remake) sort(found []revived) {
	j.rows = growTo(j.rows, j.s.rows+1)
	clear(j.rows)
	for i := range found {
		j.rows[found[i].row]++
	}
	sum := 0
	for u, n := range j.rows {
		j.rows[u] = sum
		sum += n
	}
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

func (j *remake) do(t int, w *worker) {
	s := j.s
	for u := t * unitsEach; u < min((t+1)*unitsEach, s.rows); u++ {
		to, lo, hi := s.start[u], j.start[u], j.start[u+1]
		if !j.changes(u) {
			copy(s.idx[to:], j.col[lo:hi])
			copy(s.val[to:], j.val[lo:hi])
			continue
		}
		cols, vals := w.cols[:0], w.weights[:0]
		for k := lo; k < hi; k++ {
			if j.val[k] != 0 {
				cols, vals = append(cols, j.col[k]&index), append(vals, j.val[k])
			}
		}
		sortRow(cols, vals)
		found := j.of(u)
		slices.SortFunc(found, func(a, b revived) int { return int(a.col - b.col) })
		cols, vals = merge(cols, vals, found)
		s.d.list(s.idx[to:], s.val[to:], cols, vals)
		w.cols, w.weights = cols, vals
	}
}

// merge adds what was found in a row to its columns, both sorted, and to their values.
func merge(cols []int32, vals []float32, found []revived) ([]int32, []float32) {
	i := len(cols) - 1
	for range found {
		cols, vals = append(cols, 0), append(vals, 0)
	}
	for k := len(cols) - 1; len(found) > 0; k-- {
		if last := found[len(found)-1]; i < 0 || cols[i] < last.col {
			cols[k], vals[k] = last.col, last.val
			found = found[:len(found)-1]
		} else {
			cols[k], vals[k] = cols[i], vals[i]
			i--
		}
	}
	return cols, vals
}

// sortRow sorts a row's columns, which are nearly sorted, and their values.
func sortRow(cols []int32, vals []float32) {
	for i := 1; i < len(cols); i++ {
		for k := i; k > 0 && cols[k-1] > cols[k]; k-- {
			cols[k-1], cols[k] = cols[k], cols[k-1]
			vals[k-1], vals[k] = vals[k], vals[k-1]
		}
	}
}
