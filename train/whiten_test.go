package train

import (
	"math"
	"testing"

	"betalasso/augment"
	"betalasso/compute"
	"betalasso/compute/cpu"
	"betalasso/data"
	"betalasso/run"
)

// TestWhitening wants z·(C + ε·v·I)·z to be a multiple of the unit matrix, and z·C·z to
// have a mean variance of 1.
func TestWhitening(t *testing.T) {
	set := smallSet()
	dev, err := cpu.New(cpu.Options{Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	mean, std := data.MeanStd(set.Train, set.Channels)
	pipe, err := augment.New("none", "", set.Channels, set.Side, mean, std)
	if err != nil {
		t.Fatal(err)
	}
	for _, eps := range []float64{0.01, 0.1, 3} {
		z, err := whitening(dev, set.Train, pipe.Plain, eps)
		if err != nil {
			t.Fatal(err)
		}
		c, v := covarianceOf(set.Train, pipe)
		n := z.Rows
		sandwich := func(m []float64) []float64 { // z·m·z
			times := func(a, b func(i, j int) float64) []float64 {
				out := make([]float64, n*n)
				for i := range n {
					for k := range n {
						f := a(i, k)
						for j := range n {
							out[i*n+j] += f * b(k, j)
						}
					}
				}
				return out
			}
			at := func(m []float64) func(i, j int) float64 { return func(i, j int) float64 { return m[i*n+j] } }
			zs := func(i, j int) float64 { return float64(z.At(i, j)) }
			return times(zs, at(times(at(m), zs)))
		}
		white, sum := sandwich(c), 0.0
		for i := range n {
			sum += white[i*n+i]
		}
		if got := sum / float64(n); math.Abs(got-1) > 1e-4 {
			t.Errorf("ε %v: the mean variance is %v, want 1", eps, got)
		}
		for i := range n {
			c[i*n+i] += eps * v
		}
		unit := sandwich(c)
		for i, got := range unit {
			want := 0.0
			if i%(n+1) == 0 {
				want = unit[0]
			}
			if math.Abs(got-want) > 5e-3*unit[0] {
				t.Fatalf("ε %v: element %d of z·(C + ε·v·I)·z is %v, want %v", eps, i, got, want)
			}
		}
	}
}

// covarianceOf is the covariance of images' numbers, and the mean variance.
func covarianceOf(im data.Images, pipe *augment.Pipeline) (c []float64, v float64) {
	n, m := im.ImageSize, im.Len()
	rows, mean := make([][]float32, m), make([]float64, n)
	for i := range rows {
		rows[i] = make([]float32, n)
		pipe.Plain(rows[i], im.Image(i))
		for k, x := range rows[i] {
			mean[k] += float64(x) / float64(m)
		}
	}
	c = make([]float64, n*n)
	for _, row := range rows {
		for i, x := range row {
			for j, y := range row {
				c[i*n+j] += (float64(x) - mean[i]) * (float64(y) - mean[j]) / float64(m)
			}
		}
	}
	for i := range n {
		v += c[i*n+i] / float64(n)
	}
	return c, v
}

// TestWhitenedRun wants a run on whitened pixels, milder augmentation at its end, to be
// another run, the same one if it is stopped after every step, and a predictor that
// sees what it saw.
func TestWhitenedRun(t *testing.T) {
	c := smallConfig()
	plain := mustRun(t, start(t, c, 1))
	c.Whiten = 0.1
	whitened := mustRun(t, start(t, c, 2))
	c.AugmentUntil, c.Augment = 0.5, "fast-autoaugment"
	o := start(t, c, 1)
	want := mustRun(t, o)
	if plain.WeightsSum == whitened.WeightsSum || whitened.WeightsSum == want.WeightsSum {
		t.Errorf("settings change nothing: %s, %s, %s", plain.WeightsSum, whitened.WeightsSum, want.WeightsSum)
	}
	if got, stops := stopped(t, start(t, c, 2)); got.WeightsSum != want.WeightsSum || got.Last != want.Last || stops < 10 {
		t.Errorf("stopped %d times: got %+v, want %+v", stops, got, want)
	}
	c.AugmentUntil = 0
	if all := mustRun(t, start(t, c, 1)); all.WeightsSum == want.WeightsSum {
		t.Error("augment-until changes nothing")
	}
	predictsAsTested(t, o, want)
}

// TestWhiteningNeedsImages wants an error where there is no covariance.
func TestWhiteningNeedsImages(t *testing.T) {
	dev, err := cpu.New(cpu.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	one := data.Images{Pix: make([]uint8, 192), Labels: make([]uint16, 1), ImageSize: 192}
	if _, err := whitening(dev, one, func([]float32, []uint8) {}, 0.1); err == nil {
		t.Error("one image was enough")
	}
	if _, err := inverseRoot(dev, compute.Mat{Rows: 2, Cols: 2, Data: []float32{1, 0, 0, -1}}); err == nil {
		t.Error("a matrix with a negative eigenvalue has a root")
	}
	set := smallSet()
	set.Train.ImageSize = mostWhitened + 1
	if _, err := Whiten(Options{Config: run.Config{Whiten: 1}, Set: set, Device: dev}, dev, 1); err == nil {
		t.Error("large images were taken")
	}
	if err := (run.Config{Whiten: -1}).Validate(); err == nil {
		t.Error("ε −1 was taken")
	}
}
