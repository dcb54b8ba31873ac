package filter

import (
	"math"
	"testing"
)

func TestCNumbers(t *testing.T) {
	for _, tt := range []struct {
		s      string
		long   int64
		ulong  uint64
		rest   string
		digits bool
	}{
		{"", 0, 0, "", false},
		{"x", 0, 0, "x", false},
		{" \t\n-12z", -12, 1<<64 - 12, "z", true},
		{"+7", 7, 7, "", true},
		{"- 7", 0, 0, "- 7", false},
		{"0", 0, 0, "", true},
		{"0x", 0, 0, "x", true},
		{"0xg", 0, 0, "xg", true},
		{"0XfF", 255, 255, "", true},
		{"0b102", 2, 2, "2", true},
		{"0b", 0, 0, "b", true},
		{"0B2", 0, 0, "B2", true},
		{"0178", 15, 15, "8", true},
		{"9223372036854775807", math.MaxInt64, math.MaxInt64, "", true},
		{"-9223372036854775808", math.MinInt64, 1 << 63, "", true},
		{"18446744073709551615", math.MaxInt64, math.MaxUint64, "", true},
		{"18446744073709551616", math.MaxInt64, math.MaxUint64, "", true},
		{"-18446744073709551616", math.MinInt64, math.MaxUint64, "", true},
	} {
		v, rest, ok := strtol(tt.s)
		if v != tt.long || rest != tt.rest || ok != tt.digits {
			t.Errorf("strtol(%q) = %d, %q, %v", tt.s, v, rest, ok)
		}
		u, rest, ok := cUlong(tt.s)
		if u != tt.ulong || rest != tt.rest || ok != tt.digits {
			t.Errorf("cUlong(%q) = %d, %q, %v", tt.s, u, rest, ok)
		}
	}
	for s, want := range map[string]bool{"0x": false, "0b": false, "00x": true, "5x": true, "-0x": false, "0z": true, "0x1": true} {
		if _, _, ok := scanInt(s); ok != want {
			t.Errorf("scanInt(%q): %v", s, ok)
		}
	}
}
