package run

import (
	"math"
	"strings"
	"testing"
	"testing/fstest"
)

func TestMemoryLimits(t *testing.T) {
	const gb = 1 << 30
	for _, c := range []struct {
		rule  string
		files map[string]string
		limit uint64
		want  float64
		of    string
	}{
		{"nothing is known", nil, math.MaxUint64, 0, ""},
		{"no group", nil, math.MaxUint64, 8 * gb, "the machine's"},
		{"version 2, in a container", map[string]string{"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "1073741824\n"}, math.MaxUint64, gb, "/sys/fs/cgroup/memory.max"},
		{"version 2, the group's own", map[string]string{"proc/self/cgroup": "0::/slice/job 1\n", "sys/fs/cgroup/slice/job 1/memory.max": "1073741824\n", "sys/fs/cgroup/slice/memory.max": "max\n"}, math.MaxUint64, gb, "/sys/fs/cgroup/slice/job 1/memory.max"},
		{"version 2, that of a group above", map[string]string{"proc/self/cgroup": "0::/slice/job\n", "sys/fs/cgroup/slice/job/memory.max": "max\n", "sys/fs/cgroup/slice/memory.max": "2147483648\n"}, math.MaxUint64, 2 * gb, "/sys/fs/cgroup/slice/memory.max"},
		{"version 1", map[string]string{"proc/self/cgroup": "5:cpu:/\n4:memory:/slurm/job_7\n0::/\n", "sys/fs/cgroup/memory/slurm/job_7/memory.limit_in_bytes": "536870912\n", "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n"}, math.MaxUint64, gb / 2, "/sys/fs/cgroup/memory/slurm/job_7/memory.limit_in_bytes"},
		{"version 1, in a container that sees its group as the topmost", map[string]string{"proc/self/cgroup": "4:memory:/docker/abc\n", "sys/fs/cgroup/memory/memory.limit_in_bytes": "536870912\n"}, math.MaxUint64, gb / 2, "/sys/fs/cgroup/memory/memory.limit_in_bytes"},
		{"more than the machine has is no limit", map[string]string{"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "99999999999999\n"}, math.MaxUint64, 8 * gb, "the machine's"},
		{"ulimit -v", nil, 2 * gb, 2*gb - addressRoom, "ulimit"},
		{"nonsense", map[string]string{"proc/self/cgroup": "::::\nmemory\n4:memory:../..\n", "proc/self/statm": "x"}, math.MaxUint64, 8 * gb, "the machine's"},
	} {
		root := fstest.MapFS{}
		if c.want > 0 {
			root["proc/meminfo"] = &fstest.MapFile{Data: []byte("MemFree: 5 kB\nMemTotal:        8388608 kB\n")}
		}
		for name, text := range c.files {
			root[name] = &fstest.MapFile{Data: []byte(text)}
		}
		got, of := memory(root, func() uint64 { return c.limit })
		if got != c.want || !strings.Contains(of, c.of) {
			t.Errorf("%s: got %g, %q, want %g, %q", c.rule, got, of, c.want, c.of)
		}
	}
	if got, of := Memory(); got < 0 || (got > 0) != (of != "") {
		t.Errorf("this machine: got %g, %q", got, of)
	}
}
