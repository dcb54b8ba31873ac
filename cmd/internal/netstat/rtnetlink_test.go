package netstat

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"
)

// TestChangingTables: tables that change while the kernel writes them are shown nonetheless.
func TestChangingTables(t *testing.T) {
	ip, err := exec.LookPath("ip")
	if err != nil {
		t.Skip("ip of iproute2 is not installed")
	}
	inNamespace(t, func() {
		var many, changes strings.Builder
		for i := range 200 { // more than one message has room for
			fmt.Fprintf(&many, "link add b%d type bridge\naddr add 10.0.%d.1/24 dev b%d\n", i, i, i)
		}
		setUp(t, many.String())
		for i := range 100_000 {
			fmt.Fprintf(&changes, "addr add 10.1.1.1/32 dev b%[1]d\naddr del 10.1.1.1/32 dev b%[1]d\n", i%200)
		}
		cmd := exec.CommandContext(t.Context(), ip, "-batch", "-")
		cmd.Stdin = strings.NewReader(changes.String())
		if err := cmd.Start(); err != nil {
			t.Error(err)
			return
		}
		defer cmd.Wait()
		defer cmd.Process.Kill()
		for range 30 {
			for _, args := range []string{"-ia", "--bsd -in", "--bsd -rna"} {
				r := ours(t.Context(), strings.Fields(args)...)
				partial := r.status == exitFailed && strings.Contains(r.stderr, "changed each time")
				if !partial && (r.status != exitOK || r.stderr != "") {
					t.Fatalf("%s: status %d, %s", args, r.status, r.stderr)
				}
				if !strings.Contains(r.stdout, "b199") {
					t.Fatalf("%s: printed %q", args, r.stdout)
				}
			}
		}
	})
}
