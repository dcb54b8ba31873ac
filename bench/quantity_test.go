package bench

import (
	"math"
	"testing"
)

func TestFormatSeconds(t *testing.T) {
	for _, tt := range []struct {
		in   float64
		want string
	}{
		{0, "0 s"},
		{0.0000004, "0.40 µs"},
		{0.000812, "812 µs"},
		{0.0009996, "1.00 ms"},
		{0.0123456, "12.3 ms"},
		{0.9994, "999 ms"},
		{0.9996, "1.00 s"},
		{1, "1.00 s"},
		{9.996, "10.0 s"},
		{99.96, "100 s"},
		{580.4, "580 s"},
		{1234.5, "1,234 s"},
	} {
		if got := formatSeconds(tt.in); got != tt.want {
			t.Errorf("formatSeconds(%v) = %q, want %q", tt.in, got, tt.want)
		}
	}
}

func TestFormatBytes(t *testing.T) {
	for _, tt := range []struct {
		in   int64
		want string
	}{
		{0, "0 B"}, {999, "999 B"}, {1000, "1.00 kB"}, {55_123_456, "55.1 MB"}, {999_600, "1.00 MB"}, {1_270_000_000, "1.27 GB"},
	} {
		if got := formatBytes(tt.in); got != tt.want {
			t.Errorf("formatBytes(%v) = %q, want %q", tt.in, got, tt.want)
		}
	}
}

func TestFormatCount(t *testing.T) {
	for in, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", 1009851: "1,009,851", 123456: "123,456"} {
		if got := formatCount(in); got != want {
			t.Errorf("formatCount(%v) = %q, want %q", in, got, want)
		}
	}
}

func TestFormatRatio(t *testing.T) {
	for in, want := range map[float64]string{1: "1.00×", 0.4567: "0.46×", 12.34: "12.3×", 1234: "1,234×", math.Inf(1): "-"} {
		if got := formatRatio(&in); got != want {
			t.Errorf("formatRatio(%v) = %q, want %q", in, got, want)
		}
	}
	if got := formatRatio(nil); got != "-" {
		t.Errorf("formatRatio(nil) = %q", got)
	}
}

func TestFormatSize(t *testing.T) {
	for in, want := range map[int]string{10: "10", 999: "999", 1000: "1 k", 1234: "1234", 12500: "12.5 k", 100000: "100 k", 1000000: "1 M", 1500000: "1.5 M"} {
		if got := formatSize(in); got != want {
			t.Errorf("formatSize(%v) = %q, want %q", in, got, want)
		}
	}
}
