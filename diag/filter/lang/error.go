package lang

import (
	"strings"
	"unicode"

	"github.com/sockeye-tools/sockeye/internal/textwidth"
)

// Error is a mistake in a filter.
type Error struct {
	Text       string // the filter
	Start, End int    // the mistake: bytes of Text
	Msg        string
	Hint       string // what would be right, or ""
}

// Error returns the message, the filter with carets under the mistake, and the hint, in lines.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("filter: " + printable(e.Msg))
	b.WriteString("\n  " + printable(e.Text) + "\n  ")
	b.WriteString(strings.Repeat(" ", textwidth.Of(printable(e.Text[:e.Start]))))
	b.WriteString(strings.Repeat("^", max(1, textwidth.Of(printable(e.Text[e.Start:e.End])))))
	if e.Hint != "" {
		b.WriteString("\n  " + printable(e.Hint))
	}
	return b.String()
}

// printable has a question mark for each character that may not reach a terminal, so that carets stay in place.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, s)
}
