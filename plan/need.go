package plan

import (
	"fmt"
	"strings"

	"betalasso/filters"
	"betalasso/model"
	"betalasso/run"
	"betalasso/train"
)

// Memory is the estimated peak memory of training c, in bytes.
func Memory(c run.Config) float64 {
	n := SourceOf(c).Images()
	need, err := train.Memory(c, SizeOf(c), n.Train, n.Test)
	if err != nil {
		return 0
	}
	return need
}

// Disk is the disk space of c's finished run, in bytes: the last weights, those
// of the best epoch, momentum, events, and filters: of whole images, where the
// first layer is not a convolution.
func Disk(c run.Config) float64 {
	_, n, err := model.Count(c.Model, SizeOf(c))
	if err != nil {
		return 0
	}
	copies := 2
	if c.Momentum > 0 {
		copies++
	}
	kept, most := 0.34e6, 0.83e6 // a file of an epoch's filters, and of those at the end
	if strings.HasSuffix(c.Model, "-conv") {
		kept, most = 0.07e6, 0.11e6
	}
	rest := 10e3 + 400*float64(c.Epochs) + most
	for epoch := range c.Epochs + 1 {
		if filters.Follow(epoch, c.Epochs) {
			rest += kept
		}
	}
	return 4*float64(n)*float64(copies) + rest
}

// Room is the memory that a process may have, in bytes, and whose it is ("the
// machine's"); 0 where the system does not tell.
type Room struct {
	Bytes float64
	Of    string
}

// Here is the Room of this process.
func Here() Room {
	have, of := run.Memory()
	return Room{have, of}
}

// Fits is an error if c cannot be trained in that room, otherwise a line about
// its memory, or "" if the system does not tell.
func Fits(c run.Config, room Room) (note string, err error) {
	_, n, err := model.Count(c.Model, SizeOf(c))
	if err != nil || room.Bytes <= 0 {
		return "", err
	}
	need := Memory(c)
	if need > room.Bytes {
		return "", fmt.Errorf("%s weights need %.1f GB to be trained, and there are %.1f GB, %s; take a smaller network or a smaller batch, or give it more",
			Thousands(n), need/1e9, room.Bytes/1e9, room.Of)
	}
	return fmt.Sprintf("memory: about %s of %s, %s", Bytes(need), Bytes(room.Bytes), room.Of), nil
}
