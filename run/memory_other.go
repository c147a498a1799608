//go:build !unix

package run

import "math"

// PeakRSS is the most memory that this process has held, in bytes; 0 where the
// system does not tell.
func PeakRSS() int64 { return 0 }

// addressSpace is not limited there.
func addressSpace() uint64 { return math.MaxUint64 }
