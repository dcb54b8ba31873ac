package field

import (
	"math"
	"testing"
)

// A name that would be read as another owner, or as no name, stands in quotes.
func TestAppendOwners(t *testing.T) {
	s := socketOf(t, 1, 0, 7)
	for _, tt := range []struct {
		owners Owners
		most   int
		want   string
	}{
		{&named{"nginx"}, 4, "nginx[1]"},
		{&named{"tmux: server"}, 4, "tmux: server[1]"},
		{&named{"x[1] y"}, 4, `"x[1] y"[1]`},
		{&named{"a]"}, 4, `"a]"[1]`},
		{&named{"a[2"}, 4, "a[2[1]"},
		{&named{`say "\`}, 4, `say "\[1]`},
		{&named{`"say" \`}, 4, `"\"say\" \\"[1]`},
		{&named{`back\slash`}, 4, `back\slash[1]`},
		{&named{"?"}, 4, `"?"[1]`},
		{&named{""}, 4, `""[1]`},
		{holders{1: ""}, 4, "?[1]"},
		{nil, 4, ""},
		{fake{}, 1, "x[1] +1"},
		{fake{}, 2, "x[1] x[2]"},
		{fake{}, math.MaxInt, "x[1] x[2]"},
	} {
		got, ok := AppendOwners(&Context{Owners: tt.owners}, nil, s, tt.most)
		if string(got) != tt.want || ok != (tt.want != "") {
			t.Errorf("%#v: %s, %v, want %s", tt.owners, got, ok, tt.want)
		}
	}
}
