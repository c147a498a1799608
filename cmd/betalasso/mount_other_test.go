//go:build !linux

package main

import "errors"

func mountTiny(path, options string) error { return errors.New("only on Linux") }

func unmount(string) {}
