package names

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestAppendEscaped(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"", ""},
		{"plain.name-1", "plain.name-1"},
		{"größe", "größe"},
		{"a\x1b[2Jb", `a\033[2Jb`},
		{"\n\t\x7f", `\012\011\177`},
		{"\x9b1m", `\2331m`},           // C1 as a byte: not UTF-8
		{"\u009b1m", `\302\2331m`},     // C1 as UTF-8
		{"a\u202eb", `a\342\200\256b`}, // right-to-left override
		{"a\u2028b", `a\342\200\250b`}, // line separator
		{"\xff\xc3", `\377\303`},       // not UTF-8
		{"\ufffd", "\ufffd"},           // a genuine replacement character
		{`back\slash`, `back\slash`},
	} {
		if got := string(AppendEscaped(nil, tt.in)); got != tt.want {
			t.Errorf("AppendEscaped(%q) = %q, want %q", tt.in, got, tt.want)
		}
		if got := string(AppendEscaped(nil, []byte(tt.in))); got != tt.want {
			t.Errorf("AppendEscaped of the bytes %q = %q, want %q", tt.in, got, tt.want)
		}
		if got := escaped(tt.in); got != tt.want {
			t.Errorf("escaped(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}

func TestAppendEscapedDoesNotAllocate(t *testing.T) {
	text := strings.Repeat("plain größe \x1b\u202e\xff ", 10)
	b, buf := []byte(text), make([]byte, 0, 1024)
	if n := testing.AllocsPerRun(100, func() { AppendEscaped(buf, text); AppendEscaped(buf, b) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzAppendEscaped(f *testing.F) {
	f.Add("a\x1b\u009b\u202e\xff")
	f.Fuzz(func(t *testing.T, s string) {
		got := string(AppendEscaped(nil, s))
		if !utf8.ValidString(got) || strings.ContainsFunc(got, unicode.IsControl) {
			t.Errorf("AppendEscaped(%q) = %q", s, got)
		}
	})
}
