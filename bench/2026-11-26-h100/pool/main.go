// Command pool writes epochs of CIFAR-10's training images with Fast AutoAugment, as bytes:
//
//	go run ./bench/2026-11-26-h100/pool CIFAR EPOCHS POOL
package main

import (
	"fmt"
	"log"
	"math"
	"os"
	"runtime"
	"strconv"
	"sync"

	"betalasso/augment"
)

const (
	images = 50000
	size   = 3 * 32 * 32
	chunk  = 1000 // images of a job
)

func main() {
	log.SetFlags(0)
	if len(os.Args) != 4 {
		log.Fatal("usage: pool CIFAR EPOCHS POOL")
	}
	if err := write(os.Args[1], os.Args[2], os.Args[3]); err != nil {
		log.Fatal(err)
	}
}

func write(from, count, to string) error {
	raw, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if len(raw) < images*(size+1) {
		return fmt.Errorf("%s: %d bytes; want at least %d", from, len(raw), images*(size+1))
	}
	epochs, err := strconv.Atoi(count)
	if err != nil {
		return err
	}
	mean, std := []float64{0.4914, 0.4822, 0.4465}, []float64{0.2023, 0.1994, 0.2010}
	pipe, err := augment.New("fast-autoaugment", "cifar", 3, 32, mean, std)
	if err != nil {
		return err
	}
	f, err := os.Create(to)
	if err != nil {
		return err
	}
	defer f.Close()
	jobs := make(chan int)
	var wg sync.WaitGroup
	for range runtime.NumCPU() {
		wg.Go(func() {
			var s augment.Scratch
			dst, out := make([]float32, size), make([]byte, chunk*size)
			for j := range jobs {
				epoch, first := j*chunk/images, j*chunk%images
				for i := range chunk {
					pipe.Apply(dst, raw[(first+i)*(size+1)+1:][:size], augment.Seed(1, epoch+1, first+i), &s)
					for k, v := range dst {
						c := k / (32 * 32)
						out[i*size+k] = byte(math.Round((float64(v)*std[c] + mean[c]) * 255))
					}
				}
				if _, err := f.WriteAt(out, int64(j)*chunk*size); err != nil {
					log.Fatal(err)
				}
			}
		})
	}
	for j := range epochs * images / chunk {
		jobs <- j
	}
	close(jobs)
	wg.Wait()
	return f.Close()
}
