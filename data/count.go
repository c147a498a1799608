package data

import (
	"bufio"
	"fmt"
	"io"
	"path"
	"slices"
)

// Count is the number of training and of test images that Load would return, from
// the files' sizes and headers alone. In the cache files are the publisher's or
// refused, so nothing is opened there.
func Count(name string, opt Options) (trainImages, testImages int, err error) {
	p, err := find(name)
	if err != nil {
		return 0, 0, err
	}
	if p.drawn != nil {
		return p.drawn.train, p.drawn.test, nil
	}
	return p.count(opt)
}

func (p *published) count(opt Options) (trainImages, testImages int, err error) {
	files := p.wanted(opt.Extra)
	add := func(f file, n int) {
		switch {
		case f.beside:
		case f.use == test:
			testImages += n
		default:
			trainImages += n
		}
	}
	if opt.Dir == "" {
		for _, f := range files {
			add(f, f.rows)
		}
		return trainImages, testImages, nil
	}
	at, err := p.locate(opt.Dir, opt.Extra)
	if err != nil {
		return 0, 0, err
	}
	if at.archive != "" {
		err = p.countArchive(at.archive, add)
		return trainImages, testImages, err
	}
	for i, f := range files {
		n, err := p.countFile(at.paths[i])
		if err != nil {
			return 0, 0, fmt.Errorf("%s: %w", at.paths[i], err)
		}
		add(f, n)
	}
	return trainImages, testImages, nil
}

// countFile is the number of images in the file at path.
func (p *published) countFile(path string) (int, error) {
	f, size, err := openPlain(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	return p.format.count(p, bufio.NewReader(f), size)
}

// countArchive counts the images in a .tar.gz, which is read for it unless it
// has the size of the publisher's.
func (p *published) countArchive(name string, add func(file, int)) error {
	f, size, err := openPlain(name)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	defer f.Close()
	if size == p.archive.size {
		for _, f := range p.files {
			add(f, f.rows)
		}
		return nil
	}
	err = eachMember(f, func(name string, size int64, r io.Reader) error {
		i := slices.IndexFunc(p.files, func(f file) bool { return f.name == path.Base(name) })
		if i < 0 {
			return nil
		}
		n, err := p.format.count(p, r, size)
		add(p.files[i], n)
		return err
	})
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}
