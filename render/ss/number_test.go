package ss

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"
)

func TestAppendUint(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	check := func(v uint64) {
		if got, want := string(appendUint([]byte("x"), v)), "x"+strconv.FormatUint(v, 10); got != want {
			t.Fatalf("appendUint(%d) = %q", v, got)
		}
	}
	for v := range uint64(10000) {
		check(v)
	}
	for range 10000 {
		check(r.Uint64() >> r.IntN(64))
	}
	check(math.MaxUint64)
}

func TestAppendQueue(t *testing.T) {
	for v, want := range map[uint32]string{
		0: "0     ", 12345: "12345 ", 123456: "123456", 1234567: "1234567", math.MaxInt32: "2147483647", math.MaxUint32: "-1    ",
	} {
		if got := string(appendQueue(nil, v)); got != want {
			t.Errorf("appendQueue(%d) = %q, want %q", v, got, want)
		}
	}
}

func TestAppendHex(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for range 10000 {
		v := r.Uint64() >> r.IntN(65)
		if got, want := string(appendHex(nil, v)), fmt.Sprintf("%x", v); got != want {
			t.Fatalf("appendHex(%d) = %q, want %q", v, got, want)
		}
		if got, want := string(appendHex4(nil, uint32(v))), fmt.Sprintf("%04x", uint32(v)); got != want {
			t.Fatalf("appendHex4(%d) = %q, want %q", v, got, want)
		}
		want := fmt.Sprintf("%#x", v)
		if v == 0 {
			want = "0" // C's
		}
		if got := string(appendSharpHex(nil, v)); got != want {
			t.Fatalf("appendSharpHex(%d) = %q, want %q", v, got, want)
		}
	}
}

// TestAppendMillis: %g has six digits, no zeros at the end, and an exponent from a million on.
func TestAppendMillis(t *testing.T) {
	for us, want := range map[uint32]string{
		0: "0", 1: "0.001", 10: "0.01", 100: "0.1", 1000: "1", 1001: "1.001", 40000: "40", 204000: "204", 43210: "43.21",
		999999: "999.999", 1000000: "1000", 1234567: "1234.57", 120000000: "120000", 999999499: "999999",
		999999500: "1e+06", 1234567890: "1.23457e+06", math.MaxUint32: "4.29497e+06",
	} {
		if got := string(appendMillis(nil, us)); got != want {
			t.Errorf("appendMillis(%d) = %q, want %q", us, got, want)
		}
	}
	r := rand.New(rand.NewPCG(1, 1))
	for range 10000 {
		us := r.Uint32() >> r.IntN(32)
		if got, want := string(appendMillis(nil, us)), strconv.FormatFloat(float64(us)/1000, 'g', 6, 64); got != want {
			t.Fatalf("appendMillis(%d) = %q, want %q", us, got, want)
		}
	}
}

func TestAppendRate(t *testing.T) {
	for _, tt := range []struct {
		bps     float64
		numeric bool
		want    string
	}{
		{0, false, "0bps"}, {800, false, "800bps"}, {999.5, false, "999.5bps"}, {12.345678, false, "12.3457bps"},
		{1000, false, "1kbps"}, {93830.4, false, "93.8kbps"}, {999499, false, "999kbps"}, {999500, false, "1e+03kbps"},
		{1e6, false, "1Mbps"}, {98765424, false, "98.8Mbps"}, {2.4e9, false, "2.4Gbps"}, {1e12, false, "1Tbps"},
		{1.5e15, false, "1.5e+03Tbps"},
		{0, true, "0bps"}, {0.5, true, "0bps"}, {1.5, true, "2bps"}, {93830.4, true, "93830bps"},
		{327680000000, true, "327680000000bps"}, {147573952589676412928, true, "147573952589676412928bps"},
	} {
		p := Writer{opt: Options{Numeric: tt.numeric}}
		if got := string(p.appendRate(nil, tt.bps)); got != tt.want {
			t.Errorf("appendRate(%v), numeric %v = %q, want %q", tt.bps, tt.numeric, got, tt.want)
		}
	}
	r := rand.New(rand.NewPCG(1, 1))
	for range 10000 { // the rounding of %.0f
		v := float64(r.Uint64()>>r.IntN(64)) / 8
		if got, want := string(appendWhole(nil, v)), strconv.FormatFloat(v, 'f', 0, 64); got != want {
			t.Fatalf("appendWhole(%v) = %q, want %q", v, got, want)
		}
	}
}

// TestAppendDelay: as ss writes them, each of these was seen from it.
func TestAppendDelay(t *testing.T) {
	for ms, want := range map[int64]string{
		0: "", 1: "001ms", 40: "040ms", 200: "200ms", 999: "999ms", 1000: "1sec", 1001: "1.001sec", 8740: "8.740sec",
		9999: "9.999sec", 10000: "10sec", 10500: "10sec", 59999: "59sec", 60000: "1min", 60999: "1min", 61500: "1min1sec",
		94000: "1min34sec", 599999: "9min59sec", 600000: "10min", 659999: "10min", 7140000: "119min",
		math.MaxUint32: "71582min",
	} {
		if got := string(appendDelay(nil, time.Duration(ms)*time.Millisecond)); got != want {
			t.Errorf("appendDelay(%d ms) = %q, want %q", ms, got, want)
		}
	}
}
