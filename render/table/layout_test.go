package table

import (
	"bytes"
	"testing"
)

func TestLayoutCutsToTheTerminal(t *testing.T) {
	var out bytes.Buffer
	l := Layout{W: &out, Heads: []Head{{"NAME", false}, {"N", true}, {"LAST", false}}, Width: 16}
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
