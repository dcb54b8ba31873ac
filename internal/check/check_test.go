package check

import "testing"

func TestTerminal(t *testing.T) {
	for _, good := range []string{"", "plain\n", "naïve — 日本語", "\u00a0", "\\033[31m", "\ufffd"} {
		if got := Terminal([]byte(good)); got != "" {
			t.Errorf("%q: %s", good, got)
		}
	}
	for _, bad := range []string{"\x1b[31m", "a\x00", "\x7f", "\t", "\r\n", "\u009b31m", "\u0085", "\u202e", "\u2066", "\u200f", "\u2028", "\u2029", "a\xff", "\xc3", "\xed\xa0\x80"} {
		if Terminal([]byte(bad)) == "" {
			t.Errorf("%q passes", bad)
		}
	}
	if got := Terminal([]byte("a\tb"), '\t'); got != "" {
		t.Errorf("a tab that is allowed: %s", got)
	}
}
