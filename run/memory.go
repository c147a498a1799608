package run

import (
	"fmt"
	"io/fs"
	"math"
	"os"
	"path"
	"strconv"
	"strings"
	"sync"
)

// Memory is the most memory that this process may have, in bytes, and the source
// of that limit: the machine's, or a limit of the control group that it is in (a
// container, a Slurm job), or of ulimit. It is 0 where the system does not tell.
func Memory() (bytes float64, of string) { return memoryOnce() }

var memoryOnce = sync.OnceValues(func() (float64, string) {
	bytes, of := memory(os.DirFS("/"), addressSpace)
	const most = 3 << 30 // a program's part of 32 bits
	if strconv.IntSize == 32 && (bytes == 0 || bytes > most-addressRoom) {
		return most - addressRoom, "what 32 bits address"
	}
	return bytes, of
})

// addressRoom is what the runtime reserves of the address space beside the memory
// that it uses, in bytes: arenas are reserved 64 MiB at a time.
const addressRoom = 128 << 20

// memory is Memory by the files of a system, and the limit of the address space,
// which is math.MaxUint64 where there is none.
func memory(root fs.FS, limit func() uint64) (bytes float64, of string) {
	bytes = machineMemory(root)
	of = "the machine's"
	lower := func(x float64, what string) {
		if x > 0 && (bytes == 0 || x < bytes) {
			bytes, of = x, what
		}
	}
	for _, file := range controlGroups(root) {
		lower(number(root, file), "the limit of "+"/"+file)
	}
	if max := limit(); max != math.MaxUint64 {
		size, resident := mapped(root)
		lower(math.Max(1, float64(max)-(size-resident)-addressRoom), fmt.Sprintf("what ulimit -v leaves of %.1f GB", float64(max)/1e9))
	}
	if bytes == 0 {
		of = ""
	}
	return bytes, of
}

func machineMemory(root fs.FS) float64 {
	text, err := fs.ReadFile(root, "proc/meminfo")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		var kb float64
		if n, _ := fmt.Sscanf(line, "MemTotal: %f kB", &kb); n == 1 {
			return 1024 * kb
		}
	}
	return 0
}

// controlGroups are the files that may limit this process: those of its own
// group and of all above it, since each holds. In a container the groups above
// are not seen, and the topmost one stands for its own.
func controlGroups(root fs.FS) (files []string) {
	text, err := fs.ReadFile(root, "proc/self/cgroup")
	if err != nil {
		return nil
	}
	for line := range strings.Lines(string(text)) {
		fields := strings.SplitN(strings.TrimSuffix(line, "\n"), ":", 3) // number:controllers:group
		if len(fields) != 3 {
			continue
		}
		type place struct{ mount, file string }
		var places []place
		switch {
		case fields[1] == "": // version 2, alone or beside version 1
			places = []place{{"sys/fs/cgroup", "memory.max"}, {"sys/fs/cgroup/unified", "memory.max"}}
		case strings.Contains(","+fields[1]+",", ",memory,"):
			places = []place{{"sys/fs/cgroup/memory", "memory.limit_in_bytes"}, {"sys/fs/cgroup/" + fields[1], "memory.limit_in_bytes"}}
		}
		for _, p := range places {
			for group := path.Clean("/" + fields[2]); ; group = path.Dir(group) {
				files = append(files, path.Join(p.mount, group, p.file))
				if group == "/" {
					break
				}
			}
		}
	}
	return files
}

// number is the limit that a file has, or 0 where it has none: no file, the word
// max, or what version 1 says instead, the most pages that an int64 counts.
func number(root fs.FS, file string) float64 {
	text, err := fs.ReadFile(root, file)
	if err != nil {
		return 0
	}
	x, err := strconv.ParseFloat(strings.TrimSpace(string(text)), 64)
	if err != nil || x >= 1<<62 {
		return 0
	}
	return x
}

// mapped is how much address space this process has taken, and how much of it is
// in memory, in bytes.
func mapped(root fs.FS) (size, resident float64) {
	text, err := fs.ReadFile(root, "proc/self/statm")
	if err != nil {
		return 0, 0
	}
	fmt.Sscan(string(text), &size, &resident)
	page := float64(os.Getpagesize())
	return size * page, resident * page
}
