package bench

import (
	"strings"
	"testing"

	"github.com/sockeye-tools/sockeye/cmd/internal/cli"
	"github.com/sockeye-tools/sockeye/diag/owner"
)

func TestImpact(t *testing.T) {
	for _, tt := range []struct {
		args   string
		status int
		words  string
	}{
		{"--help", cli.ExitOK, ""},
		{"--seconds 0", cli.ExitUsage, `--seconds: "0" is not a number from 1 to 3600`},
		{"--rounds", cli.ExitUsage, "requires an argument"},
		{"now", cli.ExitUsage, `impact takes no operand, but got "now"`},
		{"--peer nothing", cli.ExitUsage, "want NAME=COMMAND"},
	} {
		status, stdout, stderr := call(t, "", owner.Auto, append([]string{"impact"}, strings.Fields(tt.args)...)...)
		if status != tt.status || !strings.Contains(stderr, tt.words) || (stdout == impactHelp) != (tt.status == cli.ExitOK) {
			t.Errorf("%q: status %d, stdout %q, stderr %q", tt.args, status, stdout, stderr)
		}
	}
}
