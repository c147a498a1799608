package ref_test

import (
	"testing"

	"betalasso/compute/computetest"
	"betalasso/compute/ref"
)

func TestDevice(t *testing.T) { computetest.Run(t, ref.New(), 1.0/(1<<24)) }
