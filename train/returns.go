package train

import (
	"math"
	"math/bits"
	"strings"
	"sync"

	"betalasso/nn"
	"betalasso/run"
)

// support is which weights of a layer are not zero, to see which zeros return.
type support struct {
	name  string
	layer *nn.Linear
	norm  *nn.BatchNorm
	words int      // of a row
	bits  []uint64 // by row
	row   [][]float32
}

// follow records the supports before the first step of this process.
func (t *trainer) follow() {
	if !t.Config.Returns {
		return
	}
	t.net.Normed(func(l *nn.Linear, norm *nn.BatchNorm) {
		rows, cols := l.W.Shape()
		s := &support{name: strings.TrimSuffix(l.W.Name, ".weight"), layer: l, norm: norm, words: (cols + 63) / 64}
		s.bits = make([]uint64, rows*s.words)
		for range max(1, t.Threads) {
			s.row = append(s.row, make([]float32, cols))
		}
		s.look(func(int, int, int) {})
		t.supports = append(t.supports, s)
	})
}

// look updates the support, and calls f for each row with the number of weights
// that were not zero before and the number that have returned since, from several
// goroutines.
func (s *support) look(f func(row, before, returned int)) {
	rows := len(s.bits) / s.words
	var wait sync.WaitGroup
	for i, buf := range s.row {
		wait.Go(func() {
			for row := i * rows / len(s.row); row < (i+1)*rows/len(s.row); row++ {
				s.layer.W.Read(buf, row)
				before, returned := 0, 0
				for w, old := range s.bits[row*s.words : (row+1)*s.words] {
					var now uint64
					for k, v := range buf[64*w : min(64*w+64, len(buf))] {
						if v != 0 {
							now |= 1 << k
						}
					}
					before += bits.OnesCount64(old)
					returned += bits.OnesCount64(now &^ old)
					s.bits[row*s.words+w] = now
				}
				f(row, before, returned)
			}
		})
	}
	wait.Wait()
}

// countReturns adds the zeros that returned in the step that was just taken.
func (t *trainer) countReturns() {
	if len(t.supports) == 0 {
		return
	}
	if t.state.Returns == nil {
		t.state.Returns = map[string]run.Returns{}
	}
	var lock sync.Mutex
	for _, s := range t.supports {
		r := t.state.Returns[s.name]
		before := r.Weights
		s.look(func(row, left, returned int) {
			if returned > 0 {
				lock.Lock()
				defer lock.Unlock()
				r.Weights += returned
				r.Std, r.Left = atLeast(r.Std, run.StdBins), atLeast(r.Left, run.LeftBins)
				r.Std[run.StdBin(s.std(row))] += returned
				r.Left[run.LeftBin(left)] += returned
			}
		})
		r.Most = max(r.Most, r.Weights-before)
		if t.steps() <= run.ReturnSteps {
			r.Steps = append(r.Steps, r.Weights-before)
		}
		t.state.Returns[s.name] = r
	}
}

// std is the standard deviation of a row's unit in the last batch, as batch norm
// divides by it.
func (s *support) std(row int) float64 {
	inv := s.norm.State.InvStd
	return 1 / float64(inv.Data[row%inv.Cols]) // a locally connected layer has a row for each channel of each position
}

// returns is what the epoch's event records about weights that returned.
func (t *trainer) returns() map[string]run.Returns {
	for _, s := range t.supports {
		r := t.state.Returns[s.name]
		r.UnitStd, r.UnitLeft = make([]int, run.StdBins), make([]int, run.LeftBins)
		squares := 0.0
		for row := range len(s.bits) / s.words {
			s.layer.W.Read(s.row[0], row)
			for _, w := range s.row[0] {
				squares += float64(w) * float64(w)
			}
			left := 0
			for _, w := range s.bits[row*s.words : (row+1)*s.words] {
				left += bits.OnesCount64(w)
			}
			r.UnitStd[run.StdBin(s.std(row))]++
			r.UnitLeft[run.LeftBin(left)]++
		}
		r.Norm = math.Sqrt(squares)
		t.state.Returns[s.name] = r
	}
	return t.state.Returns
}

// atLeast is list, extended by zeros to n numbers: a checkpoint may have fewer.
func atLeast(list []int, n int) []int {
	return append(list, make([]int, max(0, n-len(list)))...)
}
