//go:build !unix

package disk

// guarded has no flags where links are rare and pipes are no files; what Lstat
// says is all there is.
const guarded = 0
