package peers

import (
	"fmt"
	"strings"
	"testing"
)

func TestDiffLines(t *testing.T) {
	a := strings.Split("1 2 3 4 5 6 7 8", " ")
	if d := diffLines(a, a); d != "" {
		t.Errorf("equal: %q", d)
	}
	got := diffLines(a, strings.Split("1 2 3 4 X 6 7 8 9", " "))
	want := `  ... 2 equal lines
  3$
  4$
- 5$
+ X$
  6$
  7$
  8$
+ 9$
`
	if got != want {
		t.Errorf("got:\n%swant:\n%s", got, want)
	}
	if got := diffLines([]string{"a "}, []string{"\x1b[31m\"a\""}); got != "- a $\n+ \\x1b[31m\"a\"$\n" {
		t.Errorf("%q", got)
	}
	if got := diffLines(nil, []string{"a"}); got != "+ a$\n" {
		t.Errorf("%q", got)
	}
	var long []string
	for i := range 1000 {
		long = append(long, fmt.Sprint(i))
	}
	if got := strings.Count(diffLines(long, nil), "\n"); got != shown+1 {
		t.Errorf("%d lines of a long diff", got)
	}
}
