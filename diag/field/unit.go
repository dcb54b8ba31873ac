package field

import (
	"fmt"
	"strconv"
	"strings"
)

// Unit is what a number counts.
type Unit uint8

// Units.
const (
	None Unit = iota
	Microseconds
	Milliseconds
	Bytes
	BytesPerSecond
	Segments
	Packets
	Connections
	PerSecond
)

var unitNames = [...]string{"", "us", "ms", "bytes", "bytes/s", "segments", "packets", "connections", "/s"}

func (u Unit) String() string { return unitNames[u] }

// scale is a unit that can be written: num/den of what the field counts.
type scale struct {
	word     string
	num, den uint64
}

var (
	timeScales = []scale{ // in us
		{"us", 1, 1}, {"ms", 1e3, 1}, {"s", 1e6, 1}, {"sec", 1e6, 1}, {"m", 60e6, 1}, {"min", 60e6, 1}, {"h", 3600e6, 1}, {"d", 86400e6, 1}, {"ns", 1, 1000},
	}
	sizeScales = []scale{
		{"", 1, 1}, {"b", 1, 1}, {"k", 1 << 10, 1}, {"kib", 1 << 10, 1}, {"kb", 1e3, 1}, {"m", 1 << 20, 1}, {"mib", 1 << 20, 1}, {"mb", 1e6, 1},
		{"g", 1 << 30, 1}, {"gib", 1 << 30, 1}, {"gb", 1e9, 1}, {"t", 1 << 40, 1}, {"tib", 1 << 40, 1}, {"tb", 1e12, 1},
	}
	// Rates: bits are small, bytes are capital, as everywhere.
	rateScales = []scale{
		{"bps", 1, 8}, {"kbps", 1e3, 8}, {"Mbps", 1e6, 8}, {"Gbps", 1e9, 8}, {"Tbps", 1e12, 8}, {"bit", 1, 8}, {"kbit", 1e3, 8}, {"Mbit", 1e6, 8}, {"Gbit", 1e9, 8},
		{"B/s", 1, 1}, {"kB/s", 1e3, 1}, {"KB/s", 1e3, 1}, {"MB/s", 1e6, 1}, {"GB/s", 1e9, 1},
		{"Bps", 1, 1}, {"kBps", 1e3, 1}, {"KBps", 1e3, 1}, {"MBps", 1e6, 1}, {"GBps", 1e9, 1},
		{"KiB/s", 1 << 10, 1}, {"MiB/s", 1 << 20, 1}, {"GiB/s", 1 << 30, 1},
	}
	countScales = []scale{{"", 1, 1}, {"k", 1e3, 1}, {"M", 1e6, 1}}
)

// Quantity is a number as it was written, in the unit of its field: Whole, and a bit more unless Exact.
type Quantity struct {
	Whole uint64
	Exact bool
}

// Parse reads a number and its unit, such as 1.5ms, 64K or 10Mbps. A time and a rate need one, but for 0.
func (u Unit) Parse(word string) (Quantity, error) {
	if hex, ok := strings.CutPrefix(strings.ToLower(word), "0x"); ok {
		v, err := strconv.ParseUint(hex, 16, 64)
		if err != nil {
			return Quantity{}, fmt.Errorf("%q is no number", word)
		}
		return Quantity{v, true}, nil
	}
	end := strings.IndexFunc(word, func(r rune) bool { return (r < '0' || r > '9') && r != '.' && r != '_' })
	if end < 0 {
		end = len(word)
	}
	digits, suffix := strings.ReplaceAll(word[:end], "_", ""), word[end:]
	whole, frac, _ := strings.Cut(digits, ".")
	frac = strings.TrimRight(frac, "0")
	switch {
	case whole == "" && frac == "" || strings.Contains(frac, "."):
		return Quantity{}, fmt.Errorf("%q is no number%s", word, u.example())
	case len(frac) > 9:
		return Quantity{}, fmt.Errorf("%q has more digits than sockeye reckons with", word)
	}
	v := uint64(0)
	if whole != "" {
		var err error
		if v, err = strconv.ParseUint(whole, 10, 64); err != nil {
			return Quantity{}, fmt.Errorf("%q is too large", word)
		}
	}
	s, err := u.scale(suffix, v == 0 && frac == "")
	if err != nil {
		return Quantity{}, err
	}
	num, ok := mul(v, s.num)
	if !ok {
		return Quantity{}, fmt.Errorf("%q is too large", word)
	}
	den := s.den
	if frac != "" {
		part, err := strconv.ParseUint(frac, 10, 64)
		if err != nil {
			return Quantity{}, fmt.Errorf("%q is no number", word)
		}
		ten := uint64(1)
		for range len(frac) {
			ten *= 10
		}
		// v + part/ten, times num/den, over one denominator
		a, ok1 := mul(num, ten)
		b, ok2 := mul(part, s.num)
		if !ok1 || !ok2 || a+b < a {
			return Quantity{}, fmt.Errorf("%q has more digits than sockeye reckons with", word)
		}
		num, den = a+b, den*ten
	}
	if u == Milliseconds {
		den *= 1000 // scales are in us
	}
	return Quantity{num / den, num%den == 0}, nil
}

func mul(a, b uint64) (uint64, bool) {
	if a == 0 || b == 0 {
		return 0, true
	}
	p := a * b
	return p, p/a == b
}

// scale finds a suffix.
func (u Unit) scale(suffix string, zero bool) (scale, error) {
	var scales []scale
	exact := false
	switch u {
	case Microseconds, Milliseconds:
		scales = timeScales
	case Bytes:
		scales = sizeScales
	case BytesPerSecond:
		scales, exact = rateScales, true
	default:
		scales, exact = countScales, true
	}
	if suffix == "" && zero {
		return scale{"", 1, 1}, nil
	}
	for _, s := range scales {
		if s.word == suffix || !exact && s.word == strings.ToLower(suffix) {
			return s, nil
		}
	}
	for _, s := range scales {
		if strings.EqualFold(s.word, suffix) && s.word[0]|0x20 != 'b' && strings.ToLower(s.word[1:]) != s.word[1:] == (strings.ToLower(suffix[1:]) != suffix[1:]) {
			return s, nil
		}
	}
	if suffix == "" {
		return scale{}, fmt.Errorf("a number of %s needs its unit%s", u.what(), u.example())
	}
	return scale{}, fmt.Errorf("%q is no unit of %s%s", suffix, u.what(), u.example())
}

func (u Unit) what() string {
	switch u {
	case Microseconds, Milliseconds:
		return "time"
	case Bytes:
		return "bytes"
	case BytesPerSecond:
		return "bytes or bits a second"
	case None:
		return "a plain number"
	}
	return u.String()
}

func (u Unit) example() string {
	switch u {
	case Microseconds, Milliseconds:
		return ": write 250us, 100ms, 2.5s, 10m or 1h"
	case Bytes:
		return ": write 1500, 64K, 1.5M or 1G"
	case BytesPerSecond:
		return ": write 10Mbps (bits) or 10MB/s (bytes)"
	}
	return ": write 7 or 0x7"
}

// AppendHuman appends a number as people read it, with its unit where it has one.
func (u Unit) AppendHuman(dst []byte, v uint64) []byte {
	switch u {
	case Microseconds:
		return appendMicros(dst, v)
	case Milliseconds:
		if v > 1<<53 {
			return strconv.AppendUint(dst, v, 10)
		}
		return appendMicros(dst, v*1000)
	case BytesPerSecond:
		if v > 1<<60 {
			return append(strconv.AppendUint(dst, v, 10), "B/s"...)
		}
		return appendRate(dst, v*8)
	}
	return strconv.AppendUint(dst, v, 10)
}

// appendMicros appends a duration with three digits or so.
func appendMicros(dst []byte, us uint64) []byte {
	switch {
	case us < 1000:
		return append(strconv.AppendUint(dst, us, 10), "us"...)
	case us < 1e6:
		return append(appendTenths(dst, us, 1000), "ms"...)
	case us < 60e6:
		return append(appendTenths(dst, us, 1e6), 's')
	case us < 3600e6:
		dst = append(strconv.AppendUint(dst, us/60e6, 10), 'm')
		return append(strconv.AppendUint(dst, us%60e6/1e6, 10), 's')
	case us < 86400e6:
		dst = append(strconv.AppendUint(dst, us/3600e6, 10), 'h')
		return append(strconv.AppendUint(dst, us%3600e6/60e6, 10), 'm')
	}
	dst = append(strconv.AppendUint(dst, us/86400e6, 10), 'd')
	return append(strconv.AppendUint(dst, us%86400e6/3600e6, 10), 'h')
}

// appendTenths appends v/unit, cut to a tenth.
func appendTenths(dst []byte, v, unit uint64) []byte {
	dst = strconv.AppendUint(dst, v/unit, 10)
	dst = append(dst, '.')
	return strconv.AppendUint(dst, v%unit/(unit/10), 10)
}

func appendRate(dst []byte, bits uint64) []byte {
	for _, s := range [...]struct {
		word string
		unit uint64
	}{{"Gbps", 1e9}, {"Mbps", 1e6}, {"kbps", 1e3}} {
		if bits >= s.unit {
			return append(appendTenths(dst, bits, s.unit), s.word...)
		}
	}
	return append(strconv.AppendUint(dst, bits, 10), "bps"...)
}
