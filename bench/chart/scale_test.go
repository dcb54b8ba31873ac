package chart

import (
	"math"
	"slices"
	"strings"
	"testing"
)

func TestTicks(t *testing.T) {
	for _, tt := range []struct {
		low, high float64
		want      []string
	}{
		{0.001, 100, []string{"1 ms", "10 ms", "100 ms", "1 s", "10 s", "100 s"}},
		{0.00005, 0.01, []string{"100 µs", "1 ms", "10 ms"}},
		{0.15, 3, []string{"200 ms", "500 ms", "1 s", "2 s"}},
		{120, 130, nil},
	} {
		var got []string
		for _, v := range newScale(tt.low, tt.high, 0, 1).ticks() {
			got = append(got, tickSeconds(v))
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("ticks from %v to %v: %q, want %q", tt.low, tt.high, got, tt.want)
		}
	}
	for in, want := range map[float64]string{10: "10", 1000: "1 k", 20000: "20 k", 1e6: "1 M", 5e6: "5 M"} {
		if got := tickCount(in); got != want {
			t.Errorf("tickCount(%v) = %q, want %q", in, got, want)
		}
	}
}

// Times that nobody measured, as a report can have that was edited by hand, still make a chart.
func TestTimesBeyondAllMeasure(t *testing.T) {
	for _, seconds := range []float64{math.SmallestNonzeroFloat64, 1e-310, 1e-290, 1e290, 1e308, math.MaxFloat64} {
		b := Bars{Panels: []Panel{{Bars: []Bar{{Label: "a", Seconds: seconds}}}, {Bars: []Bar{{Label: "b", Seconds: seconds}, {Label: "c", Seconds: 1}}}}}
		g := Growth{Lines: []Line{{Label: "a", Points: []Point{{1000, seconds, false}}}, {Label: "b", Points: []Point{{1000, 1, false}, {seconds, 1, false}}}}}
		for what, svg := range map[string]string{"bars": b.SVG(), "growth": g.SVG()} {
			if strings.Contains(svg, "NaN") || strings.Contains(svg, "Inf") {
				t.Errorf("%s of %g seconds: a place that is none", what, seconds)
			}
		}
	}
}

func TestPlace(t *testing.T) {
	axis := newScale(0.1, 100, 200, 500)
	for v, want := range map[float64]float64{0.1: 200, 1: 300, 10: 400, 100: 500} {
		if got := axis.place(v); math.Abs(got-want) > 1e-9 {
			t.Errorf("%v lies at %v, want %v", v, got, want)
		}
	}
}
