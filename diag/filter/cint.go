package filter

import (
	"math"
	"strings"
)

// Numbers as the C library reads them: blanks, a sign, then 0x, 0b, 0 (octal) or decimal digits. iproute2 takes what strtol(3),
// strtoul(3) and the %i of scanf(3) take, with base 0.

// cInt reads a number at the beginning of s. digits is false, and rest is s, if there is none; over tells that it is above
// 64 bits, and v is then MaxUint64.
func cInt(s string) (v uint64, neg, over bool, rest string, digits bool) {
	t := s
	for t != "" && (t[0] == ' ' || t[0] >= '\t' && t[0] <= '\r') {
		t = t[1:]
	}
	if t != "" && (t[0] == '+' || t[0] == '-') {
		neg = t[0] == '-'
		t = t[1:]
	}
	base := uint64(10)
	if t != "" && t[0] == '0' {
		base = 8
		if len(t) > 2 && t[1]|0x20 == 'x' && digit(t[2]) < 16 {
			base, t = 16, t[2:]
		} else if len(t) > 2 && t[1]|0x20 == 'b' && digit(t[2]) < 2 {
			base, t = 2, t[2:]
		}
	}
	for t != "" && digit(t[0]) < base {
		d := digit(t[0])
		if v > (math.MaxUint64-d)/base {
			over = true
		}
		v = v*base + d
		t, digits = t[1:], true
	}
	if !digits {
		return 0, false, false, s, false
	}
	if over {
		v = math.MaxUint64
	}
	return v, neg, over, t, true
}

// digit returns the value of a digit; a large number if it is none.
func digit(c byte) uint64 {
	switch {
	case c >= '0' && c <= '9':
		return uint64(c - '0')
	case c|0x20 >= 'a' && c|0x20 <= 'z':
		return uint64(c|0x20-'a') + 10
	}
	return 255
}

// cUlong is strtoul: a negative number is its two's complement.
func cUlong(s string) (v uint64, rest string, ok bool) {
	v, neg, over, rest, ok := cInt(s)
	if neg && !over {
		v = -v
	}
	return v, rest, ok
}

// cUnsigned reads all of s as a number of 32 bits.
func cUnsigned(s string) (uint64, bool) {
	v, rest, ok := cUlong(s)
	return v, ok && rest == "" && v <= math.MaxUint32
}

// scanInt is the %i of scanf: strtol, but that it takes no "0x" or "0b" without digits.
func scanInt(s string) (v int64, rest string, ok bool) {
	v, rest, ok = strtol(s)
	if ok && v == 0 && rest != "" && strings.ContainsRune("xXbB", rune(rest[0])) {
		before := strings.TrimSuffix(s, rest)
		ok = len(before) > 1 && before[len(before)-2] == '0'
	}
	return v, rest, ok
}

// strtol reads a number at the beginning of s; what is out of range becomes the nearest number in it.
func strtol(s string) (v int64, rest string, ok bool) {
	u, neg, over, rest, ok := cInt(s)
	switch {
	case neg && (over || u > 1<<63):
		return math.MinInt64, rest, ok
	case neg:
		return -int64(u), rest, ok
	case over || u > math.MaxInt64:
		return math.MaxInt64, rest, ok
	}
	return int64(u), rest, ok
}

// cLong reads all of s as a number of 64 bits.
func cLong(s string) (int64, bool) {
	v, rest, ok := strtol(s)
	return v, ok && rest == "" && v != math.MinInt64 && v != math.MaxInt64
}
