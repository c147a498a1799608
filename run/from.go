package run

import "fmt"

// fromDigits is the length of Config.FromSum.
const fromDigits = 16

// Beginning is the weights of a run, for another one to begin with.
type Beginning struct {
	Config  Config // of the run that they are from
	Tensors []Tensor
}

// BeginningFrom reads the last weights of the run in dir, finished or not.
func BeginningFrom(dir string) (b Beginning, sum string, err error) {
	d, err := Open(dir)
	if err != nil {
		return b, "", err
	}
	_, list, err := d.Weights(false)
	if err != nil {
		return b, "", err
	}
	return Beginning{d.Config(), list}, Checksum(list)[:fromDigits], nil
}

// Beginning reads the weights that c's training begins with. They are an error if
// they are not those that c says.
func (c Config) Beginning() (Beginning, error) {
	if c.From == "" {
		return Beginning{}, fmt.Errorf("this training begins with another run's weights (%s), and nothing says where they are; give that run's directory with --from", c.FromSum)
	}
	b, sum, err := BeginningFrom(c.From)
	if err != nil {
		return b, err
	}
	if sum != c.FromSum {
		return b, fmt.Errorf("the weights in %s are %s now, and this training begins with %s; give a directory that has those with --from, or begin a new run from these", c.From, sum, c.FromSum)
	}
	return b, nil
}
