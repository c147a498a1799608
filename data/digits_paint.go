package data

// background fills the image: a colour that changes from side to side, a
// texture, and sometimes a panel's edge.
func (s *scene) background() {
	grey := 16 * s.between(30, 225)
	rough := 16 * int(s.between(0, 14)) // of the texture, about as much for all colours
	for c := range s.back {
		s.back[c] = gradient{at: grey + 16*s.between(-32, 32)}
	}
	dx, dy := s.between(-24, 24), s.between(-24, 24)
	for c := range s.back {
		g := &s.back[c]
		g.dx, g.dy = dx+s.between(-5, 5), dy+s.between(-5, 5)
		g.at -= (g.dx + g.dy) * side / 2
	}
	for k := range knots * knots {
		all := s.between(-rough, rough)
		for c := range s.knots {
			s.knots[c][k] = all + s.between(-rough/4, rough/4)
		}
	}
	for c := range s.back {
		g := s.back[c]
		plane := s.pix[c*side*side:][:side*side]
		for y := range side {
			for x := range side {
				plane[y*side+x] = g.at + int32(x)*g.dx + int32(y)*g.dy + s.texture(c, x, y)
			}
		}
	}
	if s.oneIn(3) {
		s.edge()
	}
}

// texture is the background's texture at a pixel, between its knots.
func (s *scene) texture(c, x, y int) int32 {
	k := s.knots[c][y/knotGap*knots+x/knotGap:]
	fx, fy := int32(x%knotGap), int32(y%knotGap)
	top := k[0]*(knotGap-fx) + k[1]*fx
	low := k[knots]*(knotGap-fx) + k[knots+1]*fx
	return (top*(knotGap-fy) + low*fy) >> 6 // a knot's gap squared
}

// edge makes all beyond a slanted line near one of the four sides another
// shade.
func (s *scene) edge() {
	where, slant := 16*s.between(1, 6), s.between(-3, 3)
	turned, far := s.oneIn(2), s.oneIn(2)
	var shade [channels]int32
	all := 16 * s.between(-70, 70)
	for c := range shade {
		shade[c] = all + 16*s.between(-20, 20)
	}
	for y := range side {
		for x := range side {
			a, b := int32(x), int32(y)
			if turned {
				a, b = b, a
			}
			if far {
				a = side - 1 - a
			}
			if 16*a+slant*(b-side/2) >= where {
				continue
			}
			for c := range shade {
				s.pix[c*side*side+y*side+x] += shade[c]
			}
		}
	}
}

// paint lays the digits over the background: lighter or darker than it,
// sometimes by little, in a tint of their own, and now and then with a shadow.
func (s *scene) paint() {
	contrast := 16 * s.between(55, 190)
	if s.oneIn(4) {
		contrast = 16 * s.between(38, 55)
	}
	var middle int32
	for _, g := range s.back {
		middle += g.at + (g.dx+g.dy)*side/2
	}
	middle /= channels
	// The lighter the background the likelier a dark digit, and always where
	// there is no room to be lighter.
	if middle > 16*175 || middle > 16*80 && s.between(0, 16*255) < middle {
		contrast = -contrast
	}
	var colour [channels]int32
	for c := range colour {
		g := s.back[c]
		colour[c] = g.at + (g.dx+g.dy)*side/2 + contrast + 16*s.between(-14, 14)
	}
	if s.oneIn(4) {
		s.shadow(int(s.between(-1, 1)), int(s.between(1, 2)), s.between(40, 130))
	}
	// Light falls on the digits as on what is behind them, by half.
	for c := range colour {
		g := s.back[c]
		dx, dy := g.dx/2, g.dy/2
		at := min(max(colour[c], 0), 16*255) - (dx+dy)*side/2
		plane := s.pix[c*side*side:][:side*side]
		for y := range side {
			for x := range side {
				i := y*side + x
				plane[i] += (at + int32(x)*dx + int32(y)*dy - plane[i]) * s.ink[i] / 255
			}
		}
	}
}

// shadow darkens the background by depth of 256 where the digits, moved by
// (dx, dy), are.
func (s *scene) shadow(dx, dy int, depth int32) {
	for y := dy; y < side; y++ {
		for x := max(dx, 0); x < side && x-dx < side; x++ {
			dark := s.ink[(y-dy)*side+x-dx] * depth
			for c := range channels {
				p := &s.pix[c*side*side+y*side+x]
				*p -= *p * (dark >> 8) >> 8
			}
		}
	}
}

// soften blurs the image by 1-2-1 each way.
func (s *scene) soften() {
	for c := range channels {
		plane := s.pix[c*side*side:][:side*side]
		for y := range side {
			row, out := plane[y*side:][:side], s.blur[y*side:][:side]
			for x := range side {
				out[x] = row[max(x-1, 0)] + 2*row[x] + row[min(x+1, side-1)]
			}
		}
		for y := range side {
			up, here, down := s.blur[max(y-1, 0)*side:][:side], s.blur[y*side:][:side], s.blur[min(y+1, side-1)*side:][:side]
			for x := range side {
				plane[y*side+x] = (up[x] + 2*here[x] + down[x] + 8) >> 4
			}
		}
	}
}

// finish adds noise, some of it the same for all colours, and rounds to bytes.
func (s *scene) finish(out []uint8) {
	grey, colour := s.between(0, 20), s.between(0, 12)
	for i := range side * side {
		r := s.rng.Uint64()
		// The sum of bytes is near enough to normal.
		all := grey * (int32(r&255) + int32(r>>8&255) - 255)
		r >>= 16
		for c := range channels {
			own := colour * (int32(r&255) + int32(r>>8&255) - 255)
			r >>= 16
			v := s.pix[c*side*side+i] + (all+own)>>4
			out[c*side*side+i] = uint8(min(max((v+8)>>4, 0), 255))
		}
	}
}
