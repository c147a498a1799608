package main

import "syscall"

// mountTiny puts a file system in memory on a folder; it needs root.
func mountTiny(path, options string) error {
	return syscall.Mount("tmpfs", path, "tmpfs", 0, options)
}

func unmount(path string) { syscall.Unmount(path, 0) }
