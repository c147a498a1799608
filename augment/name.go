package augment

import (
	"fmt"
	"strings"

	"betalasso/spelling"
)

// The pipelines, as Config.Augment names them.
const (
	none     = "none"
	flipCrop = "flip-crop"
	fastAuto = "fast-autoaugment"
)

// Names are the pipelines, weakest first.
func Names() []string { return []string{none, flipCrop, fastAuto} }

// unknown says which pipelines there are and which one may be meant.
func unknown(name string) error {
	return fmt.Errorf("augment: no pipeline %q%s; there are %s", name, spelling.Hint(name, Names()), strings.Join(Names(), ", "))
}
