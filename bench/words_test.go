package bench

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/sockeye-tools/sockeye/internal/leak"
)

func TestSplitWords(t *testing.T) {
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skipf("needs a shell to compare with: %v", err)
	}
	for _, s := range []string{
		`ss -tan`, `  ss   -tan `, `ss -tnp 'sport = :1'`, `ss "sport = :1"`, `a\ b c`, `'a'"b"c\d`, `"a\"b\\c\d"`, `'a\b'`, `a '' b ""`,
		"a\tb",
	} {
		got, err := splitWords(s)
		if err != nil {
			t.Errorf("splitWords(%q): %v", s, err)
			continue
		}
		out, err := exec.Command(sh, "-c", "for w in "+s+`; do printf '%s|' "$w"; done`).Output()
		if err != nil {
			t.Fatal(err)
		}
		if want := string(out); strings.Join(got, "|")+"|" != want {
			t.Errorf("splitWords(%q) = %q, the shell has %q", s, got, want)
		}
	}
	// What a shell would expand stays.
	if got, err := splitWords(`x $HOME * ~`); err != nil || !slices.Equal(got, []string{"x", "$HOME", "*", "~"}) {
		t.Errorf("nothing is to be expanded: %q, %v", got, err)
	}
	for _, s := range []string{"", "  ", `a 'b`, `a "b`, `a \`} {
		if got, err := splitWords(s); err == nil {
			t.Errorf("splitWords(%q) = %q, want an error", s, got)
		}
	}
}

func TestMain(m *testing.M) {
	childMain()
	os.Exit(leak.Wrap(m).Run())
}
