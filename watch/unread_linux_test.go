package watch

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A folder that may not be read is told of once, and the other runs are shown.
func TestUnreadableFolder(t *testing.T) {
	root := t.TempDir()
	os.Chmod(filepath.Dir(root), 0o755) // root's alone otherwise
	for _, name := range []string{"open", "shut/inside"} {
		makeRun(t, filepath.Join(root, name), 2)
	}
	f, err := openFolder(root)
	if err != nil {
		t.Fatal(err)
	}
	defer f.root.Close()
	shut := filepath.Join(root, "shut")
	if err := os.Chmod(shut, 0); err != nil {
		t.Fatal(err)
	}
	defer os.Chmod(shut, 0o755)
	if os.Getuid() == 0 { // make of this thread one that may not read all
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		syscall.RawSyscall(syscall.SYS_SETFSUID, 65534, 0, 0)
		defer syscall.RawSyscall(syscall.SYS_SETFSUID, 0, 0, 0)
	}
	var told []string
	l := newList([]folder{f}, func(err error) { told = append(told, err.Error()) })
	now := time.Now()
	l.since("", now)
	u, _ := l.since("", now.Add(time.Hour))
	if len(u.Rows) != 1 || !strings.HasSuffix(u.Rows[0].Name, "open") {
		t.Errorf("got %+v, want the run that can be read", u.Rows)
	}
	if len(told) != 1 || !strings.Contains(told[0], shut) {
		t.Errorf("got %q, want one of %s", told, shut)
	}
}
