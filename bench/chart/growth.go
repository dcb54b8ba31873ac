package chart

import (
	"math"
	"slices"
	"strings"
)

// Growth is a chart of times over numbers of sockets, both logarithmic.
type Growth struct {
	Title, Note string
	Lines       []Line
}

// Line is how one tool's time grows.
type Line struct {
	Label  string // at the end of the line
	Tone   Tone
	Dashed bool
	Points []Point // in the order of Sockets
}

// Point is one measurement.
type Point struct {
	Sockets, Seconds float64 // more than 0; of an unfinished one the time at which it was ended
	Unfinished       bool
}

const (
	growthWidth  = 860.0
	growthHeight = 520.0
	growthTop    = 72.0
	growthLeft   = 78.0
	growthBottom = growthHeight - 58
	labelStep    = 17.0
)

// SVG draws the chart.
func (g *Growth) SVG() string {
	label := 0.0
	lowX, highX, lowY, highY := math.Inf(1), 0.0, math.Inf(1), 0.0
	for _, l := range g.Lines {
		label = max(label, l.Tone.labelWidth(l.Label))
		for _, p := range l.Points {
			lowX, highX = min(lowX, p.Sockets), max(highX, p.Sockets)
			lowY, highY = min(lowY, p.Seconds), max(highY, p.Seconds)
		}
	}
	if highX == 0 {
		lowX, highX, lowY, highY = 1, 10, 0.1, 1
	}
	right := growthWidth - margin - label - 26
	x := newScale(lowX/1.15, highX, growthLeft, right)
	if low := decade(lowY); lowY < 3*low { // room below, a whole decade where the lowest point is near its end
		lowY = low
	}
	y := newScale(lowY/1.15, highY*1.25, growthBottom, growthTop)

	var d drawing
	d.begin(growthWidth, growthHeight, g.Title, g.Note)
	for _, v := range y.ticks() {
		d.line(growthLeft, y.place(v), right, y.place(v), "grid")
		d.text(growthLeft-8, y.place(v)+4, "small mute", "end", tickSeconds(v))
	}
	for _, v := range x.ticks() {
		d.line(x.place(v), growthTop, x.place(v), growthBottom, "grid")
		d.text(x.place(v), growthBottom+18, "small mute", "middle", tickCount(v))
	}
	d.line(growthLeft, growthBottom, right, growthBottom, "axis")
	d.line(growthLeft, growthTop, growthLeft, growthBottom, "axis")
	d.text((growthLeft+right)/2, growthBottom+40, "small mute", "middle", "sockets")
	if g.unfinished() {
		d.text(growthWidth-margin, growthBottom+40, "small mute", "end", "triangle: unfinished at the time limit")
	}
	for i := range slices.Backward(g.Lines) { // the first ones on top
		g.Lines[i].draw(&d, x, y)
	}
	g.labels(&d, x, y, right)
	return d.end()
}

func (g *Growth) unfinished() bool {
	return slices.ContainsFunc(g.Lines, func(l Line) bool {
		return slices.ContainsFunc(l.Points, func(p Point) bool { return p.Unfinished })
	})
}

func (l *Line) draw(d *drawing, x, y scale) {
	for i := 1; i < len(l.Points); i++ {
		a, b := l.Points[i-1], l.Points[i]
		dash := ""
		switch {
		case l.Dashed:
			dash = ` stroke-dasharray="7 5"`
		case b.Unfinished:
			dash = ` stroke-dasharray="2 4"`
		}
		d.add(`<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" class="line s %s"%s/>`,
			x.place(a.Sockets), y.place(a.Seconds), x.place(b.Sockets), y.place(b.Seconds), l.Tone.class(), dash)
	}
	for _, p := range l.Points {
		cx, cy := x.place(p.Sockets), y.place(p.Seconds)
		if p.Unfinished { // an arrow: it lies higher
			d.add(`<path d="M%.1f %.1fl6 10h-12z" class="hollow s %s"/>`, cx, cy-7, l.Tone.class())
		} else {
			d.add(`<circle cx="%.1f" cy="%.1f" r="3.2" class="f %s"/>`, cx, cy, l.Tone.class())
		}
	}
}

// labels writes the names at the ends of the lines, moved apart where they would meet.
func (g *Growth) labels(d *drawing, x, y scale, right float64) {
	var lines []*Line
	for i := range g.Lines {
		if len(g.Lines[i].Points) > 0 {
			lines = append(lines, &g.Lines[i])
		}
	}
	end := func(l *Line) Point { return l.Points[len(l.Points)-1] }
	slices.SortStableFunc(lines, func(a, b *Line) int {
		if c := int(math.Copysign(1, end(b).Seconds-end(a).Seconds)); end(a).Seconds != end(b).Seconds {
			return c
		}
		return strings.Compare(a.Label, b.Label)
	})
	places := make([]float64, len(lines))
	for i, l := range lines {
		places[i] = y.place(end(l).Seconds)
	}
	spread(places, growthTop, growthBottom, labelStep)
	for i, l := range lines {
		p := end(l)
		px, py := x.place(p.Sockets), y.place(p.Seconds)
		d.add(`<path d="M%.1f %.1fL%.1f %.1fL%.1f %.1f" class="line thin s %s" opacity="0.6"/>`,
			px+7, py, max(px+7, right+8), (places[i]+py)/2, right+18, places[i], l.Tone.class())
		class := "f " + l.Tone.class()
		if l.Tone.sockeye() {
			class += " head"
		}
		d.text(right+22, places[i]+4.5, class, "start", l.Label)
	}
}

// spread moves ascending places so that they are at least step apart and, where there is room, within low and high.
func spread(places []float64, low, high, step float64) {
	for range 200 {
		moved := false
		for i := 1; i < len(places); i++ {
			if lack := step - (places[i] - places[i-1]); lack > 0.01 {
				places[i-1] -= lack / 2
				places[i] += lack / 2
				moved = true
			}
		}
		if len(places) > 0 {
			places[0] = max(places[0], low)
			places[len(places)-1] = min(places[len(places)-1], high)
		}
		if !moved {
			break
		}
	}
	for i := 1; i < len(places); i++ { // what is left
		places[i] = max(places[i], places[i-1]+step)
	}
}
