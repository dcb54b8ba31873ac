package field

import "testing"

func TestUnitParse(t *testing.T) {
	for _, tt := range []struct {
		unit  Unit
		word  string
		want  uint64
		exact bool
	}{
		{Microseconds, "250us", 250, true}, {Microseconds, "1.5ms", 1500, true}, {Microseconds, "2m", 120e6, true}, {Microseconds, "1h", 3600e6, true},
		{Microseconds, "0", 0, true}, {Microseconds, "0.5us", 0, false}, {Microseconds, "1500ns", 1, false}, {Microseconds, "2d", 172800e6, true},
		{Milliseconds, "1s", 1000, true}, {Milliseconds, "1h", 3600e3, true}, {Milliseconds, "500us", 0, false}, {Milliseconds, "1.25s", 1250, true},
		{Bytes, "1500", 1500, true}, {Bytes, "64K", 65536, true}, {Bytes, "64kB", 64000, true}, {Bytes, "1.5M", 1572864, true}, {Bytes, "1GiB", 1 << 30, true},
		{Bytes, "0x10", 16, true}, {Bytes, "1_000", 1000, true},
		{BytesPerSecond, "10Mbps", 1250000, true}, {BytesPerSecond, "10MB/s", 10e6, true}, {BytesPerSecond, "1bps", 0, false}, {BytesPerSecond, "1.5Gbps", 187500000, true},
		{BytesPerSecond, "10MBps", 10e6, true},
		{Segments, "10", 10, true}, {Connections, "1k", 1000, true}, {None, "18446744073709551615", 1<<64 - 1, true},
	} {
		q, err := tt.unit.Parse(tt.word)
		if err != nil || q.Whole != tt.want || q.Exact != tt.exact {
			t.Errorf("%s %q: %+v, %v, want %d, %v", tt.unit, tt.word, q, err, tt.want, tt.exact)
		}
	}
	for unit, words := range map[Unit][]string{
		Microseconds: {"5", "5parsec", "", "ms", "-1ms", "99999999999999d", "1.0000000001s"},
		Bytes:        {"5q", "K", "0xzz", "18446744073709551616"}, BytesPerSecond: {"5", "5M", "5Mb"}, None: {"5s", "1.2.3"},
	} {
		for _, w := range words {
			if q, err := unit.Parse(w); err == nil {
				t.Errorf("%s %q: %+v", unit, w, q)
			}
		}
	}
}

func TestAppendHuman(t *testing.T) {
	for _, tt := range []struct {
		unit Unit
		v    uint64
		want string
	}{
		{Microseconds, 999, "999us"}, {Microseconds, 1500, "1.5ms"}, {Microseconds, 2_340_000, "2.3s"}, {Microseconds, 61e6, "1m1s"}, {Microseconds, 3660e6, "1h1m"},
		{Microseconds, 90000e6, "1d1h"}, {Milliseconds, 1500, "1.5s"}, {Milliseconds, 1 << 63, "9223372036854775808"}, {Bytes, 65536, "65536"},
		{BytesPerSecond, 1250000, "10.0Mbps"}, {BytesPerSecond, 1, "8bps"}, {BytesPerSecond, 1<<64 - 1, "18446744073709551615B/s"}, {None, 7, "7"},
	} {
		if got := string(tt.unit.AppendHuman(nil, tt.v)); got != tt.want {
			t.Errorf("%s %d: %s, want %s", tt.unit, tt.v, got, tt.want)
		}
	}
}
