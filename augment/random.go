package augment

import "math/bits"

// random is a splitmix64 generator: eight bytes of state, so that every
// example can have its own, made from Seed alone.
type random uint64

const golden = 0x9e3779b97f4a7c15

// mix is splitmix64's finaliser: a bijection of 64 bits in which every input
// bit moves about half of the output bits.
func mix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

func (r *random) next() uint64 {
	*r += golden
	return mix(uint64(*r))
}

// below returns a uniform integer of [0,n). The high half of a product
// replaces a division; its bias, n/2⁶⁴, is beyond any measurement.
func (r *random) below(n int) int {
	hi, _ := bits.Mul64(r.next(), uint64(n))
	return int(hi)
}

// unit returns a uniform number of [0,1), a multiple of 2⁻⁵³.
func (r *random) unit() float64 { return float64(r.next()>>11) * 0x1p-53 }

// Seed returns the seed of one example in one epoch. The three numbers are
// mixed one after another, so neighbouring examples and epochs get unrelated
// streams and the order in which examples are prepared does not matter.
func Seed(seed uint64, epoch, example int) uint64 {
	h := mix(seed + golden)
	h = mix(h ^ (uint64(epoch)+1)*golden)
	return mix(h ^ (uint64(example)+1)*0xd1342543de82ef95)
}

// coin is true half of the time.
func (r *random) coin() bool { return r.next()>>63 == 1 }
