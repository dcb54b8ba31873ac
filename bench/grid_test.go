package bench

import (
	"strings"
	"testing"
)

func TestGrid(t *testing.T) {
	g := &grid{notes: true}
	g.add("TOOL", "WALL", "NOTES")
	g.add("a", "12.3 µs", "")
	g.add("longer", "1 s", "a|b")
	var text, md strings.Builder
	g.text(&text)
	if want := "  TOOL       WALL  NOTES\n  a       12.3 µs\n  longer      1 s  a|b\n"; text.String() != want {
		t.Errorf("text:\n%s\nwant\n%s", text.String(), want)
	}
	g.markdown(&md)
	want := "| TOOL   |    WALL | NOTES |\n|--------|--------:|-------|\n| a      | 12.3 µs |       |\n| longer |     1 s | a/b   |\n"
	if md.String() != want {
		t.Errorf("markdown:\n%s\nwant\n%s", md.String(), want)
	}
}
