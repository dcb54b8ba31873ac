// Package csv writes rows of text: comma-separated values (RFC 4180), or tab-separated ones.
package csv

import "bytes"

// AppendCell appends a value, quoted where RFC 4180 asks for it; comma is ',' or a tab. In tab-separated values nothing is
// quoted: a tab, a line break or a backslash in a value is written as \t, \n, \r or \\.
func AppendCell(dst, v []byte, comma byte) []byte {
	if comma == '\t' {
		for _, c := range v {
			switch c {
			case '\t':
				dst = append(dst, `\t`...)
			case '\n':
				dst = append(dst, `\n`...)
			case '\r':
				dst = append(dst, `\r`...)
			case '\\':
				dst = append(dst, `\\`...)
			default:
				dst = append(dst, c)
			}
		}
		return dst
	}
	if bytes.IndexByte(v, comma) < 0 && bytes.IndexByte(v, '"') < 0 && bytes.IndexByte(v, '\n') < 0 && bytes.IndexByte(v, '\r') < 0 {
		return append(dst, v...)
	}
	dst = append(dst, '"')
	for _, c := range v {
		if c == '"' {
			dst = append(dst, '"')
		}
		dst = append(dst, c)
	}
	return append(dst, '"')
}
