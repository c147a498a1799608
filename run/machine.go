package run

import (
	"bufio"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
)

// ThisMachine describes the machine that runs this program.
func ThisMachine(threads int, device string) Machine {
	return Machine{
		CPU: cpuName(), Cores: runtime.NumCPU(), Threads: threads,
		Device: device, OS: runtime.GOOS + "/" + runtime.GOARCH,
	}
}

// cpuName is the processor's model name where the system tells it.
func cpuName() string {
	f, err := os.Open("/proc/cpuinfo")
	if err != nil {
		return runtime.GOARCH
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		key, value, _ := strings.Cut(s.Text(), ":")
		if strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}

// version is a release's, which its build sets by -ldflags "-X betalasso/run.version=...".
var version string

// Version is the release's version, or the commit that this program was built
// from, with "+changes" where the tree had changes, or "unknown" if the build
// does not say: Go stamps no commit for go run, nor in a linked worktree, where
// .git is a file.
func Version() string {
	if version != "" {
		return version
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	revision, changes := "", ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			revision = s.Value
		case s.Key == "vcs.modified" && s.Value == "true":
			changes = "+changes"
		}
	}
	if revision != "" {
		return revision + changes
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	return "unknown"
}

// GoVersion is the version of Go that built this program.
func GoVersion() string { return runtime.Version() }
