package main

import "syscall"

// mountTiny puts a file system of some KiB in memory on a folder; it needs root.
func mountTiny(path, size string) error {
	return syscall.Mount("tmpfs", path, "tmpfs", 0, "size="+size)
}

// enlarge gives such a file system another size; its files stay.
func enlarge(path, size string) error {
	return syscall.Mount("tmpfs", path, "tmpfs", syscall.MS_REMOUNT, "size="+size)
}

func unmount(path string) { syscall.Unmount(path, 0) }
