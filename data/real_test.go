package data

import (
	"os"
	"path/filepath"
	"testing"
)

// realData is a folder of real files for tests, outside the repository.
func realData(t *testing.T, variable string, beside ...string) string {
	t.Helper()
	dir := os.Getenv(variable)
	if dir == "" {
		dir = filepath.Join(append([]string{"..", ".."}, beside...)...)
	}
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("no real data: %v; set %s", err, variable)
	}
	return dir
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
	mean, std := MeanStd(set.Train, 3)
	t.Log(mean, std, set.Files)
}

// TestRealSVHN reads the real images in a data folder of the user's own.
func TestRealSVHN(t *testing.T) {
	dir := realData(t, "BETALASSO_SVHN", "shared", "data", "svhn")
	set, err := Load(t.Context(), "svhn", Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	mean, std := MeanStd(set.Train, 3)
	t.Log(set.Train.Len(), set.Test.Len(), mean, std, set.Files)
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
	mean, std := MeanStd(set.Train, 3)
	t.Log(set.Train.Len(), set.Test.Len(), mean, std, set.Files)
}
