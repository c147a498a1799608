package model_test

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"betalasso/compute"
	"betalasso/compute/cpu"
	"betalasso/compute/ref"
	"betalasso/model"
	"betalasso/nn"
	"betalasso/optim"
)

// The sizes of testdata/golden.py.
const (
	goldenSide, goldenClasses, goldenBatch = 8, 5, 24
	goldenImage                            = 3 * goldenSide * goldenSide
)

// golden is one run of testdata/golden.py, which trains in PyTorch.
type golden struct {
	Model  string
	Size   int
	Kernel int
	Rule   struct {
		LR          float64
		Momentum    float64
		WeightDecay float64 `json:"weight_decay"`
		LambdaConv  float64 `json:"lambda_conv"`
		LambdaFC    float64 `json:"lambda_fc"`
	}
	Losses      []float64
	Nonzero     []map[string]int
	EvalLoss    float64 `json:"eval_loss"`
	EvalCorrect int     `json:"eval_correct"`
}

// uniform is golden.py's: a number in [−1, 1) for every place of a stream.
func uniform(stream uint64, i int) float64 {
	z := stream*0x632be59bd9b4e019 + (uint64(i)+1)*0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	z ^= z >> 31
	return float64(z>>40)/(1<<23) - 1
}

// setWeights gives the network golden.py's first weights.
func setWeights(net *nn.Net) {
	stream, fanIn := uint64(0), 0
	for _, p := range net.Params() {
		from := stream + 50
		switch {
		case p.Group != nn.None:
			stream++
			_, cols := p.Shape()
			from, fanIn = stream, cols
		case !strings.HasSuffix(p.Name, ".bias"):
			continue
		}
		rows, cols := p.Shape()
		row := make([]float32, cols)
		for r := range rows {
			for i := range row {
				row[i] = float32(uniform(from, r*cols+i) / math.Sqrt(float64(fanIn)))
			}
			p.Write(r, row)
		}
	}
}

// fill gives a step's images and labels.
func fill(x compute.Mat, labels []uint16, step int) {
	for i := range labels {
		labels[i] = uint16((i*7 + step) % goldenClasses)
		row := x.Row(i)
		for j := range row {
			v := uniform(uint64(100+step), i*goldenImage+j)
			if j/goldenSide%goldenSide == int(labels[i]) {
				v++
			}
			row[j] = float32(v)
		}
	}
}

// tolerance is how far a loss may be from float64's: float32's rounding, which
// grows with the number of layers and steps. golden.py's sizes are such that no
// activation lies just at ReLU's edge, from which losses part for good.
func (g golden) tolerance() float64 {
	if strings.HasPrefix(g.Model, "d-") || g.Kernel > 0 {
		return 1e-4
	}
	return 1e-6
}

// TestGolden trains as golden.py did.
func TestGolden(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("testdata", "golden.json"))
	if err != nil {
		t.Fatal(err)
	}
	var runs []golden
	if err := json.Unmarshal(text, &runs); err != nil {
		t.Fatal(err)
	}
	devices := []compute.Device{ref.New()}
	for _, kernel := range cpu.Kernels(false) {
		d, err := cpu.New(cpu.Options{Threads: 2, Kernel: kernel})
		if err != nil {
			t.Fatal(err)
		}
		devices = append(devices, d)
	}
	for _, g := range runs {
		for _, dev := range devices {
			t.Run(fmt.Sprintf("%s %d on %s", g.Model, g.Kernel, dev.Name()), func(t *testing.T) { g.train(t, dev) })
		}
	}
}

func (g golden) train(t *testing.T, dev compute.Device) {
	size := model.Size{Alpha: g.Size, Channels: 3, Side: goldenSide, Classes: goldenClasses, Batch: goldenBatch}
	if g.Model == "3-fc" {
		size.Alpha, size.Width = 0, g.Size
	}
	size.Kernel = g.Kernel
	net, err := model.New(dev, g.Model, size, 1)
	if err != nil {
		t.Fatal(err)
	}
	setWeights(net)
	rule := optim.BetaLasso{
		SGD:  optim.SGD{Momentum: g.Rule.Momentum, WeightDecay: g.Rule.WeightDecay},
		Beta: 50, LambdaConv: g.Rule.LambdaConv, LambdaFC: g.Rule.LambdaFC,
	}
	x, dlogits := dev.Alloc(goldenBatch, goldenImage), dev.Alloc(goldenBatch, goldenClasses)
	labels := make([]uint16, goldenBatch)
	for step, want := range g.Losses {
		fill(x, labels, step)
		loss, _ := dev.CrossEntropy(dlogits, net.Forward(x, true), labels)
		loss /= goldenBatch
		if !(math.Abs(loss-want) <= g.tolerance()) {
			t.Fatalf("step %d: got a loss of %.7f, want %.7f", step+1, loss, want)
		}
		net.Backward(dlogits, optim.At(rule, optim.Cosine(g.Rule.LR, step, len(g.Losses))))
		for _, p := range net.Params() {
			if layer, ok := strings.CutSuffix(p.Name, ".weight"); ok && abs(p.Nonzero-g.Nonzero[step][layer]) > 1 {
				t.Errorf("step %d: %s has %d weights that are not 0, want %d", step+1, layer, p.Nonzero, g.Nonzero[step][layer])
			}
		}
	}
	fill(x, labels, len(g.Losses))
	loss, correct := dev.CrossEntropy(dlogits, net.Forward(x, false), labels)
	if loss /= goldenBatch; !(math.Abs(loss-g.EvalLoss) <= g.tolerance()) || correct != g.EvalCorrect {
		t.Errorf("evaluation: got a loss of %.7f and %d right, want %.7f and %d", loss, correct, g.EvalLoss, g.EvalCorrect)
	}
}

func abs(n int) int { return max(n, -n) }
