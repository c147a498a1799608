package report

import (
	"fmt"
	"slices"
	"strings"
)

// lead writes the first lines: which data, then what was trained where.
func (p *page) lead(all []record) {
	var real, own, foreign []string
	generated := false
	for _, s := range setsOf(all) {
		sum := ownSum(all, s.Name)
		switch {
		case s.Name == "digits":
			generated = true
		case sum != "":
			own = append(own, fmt.Sprintf("%s (SHA-256 %s…)", s.Title, sum))
		default:
			real = append(real, s.Title)
		}
	}
	checked := true
	for _, r := range all {
		if r.config.Data == "digits" || r.config.DataSum != "" {
			continue
		}
		for _, f := range r.result.Sources {
			if !f.Verified && !slices.Contains(foreign, f.File) {
				foreign = append(foreign, f.File)
			}
		}
		if r.finished && len(r.result.Sources) == 0 {
			checked = false
		}
	}
	var parts []string
	if generated {
		p.Loud = true
		text := "DATA: digits, images that this program generates"
		if len(real) == 0 {
			text += ". NOT the paper's data: no number here can be compared with a published one"
		} else {
			text += " in place of photographs; those numbers cannot be compared with published ones"
		}
		parts = append(parts, text+".")
	}
	if len(real) > 0 {
		text := "Data: " + list(real)
		switch {
		case len(foreign) > 0:
			p.Loud = true
			text += fmt.Sprintf(". UNVERIFIED: %s: not what the publisher's checksums say", strings.Join(foreign, ", "))
		case !checked:
			text += ". Some runs do not tell which files they read"
		case slices.ContainsFunc(all, func(r record) bool { return len(r.result.Sources) > 0 }):
			text += ", every file equal to the publisher's by checksum"
		default:
			text += "; no run has finished that tells which files it read"
		}
		parts = append(parts, text+".")
	}
	if len(own) > 0 {
		parts = append(parts, "Own images: "+list(own)+"; nothing that is published can be compared with them.")
	}
	if len(parts) == 0 {
		p.Loud = true
		parts = append(parts, "No run could be read.")
	}
	p.Lead = strings.Join(parts, " ")
	p.Facts = facts(all)
}

// ownSum is the checksum of the user's own images of that name; "" for other sets.
func ownSum(all []record, name string) string {
	for _, r := range all {
		if r.opened && r.config.Data == name && r.config.DataSum != "" {
			return r.config.DataSum
		}
	}
	return ""
}

// facts says how much was trained, how large, where and how long.
func facts(all []record) string {
	finished, seconds := 0, 0.0
	var epochs, params, augments, machines []string
	add := func(to *[]string, text string) {
		if !slices.Contains(*to, text) {
			*to = append(*to, text)
		}
	}
	low, high := 0, 0
	for _, r := range all {
		seconds += r.seconds()
		if r.opened {
			add(&epochs, commas(r.config.Epochs))
			add(&augments, augmentation(r.config.Augment))
		}
		if !r.finished {
			continue
		}
		finished++
		if low == 0 || r.result.Params < low {
			low = r.result.Params
		}
		high = max(high, r.result.Params)
		m := r.result.Machine
		add(&machines, fmt.Sprintf("%s, %s (%s)", m.CPU, count(m.Cores, "core"), m.Device))
	}
	if low > 0 {
		params = append(params, short(float64(low)))
		if s := short(float64(high)); s != params[0] {
			params = append(params, s)
		}
	}
	text := count(len(all), "run")
	if finished < len(all) {
		text += fmt.Sprintf(", %d of them finished", finished)
	}
	if len(epochs) > 0 {
		text += fmt.Sprintf("; %s epochs each", strings.Join(epochs, " or "))
		if epochs[0] == "1" && len(epochs) == 1 {
			text = strings.Replace(text, "1 epochs", "1 epoch", 1)
		}
		text += "; " + list(augments)
	}
	if len(params) > 0 {
		text += "; networks of " + strings.Join(params, " to ") + " weights"
	}
	text += "; " + span(seconds) + " of training"
	if len(machines) > 0 {
		text += " on " + list(machines)
	}
	return text + "."
}
