// Package check has what tests of several packages need: that text is fit for a terminal, that an answer comes in time, and a loopback
// device that is up.
package check

import (
	"fmt"
	"os"
	"runtime/pprof"
	"slices"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"
)

// Terminal returns what of text may not reach a terminal, with its place, or "": control characters other than the newline (C0, DEL,
// C1), what turns the direction of writing, line and paragraph separators, and what is not UTF-8. also are control characters that
// the format has besides, such as a tab.
func Terminal(text []byte, also ...rune) string {
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRune(text[i:])
		what := ""
		switch {
		case r == utf8.RuneError && n == 1:
			what = "not UTF-8"
		case r == '\n' || slices.Contains(also, r):
		case unicode.IsControl(r):
			what = "control character"
		case unicode.In(r, unicode.Bidi_Control, unicode.Zl, unicode.Zp):
			what = "direction or separator"
		}
		if what != "" {
			return fmt.Sprintf("%s %q at %d in %q", what, text[i:i+n], i, text[max(0, i-40):min(len(text), i+40)])
		}
		i += n
	}
	return ""
}

// Time ends the program, with the stacks of all goroutines, when the test or the fuzzed input that calls it has not come to its end after the
// limit: go test has none for one input. what is asked for words then.
func Time(t testing.TB, limit time.Duration, what func() string) {
	timer := time.AfterFunc(limit, func() {
		pprof.Lookup("goroutine").WriteTo(os.Stderr, 2)
		panic(fmt.Sprintf("no end after %v: %s", limit, what()))
	})
	t.Cleanup(func() { timer.Stop() })
}
