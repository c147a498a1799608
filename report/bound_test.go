package report

import (
	"math"
	"testing"
)

// TestComplexity is worked out by hand: of k = 1000 of n = 1,000,000 weights of 32
// bits, k·n is 10⁹ = 2^29.897, so that there are 1000·(32 + 29.897) + 2·19.932 =
// 61,937 bits, and ln(2·10⁶/0.05) = 17.5; with 45,000 examples √(61,954/90,000).
func TestComplexity(t *testing.T) {
	if got, want := complexity(1000, 1_000_000, 45_000), 0.8297; math.Abs(got-want) > 1e-4 {
		t.Errorf("got %.5f, want %.4f", got, want)
	}
	if got := complexity(1000, 1_000_000, 0); !math.IsInf(got, 1) {
		t.Errorf("without examples: got %v, want infinity", got)
	}
}

// TestTelling: one weight more, and the bound is vacuous.
func TestTelling(t *testing.T) {
	for _, c := range []struct{ n, m int }{{1_000_000, 45_000}, {256_240_000, 50_000}, {100, 45_000}, {1000, 3}} {
		k := tellingWeights(c.n, c.m)
		if k > 0 && complexity(k, c.n, c.m) >= 1 || k < c.n && complexity(k+1, c.n, c.m) < 1 {
			t.Errorf("n = %d, m = %d: %d weights, with a second term of %v, and %v with one more", c.n, c.m, k, complexity(k, c.n, c.m), complexity(k+1, c.n, c.m))
		}
	}
}
