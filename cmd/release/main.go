// Command release makes what a user without Go can run: for each target an
// archive with a static binary, the manual page, completions for shells and the
// licences of what is linked in, and SHA256SUMS of them all.
//
//	go run ./cmd/release -out dist
//
// The same commit and the same Go give the same bytes.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// targets are those of a release, GOOS/GOARCH.
var targets = []string{"linux/amd64", "linux/arm64", "darwin/arm64", "windows/amd64", "linux/386"}

func main() {
	out := flag.String("out", "dist", "directory of the archives; it must not exist")
	version := flag.String("version", "", "of the release (default: what git describe says)")
	list := flag.String("targets", strings.Join(targets, ","), "GOOS/GOARCH,...")
	flag.Parse()
	if flag.NArg() > 0 {
		fail(fmt.Errorf("%q: the release takes flags only; see -help", flag.Arg(0)))
	}
	if *version == "" {
		v, err := output(nil, "git", "describe", "--tags", "--always", "--dirty")
		if err != nil {
			fail(fmt.Errorf("which version is this? git does not say: %w; give it with -version", err))
		}
		*version = v
	}
	if err := release(*out, *version, strings.Split(*list, ",")); err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintf(os.Stderr, "release: %v\n", err)
	os.Exit(1)
}

// release makes the archives and their checksums in out.
func release(out, version string, targets []string) error {
	if version == "" || strings.ContainsAny(version, " \t\n/\\'\"") {
		return fmt.Errorf("version %q: it is part of file names, and takes no spaces, quotes or slashes", version)
	}
	if err := os.Mkdir(out, 0o777); err != nil {
		return fmt.Errorf("the directory of a release is a new one: %w", err)
	}
	work, err := os.MkdirTemp("", "betalasso-release-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	when, err := commitTime()
	if err != nil {
		return err
	}
	common, err := documents(work, version)
	if err != nil {
		return err
	}
	var sums []string
	for _, t := range targets {
		goos, goarch, ok := strings.Cut(t, "/")
		if !ok {
			return fmt.Errorf("target %q: it is of the form GOOS/GOARCH, as in linux/amd64", t)
		}
		path := binary(work, goos, goarch)
		if err := build(path, version, goos, goarch); err != nil {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		notices, err := licences(goos, goarch)
		if err != nil {
			return err
		}
		files := append([]file{{filepath.Base(path), text, 0o755}, {"LICENSES-OF-LIBRARIES.txt", notices, 0o644}}, common...)
		base := fmt.Sprintf("betalasso-%s-%s-%s", version, goos, goarch)
		archive, write := base+".tar.gz", writeTar
		if goos == "windows" {
			archive, write = base+".zip", writeZip
		}
		sum, size, err := save(filepath.Join(out, archive), func(w *os.File) error { return write(w, base, files, when) })
		if err != nil {
			return err
		}
		sums = append(sums, sum+"  "+archive+"\n")
		fmt.Printf("%s: %d bytes, binary %d\n", archive, size, len(text))
	}
	return os.WriteFile(filepath.Join(out, "SHA256SUMS"), []byte(strings.Join(sums, "")), 0o666)
}

// binary is where the target's is built.
func binary(work, goos, goarch string) string {
	name := "betalasso"
	if goos == "windows" {
		name += ".exe"
	}
	return filepath.Join(work, goos+"-"+goarch, name)
}

// build builds a stripped static binary, unless it is there.
func build(to, version, goos, goarch string) error {
	if _, err := os.Stat(to); err == nil {
		return nil
	}
	env := []string{"CGO_ENABLED=0", "GOOS=" + goos, "GOARCH=" + goarch, "GOFLAGS=", "GOAMD64=v1", "GO386=sse2", "GOARM64=v8.0", "GOEXPERIMENT="}
	_, err := output(env, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w -X betalasso/run.version="+version, "-o", to, "betalasso/cmd/betalasso")
	return err
}

// documents are the files that every archive has: the README, the licence, the
// manual page and the completions, which a binary for this machine prints.
func documents(work, version string) ([]file, error) {
	host := binary(work, runtime.GOOS, runtime.GOARCH)
	if err := build(host, version, runtime.GOOS, runtime.GOARCH); err != nil {
		return nil, err
	}
	root, err := moduleRoot()
	if err != nil {
		return nil, err
	}
	var files []file
	for _, name := range []string{"README.md", "LICENSE"} {
		text, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			return nil, err
		}
		files = append(files, file{name, text, 0o644})
	}
	for _, d := range []struct {
		name string
		args []string
	}{
		{"betalasso.1", []string{"docs", "--man"}},
		{"completions/betalasso.bash", []string{"completion", "bash"}},
		{"completions/_betalasso", []string{"completion", "zsh"}},
		{"completions/betalasso.fish", []string{"completion", "fish"}},
	} {
		text, err := output(nil, host, d.args...)
		if err != nil {
			return nil, err
		}
		files = append(files, file{d.name, []byte(text + "\n"), 0o644})
	}
	return files, nil
}

// commitTime is when the commit was made that is released: the time of all files
// in the archives. Without git it is the beginning of 1980, the first that a zip
// can hold.
func commitTime() (time.Time, error) {
	text, err := output(nil, "git", "log", "-1", "--format=%ct")
	if err != nil {
		return time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC), nil
	}
	seconds, err := strconv.ParseInt(text, 10, 64)
	return time.Unix(seconds, 0).UTC(), err
}

// moduleRoot is the folder of go.mod.
func moduleRoot() (string, error) {
	return output(nil, "go", "list", "-m", "-f", "{{.Dir}}")
}

// output runs a command and gives what it prints, without the last line's end.
func output(env []string, name string, args ...string) (string, error) {
	c := exec.Command(name, args...)
	c.Env = append(os.Environ(), env...)
	var said strings.Builder
	c.Stderr = &said
	text, err := c.Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w\n%s", strings.Join(c.Args, " "), err, said.String())
	}
	return strings.TrimSuffix(string(text), "\n"), nil
}
