// Command newlayer adds a layer of its own to a network: the squared ReLU,
// y = max(0, x)². It checks the gradient by finite differences, and trains.
//
//	go run ./examples/newlayer
package main

import (
	"fmt"
	"log"
	"math"
	"math/rand/v2"

	"betalasso/compute"
	"betalasso/compute/cpu"
	"betalasso/data"
	"betalasso/nn"
	"betalasso/optim"
)

// SquaredReLU is y = max(0, x)², element by element. It is a nn.Layer.
type SquaredReLU struct {
	Columns int
	x       compute.Mat // the last input, [n, Columns]; Backward needs it
}

// Features implements nn.Layer.
func (l *SquaredReLU) Features() (in, out int) { return l.Columns, l.Columns }

// Forward keeps x.
func (l *SquaredReLU) Forward(_ compute.Device, y, x compute.Mat, _ bool) {
	l.x = x
	for i, v := range x.Data {
		v = max(v, 0)
		y.Data[i] = v * v
	}
}

// Backward sets dx = 2·max(0, x)·dy.
func (l *SquaredReLU) Backward(_ compute.Device, dx, dy compute.Mat, _ nn.Rule) {
	for i := range dx.Data {
		dx.Data[i] = 2 * max(l.x.Data[i], 0) * dy.Data[i]
	}
}

// InPlace implements nn.Layer: an element of dx needs that of dy alone.
func (l *SquaredReLU) InPlace() bool { return true }

// Params implements nn.Layer: there are none.
func (l *SquaredReLU) Params() []*nn.Param { return nil }

// Buffers implements nn.Layer: there are none.
func (l *SquaredReLU) Buffers() []nn.Buffer { return nil }

const (
	batch   = 64
	columns = 3 * 32 * 32
	hidden  = 64
	classes = 10
	steps   = 400
)

func main() {
	log.SetFlags(0)
	dev, err := cpu.New(cpu.Options{})
	if err != nil {
		log.Fatal("newlayer: ", err)
	}
	worst := check(dev)
	fmt.Printf("gradient against finite differences: off by at most %.1e\n", worst)
	if worst > 1e-2 {
		log.Fatal("newlayer: the gradient is wrong")
	}
	first, last := train(dev)
	fmt.Printf("loss of the first steps %.2f, of the last %.2f\n", first, last)
}

// check is the largest difference between the layer's gradient of Σ w·y by x and
// the central difference, for random x and w.
func check(dev compute.Device) (worst float64) {
	const n, step = 20, 1e-2
	r := rand.New(rand.NewPCG(1, 2))
	l := &SquaredReLU{Columns: n}
	x, y, w, dx := dev.Alloc(1, n), dev.Alloc(1, n), dev.Alloc(1, n), dev.Alloc(1, n)
	for i := range n {
		x.Data[i], w.Data[i] = float32(r.NormFloat64()), float32(r.NormFloat64())
	}
	value := func() (sum float64) {
		l.Forward(dev, y, x, true)
		for i, v := range y.Data {
			sum += float64(w.Data[i]) * float64(v)
		}
		return sum
	}
	value()
	l.Backward(dev, dx, w, nil)
	for i := range n {
		at := x.Data[i]
		x.Data[i] = at + step
		up := value()
		x.Data[i] = at - step
		down := value()
		x.Data[i] = at
		worst = max(worst, math.Abs((up-down)/(2*step)-float64(dx.Data[i])))
	}
	return worst
}

// train trains a network that has the layer on generated house numbers, and
// gives the mean losses of the first and the last ten steps.
func train(dev compute.Device) (first, last float64) {
	set := data.Digits(1000, 10, 1)
	mean, std := data.MeanStd(set.Train, set.Channels)
	net := nn.NewNet(dev, batch,
		nn.NewDense(dev, "fc1", nn.FC, columns, hidden, true, 1),
		&SquaredReLU{Columns: hidden},
		nn.NewDense(dev, "fc2", nn.FC, hidden, classes, true, 1),
	)
	x, dlogits, labels := dev.Alloc(batch, columns), dev.Alloc(batch, classes), make([]uint16, batch)
	for step := range steps {
		order := data.Order(set.Train.Len(), 1, step)
		for r := range batch {
			i := int(order[r])
			for j, v := range set.Train.Image(i) {
				c := j / (32 * 32)
				x.Row(r)[j] = float32((float64(v)/255 - mean[c]) / std[c])
			}
			labels[r] = set.Train.Labels[i]
		}
		loss, _ := dev.CrossEntropy(dlogits, net.Forward(x, true), labels)
		net.Backward(dlogits, optim.At(optim.SGD{Momentum: 0.9}, optim.Cosine(0.002, step, steps)))
		switch {
		case step < 10:
			first += loss / batch / 10
		case step >= steps-10:
			last += loss / batch / 10
		}
	}
	return first, last
}
