package chart

import "math"

// Bars is a chart of horizontal bars on a logarithmic axis of seconds.
type Bars struct {
	Title, Note string
	Panels      []Panel
}

// Panel is a group of bars with an axis of its own.
type Panel struct {
	Title string
	Bars  []Bar
}

// Bar is one bar.
type Bar struct {
	Label   string
	Seconds float64 // more than 0; of an unfinished bar the time at which it was ended
	// Unfinished makes the bar one with an open end.
	Unfinished bool
	Text       string // what stands behind the bar
	Tone       Tone
}

const (
	barWidth  = 860.0
	barStep   = 28.0
	barHeight = 18.0
	margin    = 20.0
)

// SVG draws the chart.
func (b *Bars) SVG() string {
	label, text := 0.0, 0.0
	height := 64.0
	for _, p := range b.Panels {
		for _, bar := range p.Bars {
			label = max(label, bar.Tone.labelWidth(bar.Label))
			text = max(text, textWidth(bar.Text, smallSize))
		}
		height += p.height()
	}
	label = min(label, 260)
	left := margin + label + 10
	right := barWidth - margin - text - 12
	var d drawing
	d.begin(barWidth, height, b.Title, b.Note)
	d.add(`<defs><pattern id="open" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">` +
		`<rect class="page" width="2.4" height="6"/></pattern></defs>`)
	top := 64.0
	for _, p := range b.Panels {
		p.draw(&d, top, left, max(right, left+120))
		top += p.height()
	}
	return d.end()
}

func (p *Panel) height() float64 { return 30 + barStep*float64(len(p.Bars)) + 34 }

// axis has a part of a decade at least left of the shortest bar: the bars have a length that can be seen.
func (p *Panel) axis(from, to float64) scale {
	low, high := math.Inf(1), 0.0
	for _, b := range p.Bars {
		if b.Seconds > 0 {
			low, high = min(low, b.Seconds), max(high, b.Seconds)
		}
	}
	if high == 0 {
		low, high = 0.1, 1
	}
	start := decade(low)
	if low < 2*start {
		start /= 10
	}
	return newScale(start, high, from, to)
}

func (p *Panel) draw(d *drawing, top, left, right float64) {
	d.text(margin, top+14, "head", "start", p.Title)
	axis := p.axis(left, right)
	first := top + 30
	bottom := first + barStep*float64(len(p.Bars))
	for _, v := range axis.ticks() {
		x := axis.place(v)
		d.line(x, first-4, x, bottom, "grid")
		d.text(x, bottom+15, "small mute", "middle", tickSeconds(v))
	}
	for i, b := range p.Bars {
		y := first + barStep*float64(i)
		middle := y + barHeight/2 + 4.5
		class := "mute"
		if b.Tone.sockeye() {
			class = "head"
		}
		d.text(left-10, middle, class, "end", b.Label)
		end := left
		if b.Seconds > 0 {
			end = axis.place(b.Seconds)
			b.draw(d, left, y, end)
		}
		d.text(end+8, middle, "small", "start", b.Text)
	}
	d.line(left, first-4, left, bottom, "axis")
}

func (b *Bar) draw(d *drawing, x, y, end float64) {
	if !b.Unfinished {
		d.add(`<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" class="f %s"/>`, x, y, end-x, barHeight, b.Tone.class())
		return
	}
	// hatched, with a point that says: and further
	for _, fill := range []string{`class="f ` + b.Tone.class() + `"`, `fill="url(#open)"`} {
		d.add(`<path d="M%.1f %.1fH%.1fL%.1f %.1fL%.1f %.1fH%.1fZ" %s/>`,
			x, y, end-9, end, y+barHeight/2, end-9, y+barHeight, x, fill)
	}
}
