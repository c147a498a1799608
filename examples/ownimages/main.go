// Command ownimages trains S-FC with β-lasso on a folder of your own images, a
// folder for each class inside it, with the packages of betalasso as a library:
//
//	go run ./examples/ownimages            # makes itself a small folder first
//	go run ./examples/ownimages FOLDER
package main

import (
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"log"
	"math/rand/v2"
	"os"
	"path/filepath"

	"betalasso/augment"
	"betalasso/compute/cpu"
	"betalasso/data"
	"betalasso/filters"
	"betalasso/model"
	"betalasso/optim"
)

const (
	side   = 32
	batch  = 32
	epochs = 10
	seed   = 1
)

func main() {
	log.SetFlags(0)
	if err := run(os.Args[1:]); err != nil {
		log.Fatal("ownimages: ", err)
	}
}

func run(args []string) error {
	if len(args) == 0 {
		folder, err := os.MkdirTemp("", "ownimages")
		if err != nil {
			return err
		}
		defer os.RemoveAll(folder)
		if err := paint(folder); err != nil {
			return err
		}
		args = []string{folder}
	}
	set, err := data.Load(context.Background(), "own", data.Options{Own: true, Dir: args[0], Side: side, Channels: 3})
	if err != nil {
		return err
	}
	if set.Train.Len() < batch {
		return fmt.Errorf("%s has %d images to train on; it takes %d or more", args[0], set.Train.Len(), batch)
	}
	fmt.Printf("%d images of %d classes to train on\n", set.Train.Len(), len(set.Classes))
	return train(set.Train, set.Classes)
}

// train is the whole loop of a training.
func train(images data.Images, classes []string) error {
	dev, err := cpu.New(cpu.Options{})
	if err != nil {
		return err
	}
	net, err := model.New(dev, "s-fc", model.Size{Alpha: 2, Channels: 3, Side: side, Classes: len(classes), Batch: batch}, seed)
	if err != nil {
		return err
	}
	mean, std := data.MeanStd(images, 3)
	pipe, err := augment.New("flip-crop", "", 3, side, mean, std)
	if err != nil {
		return err
	}
	params := net.Params()
	rule := optim.BetaLasso{Beta: 50, LambdaConv: 1e-4, LambdaFC: 2e-5}
	x, dlogits, labels := dev.Alloc(batch, images.ImageSize), dev.Alloc(batch, len(classes)), make([]uint16, batch)
	var scratch augment.Scratch
	steps := images.Len() / batch
	for epoch := range epochs {
		order := data.Order(images.Len(), seed, epoch)
		loss, correct := 0.0, 0
		for step := range steps {
			for r := range batch {
				i := int(order[step*batch+r])
				pipe.Apply(x.Row(r), images.Image(i), augment.Seed(seed, epoch, i), &scratch)
				labels[r] = images.Labels[i]
			}
			l, c := dev.CrossEntropy(dlogits, net.Forward(x, true), labels)
			net.Backward(dlogits, optim.At(rule, optim.Cosine(0.05, epoch*steps+step, epochs*steps)))
			loss, correct = loss+l, correct+c
		}
		seen := float64(steps * batch)
		fmt.Printf("epoch %2d  loss %.4f  right %5.1f %%  first layer: %d of %d weights\n", epoch+1, loss/seen, 100*float64(correct)/seen, params[0].Nonzero, params[0].Len())
	}
	filter := make([]float32, images.ImageSize)
	params[0].Read(filter, 0)
	fmt.Printf("the first filter: %+v\n", filters.Locality(filter, 3, side, side))
	return nil
}

// paint makes a folder of two classes: warm and cold squares at random places.
func paint(folder string) error {
	r := rand.New(rand.NewPCG(seed, 0))
	for class, c := range map[string]color.RGBA{"cold": {40, 80, 230, 255}, "warm": {240, 120, 30, 255}} {
		if err := os.MkdirAll(filepath.Join(folder, class), 0o777); err != nil {
			return err
		}
		for n := range 80 {
			picture := image.NewRGBA(image.Rect(0, 0, 48, 40))
			x0, y0 := r.IntN(30), r.IntN(24)
			for i := range picture.Pix {
				picture.Pix[i] = uint8(r.IntN(256))
			}
			for y := range 14 {
				for x := range 14 {
					picture.SetRGBA(x0+x, y0+y, c)
				}
			}
			f, err := os.Create(filepath.Join(folder, class, fmt.Sprintf("%03d.png", n)))
			if err != nil {
				return err
			}
			if err := errors.Join(png.Encode(f, picture), f.Close()); err != nil {
				return err
			}
		}
	}
	return nil
}
