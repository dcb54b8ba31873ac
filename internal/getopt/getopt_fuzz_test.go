package getopt

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
)

// FuzzNext: any command line comes to its end; each word is an option, an argument or an operand, in order, and errors have words.
func FuzzNext(f *testing.F) {
	for _, s := range []string{"", "-ab x --long=1 -- -a", "--lo", "-Ax -A x --opt --opt=3", "--=", "-", "---", "-\xff", "--numer", "-A"} {
		f.Add(s, false)
		f.Add(s, true)
	}
	opts := []Option{
		{Short: 'a', Long: "all", ID: 'a'}, {Short: 'b', ID: 'b'}, {Short: 'A', Long: "long", Arg: Required, ID: 'A'}, {Long: "longer", ID: 300},
		{Short: 'o', Long: "opt", Arg: Optional, ID: 'o'}, {Long: "numeric", ID: 301}, {Long: "numeric-ports", ID: 302},
	}
	f.Fuzz(func(t *testing.T, line string, posix bool) {
		args := strings.Split(line, " ")
		given := slices.Clone(args)
		p := New("prog", args, opts)
		p.Posix = posix
		for n := 0; ; n++ {
			if n > len(line)+1 {
				t.Fatalf("%q: no end", line)
			}
			id, arg, err := p.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				if e, ok := errors.AsType[*Error](err); !ok || e.Text == "" || !strings.HasPrefix(e.Error(), "prog: ") {
					t.Errorf("%q: %#v", line, err)
				}
				continue
			}
			if !slices.ContainsFunc(opts, func(o Option) bool { return o.ID == id }) {
				t.Errorf("%q: option %d", line, id)
			}
			if !strings.Contains(line, arg) {
				t.Errorf("%q: argument %q", line, arg)
			}
		}
		at := 0
		for _, o := range p.Operands() {
			i := slices.Index(given[at:], o)
			if i < 0 {
				t.Fatalf("%q: operand %q is not a word, or not in order", line, o)
			}
			at += i + 1
		}
		if _, _, err := p.Next(); !errors.Is(err, io.EOF) {
			t.Errorf("%q: %v after the end", line, err)
		}
	})
}
