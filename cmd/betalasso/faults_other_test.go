//go:build !linux

package main

const withFaults = "BETALASSO_TEST_FAULTS"

func failingDisk(string) {}
