package bench

import (
	"math"
	"strconv"
	"strings"
)

// three formats a number that is not negative with three significant digits; the digits before the point are all kept.
func three(v float64) string {
	digits := 2
	switch {
	case v >= 99.95:
		digits = 0
	case v >= 9.995:
		digits = 1
	}
	return group(strconv.FormatFloat(v, 'f', digits, 64))
}

// group puts commas between thousands.
func group(s string) string {
	whole, rest, point := strings.Cut(s, ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if point {
		whole += "." + rest
	}
	return whole
}

// scaled picks the largest of the units, each a factor larger than the one before, in which v is at least 1.
func scaled(v, factor float64, units ...string) string {
	i := 0
	for i < len(units)-1 && v >= factor*(1-0.0005) { // 999.6 is 1.00 of the next
		v /= factor
		i++
	}
	return three(v) + " " + units[i]
}

// formatSeconds formats a time as in "1.23 s" or "45.6 ms".
func formatSeconds(s float64) string {
	if s == 0 {
		return "0 s"
	}
	return scaled(s*1e6, 1000, "µs", "ms", "s")
}

// formatBytes formats a size in powers of 1000.
func formatBytes(n int64) string {
	if n < 1000 {
		return strconv.FormatInt(n, 10) + " B"
	}
	return scaled(float64(n)/1000, 1000, "kB", "MB", "GB")
}

func formatCount(n int64) string { return group(strconv.FormatInt(n, 10)) }

// formatRatio formats how many times larger something is, and "-" where that is not known.
func formatRatio(r *float64) string {
	if r == nil || math.IsNaN(*r) || math.IsInf(*r, 0) {
		return "-"
	}
	return three(*r) + "×"
}

// formatSize is a number of sockets, short: "1000", "10 k", "1 M".
func formatSize(n int) string {
	switch {
	case n >= 1_000_000 && n%100_000 == 0:
		return strconv.FormatFloat(float64(n)/1e6, 'f', -1, 64) + " M"
	case n >= 1_000 && n%100 == 0:
		return strconv.FormatFloat(float64(n)/1e3, 'f', -1, 64) + " k"
	}
	return strconv.Itoa(n)
}

// formatLimit is a time limit in seconds as it was given.
func formatLimit(seconds float64) string {
	return strconv.FormatFloat(seconds, 'f', -1, 64) + " s"
}
