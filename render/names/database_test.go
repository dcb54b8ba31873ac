package names

import (
	"slices"
	"strings"
	"testing"
)

func TestFields(t *testing.T) {
	var got []string
	for f := range fields([]byte("# c\n\n a 1 x y # z\nlonely\nb\t2\n#\nlast 3")) {
		var line []string
		for _, w := range f {
			line = append(line, string(w))
		}
		got = append(got, strings.Join(line, ","))
	}
	if want := []string{"a,1,x,y", "b,2", "last,3"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	for range fields([]byte("a 1\nb 2\n")) {
		break
	}
}
