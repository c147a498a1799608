package report

import "testing"

func TestAugmentation(t *testing.T) {
	for name, want := range map[string]string{
		"none": "no augmentation", "flip-crop": "flip and crop", "fast-autoaugment": "Fast AutoAugment",
		"fast-autoaugment:0.5": "Fast AutoAugment for 50 % of the images", "fast-autoaugment:0.125": "Fast AutoAugment for 12.5 % of the images",
	} {
		if got := augmentation(name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}
