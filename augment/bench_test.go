package augment

import (
	"maps"
	"slices"
	"testing"
)

// BenchmarkApply prepares one example, on one core.
func BenchmarkApply(b *testing.B) {
	for _, name := range Names() {
		b.Run(name, func(b *testing.B) {
			p := make3(b, name, "cifar")
			src, dst := noise(3, 32), make([]float32, 3*32*32)
			var s Scratch
			i := 0
			for b.Loop() {
				p.Apply(dst, src, Seed(1, 0, i), &s)
				i++
			}
		})
	}
}

// BenchmarkOperation does one operation alone, at a middling value.
func BenchmarkOperation(b *testing.B) {
	src := pictures(b)[2]
	dst := make([]uint8, len(src))
	for _, name := range slices.Sorted(maps.Keys(kinds)) {
		b.Run(name, func(b *testing.B) {
			k := kinds[name]
			o := newOperation(k, k.value(0.7), 32)
			r := random(1)
			var w workspace
			for b.Loop() {
				o.apply(dst, src, 32, &r, &w)
			}
		})
	}
}
