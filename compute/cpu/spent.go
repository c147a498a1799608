package cpu

import "time"

// Part is a part of a training step.
type Part int

// The parts of a step that Spent tells apart.
const (
	Forward   Part = iota // products of the forward pass
	GradInput             // gradients of a layer's input
	GradStep              // gradients of weights, and their update
	Search                // the bound that shows which zero weights stay, and what it does not exclude
	Norm                  // batch norm and its gradient
	Parts                 // how many there are
)

// Spent is the time that each part has taken since the device was made.
func (d *Device) Spent() [Parts]time.Duration { return d.spent }

// took adds the time since began to a part.
func (d *Device) took(p Part, began time.Time) { d.spent[p] += time.Since(began) }
