// Package textwidth tells how much room text takes on a terminal.
package textwidth

import (
	"unicode/utf8"

	"github.com/mattn/go-runewidth"
)

// one is for a terminal to which characters of ambiguous width are narrow, in every locale.
var one = &runewidth.Condition{StrictEmojiNeutral: true}

// OfRune returns how many cells a character takes: 0, 1 or 2.
func OfRune(r rune) int { return one.RuneWidth(r) }

// Of returns how many cells a text takes that has no control characters. Each byte that is not UTF-8 takes one.
func Of[T ~string | ~[]byte](s T) int {
	n := 0
	for n < len(s) && s[n] < utf8.RuneSelf {
		n++
	}
	for i := n; i < len(s); {
		var next [utf8.UTFMax]byte
		r, size := utf8.DecodeRune(next[:copy(next[:], s[i:])])
		n += OfRune(r)
		i += size
	}
	return n
}
