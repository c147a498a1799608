package train

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime"
	"testing"
	"time"

	"betalasso/compute/cpu"
	"betalasso/run"
)

// thinConfig is a run whose first two layers turn sparse within a few steps, while
// weights still return.
func thinConfig() run.Config {
	c := smallConfig()
	c.Alpha, c.Momentum, c.Epochs, c.Augment = 24, 0, 8, "fast-autoaugment"
	c.LambdaConv, c.LambdaFC, c.LR = 1.2e-3, 8.5e-4, 0.5
	return c
}

// form is start with weights that may be sparse, or may not.
func form(t *testing.T, c run.Config, threads int, sparse string, bf16 bool) Options {
	t.Helper()
	o := start(t, c, threads)
	dev, err := cpu.New(cpu.Options{Threads: threads, Dense: sparse == "off", BF16: bf16})
	if err != nil {
		t.Fatal(err)
	}
	o.Device = dev
	return o
}

// TestSparseChangesNothing trains the same run with weights in either form, with
// one thread and two, stopped after every step or never, and wants the same
// weights, events and scores. Its checkpoints are sparse, too.
func TestSparseChangesNothing(t *testing.T) {
	for _, c := range []struct {
		name     string
		regrowth int
		bf16     bool
	}{{"exact", 0, false}, {"every third step", 3, false}, {"bfloat16", 0, true}} {
		t.Run(c.name, func(t *testing.T) {
			config := thinConfig()
			config.Regrowth = c.regrowth
			if c.bf16 { // with AMX, layers turn sparse later
				config.LambdaConv, config.LambdaFC = 1.7*config.LambdaConv, 1.7*config.LambdaFC
			}
			dense := form(t, config, 2, "off", c.bf16)
			want := mustRun(t, dense)
			wantEvents, err := dense.Dir.Events()
			if err != nil {
				t.Fatal(err)
			}
			for _, threads := range []int{1, 2} {
				o := form(t, config, threads, "auto", c.bf16)
				got := mustRun(t, o)
				if got.WeightsSum != want.WeightsSum || got.Last != want.Last || got.Best != want.Best {
					t.Errorf("%d threads: got %+v, want %+v", threads, got, want)
				}
				events, err := o.Dir.Events()
				if err != nil || len(events) != len(wantEvents) {
					t.Fatalf("%d events, want %d (%v)", len(events), len(wantEvents), err)
				}
				thin := 0
				for i, e := range events {
					w := wantEvents[i]
					if e.TrainLoss != w.TrainLoss || e.ValLoss != w.ValLoss || e.Nonzero["conv1"] != w.Nonzero["conv1"] || e.Nonzero["fc1"] != w.Nonzero["fc1"] {
						t.Errorf("epoch %d: got %+v, want %+v", e.Epoch, e, w)
					}
					if e.DenseMACs != w.MACs {
						t.Errorf("epoch %d: the dense MACs are %v, dense steps did %v", e.Epoch, e.DenseMACs, w.MACs)
					}
					if e.MACs < 0.8*e.DenseMACs {
						thin++
					}
				}
				if thin == 0 {
					t.Error("no epoch was trained in the sparse form")
				}
			}
			o := form(t, config, 1, "auto", c.bf16)
			got, stops := stopped(t, o)
			if got.WeightsSum != want.WeightsSum || got.Last != want.Last || got.Best != want.Best {
				t.Errorf("stopped %d times: got %+v, want %+v", stops, got, want)
			}
			if stops < 20 {
				t.Errorf("stopped %d times, want at least 20", stops)
			}
			a, errA := os.Stat(o.Dir.File(run.WeightsFile))
			b, errB := os.Stat(dense.Dir.File(run.WeightsFile))
			const seconds = 64 // the time in the header is longer or shorter
			if errA != nil || errB != nil || max(a.Size()-b.Size(), b.Size()-a.Size()) > seconds || a.Size() > int64(got.Params)*2 {
				t.Errorf("the checkpoints of %d weights have %d and %d bytes (%v, %v), want about the same and few", got.Params, a.Size(), b.Size(), errA, errB)
			}
		})
	}
}

// stopped runs o, stopped after every step, to its end.
func stopped(t *testing.T, o Options) (r run.Result, stops int) {
	t.Helper()
	for {
		stop := make(chan struct{})
		first := true
		o.Stop = stop
		o.Progress = func(Progress) {
			if first {
				close(stop)
				first = false
			}
		}
		r, err := Run(o)
		if err == nil {
			return r, stops
		}
		if !errors.Is(err, ErrStopped) {
			t.Fatal(err)
		}
		if stops++; stops > 1000 {
			t.Fatal("the run does not come to its end")
		}
	}
}

// TestCheckpointOfEarlierColumns resumes from a checkpoint whose sparse matrices
// have a column for each non-zero, as earlier versions wrote them.
func TestCheckpointOfEarlierColumns(t *testing.T) {
	c := thinConfig()
	c.Epochs = 5
	want := mustRun(t, form(t, c, 2, "auto", false))
	o := form(t, c, 2, "auto", false)
	stop := make(chan struct{})
	o.Stop = stop
	o.Progress = func(p Progress) {
		if p.Epoch == 4 && o.Stop != nil {
			close(stop)
			o.Stop = nil
		}
	}
	if _, err := Run(o); !errors.Is(err, ErrStopped) {
		t.Fatal(err)
	}
	if earlier(t, o.Dir.File(run.WeightsFile)) == 0 {
		t.Fatal("no matrix of the checkpoint is sparse")
	}
	o.Stop, o.Progress = nil, nil
	if got := mustRun(t, o); got.WeightsSum != want.WeightsSum || got.Last != want.Last || got.Best != want.Best {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if wrong := run.Verify(o.Dir.Path()); wrong != nil {
		t.Error(wrong)
	}
}

// earlier writes a file of weights as earlier versions did, and returns how many
// sparse matrices it has.
func earlier(t *testing.T, path string) (sparse int) {
	t.Helper()
	list, meta, err := run.ReadTensors(path)
	if err != nil {
		t.Fatal(err)
	}
	var body []byte
	about, err := json.Marshal(meta)
	head := fmt.Appendf(nil, `{"__metadata__":%s`, about)
	add := func(name, kind string, shape []int, data any) {
		begin := len(body)
		body, err = binary.Append(body, binary.LittleEndian, data)
		sides, _ := json.Marshal(shape)
		head = fmt.Appendf(head, `,%q:{"dtype":%q,"shape":%s,"data_offsets":[%d,%d]}`, name, kind, sides, begin, len(body))
	}
	for _, m := range list {
		if m.Rows == nil {
			add(m.Name, "F32", m.Shape, m.Data)
			continue
		}
		sparse++
		var shape, counts, columns []int32
		var values []float32
		for _, n := range m.Shape {
			shape = append(shape, int32(n))
		}
		rows, cols := m.Size()
		row := make([]float32, cols)
		for r := range rows {
			m.Rows.Read(row, r)
			counts = append(counts, 0)
			for k, v := range row {
				if v != 0 {
					counts[r]++
					columns, values = append(columns, int32(k)), append(values, v)
				}
			}
		}
		add(m.Name+".shape", "I32", []int{len(shape)}, shape)
		add(m.Name+".counts", "I32", []int{rows}, counts)
		add(m.Name+".columns", "I32", []int{len(columns)}, columns)
		add(m.Name+".values", "F32", []int{len(values)}, values)
	}
	head = append(head, '}')
	text := append(binary.LittleEndian.AppendUint64(nil, uint64(len(head))), append(head, body...)...)
	if err := errors.Join(err, os.WriteFile(path, text, 0o666)); err != nil {
		t.Fatal(err)
	}
	return sparse
}

// TestADeviceGoes: a process that trains one network after the other, as the workers
// of a study do, keeps nothing of those before, their threads in particular.
func TestADeviceGoes(t *testing.T) {
	before := 0
	for n := runtime.NumGoroutine(); n != before; n = runtime.NumGoroutine() { // devices of other tests go first
		before = n
		runtime.GC()
		time.Sleep(50 * time.Millisecond)
	}
	const threads = 4
	for range 3 {
		mustRun(t, form(t, thinConfig(), threads, "auto", false))
	}
	for range 500 {
		runtime.GC()
		if runtime.NumGoroutine() < before+threads-1 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("there are %d goroutines, and were %d before three trainings on %d threads", runtime.NumGoroutine(), before, threads)
}
