package filter

import (
	"strings"
	"testing"
)

// Patterns and names that fnmatch(3) of glibc 2.36 says to match with FNM_CASEFOLD in the C locale, and others that it says not to:
// drawn by lot.
var matching = [][2]string{
	{`**?`, `-/bb`}, {`*A[`, `a[`}, {`?]:`, `B]:`}, {`**A`, `!a`}, {`[-a[]*`, `aa[b`}, {`[\!]`, `!`}, {`[:Bxa?B]`, `x`},
	{`[!aa.]*`, `B/`}, {`A??`, `a\A`}, {`[^!]*`, `\/[`}, {`?**`, `ABB!b`}, {`[-B.b:!]`, `B`}, {`??*`, `!b!b[`},
	{`B[*?`, `B[:ab`}, {`?*]`, `\x:]`}, {`[*??`, `[/[x\`}, {`[*?`, `[A/`}, {`[-\b]`, `-`}, {`?\b*`, `\b][x`}, {`[bxaB]`, `b`},
	{`?Aa`, `\aa`}, {`?Bx`, `]bx`}, {`\!\[`, `![`}, {`[[*]b*`, `[b[b]`}, {`?A[`, `:a[`}, {`?x*`, `/xB!`}, {`[^^b]B*B`, `\bxB`},
	{`[B^]`, `b`},
}

var notMatching = [][2]string{
	{`xA?[]b:/`, `A/`}, {`a][`, `\\A:`}, {`A[bAb]]a`, `]B:a`}, {`!x[BA]^`, `\B`}, {`Bx\[-]^`, `-xbAa`}, {`B[*].*`, `/B`},
	{`B]-*[:?-`, `[]a:/`}, {`][\B-`, `[B`}, {`]xx?-[?^`, `bxx\A`}, {`./]?^[B]`, `xaax`}, {`a^][a`, `x[\x!`},
	{`.?B][/A?`, `/[\`}, {`[]//b`, `[[\`}, {`\]a[*?`, `xB]`}, {`aa]][`, `-!`}, {`^[]b`, `\\Ax\`}, {`a]]:[a[`, `-B!a`},
	{`]\[-!:/`, `!:a]a`}, {`-A[]x-`, `Bb`}, {`^?]]:[]`, `:/\BB`}, {`.[*-\^]]`, `\!:-[`}, {`]\[A[`, `x-!/`},
	{`[x[*b][!`, `!\-`}, {`B]aB[B`, `-bA-`}, {`.]^]:!.[`, `[b!b`}, {`A[]xAa`, `\!b`}, {`]*a?Ax[x`, `--B`}, {`bBA[**]`, `xb`},
	{`b[[*]`, `!\`}, {`.\[]`, `baa]-`}, {`x:-?[]`, `Bb[//`}, {`:*?x:/[]`, `bb[b`}, {`B*:][a`, `b-!`}, {`:a[a?A]!`, `x-a`},
	{`][-.`, `[-!]`}, {`:]][`, `!-AA\`}, {`bB!x[]^`, `/!Ab:`}, {`-]!x[`, `B!B]\`}, {`]^[b.[`, `-x`}, {`]?]b[?.a`, `[BA`},
	{`[].!x:`, `a]`}, {`B\A*][[a`, `]axA`}, {`B]*x[`, `AbB`}, {`^^[/.*]`, `:\`}, {`[^!]A\`, `xb`}, {`^.\:[]`, `/x:!`},
	{`]A/B[`, `]:/a/`}, {`/.x]].[b`, `-//`}, {`\[?]^]-`, `Ba`}, {`]:a-^B[^`, `[:`}, {`?[B[]`, `:]`}, {`^*^[Ab:]`, `:\`},
	{`[[*[\-]`, `[:BA/`}, {`A^a]^[]`, `\a:[`}, {`!*/][xbx`, `-B!`}, {`]A^ba[`, `//-`}, {`!B[/]\!b`, `A\`}, {`?][?[/:`, `!b`},
	{`A]\[*`, `]\!/\`}, {`bB\][/!`, `x/`}, {`[\/]??`, `-x[]b`}, {`.]*:B[`, `[]-A`}, {`/*[]A`, `//[/`}, {`^A]-A^[B`, `xBx[B`},
	{`.]\[]B?`, `]A:`}, {`-A!a[]a`, `:!-b`}, {`[-/*]`, `[a!\`}, {`BB]\[`, `]!Ax`}, {`:x?]/[`, `!a\A`}, {`-x\\*[^]`, `bxAb-`},
	{`[?-.]/`, `A![`}, {`[^]`, `a!]/`}, {`\/./]b[`, `BB`}, {`]-[`, `b/`}, {`[\/:B^]`, `]/[bx`}, {`x]:[b?[?`, `b/a/A`},
	{`][/!/\`, `x!x`}, {`]xB[`, `[!ax`}, {`[]\!^\x`, `:!aA`}, {`[xbb]][A`, `[\:-B`}, {`][?!\`, `]a[[`}, {`a\:]AA[`, `ax-][`},
	{`][?\`, `[\/!!`}, {`/[B]^/b`, `\A:bb`}, {`/B*.:?][`, `x/\`}, {`B[?/]`, `[-]`}, {`b/..]B[`, `a:/`}, {`^][AA]B`, `bb[[`},
	{`]]:^/[`, `!-[x`}, {`ab[:!]`, `B-`},
}

func TestFnmatch(t *testing.T) {
	for _, c := range matching {
		if !fnmatch(c[0], []byte(c[1])) {
			t.Errorf("%q does not match %q", c[0], c[1])
		}
	}
	for _, c := range notMatching {
		if fnmatch(c[0], []byte(c[1])) {
			t.Errorf("%q matches %q", c[0], c[1])
		}
	}
	for _, tt := range []struct {
		pattern, name string
		want          bool
	}{
		{"", "", true}, {"", "x", false}, {"*", "", true}, {"*", "/run/x", true}, {"/run/*", "/run/a/b", true}, {"?", "", false},
		{"*.sock", "/run/X.SOCK", true}, {"[[:digit:]]*", "7up", true}, {"[[:upper:]]", "a", false}, {"[[:upper:]]", "A", true},
		{"[[:alpha:][:digit:]_]", "_", true}, {"[[:nosuch:]]", ":]", false}, {"[a", "[a", true}, {"\\", "\\", false}, {"\\*", "*", true},
		{"\xff", "\xff", true}, {"[\x80-\xff]", "\xfe", true}, {"[.-0]", "/", true}, {"[z-a]", "m", false}, {"[]a]", "]", true}, {"[!]a]", "]", false},
	} {
		if got := fnmatch(tt.pattern, []byte(tt.name)); got != tt.want {
			t.Errorf("%q, %q: %v, want %v", tt.pattern, tt.name, got, tt.want)
		}
	}
}

// Stars do not multiply: the time is at most the product of the lengths.
func TestFnmatchManyStars(t *testing.T) {
	if fnmatch(strings.Repeat("a*", 50)+"b", []byte(strings.Repeat("a", 5000))) {
		t.Error("matched")
	}
}

func FuzzFnmatch(f *testing.F) {
	for _, c := range matching[:20] {
		f.Add(c[0], []byte(c[1]))
	}
	f.Fuzz(func(t *testing.T, pattern string, name []byte) {
		fnmatch(pattern, name)
		if !fnmatch("*"+strings.NewReplacer("*", "\\*", "?", "\\?", "[", "\\[", "\\", "\\\\").Replace(string(name)), name) {
			t.Errorf("%q does not match itself", name)
		}
	})
}
