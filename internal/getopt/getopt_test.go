package getopt

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const (
	all = iota + 1
	family
	numeric
	numericHosts
	listening
	af
	color
	question
)

var opts = []Option{
	{Long: "inet", ID: af},
	{Long: "inet6", ID: af},
	{Long: "interfaces", Short: 'i', ID: listening + 100},
	{Short: 'a', Long: "all", ID: all},
	{Short: 'A', Long: "protocol", Arg: Required, ID: family},
	{Short: 'n', Long: "numeric", ID: numeric},
	{Long: "numeric-hosts", ID: numericHosts},
	{Short: 'l', Long: "listening", ID: listening},
	{Short: 'c', Long: "color", Arg: Optional, ID: color},
	{Short: '?', ID: question},
}

// parse returns what the command line is taken for, one word an option: ID, or ID=argument; then the operands; or the error.
func parse(t *testing.T, posix bool, words ...string) string {
	t.Helper()
	p := New("prog", words, opts)
	p.Posix = posix
	var got []string
	for range 100 {
		id, arg, err := p.Next()
		var ge *Error
		switch {
		case err == io.EOF:
			return strings.Join(append(got, append([]string{"|"}, p.Operands()...)...), " ")
		case errors.As(err, &ge):
			got = append(got, "<"+ge.Error()+">")
		case err != nil:
			t.Fatalf("%q: %v is no *Error", words, err)
		case p.Name() != "":
			got = append(got, fmt.Sprintf("%d:%s=%s", id, p.Name(), arg))
		default:
			got = append(got, fmt.Sprintf("%d=%s", id, arg))
		}
	}
	t.Fatalf("%q: no end", words)
	return ""
}

var cases = []struct {
	words []string
	want  string
}{
	{nil, "|"},
	{[]string{"-a"}, "1= |"},
	{[]string{"-anl"}, "1= 3= 5= |"},
	{[]string{"x", "-a", "y", "-l"}, "1= 5= | x y"},
	{[]string{"-a", "--", "-l", "--", "z"}, "1= | -l -- z"},
	{[]string{"-"}, "| -"},
	{[]string{""}, "| "},
	{[]string{"-A", "-n"}, "2=-n |"},
	{[]string{"-aAinet,unix", "-n"}, "1= 2=inet,unix 3= |"},
	{[]string{"-A", "--", "-n"}, "2=-- 3= |"},
	{[]string{"-A", "", "-n"}, "2= 3= |"},
	{[]string{"-aA"}, "1= <prog: option requires an argument -- 'A'> |"},
	{[]string{"--protocol"}, "<prog: option '--protocol' requires an argument> |"},
	{[]string{"--protocol="}, "2:protocol= |"},
	{[]string{"--protocol=a=b"}, "2:protocol=a=b |"},
	{[]string{"--prot", "-a"}, "2:protocol=-a |"},
	{[]string{"--numeric"}, "3:numeric= |"},
	{[]string{"--numeric-h"}, "4:numeric-hosts= |"},
	{[]string{"--num"}, "<prog: option '--num' is ambiguous; possibilities: '--numeric' '--numeric-hosts'> |"},
	{[]string{"--num=3", "-a"}, "<prog: option '--num=3' is ambiguous; possibilities: '--numeric' '--numeric-hosts'> 1= |"},
	{[]string{"--inet"}, "6:inet= |"},
	{[]string{"--inet6"}, "6:inet6= |"},
	{[]string{"--ine"}, "6:inet= |"}, // the same ID: the first is meant
	{[]string{"--in"}, "<prog: option '--in' is ambiguous; possibilities: '--inet' '--interfaces'> |"},
	{[]string{"--foo"}, "<prog: unrecognized option '--foo'> |"},
	{[]string{"--foo=3"}, "<prog: unrecognized option '--foo=3'> |"},
	{[]string{"--all=3"}, "<prog: option '--all' doesn't allow an argument> |"},
	{[]string{"--al=3"}, "<prog: option '--all' doesn't allow an argument> |"},
	{[]string{"-aqn"}, "1= <prog: invalid option -- 'q'> 3= |"},
	{[]string{"-a-n"}, "1= <prog: invalid option -- '-'> 3= |"},
	{[]string{"-\xc3\xa9"}, "<prog: invalid option -- '\xc3'> <prog: invalid option -- '\xa9'> |"},
	{[]string{"-?"}, "8= |"},
	{[]string{"-c", "always"}, "7= | always"},
	{[]string{"-calways"}, "7=always |"},
	{[]string{"--color", "always"}, "7:color= | always"},
	{[]string{"--color=always"}, "7:color=always |"},
	{[]string{"--="}, "<prog: option '--=' is ambiguous; possibilities: '--inet' '--interfaces' '--all' '--protocol'" +
		" '--numeric' '--numeric-hosts' '--listening' '--color'> |"},
}

func TestParse(t *testing.T) {
	for _, c := range cases {
		if got := parse(t, false, c.words...); got != c.want {
			t.Errorf("%q:\n got %s\nwant %s", c.words, got, c.want)
		}
	}
}

func TestPosix(t *testing.T) {
	for _, c := range []struct {
		words []string
		want  string
	}{
		{[]string{"-a", "x", "-l", "--", "y"}, "1= | x -l -- y"},
		{[]string{"-a", "--", "x", "-l"}, "1= | x -l"},
		{[]string{"-A", "x", "-l"}, "2=x 5= |"},
	} {
		if got := parse(t, true, c.words...); got != c.want {
			t.Errorf("%q:\n got %s\nwant %s", c.words, got, c.want)
		}
	}
}

func TestOperandsKeepTheCallersSlice(t *testing.T) {
	words := []string{"x", "-a", "y"}
	parse(t, false, words...)
	if !slices.Equal(words, []string{"x", "-a", "y"}) {
		t.Errorf("the caller's words became %q", words)
	}
}

// TestAgainstGetopt compares with getopt(1), which calls the C library's getopt_long.
func TestAgainstGetopt(t *testing.T) {
	getopt, err := exec.LookPath("getopt")
	if err != nil {
		t.Skip("getopt(1) of util-linux is not installed")
	}
	var longs []string
	var shorts strings.Builder
	for _, o := range opts {
		suffix := []string{"", ":", "::"}[o.Arg]
		if o.Long != "" {
			longs = append(longs, o.Long+suffix)
		}
		if o.Short != 0 {
			shorts.WriteString(string(o.Short) + suffix)
		}
	}
	for _, posix := range []bool{false, true} {
		for _, c := range cases {
			// getopt(1) gives every long option a value of its own, and takes -? for an error.
			if len(c.words) == 1 && slices.Contains([]string{"--ine", "--in", "--=", "-?"}, c.words[0]) {
				continue
			}
			cmd := exec.Command(getopt, append([]string{"-u", "-n", "prog", "-o", shorts.String(), "-l", strings.Join(longs, ","), "--"}, c.words...)...)
			cmd.Env = append(os.Environ(), "LC_ALL=C")
			if posix {
				cmd.Env = append(cmd.Env, "POSIXLY_CORRECT=1")
			}
			var stderr strings.Builder
			cmd.Stderr = &stderr
			out, _ := cmd.Output() // its status is 1 where a word was refused
			if want, got := string(out)+stderr.String(), unquoted(c.words, posix); got != want {
				t.Errorf("%q, posix %v:\n got %q\nwant %q", c.words, posix, got, want)
			}
		}
	}
}

// unquoted returns what getopt -u prints for words: the options, "--", the operands, then the errors.
func unquoted(words []string, posix bool) string {
	p := New("prog", words, opts)
	p.Posix = posix
	var out, errs strings.Builder
	for {
		id, arg, err := p.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			fmt.Fprintln(&errs, err)
			continue
		}
		i := slices.IndexFunc(opts, func(o Option) bool { return o.ID == id && (p.Name() == "" || o.Long == p.Name()) })
		if p.Name() != "" {
			out.WriteString(" --" + p.Name())
		} else {
			out.WriteString(" -" + string(opts[i].Short))
		}
		if opts[i].Arg != None {
			out.WriteString(" " + arg)
		}
	}
	out.WriteString(" --")
	for _, o := range p.Operands() {
		out.WriteString(" " + o)
	}
	return out.String() + "\n" + errs.String()
}
