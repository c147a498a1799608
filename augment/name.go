package augment

import (
	"fmt"
	"strconv"
	"strings"

	"betalasso/spelling"
)

// The pipelines, as Config.Augment names them. fastAuto may be followed by a colon
// and a share of the examples.
const (
	none     = "none"
	flipCrop = "flip-crop"
	fastAuto = "fast-autoaugment"
)

// Names are the pipelines, weakest first.
func Names() []string { return []string{none, flipCrop, fastAuto} }

// Strength orders pipelines from weak to strong: 0 for none, 1 for flip-crop, and 1
// and the share of examples that get it for fast-autoaugment. The share has at most
// one spelling, so that a setting has one: fast-autoaugment:0.5, not :.50.
func Strength(name string) (float64, error) {
	switch name {
	case none:
		return 0, nil
	case flipCrop:
		return 1, nil
	case fastAuto:
		return 2, nil
	}
	text, ok := strings.CutPrefix(name, fastAuto+":")
	if !ok {
		return 0, unknown(name)
	}
	share, err := strconv.ParseFloat(text, 64)
	if err != nil || !(share > 0 && share < 1) {
		return 0, fmt.Errorf("augment: %s: %q must be a share of the images above 0 and below 1, like %s:0.5; the others get %s", fastAuto, text, fastAuto, flipCrop)
	}
	if short := strconv.FormatFloat(share, 'g', -1, 64); text != short {
		return 0, fmt.Errorf("augment: write %q as %s:%s", name, fastAuto, short)
	}
	return 1 + share, nil
}

// unknown says which pipelines there are and which one may be meant.
func unknown(name string) error {
	return fmt.Errorf("augment: no pipeline %q%s; there are %s", name, spelling.Hint(name, Names()), strings.Join(Names(), ", "))
}
