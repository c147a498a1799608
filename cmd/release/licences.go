package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// licences are the texts that the licences of the libraries, of Go and of the
// live page's charts ask to go with a binary: those of the modules that a binary
// for the target is linked from.
func licences(goos, goarch string) ([]byte, error) {
	env := []string{"CGO_ENABLED=0", "GOOS=" + goos, "GOARCH=" + goarch}
	modules, err := output(env, "go", "list", "-deps", "-f", "{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}}\t{{.Dir}}{{end}}{{end}}", "betalasso/cmd/betalasso")
	if err != nil {
		return nil, err
	}
	goroot, err := output(nil, "go", "env", "GOROOT")
	if err != nil {
		return nil, err
	}
	root, err := moduleRoot()
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	b.WriteString("betalasso is linked from the following. Its own licence is in LICENSE.\n")
	seen := map[string]bool{}
	for line := range strings.Lines(modules + "\nGo\t" + goroot + "\nuPlot\t" + filepath.Join(root, "watch", "page", "uplot")) {
		name, dir, ok := strings.Cut(strings.TrimSpace(line), "\t")
		if !ok || seen[name] {
			continue
		}
		seen[name] = true
		texts, err := licenceFiles(dir)
		if err != nil {
			return nil, err
		}
		if len(texts) == 0 {
			return nil, fmt.Errorf("%s: there is no licence in %s; a binary with it cannot be given away", name, dir)
		}
		for _, path := range texts {
			text, err := os.ReadFile(path)
			if err != nil {
				return nil, err
			}
			fmt.Fprintf(&b, "\n%s\n%s: %s\n\n%s\n", strings.Repeat("=", 78), name, filepath.Base(path), bytes.TrimSpace(text))
		}
	}
	return b.Bytes(), nil
}

// licenceFiles are the files at the top of a folder that hold a licence or what
// goes with it.
func licenceFiles(dir string) (paths []string, err error) {
	list, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	for _, e := range list {
		name := strings.ToUpper(e.Name())
		for _, begins := range []string{"LICENSE", "LICENCE", "COPYING", "NOTICE"} {
			if e.Type().IsRegular() && strings.HasPrefix(name, begins) && !strings.HasSuffix(name, ".GO") {
				paths = append(paths, filepath.Join(dir, e.Name()))
			}
		}
	}
	return paths, nil
}
