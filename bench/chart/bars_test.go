package chart

import (
	"math"
	"strings"
	"testing"
)

var testBars = Bars{
	Title: "Side by side: wall time", Note: "Linux 6.18, 2 CPUs; 1,009,851 TCP sockets; median of 5; logarithmic",
	Panels: []Panel{
		{Title: "tan: all TCP sockets", Bars: []Bar{
			{Label: "floor", Seconds: 1.08, Text: "1.08 s", Tone: FloorTone},
			{Label: "sockeye ss", Seconds: 1.25, Text: "1.25 s", Tone: SockeyeTone},
			{Label: "sockeye netstat", Seconds: 1.31, Text: "1.31 s", Tone: Sockeye2Tone},
			{Label: "ss", Seconds: 2.3, Text: "2.30 s, 1.84×", Tone: PeerTone},
			{Label: "netstat", Seconds: 5.3, Text: "5.30 s, 4.05×", Tone: PeerTone + 1},
			{Label: "mdlayher", Seconds: 4.4, Text: "4.40 s, 3.52×", Tone: PeerTone + 3},
		}},
		{Title: "tanp: all TCP sockets with their owners", Bars: []Bar{
			{Label: "floor", Seconds: 1.08, Text: "1.08 s", Tone: FloorTone},
			{Label: "sockeye ss", Seconds: 1.9, Text: "1.90 s", Tone: SockeyeTone},
			{Label: "ss", Seconds: 120, Unfinished: true, Text: "unfinished after 120 s, >63.2×", Tone: PeerTone},
			{Label: "netstat", Seconds: 120, Unfinished: true, Text: "unfinished after 120 s, >60.1×", Tone: PeerTone + 1},
			{Label: "a<b & \"c\"", Text: "failed: exit 1", Tone: PeerTone + 2},
		}},
		{Title: "tlnp: listening TCP sockets with their owners", Bars: []Bar{
			{Label: "sockeye ss", Seconds: 0.0123, Text: "12.3 ms", Tone: SockeyeTone},
			{Label: "ss", Seconds: 9.9, Text: "9.90 s, 805×", Tone: PeerTone},
		}},
	},
}

func TestBarsAreToScale(t *testing.T) {
	b := Bars{Panels: []Panel{{Bars: []Bar{{Label: "a", Seconds: 0.2}, {Label: "b", Seconds: 2}, {Label: "c", Seconds: 20}}}}}
	var ends []float64
	for _, s := range parse(t, b.SVG()) {
		if s.name == "rect" && strings.HasPrefix(s.attr["class"], "f ") {
			ends = append(ends, s.num(t, "x")+s.num(t, "width"))
		}
	}
	if len(ends) != 3 || math.Abs((ends[1]-ends[0])-(ends[2]-ends[1])) > 0.2 || ends[0] >= ends[1] {
		t.Errorf("bars of 0.2, 2 and 20 s end at %v: want equal distances", ends)
	}
}

func TestBars(t *testing.T) {
	golden(t, "bars.svg", testBars.SVG())
	if n := strings.Count(testBars.SVG(), "url(#open)"); n != 2 {
		t.Errorf("%d bars are hatched, want the 2 unfinished ones", n)
	}
}
