package ss

import (
	"math"
	"math/bits"
	"strconv"
	"time"
)

// pairs are the numbers 00 to 99.
const pairs = "00010203040506070809101112131415161718192021222324252627282930313233343536373839404142434445464748495051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899"

// appendUint appends a number in decimal.
func appendUint(b []byte, v uint64) []byte {
	if v >= 10000 {
		b = appendUint(b, v/10000)
		v %= 10000
		h, l := 2*(v/100), 2*(v%100)
		return append(b, pairs[h], pairs[h+1], pairs[l], pairs[l+1])
	}
	h, l := 2*(v/100), 2*(v%100)
	switch {
	case v < 10:
		return append(b, '0'+byte(v))
	case v < 100:
		return append(b, pairs[l], pairs[l+1])
	case v < 1000:
		return append(b, pairs[h+1], pairs[l], pairs[l+1])
	}
	return append(b, pairs[h], pairs[h+1], pairs[l], pairs[l+1])
}

// appendQueue is %-6d.
func appendQueue(b []byte, v uint32) []byte {
	at := len(b)
	if int32(v) < 0 {
		b = strconv.AppendInt(b, int64(int32(v)), 10)
	} else {
		b = appendUint(b, uint64(v))
	}
	if n := len(b) - at; n < 6 {
		b = append(b, spaces[:6-n]...)
	}
	return b
}

const digits = "0123456789abcdef"

// appendHex is %x.
func appendHex(b []byte, v uint64) []byte {
	for n := max(bits.Len64(v)+3, 4) / 4; n > 0; n-- {
		b = append(b, digits[v>>(4*(n-1))&15])
	}
	return b
}

// appendHex4 is %04x.
func appendHex4(b []byte, v uint32) []byte {
	for n := max(bits.Len32(v)+3, 16) / 4; n > 0; n-- {
		b = append(b, digits[v>>(4*(n-1))&15])
	}
	return b
}

// appendSharpHex is %#x.
func appendSharpHex(b []byte, v uint64) []byte {
	if v == 0 {
		return append(b, '0')
	}
	return appendHex(append(b, "0x"...), v)
}

// appendMillis is %g of the milliseconds in us: six digits, no zeros at the end, an exponent from a million on.
func appendMillis(b []byte, us uint32) []byte {
	if us >= 1e6 {
		return strconv.AppendFloat(b, float64(us)/1000, 'g', 6, 64)
	}
	b = appendUint(b, uint64(us/1000))
	if f := us % 1000; f != 0 {
		b = append(b, '.', '0'+byte(f/100))
		if f %= 100; f != 0 {
			if b = append(b, '0'+byte(f/10)); f%10 != 0 {
				b = append(b, '0'+byte(f%10))
			}
		}
	}
	return b
}

// appendRate appends bits per second: whole where numbers are wanted, else three digits and a prefix.
func (p *Writer) appendRate(b []byte, bps float64) []byte {
	switch {
	case p.opt.Numeric:
		b = appendWhole(b, bps)
	case bps >= 1e12:
		b = append(strconv.AppendFloat(b, bps/1e12, 'g', 3, 64), 'T')
	case bps >= 1e9:
		b = append(strconv.AppendFloat(b, bps/1e9, 'g', 3, 64), 'G')
	case bps >= 1e6:
		b = append(strconv.AppendFloat(b, bps/1e6, 'g', 3, 64), 'M')
	case bps >= 1e3:
		b = append(strconv.AppendFloat(b, bps/1e3, 'g', 3, 64), 'k')
	default:
		b = strconv.AppendFloat(b, bps, 'g', 6, 64)
	}
	return append(b, "bps"...)
}

// appendWhole is %.0f of a number that is not negative.
func appendWhole(b []byte, v float64) []byte {
	if r := math.RoundToEven(v); r < 1<<63 {
		return appendUint(b, uint64(r))
	}
	return strconv.AppendFloat(b, v, 'f', 0, 64)
}

// appendDelay appends the time until a timer fires, as finely as it matters: 200ms, 8.740sec, 34sec, 1min34sec, 119min;
// nothing for 0.
func appendDelay(b []byte, d time.Duration) []byte {
	ms := uint64(d / time.Millisecond)
	min, sec := ms/60e3, ms/1000%60
	ms %= 1000
	if min > 0 {
		b = append(appendUint(b, min), "min"...)
		ms = 0
		if min > 9 {
			sec = 0
		}
	}
	if sec > 9 {
		ms = 0
	}
	if sec > 0 {
		b = appendUint(b, sec)
		if ms == 0 {
			return append(b, "sec"...)
		}
		b = append(b, '.')
	} else if ms == 0 {
		return b
	}
	b = append(b, '0'+byte(ms/100), '0'+byte(ms/10%10), '0'+byte(ms%10))
	if sec > 0 {
		return append(b, "sec"...)
	}
	return append(b, "ms"...)
}
