package shape

import "encoding/binary"

// Keys are byte strings whose order is that of what they stand for, whichever types they are made of: a mark for values that are
// there, which come first, then the value. Absent values come last in either direction.
const (
	present = 1
	absent  = 2
)

// AppendAbsent appends the key of a value that is not there.
func AppendAbsent(dst []byte) []byte { return append(dst, absent) }

// AppendNumber appends the key of a number.
func AppendNumber(dst []byte, v uint64, desc bool) []byte {
	if desc {
		v = ^v
	}
	return binary.BigEndian.AppendUint64(append(dst, present), v)
}

// AppendText appends the key of a text. A text is less than any that it begins.
func AppendText(dst, text []byte, desc bool) []byte {
	dst = append(dst, present)
	start := len(dst)
	for _, c := range text {
		if dst = append(dst, c); c == 0 {
			dst = append(dst, 0xff)
		}
	}
	dst = append(dst, 0, 0)
	if desc {
		for i := start; i < len(dst); i++ {
			dst[i] = ^dst[i]
		}
	}
	return dst
}
