package train

import (
	"fmt"
	"math"

	"betalasso/augment"
	"betalasso/compute"
	"betalasso/data"
	"betalasso/nn"
	"betalasso/run"
)

// Whiten makes the whitening of a network of o.Config for batches of at most batch images,
// from the images that it is trained on; nil where there is none. dev multiplies in float32
// for it. It writes nothing; o.Dir may be nil.
func Whiten(o Options, dev compute.Device, batch int) (*nn.Whitening, error) {
	c := o.Config
	if c.Whiten == 0 {
		return nil, nil
	}
	if n := o.Set.Train.ImageSize; n > mostWhitened {
		return nil, run.Problems{fmt.Sprintf("whiten: images of %d x %d pixels have %d numbers, and a whitening takes at most %d; make them smaller with side, or grey with channels",
			o.Set.Side, o.Set.Side, n, mostWhitened)}
	}
	images, _, err := Split(o.Set, c)
	if err != nil {
		return nil, err
	}
	mean, std := data.MeanStd(images, o.Set.Channels)
	pipe, err := augment.New("none", "", o.Set.Channels, o.Set.Side, mean, std)
	if err != nil {
		return nil, err
	}
	z, err := whitening(dev, images, pipe.Plain, c.Whiten)
	if err != nil {
		return nil, err
	}
	return nn.NewWhitening(o.Device, batch, z), nil
}

// whitening is the matrix that whitens images, [n, n]: by ZCA, (C + ε·v·I)^-½ times a
// number, where C is the covariance of the pixels, v the mean of their variances, and the
// number makes the mean variance of what comes out 1. plain makes pixels of an image, and
// dev multiplies in float32.
//
// ZCA is the whitening that changes images least, so that a number of what comes out belongs
// to a pixel. Nothing says which pixels are neighbours.
func whitening(dev compute.Device, im data.Images, plain func(dst []float32, pix []uint8), eps float64) (compute.Mat, error) {
	n := im.ImageSize
	cov, err := covariance(dev, im, plain)
	if err != nil {
		return compute.Mat{}, err
	}
	var trace float64
	for i := range n {
		trace += float64(cov.Data[i*n+i])
	}
	a := dev.Alloc(n, n)
	copy(a.Data, cov.Data)
	for i := range n {
		a.Data[i*n+i] += float32(eps * trace / float64(n))
	}
	z, err := inverseRoot(dev, a)
	if err != nil {
		return compute.Mat{}, err
	}
	dev.Mul(a, z, cov)
	var sum float64 // of the variances that are left
	for i, v := range z.Data {
		sum += float64(v) * float64(a.Data[i])
	}
	scale := float32(math.Sqrt(float64(n) / sum))
	for i := range z.Data {
		z.Data[i] *= scale
	}
	return z, nil
}

// mostWhitened is the most numbers of an image: the time grows with their third power.
const mostWhitened = 1 << 13

// whitened is how many images a product for the covariance takes.
const whitened = 2000

// covariance is that of the numbers of images.
func covariance(dev compute.Device, im data.Images, plain func(dst []float32, pix []uint8)) (compute.Mat, error) {
	n, count := im.ImageSize, im.Len()
	if count < 2 {
		return compute.Mat{}, fmt.Errorf("whiten: the covariance of %d images is not known", count)
	}
	mean, row := make([]float64, n), make([]float32, n)
	for i := range count {
		plain(row, im.Image(i))
		for k, v := range row {
			mean[k] += float64(v)
		}
	}
	for k := range mean {
		mean[k] /= float64(count)
	}
	sum, part, x := dev.Alloc(n, n), dev.Alloc(n, n), dev.Alloc(min(whitened, count), n)
	for from := 0; from < count; from += x.Rows {
		b := x.Top(min(x.Rows, count-from))
		for i := range b.Rows {
			row := b.Row(i)
			plain(row, im.Image(from+i))
			for k := range row {
				row[k] -= float32(mean[k])
			}
		}
		dev.Mul(part, b.T(), b)
		for i, v := range part.Data {
			sum.Data[i] += v / float32(count)
		}
	}
	return sum, nil
}

// inverseRoot is a^-½ of a positive definite matrix, by the coupled iteration of Newton and
// Schulz: y and z go to the root and to its inverse.
func inverseRoot(dev compute.Device, a compute.Mat) (compute.Mat, error) {
	n := a.Rows
	y, z, t, to := dev.Alloc(n, n), dev.Alloc(n, n), dev.Alloc(n, n), dev.Alloc(n, n)
	var norm float64
	for _, v := range a.Data {
		norm += float64(v) * float64(v)
	}
	norm = math.Sqrt(norm) // no eigenvalue is larger
	for i, v := range a.Data {
		y.Data[i] = float32(float64(v) / norm)
	}
	for i := range n {
		z.Data[i*n+i] = 1
	}
	for range 60 {
		dev.Mul(t, z, y)
		var off float64
		for i, v := range t.Data {
			if i%(n+1) == 0 {
				v--
			}
			off += float64(v) * float64(v)
			t.Data[i] = -v / 2
		}
		if !finite(off) {
			break
		}
		if math.Sqrt(off/float64(n)) < 1e-3 {
			scale := 1 / math.Sqrt(norm)
			for i := range n {
				for j := range i + 1 {
					v := float32((float64(z.Data[i*n+j]) + float64(z.Data[j*n+i])) / 2 * scale)
					z.Data[i*n+j], z.Data[j*n+i] = v, v
				}
			}
			return z, nil
		}
		for i := range n {
			t.Data[i*n+i]++
		}
		dev.Mul(to, y, t)
		y, to = to, y
		dev.Mul(to, t, z)
		z, to = to, z
	}
	return compute.Mat{}, fmt.Errorf("whiten: the covariance of the pixels has no inverse root in float32; take a larger ε")
}
