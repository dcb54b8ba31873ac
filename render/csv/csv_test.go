package csv

import (
	"encoding/csv"
	"slices"
	"strings"
	"testing"
)

func TestAppendCell(t *testing.T) {
	values := []string{"", "a", "a,b", `say "x"`, "two\nlines", "cr\rlf\r\n", "ünï", "tab\t", `back\slash`, " blank "}
	var b []byte
	for i, v := range values {
		if i > 0 {
			b = append(b, ',')
		}
		b = AppendCell(b, []byte(v), ',')
	}
	got, err := csv.NewReader(strings.NewReader(string(b) + "\n")).Read()
	for i := range got { // encoding/csv makes one newline of \r\n
		got[i] = strings.ReplaceAll(got[i], "\r\n", "\n")
	}
	want := slices.Clone(values)
	want[5] = "cr\rlf\n"
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%q, %v: read back as %q", b, err, got)
	}
	b = AppendCell(nil, []byte("a\tb\nc\\d\re\"f,"), '\t')
	if string(b) != `a\tb\nc\\d\re"f,` {
		t.Errorf("tab: %q", b)
	}
}
