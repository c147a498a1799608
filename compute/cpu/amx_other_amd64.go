//go:build !purego && !linux

package cpu

// hasAMX is false where the system is not asked for the tiles.
func hasAMX() bool { return false }
