package run

import (
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

// withoutRoot makes this thread, and with it the test, one that may not read
// what its mode forbids.
func withoutRoot(t *testing.T) {
	if os.Getuid() != 0 {
		return
	}
	runtime.LockOSThread()
	const nobody = 65534
	syscall.RawSyscall(syscall.SYS_SETFSUID, nobody, 0, 0) // gives the ID from before
	t.Cleanup(func() {
		syscall.RawSyscall(syscall.SYS_SETFSUID, 0, 0, 0)
		runtime.UnlockOSThread()
	})
}

func TestFindUnreadable(t *testing.T) {
	root := t.TempDir()
	if err := os.Chmod(filepath.Dir(root), 0o755); err != nil { // root's alone otherwise
		t.Fatal(err)
	}
	var want []string
	for _, name := range []string{"a/x", "b/unlisted/x", "b/unentered/x", "b/y", "c"} {
		d, err := Create(filepath.Join(root, name), someConfig())
		if err != nil {
			t.Fatal(err)
		}
		d.Close()
		if !strings.HasPrefix(name, "b/un") {
			want = append(want, d.Path())
		}
	}
	for name, mode := range map[string]os.FileMode{"unlisted": 0o111, "unentered": 0o444} {
		path := filepath.Join(root, "b", name)
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { os.Chmod(path, 0o755) })
	}
	withoutRoot(t)
	got, unread, err := Find(root)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
	if len(unread) != 2 || !strings.Contains(unread[0].Error(), "b/unentered") || !strings.Contains(unread[1].Error(), "b/unlisted") {
		t.Errorf("got %q, want one of each", unread)
	}
	if _, _, err := Find(filepath.Join(root, "b", "unlisted")); err == nil {
		t.Error("a folder that was asked for: got no error")
	}
}
