package main

import (
	"archive/tar"
	"compress/gzip"
	"crypto/sha256"
	"debug/elf"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
)

// static fails unless the file is a program that needs no other file to run.
func static(t *testing.T, path string) {
	t.Helper()
	f, err := elf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if libs, err := f.ImportedLibraries(); err != nil || len(libs) > 0 {
		t.Errorf("%s needs %v (%v), want nothing", path, libs, err)
	}
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			t.Errorf("%s is started by a loader, want a static program", path)
		}
	}
}

func skipElsewhere(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("it links the program")
	}
	if runtime.GOOS != "linux" {
		t.Skip("it looks at a program for Linux")
	}
}

// The command that the README gives for a static binary, and the Makefile's, make
// one, also where gcc is present.
func TestDocumentedBuildIsStatic(t *testing.T) {
	skipElsewhere(t)
	root := filepath.Join("..", "..")
	for _, c := range []struct{ file, command string }{
		{"README.md", "`(CGO_ENABLED=0 go build -trimpath) (./cmd/betalasso)`"},
		{"Makefile", `(?m)^build:.*\n\t(.* go build -trimpath) (./cmd/betalasso)$`},
	} {
		text, err := os.ReadFile(filepath.Join(root, c.file))
		if err != nil {
			t.Fatal(err)
		}
		m := regexp.MustCompile(c.command).FindStringSubmatch(string(text))
		if m == nil {
			t.Errorf("%s gives no command that matches %s", c.file, c.command)
			continue
		}
		binary := filepath.Join(t.TempDir(), "betalasso")
		sh := exec.Command("sh", "-c", m[1]+` -o "$0" `+m[2], binary)
		sh.Dir = root
		sh.Env = append(os.Environ(), "CGO_ENABLED=1") // what Go sets by itself where there is gcc
		if out, err := sh.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", c.file, err, out)
		}
		static(t, binary)
	}
}

// A release holds what its sums say; its binary is static and knows its version;
// and it is the same bytes when it is made again.
func TestRelease(t *testing.T) {
	skipElsewhere(t)
	target := "linux/" + runtime.GOARCH
	var dirs, sums [2]string
	for i := range dirs {
		dirs[i] = filepath.Join(t.TempDir(), "dist")
		if err := release(dirs[i], "v1.2-test", []string{target}); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(filepath.Join(dirs[i], "SHA256SUMS"))
		if err != nil {
			t.Fatal(err)
		}
		sums[i] = string(text)
	}
	if sums[0] != sums[1] {
		t.Errorf("two releases differ:\n%s%s", sums[0], sums[1])
	}
	sum, name, _ := strings.Cut(strings.TrimSpace(sums[0]), "  ")
	archive, err := os.ReadFile(filepath.Join(dirs[0], name))
	if err != nil {
		t.Fatal(err)
	}
	if got := sha256.Sum256(archive); hex.EncodeToString(got[:]) != sum {
		t.Errorf("%s has the sum %x, want %s", name, got, sum)
	}
	out := t.TempDir()
	names := unpack(t, archive, out)
	base := "betalasso-v1.2-test-linux-" + runtime.GOARCH + "/"
	for _, want := range []string{"betalasso", "LICENSES-OF-LIBRARIES.txt", "README.md", "LICENSE", "betalasso.1", "completions/betalasso.bash", "completions/_betalasso", "completions/betalasso.fish"} {
		if names[base+want] == 0 {
			t.Errorf("%s: not there or empty, in %v", want, names)
		}
	}
	binary := filepath.Join(out, base, "betalasso")
	static(t, binary)
	said, err := exec.Command(binary, "--version").Output()
	if err != nil || !strings.HasPrefix(string(said), "betalasso v1.2-test, ") {
		t.Errorf("got %q, %v", said, err)
	}
	notices, err := os.ReadFile(filepath.Join(out, base, "LICENSES-OF-LIBRARIES.txt"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"\nGo: LICENSE", "\nuPlot: LICENSE", "\ngithub.com/alecthomas/kong v"} {
		if !strings.Contains(string(notices), want) {
			t.Errorf("the licences lack %q", want)
		}
	}
	if err := release(dirs[0], "v1.2-test", []string{target}); err == nil {
		t.Error("a release into a directory that exists: no error")
	}
	if err := release(filepath.Join(t.TempDir(), "x"), "a b", nil); err == nil {
		t.Error("a version with a space: no error")
	}
}

// unpack unpacks a tar.gz into a directory, and gives its files' sizes.
func unpack(t *testing.T, archive []byte, to string) map[string]int64 {
	t.Helper()
	z, err := gzip.NewReader(strings.NewReader(string(archive)))
	if err != nil {
		t.Fatal(err)
	}
	sizes := map[string]int64{}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return sizes
		}
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(to, h.Name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, text, os.FileMode(h.Mode)); err != nil {
			t.Fatal(err)
		}
		sizes[h.Name] = h.Size
	}
}
