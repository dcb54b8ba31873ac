package names

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// AppendEscaped appends s, with each byte of a control character (C0, DEL, C1, line separators, those that turn the direction of
// writing) and each byte that is not UTF-8 written as a backslash and three octal digits.
func AppendEscaped(dst []byte, s string) []byte {
	for i := 0; i < len(s); {
		if c := s[i]; c < utf8.RuneSelf {
			if c < ' ' || c == 0x7f {
				dst = appendOctal(dst, c)
			} else {
				dst = append(dst, c)
			}
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if unsafeRune(r, n) {
			for _, c := range []byte(s[i : i+n]) {
				dst = appendOctal(dst, c)
			}
		} else {
			dst = append(dst, s[i:i+n]...)
		}
		i += n
	}
	return dst
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
