package sweep

import (
	"fmt"
	"os"
	"strings"
	"syscall"
)

// processName identifies a process among all that this machine has had: by the
// machine's boot, the PID namespace, its PID, and when it started. It is "" if
// there is no such process.
func processName(pid int) string {
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	space, err := os.Readlink("/proc/self/ns/pid")
	if err != nil {
		return ""
	}
	started, state := processStart(pid)
	if started == "" || state == "Z" || state == "X" {
		return ""
	}
	return fmt.Sprintf("%s %s %d %s", strings.TrimSpace(string(boot)), space, pid, started)
}

// processStart is when a process started, in ticks since boot, and its state.
func processStart(pid int) (started, state string) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return "", ""
	}
	// The second field is the program's name in brackets, which may hold spaces.
	fields := strings.Fields(string(text)[strings.LastIndexByte(string(text), ')')+1:])
	if len(fields) < 20 {
		return "", ""
	}
	return fields[19], fields[0]
}

// processGone reports whether an attempt's process has certainly ended: it was in
// this boot of this machine, and there is no such process now.
func processGone(a Attempt) bool {
	own := strings.Fields(processName(os.Getpid()))
	its := strings.Fields(a.Process)
	if len(own) != 4 || len(its) != 4 || own[0] != its[0] || own[1] != its[1] {
		return false
	}
	if err := syscall.Kill(a.PID, 0); err != nil {
		return err == syscall.ESRCH // else it is somebody else's, whose files may be hidden
	}
	return processName(a.PID) != a.Process
}
