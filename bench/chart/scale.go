package chart

import (
	"math"
	"strconv"
)

// scale maps values to places on a logarithmic axis.
type scale struct {
	low, high float64 // values
	from, to  float64 // places
}

// least and most are what an axis ends at: beyond, numbers would overflow.
const least, most = 1e-300, 1e300

// newScale returns a scale on which the values from low to high have room; both must be positive.
func newScale(low, high, from, to float64) scale {
	low, high = min(max(low, least), most), min(high, most)
	if high <= low {
		high = low * 1.0001
	}
	return scale{low, high, from, to}
}

func (s scale) place(v float64) float64 {
	return s.from + (s.to-s.from)*(math.Log(v)-math.Log(s.low))/(math.Log(s.high)-math.Log(s.low))
}

// ticks are the powers of ten of an axis, and where these are few, 2 and 5 times those.
func (s scale) ticks() []float64 {
	steps := []float64{1}
	if math.Log10(s.high/s.low) < 1.5 {
		steps = []float64{1, 2, 5}
	}
	var ticks []float64
	for e := math.Floor(math.Log10(s.low)); ; e++ {
		for _, step := range steps {
			v := step * math.Pow(10, e)
			switch {
			case v > s.high*1.0000001:
				return ticks
			case v >= s.low*0.9999999:
				ticks = append(ticks, v)
			}
		}
	}
}

// decade is the largest power of ten that is not larger than v.
func decade(v float64) float64 { return math.Pow(10, math.Floor(math.Log10(v)+1e-9)) }

// tickSeconds is the label of a time: 1 µs, 20 ms, 100 s.
func tickSeconds(s float64) string {
	unit, v := "s", s
	switch {
	case s < 0.9999999e-3:
		unit, v = "µs", s*1e6
	case s < 0.9999999:
		unit, v = "ms", s*1e3
	}
	return strconv.FormatFloat(v, 'g', 6, 64) + " " + unit
}

// tickCount is the label of a number of sockets: 500, 10 k, 2 M.
func tickCount(n float64) string {
	switch {
	case n >= 0.9999999e6:
		return strconv.FormatFloat(n/1e6, 'g', 6, 64) + " M"
	case n >= 0.9999999e3:
		return strconv.FormatFloat(n/1e3, 'g', 6, 64) + " k"
	}
	return strconv.FormatFloat(n, 'g', 6, 64)
}
