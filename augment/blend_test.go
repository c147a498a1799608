package augment

import "testing"

// The table of a blend gives what the formula in single precision gives, for
// every pair of bytes at every value that a policy holds.
func TestBlendTableIsTheFormula(t *testing.T) {
	tables, formulas := 0, 0
	for _, text := range []string{cifarPolicy, svhnPolicy} {
		policy, err := parse(text, 32)
		if err != nil {
			t.Fatal(err)
		}
		for _, sub := range policy {
			for _, o := range sub {
				switch {
				case o.blend == nil:
					continue
				case !o.blend.exact:
					formulas++
					continue
				}
				tables++
				for from := range 256 {
					for to := range 256 {
						if got, want := o.blend.of(from, to), clipped(o.blend.alpha, from, to); got != want {
							t.Fatalf("alpha %v from %d to %d: got %d, want %d", o.blend.alpha, from, to, got, want)
						}
					}
				}
			}
		}
	}
	if tables < 10*formulas {
		t.Errorf("got %d tables and %d values that need the formula, want most to be tables", tables, formulas)
	}
}
