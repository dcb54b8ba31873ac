package chart

import (
	"slices"
	"strings"
	"testing"
)

var testGrowth = Growth{
	Title: "tanp: all TCP sockets with their owners", Note: "Linux 6.18, 2 CPUs; median of 5; both axes are logarithmic",
	Lines: []Line{
		{Label: "floor", Tone: FloorTone, Dashed: true, Points: []Point{{1000, 0.009, false}, {1e4, 0.016, false}, {1e5, 0.11, false}, {1e6, 1.08, false}}},
		{Label: "sockeye ss 1.70 s", Tone: SockeyeTone, Points: []Point{{1000, 0.011, false}, {1e4, 0.025, false}, {1e5, 0.18, false}, {1e6, 1.7, false}}},
		{Label: "sockeye netstat 1.75 s", Tone: Sockeye2Tone, Points: []Point{{1000, 0.012, false}, {1e4, 0.026, false}, {1e5, 0.19, false}, {1e6, 1.75, false}}},
		{Label: "ss", Tone: PeerTone, Points: []Point{{1000, 0.02, false}, {1e4, 0.2, false}, {1e5, 6, false}, {1e6, 120, true}}},
		{Label: "netstat >120 s", Tone: PeerTone + 1, Points: []Point{{1000, 0.03, false}, {1e4, 0.3, false}, {1e5, 9, false}, {1e6, 120, true}}},
		{Label: "lsof", Tone: PeerTone + 2, Points: []Point{{1000, 0.3, false}, {1e4, 4, false}, {1e5, 120, true}, {1e6, 120, true}}},
		{Label: "gopsutil", Tone: PeerTone + 5, Points: []Point{{1000, 0.05, false}, {1e4, 0.4, false}, {1e5, 3, false}}},
	},
}

func TestSpread(t *testing.T) {
	for _, in := range [][]float64{
		{}, {50}, {0, 0, 0, 0}, {100, 100, 100}, {10, 20, 90, 95, 100}, {50, 51, 52, 53, 54, 55}, {-20, 130},
	} {
		got := slices.Clone(in)
		spread(got, 0, 100, 10)
		for i, v := range got {
			if i > 0 && v-got[i-1] < 10-0.02 {
				t.Errorf("spread(%v) = %v: %d is too near", in, got, i)
			}
			if v < -0.1 || v > 100.1 {
				t.Errorf("spread(%v) = %v: %d is outside", in, got, i)
			}
		}
	}
}

func TestGrowth(t *testing.T) {
	svg := testGrowth.SVG()
	golden(t, "growth.svg", svg)
	if n := strings.Count(svg, `class="hollow`); n != 4 {
		t.Errorf("%d points are hollow, want the 4 unfinished ones", n)
	}
	if n := strings.Count(svg, `class="line s t0" stroke-dasharray="7 5"`); n != 3 {
		t.Errorf("%d parts of the floor's line are dashed, want all 3", n)
	}
	one := Growth{Title: "one", Lines: []Line{{Label: "sockeye ss", Tone: SockeyeTone, Points: []Point{{1000, 0.011, false}}}}}
	golden(t, "growth-one.svg", one.SVG())
}
