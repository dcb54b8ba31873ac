package bench

import (
	"strings"
	"testing"
)

func TestMemFile(t *testing.T) {
	for _, tt := range []struct {
		name, text  string
		lines, size int64
		first       string
	}{
		{"empty", "", 0, 0, ""},
		{"one line", "a\n", 1, 2, "a"},
		{"not ended", "a\nb", 2, 3, "a"},
		{"blank lines", "\n\n  x y \n", 3, 9, "x y"},
		{"larger than the buffer", strings.Repeat("0123456789abcde\n", 50_000) + "end", 50_001, 800_003, "0123456789abcde"},
	} {
		f, err := memfile("test")
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if _, err := f.WriteString(tt.text); err != nil {
			t.Fatal(err)
		}
		lines, size, err := f.count()
		if err != nil || lines != tt.lines || size != tt.size {
			t.Errorf("%s: %d lines, %d bytes, %v", tt.name, lines, size, err)
		}
		if got := f.firstLine(); got != tt.first {
			t.Errorf("%s: first line %q", tt.name, got)
		}
	}
}
