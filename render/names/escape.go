package names

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// AppendEscaped appends s, with each byte of a control character (C0, DEL, C1, line separators, those that turn the direction of
// writing) and each byte that is not UTF-8 written as a backslash and three octal digits.
func AppendEscaped[S ~string | ~[]byte](dst []byte, s S) []byte {
	for {
		n := 0
		for n < len(s) && s[n] >= ' ' && s[n] < 0x7f {
			n++
		}
		dst = append(dst, s[:n]...)
		if s = s[n:]; len(s) == 0 {
			return dst
		}
		var next [utf8.UTFMax]byte
		r, n := utf8.DecodeRune(next[:copy(next[:], s)])
		if unsafeRune(r, n) {
			for i := range n {
				dst = appendOctal(dst, s[i])
			}
		} else {
			dst = append(dst, s[:n]...)
		}
		s = s[n:]
	}
}

// unsafeRune reports a rune of n bytes that may not reach a terminal.
func unsafeRune(r rune, n int) bool {
	return r < 0xa0 || r == utf8.RuneError && n == 1 || unicode.In(r, unicode.Bidi_Control, unicode.Zl, unicode.Zp)
}

func appendOctal(dst []byte, c byte) []byte {
	return append(dst, '\\', '0'+c>>6, '0'+c>>3&7, '0'+c&7)
}

// escaped is AppendEscaped for strings, which is free of charge for those that need nothing.
func escaped(s string) string {
	if strings.IndexFunc(s, func(r rune) bool { return r < ' ' || r >= 0x7f }) < 0 {
		return s
	}
	return string(AppendEscaped(nil, s))
}
