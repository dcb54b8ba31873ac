// Package chart draws the charts of a benchmark as SVG: bars for one comparison, and lines for how times grow with the number of
// sockets. The files stand alone, and have colours for light and for dark pages.
package chart

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Tone is the colour of a series. Colours mean the same in all charts.
type Tone int

// Tones. Peers have PeerTone and those behind it.
const (
	FloorTone Tone = iota
	SockeyeTone
	Sockeye2Tone
	PeerTone
)

// tones are the colours on light and on dark pages.
var tones = [...][2]string{
	{"#6e7781", "#8b949e"}, // grey
	{"#c4302b", "#ff7b72"}, // red
	{"#e0703c", "#ffa657"}, // orange
	{"#0969da", "#58a6ff"}, // blue
	{"#8a6100", "#d2b022"}, // ochre
	{"#1a7f37", "#3fb950"}, // green
	{"#8250df", "#bc8cff"}, // violet
	{"#0e7490", "#39c5cf"}, // teal
	{"#bf3989", "#f778ba"}, // pink
}

// class is the name of the style of a tone; those that are too many begin again with the peers.
func (t Tone) class() string {
	if t >= Tone(len(tones)) {
		t = PeerTone + (t-PeerTone)%(Tone(len(tones))-PeerTone)
	}
	return fmt.Sprintf("t%d", max(t, 0))
}

// sockeye tells whether labels are bold.
func (t Tone) sockeye() bool { return t == SockeyeTone || t == Sockeye2Tone }

// labelWidth is about how wide a label is.
func (t Tone) labelWidth(s string) float64 {
	if t.sockeye() {
		return textWidth(s, fontSize*1.1)
	}
	return textWidth(s, fontSize)
}

const (
	fontSize  = 13.0
	smallSize = 11.5
)

// drawing is an SVG that grows.
type drawing struct{ strings.Builder }

func (d *drawing) add(format string, args ...any) { fmt.Fprintf(d, format+"\n", args...) }

// begin writes the head, the styles, and the background.
func (d *drawing) begin(width, height float64, title, note string) {
	d.add(`<svg xmlns="http://www.w3.org/2000/svg" width="%.0f" height="%.0f" viewBox="0 0 %.0f %.0f" role="img">`, width, height, width, height)
	d.add(`<title>%s</title>`, escape(title))
	d.add(`<style>`)
	d.add(`text{font-family:system-ui,-apple-system,"Segoe UI","DejaVu Sans",Arial,sans-serif;font-size:%gpx;fill:#1f2328}`, fontSize)
	d.add(`.title{font-size:17px;font-weight:600}.head{font-weight:600}.small{font-size:%gpx}.mute{fill:#59636e}`, smallSize)
	d.add(`.page{fill:#ffffff}.grid{stroke:#d1d9e0;stroke-width:1}.axis{stroke:#818b98;stroke-width:1}.line{fill:none;stroke-width:2.2}.thin{stroke-width:1}`)
	d.add(`.hollow{fill:#ffffff;stroke-width:2}`)
	d.tones(0)
	d.add(`@media(prefers-color-scheme:dark){text{fill:#e6edf3}.mute{fill:#9198a1}.page,.hollow{fill:#0d1117}.grid{stroke:#30363d}.axis{stroke:#656c76}`)
	d.tones(1)
	d.add(`}`)
	d.add(`</style>`)
	d.add(`<rect class="page" width="%.0f" height="%.0f"/>`, width, height)
	d.text(20, 30, "title", "start", title)
	d.text(20, 50, "small mute", "start", note)
}

// tones writes the styles: f is to fill with the colour, s is to draw lines with it.
func (d *drawing) tones(page int) {
	for i, c := range tones {
		d.add(`.f.t%d{fill:%s}.s.t%d{stroke:%s}`, i, c[page], i, c[page])
	}
}

func (d *drawing) end() string {
	d.add(`</svg>`)
	return d.String()
}

func (d *drawing) text(x, y float64, class, anchor, s string) {
	if s != "" {
		d.add(`<text x="%.1f" y="%.1f" class="%s" text-anchor="%s">%s</text>`, x, y, class, anchor, escape(s))
	}
}

func (d *drawing) line(x1, y1, x2, y2 float64, class string) {
	d.add(`<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" class="%s"/>`, x1, y1, x2, y2, class)
}

// escape makes text of XML, without the characters that XML has no way to write.
func escape(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == utf8.RuneError || r == 0xfffe || r == 0xffff {
			return -1
		}
		return r
	}, strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;").Replace(s))
}

// textWidth is about how wide a text is. Fonts differ, so it is rather too much.
func textWidth(s string, size float64) float64 {
	return float64(utf8.RuneCountInString(s)) * size * 0.58
}
