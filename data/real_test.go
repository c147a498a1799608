package data

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// realData is a folder of real files for tests, outside the repository.
func realData(t *testing.T, variable string, beside ...string) string {
	t.Helper()
	if testing.Short() {
		t.Skip("reads whole data sets")
	}
	dir := os.Getenv(variable)
	if dir == "" {
		dir = filepath.Join(append([]string{"..", ".."}, beside...)...)
	}
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("no real data: %v; set %s", err, variable)
	}
	return dir
}

// checkMeans compares the channels' means of the training set, to four places.
func checkMeans(t *testing.T, set *Set, want [3]string) {
	t.Helper()
	mean, _ := MeanStd(set.Train, set.Channels)
	for c, m := range mean {
		if got := fmt.Sprintf("%.4f", m); got != want[c] {
			t.Errorf("%s, channel %d: got mean %s, want %s", set.Name, c, got, want[c])
		}
	}
}

// TestRealCIFAR10 reads the cache, if CIFAR-10 is in it.
func TestRealCIFAR10(t *testing.T) {
	if testing.Short() {
		t.Skip("reads a whole data set")
	}
	set, err := Load(t.Context(), "cifar10", Options{})
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	if got, want := [2]int{set.Train.Len(), set.Test.Len()}, [2]int{50000, 10000}; got != want {
		t.Errorf("got %d images, want %d", got, want)
	}
	checkMeans(t, set, [3]string{"0.4914", "0.4822", "0.4465"})
}

// TestRealCIFAR100 reads the publisher's training file.
func TestRealCIFAR100(t *testing.T) {
	dir := realData(t, "BETALASSO_CIFAR100", "shared", "data", "cifar-100-binary")
	set, err := Load(t.Context(), "cifar100", Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := [2]int{set.Train.Len(), set.Test.Len()}, [2]int{50000, 10000}; got != want {
		t.Errorf("got %d images, want %d", got, want)
	}
	if f := set.Files[0]; !f.Verified {
		t.Errorf("%s: got md5 %s, want the publisher's", f.Path, f.MD5)
	}
	checkMeans(t, set, [3]string{"0.5071", "0.4865", "0.4409"})
}

// TestRealSVHN reads real images from files written by another program.
func TestRealSVHN(t *testing.T) {
	dir := realData(t, "BETALASSO_SVHN", "shared", "data", "svhn")
	set, err := Load(t.Context(), "svhn", Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	for _, im := range []Images{set.Train, set.Test} {
		for digit, n := range perClass(im, 10) {
			// In house numbers 1 is the most frequent digit, 9 or 0 the rarest.
			if share := float64(n) / float64(im.Len()); share < 0.04 || share > 0.25 {
				t.Errorf("got %d of %d images of %d", n, im.Len(), digit)
			}
		}
	}
	for _, f := range set.Files {
		t.Logf("%s: verified %v", f.Path, f.Verified)
	}
}

// TestRealFetch really fetches a set where the environment names one.
func TestRealFetch(t *testing.T) {
	name := os.Getenv("BETALASSO_FETCH")
	if name == "" {
		t.Skip("set BETALASSO_FETCH to a data set to really fetch it")
	}
	set, err := Load(t.Context(), name, Options{Fetch: true, Progress: func(p Progress) { t.Log(p) }})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range set.Files {
		t.Logf("%s: verified %v", f.Path, f.Verified)
	}
}

// TestRealMNIST reads the cache, if MNIST is in it.
func TestRealMNIST(t *testing.T) {
	if testing.Short() {
		t.Skip("reads a whole data set")
	}
	set, err := Load(t.Context(), "mnist", Options{})
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	if got, want := [2]int{set.Train.Len(), set.Test.Len()}, [2]int{60000, 10000}; got != want {
		t.Errorf("got %d images, want %d", got, want)
	}
	if mean, std := MeanStd(set.Train, 1); fmt.Sprintf("%.4f %.4f", mean[0], std[0]) != "0.1307 0.3081" {
		t.Errorf("got mean %v and deviation %v, want 0.1307 and 0.3081", mean, std)
	}
}
