package cpu

import (
	"runtime"
	"testing"

	"betalasso/compute"
)

// A large matrix that becomes sparse leaves no memory behind.
func TestThinGivesMemoryBack(t *testing.T) {
	const rows, cols = 4100, 4100
	d := device(t, 1, "", false)
	w := d.Dense(rows, cols).(*full)
	row := make([]float32, cols)
	for i := range row {
		row[i] = 1
	}
	for j := range rows {
		w.Write(j, row)
	}
	x, dy := d.Alloc(2, cols), d.Alloc(2, rows)
	w.Forward(d.Alloc(2, rows), x)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if n := w.Step(dy, x, compute.Update{LR: 0.1, L1: 0.1, Threshold: 2}); n != 0 || w.s == nil {
		t.Fatalf("%d weights are left, sparse %v; want none, in the sparse form", n, w.s != nil)
	}
	runtime.ReadMemStats(&after)
	if freed := int64(before.HeapInuse) - int64(after.HeapInuse); freed < rows*cols*4*9/10 {
		t.Errorf("%d MB came back, want %d", freed>>20, rows*cols*4>>20)
	}
	runtime.KeepAlive(w)
}
