package data

import (
	"fmt"
	"math"
	"math/big"
	"math/bits"
	"math/rand/v2"
	"slices"
)

// The second half of a PCG seed says what its numbers are for, so that one seed
// gives unrelated draws for each purpose.
const (
	splitStream = 0x73706c6974 // "split"
	orderStream = 0x6f72646572 // "order"
)

// Split takes val images out of im for validation: as many of each class as
// its share asks for, drawn from the seed. Both parts keep im's order.
func Split(im Images, classes, val int, seed uint64) (train, validation Images, err error) {
	if val < 0 || val > im.Len() {
		return Images{}, Images{}, fmt.Errorf("cannot take %d validation images out of %d; choose 0 to %d", val, im.Len(), im.Len())
	}
	if val == 0 {
		return im, Images{ImageSize: im.ImageSize}, nil
	}
	chosen, err := stratified(im.Labels, classes, val, seed)
	if err != nil {
		return Images{}, Images{}, err
	}
	rest := make([]int32, 0, im.Len()-val)
	next := 0
	for i := range im.Len() {
		if next < len(chosen) && int(chosen[next]) == i {
			next++
			continue
		}
		rest = append(rest, int32(i))
	}
	return Pick(im, rest), Pick(im, chosen), nil
}

// Limit is n of im's images, stratified and drawn from the seed, in im's order;
// all of im where n is 0 or no less than there are.
func Limit(im Images, classes, n int, seed uint64) (Images, error) {
	if n < 0 {
		return Images{}, fmt.Errorf("cannot take %d images; choose 1 to %d, or 0 for all", n, im.Len())
	}
	if n == 0 || n >= im.Len() {
		return im, nil
	}
	chosen, err := stratified(im.Labels, classes, n, seed)
	if err != nil {
		return Images{}, err
	}
	return Pick(im, chosen), nil
}

// Pick is the images of those indices, in that order.
func Pick(im Images, indices []int32) Images {
	out := Images{Pix: im.Pix, Labels: make([]uint16, len(indices)), ImageSize: im.ImageSize, places: make([]int32, len(indices))}
	for n, i := range indices {
		out.Labels[n] = im.Labels[i]
		out.places[n] = int32(im.place(int(i)))
	}
	return out
}

// stratified draws n indices, ascending: of each class the whole part of its
// share, and one more for the classes with the largest rest (the lower label
// first) until there are n.
func stratified(labels []uint16, classes, n int, seed uint64) ([]int32, error) {
	members := make([][]int32, classes)
	for i, l := range labels {
		if int(l) >= classes {
			return nil, fmt.Errorf("image %d has label %d, want less than %d", i, l, classes)
		}
		members[l] = append(members[l], int32(i))
	}
	take, left := make([]int, classes), n
	byRest := make([]int, classes)
	for c, m := range members {
		take[c] = n * len(m) / len(labels)
		left -= take[c]
		byRest[c] = c
	}
	slices.SortStableFunc(byRest, func(a, b int) int {
		return n*len(members[b])%len(labels) - n*len(members[a])%len(labels)
	})
	for _, c := range byRest[:left] {
		take[c]++
	}
	source := rand.NewPCG(seed, splitStream)
	chosen := make([]int32, 0, n)
	for c, m := range members {
		shuffle(source, m)
		chosen = append(chosen, m[:take[c]]...)
	}
	slices.Sort(chosen)
	return chosen, nil
}

// Order is the order in which an epoch visits n examples: a permutation of
// 0..n-1 that depends on the seed and the epoch alone, the same on every
// machine.
func Order(n int, seed uint64, epoch int) []int32 {
	order := make([]int32, n)
	for i := range order {
		order[i] = int32(i)
	}
	shuffle(rand.NewPCG(seed, orderStream+uint64(epoch)*0x9e3779b97f4a7c15), order)
	return order
}

// shuffle is Fisher and Yates' on the source's raw 64-bit numbers, so that no
// later change of the library's own shuffle can change a run. Taking the high
// word of x·n favours no place by more than n/2⁶⁴.
func shuffle(source rand.Source, s []int32) {
	for i := len(s) - 1; i > 0; i-- {
		j, _ := bits.Mul64(source.Uint64(), uint64(i+1))
		s[i], s[j] = s[j], s[i]
	}
}

// MeanStd is each channel's mean and standard deviation of pixel/255 over all
// of im. The sums are whole numbers, so the result is the same in any order.
// A channel that never changes has deviation 0; no images give 0 and 0.
func MeanStd(im Images, channels int) (mean, std []float64) {
	mean, std = make([]float64, channels), make([]float64, channels)
	if im.Len() == 0 || channels == 0 {
		return mean, std
	}
	plane := im.ImageSize / channels
	sums, squares := make([]uint64, channels), make([]uint64, channels)
	for i := range im.Len() {
		pix := im.Image(i)
		for c := range channels {
			var s, q uint64
			for _, v := range pix[c*plane : (c+1)*plane] {
				s += uint64(v)
				q += uint64(v) * uint64(v)
			}
			sums[c] += s
			squares[c] += q
		}
	}
	n := uint64(im.Len()) * uint64(plane)
	for c := range channels {
		mean[c] = float64(sums[c]) / (255 * float64(n))
		// variance · n² = n·Σv² − (Σv)², which needs more than 64 bits.
		spread := new(big.Int).Mul(big.NewInt(0).SetUint64(n), big.NewInt(0).SetUint64(squares[c]))
		s := new(big.Int).SetUint64(sums[c])
		spread.Sub(spread, s.Mul(s, s))
		v, _ := new(big.Float).SetInt(spread).Float64()
		std[c] = math.Sqrt(v) / (255 * float64(n))
	}
	return mean, std
}
