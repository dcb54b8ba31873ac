package table

import (
	"bytes"
	"testing"
)

func TestLayoutCutsToTheTerminal(t *testing.T) {
	var out bytes.Buffer
	l := Layout{W: &out, Heads: []Head{{Text: "NAME"}, {Text: "N", Right: true}, {Text: "LAST"}}, Width: 16}
	for _, row := range []string{"a\x0012\x00short\x00", "b\x007\x00\u00fcber alle Ma\u00dfen\x00"} {
		if err := l.Row([]byte(row)); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Flush(); err != nil {
		t.Fatal(err)
	}
	want := "NAME   N  LAST\na     12  short\nb      7  \u00fcbe...\n"
	if got := out.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// Where lines are cut, a column to be kept is seen, and stands in its place where they are not.
func TestLayoutKeepsColumns(t *testing.T) {
	for width, want := range map[int]string{
		0:  "ONE     TWO  LAST  CHANGE\nab   123456  xyz   new\n",
		25: "ONE     TWO  LAST  CHANGE\nab   123456  xyz   new\n",
		24: "ONE     TWO  CHANGE  ...\nab   123456  new     xyz\n",
		23: "ONE  CHANGE     TWO ...\nab   new     123456 ...\n",
		13: "CHANGE  ON...\nnew     ab...\n",
		7:  "CHAN...\nnew ...\n",
	} {
		var out bytes.Buffer
		l := Layout{W: &out, Width: width, Heads: []Head{{Text: "ONE"}, {Text: "TWO", Right: true}, {Text: "LAST"}, {Text: "CHANGE", Keep: true}}}
		if err := l.Row([]byte("ab\x00123456\x00xyz\x00new\x00")); err != nil {
			t.Fatal(err)
		}
		if err := l.Flush(); err != nil {
			t.Fatal(err)
		}
		if got := out.String(); got != want {
			t.Errorf("%d wide: got\n%s\nwant\n%s", width, got, want)
		}
	}
}

// What stands behind wide characters is in line.
func TestLayoutOfWideCharacters(t *testing.T) {
	var out bytes.Buffer
	l := Layout{W: &out, Heads: []Head{{Text: "NAME"}, {Text: "N", Right: true}, {Text: "LAST"}}}
	for _, row := range []string{"\u65e5\u672c\u8a9e\x0012\x00x\x00", "e\u0301\x007\x00y\x00", "abc\x00\U0001f600\x00z\x00"} {
		if err := l.Row([]byte(row)); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Flush(); err != nil {
		t.Fatal(err)
	}
	want := "NAME     N  LAST\n\u65e5\u672c\u8a9e  12  x\ne\u0301        7  y\nabc     \U0001f600  z\n"
	if got := out.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
